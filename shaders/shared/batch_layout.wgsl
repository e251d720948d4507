// Where the maps of a training batch lie. Mirrors `BatchLayout` in src/train/gpu/maps.rs.
//
// A texel of an rgba32float texture holds 4 pixels of a row. The same 4 pixels of all sub-images lie side by side, so
// that invocations for neighboring sub-images read neighboring texels. A plane (channel) has `texels` such columns and
// `rows` rows, and `across` planes lie in a row of planes. The pixels of a plane begin `left` texels and `top` rows
// from its corner; everything around them is zero.
struct BatchLayout {
    across: u32,
    texels: u32,
    rows: u32,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

// Step from one texel of a plane's row to the next.
const NEXT_TEXEL: i32 = i32(BATCH);

// A texel in every plane of a map.
struct Texel {
    sub_image: u32,
    texel: i32,
    row: i32,
    // False for invocations past the last sub-image; `sub_image` is the last one then.
    wanted: bool,
}

fn texel(sub_image: u32, texel: u32, row: u32) -> Texel {
    return Texel(min(sub_image, BATCH - 1u), i32(texel), i32(row), sub_image < BATCH);
}

// Texture coordinates of a texel of a plane; texel 0 and row 0 hold the first pixel.
fn texel_address(maps: BatchLayout, plane: u32, sub_image: u32, texel: i32, row: i32) -> vec2<i32> {
    let x = i32(plane % maps.across * maps.texels + maps.left) + texel;
    let y = i32(plane / maps.across * maps.rows + maps.top) + row;
    return vec2(x * i32(BATCH) + i32(sub_image), y);
}

// The share of a layer's f x f taps that lie inside the map, for the 4 pixels of a texel: 1 over the valid-pixel map m
// of section 4. 1 for f = 0, which stands for a layer that is not normalized.
fn valid_share(maps: BatchLayout, f: u32, texel: i32, row: i32) -> vec4<f32> {
    let size = max(i32(f), 1);
    let x = texel * 4 + vec4(0, 1, 2, 3);
    let columns = min(x + size / 2 + 1, vec4(i32(maps.width))) - max(x - size / 2, vec4(0));
    let rows = min(row + size / 2 + 1, i32(maps.height)) - max(row - size / 2, 0);
    // At least 1 column: past the end of a row there is no tap, and the share is a divisor.
    return select(vec4(1.0), vec4<f32>(max(columns, vec4(1)) * rows) / f32(size * size), f > 0u);
}

// A texel's 4 values, zero past the end of the row.
fn inside(maps: BatchLayout, texel: i32, value: vec4<f32>) -> vec4<f32> {
    return select(vec4(0.0), value, texel * 4 + vec4(0, 1, 2, 3) < vec4(i32(maps.width)));
}
