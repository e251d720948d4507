// Appended to the kernels of training: where the maps of a batch lie. Mirrors `MapLayout` in src/train/gpu/maps.rs.
//
// A texture of rgba32float holds 4 pixels of a row in a texel, and the same 4 pixels of all sub-images side by side, so
// that invocations for neighbouring sub-images read neighbouring texels. A plane (channel) has `texels` such columns
// and `rows` rows; `across` planes lie in a row of planes. Around the pixels of a plane, `left` texels and `top` rows
// away from its corner, everything is zero.
struct Maps {
    across: u32,
    texels: u32,
    rows: u32,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

// Texel of a plane; texel 0 and row 0 hold the first pixel.
fn place(maps: Maps, plane: u32, sub_image: u32, texel: i32, row: i32) -> vec2<i32> {
    let x = i32(plane % maps.across * maps.texels + maps.left) + texel;
    let y = i32(plane / maps.across * maps.rows + maps.top) + row;
    return vec2(x * i32(BATCH) + i32(sub_image), y);
}

// A texel's four values, zero where the map has ended.
fn inside(maps: Maps, texel: i32, value: vec4<f32>) -> vec4<f32> {
    return select(vec4(0.0), value, texel * 4 + vec4(0, 1, 2, 3) < vec4(i32(maps.width)));
}
