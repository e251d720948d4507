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
        sum += read_input(input_plane(2u) + vec2(at.x, beside));
        let left = max(at.x - 1, 0);
        let right = min(at.x + 1, last.x);
        sum += vec4(sides(left, at.y, beside).zw, sides(right, at.y, beside).xy);
    }
    return sum;
}

// Columns -2 -1 4 5 of a square, from its own row and from the square above or below.
fn sides(x: i32, y: i32, beside: i32) -> vec4<f32> {
    let own = read_input(input_plane(1u) + vec2(x, y));
    return own + read_input(input_plane(3u) + vec2(x, beside));
}
