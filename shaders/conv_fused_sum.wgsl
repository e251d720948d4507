// The end of layer 3 (equation 3) after conv_fused_head.wgsl or conv_fused_body.wgsl: the sum over the rows of the
// filter.
//
//   output[y, x] = B3 + m(y, x) sum over i of P[i, y + i, x]
//
// shared/fused_epilogue.wgsl describes how P is stored. Bindings, entry point and grid: shared/last_layer_sum.wgsl.
//#import last_layer_sum

fn contributions(texel: vec2<i32>) -> vec4<f32> {
    let column = texel.x + region.input_margin.x / 4;
    // Texels out of range affect only columns outside the region.
    let left = max(column - 1, 0);
    let right = min(column + 1, i32(region.input.texels) - 1);
    var sum = vec4(0.0);
    for (var i = 0u; i < FILTER_3; i++) {
        let row = texel.y + i32(i) + region.input_margin.y - i32(FILTER_3 / 2u);
        let main = input_plane(2u * i) + vec2(column, row);
        let sides = input_plane(2u * i + 1u) + vec2(0, row);
        var before = vec2(0.0);
        var after = vec2(0.0);
        if FILTER_3 > 1u {
            before = read_input(sides + vec2(left, 0)).zw;
            after = read_input(sides + vec2(right, 0)).xy;
        }
        if FILTER_3 == 3u {
            // The other column is out of reach, and the neighboring texel may not exist.
            before.y = 0.0;
            after.x = 0.0;
        }
        sum += read_input(main);
        sum += vec4(before, after);
    }
    return sum;
}
