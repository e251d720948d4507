// The end of a fused network, for maps in registers: what the next layer's padding makes of them, and the rows of a
// last layer of one filter over them.
//
//   P[i, y, x] = sum over k, j of W3[k, i, j] F2[k, y, x + j]
//
// An invocation knows what its own 4 columns contribute to themselves and to 2 columns on either side. It stores two
// texels for each row i of the filter: columns 0 1 2 3 in plane 2 i and columns -2 -1 4 5 in plane 2 i + 1. The column
// of a texel's first pixel is a multiple of 4 in the picture, so the order of these sums does not depend on tiles.
//
// The weights are B2, and W3 as [i][j][k]. Prelude: BLOCKS8, FILTER_3, PADDING.
//#import block8
//#import locate
//#import valid_map
//#import weight_load

// What an invocation owns: a texel.
const OWNED: vec2<i32> = vec2(4, 1);

// Maps of layer 2 from their sums: max(0, m sum + B2), the biases at `at`. Outside the picture they get what the next
// layer's padding needs.
fn finish(sums: Maps, location: Location, m: vec4<f32>, at: u32) -> Maps {
    let border = border(location, m);
    var maps = Maps();
    maps.a = finish_block8(sums.a, border, at, 0u);
    if BLOCKS8 > 1u {
        maps.b = finish_block8(sums.b, border, at, 2u);
    }
    if BLOCKS8 > 2u {
        maps.c = finish_block8(sums.c, border, at, 4u);
    }
    if BLOCKS8 > 3u {
        maps.d = finish_block8(sums.d, border, at, 6u);
    }
    return maps;
}

// Which of a texel's pixels lie left and right of the picture, and the places of the picture's first and last column
// in their texels.
struct Border {
    left: vec4<bool>,
    right: vec4<bool>,
    first: i32,
    last: i32,
    m: vec4<f32>,
}

fn border(location: Location, m: vec4<f32>) -> Border {
    let columns = location.wanted.x + vec4(0, 1, 2, 3);
    var left = columns < vec4(location.first.x);
    let right = columns > vec4(location.last.x);
    if PADDING == PADDING_ZERO && (location.wanted.y < location.first.y || location.wanted.y > location.last.y) {
        left = vec4(true);
    }
    return Border(left, right, location.first.x % 4, location.last.x % 4, m);
}

fn finish_block8(sums: Block8, border: Border, base: u32, at: u32) -> Block8 {
    let b0 = weight(base, at);
    let b1 = weight(base, at + 1u);
    return Block8(
        finish_one(border.m * sums.s0 + b0.x, border),
        finish_one(border.m * sums.s1 + b0.y, border),
        finish_one(border.m * sums.s2 + b0.z, border),
        finish_one(border.m * sums.s3 + b0.w, border),
        finish_one(border.m * sums.s4 + b1.x, border),
        finish_one(border.m * sums.s5 + b1.y, border),
        finish_one(border.m * sums.s6 + b1.z, border),
        finish_one(border.m * sums.s7 + b1.w, border),
    );
}

fn finish_one(sum: vec4<f32>, border: Border) -> vec4<f32> {
    let value = max(sum, vec4(0.0));
    if PADDING == PADDING_REPLICATE {
        let left = pixel(value, border.first);
        let right = pixel(value, border.last);
        return select(select(value, vec4(right), border.right), vec4(left), border.left);
    }
    if PADDING == PADDING_ZERO {
        return select(value, vec4(0.0), border.left | border.right);
    }
    return value;
}

fn pixel(value: vec4<f32>, index: i32) -> f32 {
    return select(select(value.x, value.y, index == 1), select(value.z, value.w, index == 3), index >= 2);
}

// Stores what the 4 pixels contribute to columns -2 to 5 by row i of the last layer's filter, whose weights are at
// `base`.
fn store_row(maps: Maps, base: u32, i: u32, location: Location) {
    // The middle tap stays in its column; r1, r2 go to columns further right, l1, l2 to columns further left.
    var main = row_tap(maps, base, FILTER_3 / 2u);
    var sides = vec4(0.0);
    if FILTER_3 > 1u {
        let r1 = row_tap(maps, base, FILTER_3 / 2u - 1u);
        let l1 = row_tap(maps, base, FILTER_3 / 2u + 1u);
        main += vec4(0.0, r1.xyz) + vec4(l1.yzw, 0.0);
        sides += vec4(0.0, l1.x, r1.w, 0.0);
    }
    if FILTER_3 > 3u {
        let r2 = row_tap(maps, base, 0u);
        let l2 = row_tap(maps, base, 4u);
        main += vec4(0.0, 0.0, r2.xy) + vec4(l2.zw, 0.0, 0.0);
        sides += vec4(l2.xy, r2.zw);
    }
    if location.inside_region {
        let texel = vec2(location.wanted.x / 4, location.wanted.y);
        textureStore(output, output_plane(2u * i) + texel, main);
        textureStore(output, output_plane(2u * i + 1u) + texel, sides);
    }
}

// The sum over all maps for tap j of the row.
fn row_tap(maps: Maps, base: u32, j: u32) -> vec4<f32> {
    let at = j * 2u * BLOCKS8;
    var sum = over_block8(maps.a, base, at);
    if BLOCKS8 > 1u {
        sum += over_block8(maps.b, base, at + 2u);
    }
    if BLOCKS8 > 2u {
        sum += over_block8(maps.c, base, at + 4u);
    }
    if BLOCKS8 > 3u {
        sum += over_block8(maps.d, base, at + 6u);
    }
    return sum;
}

fn over_block8(maps: Block8, base: u32, at: u32) -> vec4<f32> {
    let sum = add(vec4(0.0), mat4x4(maps.s0, maps.s1, maps.s2, maps.s3), weight(base, at));
    return add(sum, mat4x4(maps.s4, maps.s5, maps.s6, maps.s7), weight(base, at + 1u));
}

// The valid-pixel map's factors for 4 pixels.
fn valid_factors(at: vec2<i32>) -> vec4<f32> {
    return valid_columns(at.x) * valid_row(at.y);
}
