// Appended to the kernels of training: where the maps of a batch lie. Mirrors `MapLayout` in src/train/gpu/maps.rs.
//
// A texture of rgba32float holds 4 pixels of a row in a texel, and the same 4 pixels of all sub-images side by side, so
// that invocations for neighbouring sub-images read neighbouring texels. A plane (channel) has `texels` such columns
// and `rows` rows; `across` planes lie in a row of planes. Around the pixels of a plane, `left` texels and `top` rows
// away from its corner, everything is zero.
struct MapLayout {
    across: u32,
    texels: u32,
    rows: u32,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

// Distance of a plane's texels that follow each other in a row.
const NEXT_TEXEL: i32 = i32(BATCH);

// A texel of every plane of a map.
struct Texel {
    sub_image: u32,
    texel: i32,
    row: i32,
    // Whether there is such a sub-image; else it is the last one's.
    wanted: bool,
}

fn texel(sub_image: u32, texel: u32, row: u32) -> Texel {
    return Texel(min(sub_image, BATCH - 1u), i32(texel), i32(row), sub_image < BATCH);
}

// Place of a texel of a plane; texel 0 and row 0 hold the first pixel.
fn place(maps: MapLayout, plane: u32, sub_image: u32, texel: i32, row: i32) -> vec2<i32> {
    let x = i32(plane % maps.across * maps.texels + maps.left) + texel;
    let y = i32(plane / maps.across * maps.rows + maps.top) + row;
    return vec2(x * i32(BATCH) + i32(sub_image), y);
}

// Parts of the f x f taps of a layer with zeros around its input that fall inside of the map, for the four pixels of a
// texel: 1 over the valid-pixel map m of section 4. With f = 0, which is no such layer, 1.
fn valid_share(maps: MapLayout, f: u32, texel: i32, row: i32) -> vec4<f32> {
    let size = max(i32(f), 1);
    let x = texel * 4 + vec4(0, 1, 2, 3);
    let columns = min(x + size / 2 + 1, vec4(i32(maps.width))) - max(x - size / 2, vec4(0));
    let rows = min(row + size / 2 + 1, i32(maps.height)) - max(row - size / 2, 0);
    // Past the map's end there is no pixel to divide by 0 for.
    return select(vec4(1.0), vec4<f32>(max(columns, vec4(1)) * rows) / f32(size * size), f > 0u);
}

// A texel's four values, zero where the map has ended.
fn inside(maps: MapLayout, texel: i32, value: vec4<f32>) -> vec4<f32> {
    return select(vec4(0.0), value, texel * 4 + vec4(0, 1, 2, 3) < vec4(i32(maps.width)));
}
