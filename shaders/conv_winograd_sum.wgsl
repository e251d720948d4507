// The end of layer 3 (equation 3) after conv_winograd.wgsl: the sum of what each square of 4 x 4 pixels contributes.
//
//   output[y, x] = B3 + m(y, x) sum over squares of their contributions to (y, x)
//
// The input holds what a square contributes to itself (plane 0), to columns -2 -1 4 5 (plane 1), to rows -2 -1 4 5
// (plane 2), and to both (plane 3). Bindings, entry point and grid: shared/last_layer_sum.wgsl.
//#import last_layer_sum

fn contributions(texel: vec2<i32>) -> vec4<f32> {
    let at = texel + region.input_margin / vec2(4, 1);
    var sum = read_input(input_plane(0u) + at);
    if FILTER_3 > 1u {
        // Rows 0 and 1 of a square get rows 4 and 5 of the one above, rows 2 and 3 get rows -2 and -1 of the one below.
        // Clamping at the ends affects only pixels outside the region.
        let last = vec2<i32>(vec2(region.input.texels, region.input.rows)) - 1;
        let beside = clamp(at.y + select(-2, 2, at.y % 4 >= 2), 0, last.y);
        sum += from_rows(2u, vec2(at.x, beside), at.y);
        let left = sides(max(at.x - 1, 0), at.y, beside);
        let right = sides(min(at.x + 1, last.x), at.y, beside);
        // A square that filters of 3 x 3 do not reach this far from may not have been computed.
        sum += select(vec4(left.z, 0.0, 0.0, right.y), vec4(left.zw, right.xy), FILTER_3 > 3u);
    }
    return sum;
}

// Columns -2 -1 4 5 of a square, from its own row and from the square above or below.
fn sides(x: i32, y: i32, beside: i32) -> vec4<f32> {
    return read_input(input_plane(1u) + vec2(x, y)) + from_rows(3u, vec2(x, beside), y);
}

// Rows -2 -1 4 5 of the square above or below row y, as far as the filter reaches.
fn from_rows(plane: u32, at: vec2<i32>, y: i32) -> vec4<f32> {
    let row = y % 4;
    return select(vec4(0.0), read_input(input_plane(plane) + at), FILTER_3 > 3u || row == 0 || row == 3);
}
