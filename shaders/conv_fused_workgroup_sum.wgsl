// The end of layer 3 (equation 3) after conv_fused_workgroup.wgsl: the sum of what blocks of 32 x 16 pixels add to a pixel.
//
//   output[y, x] = B3 + m(y, x) sum over blocks of their parts of (y, x)
//
// The input holds in plane 0 the part of the block that begins R pixels left of and above those columns and rows, in plane 1
// that of the block to the left of it, in plane 2 that of the block above, in plane 3 that of the one left of this; the last
// texel of 8, and the last 4 rows of 16, have several. Bindings, entry point and grid: shared/last_layer_sum.wgsl.
//#import last_layer_sum

fn contributions(texel: vec2<i32>) -> vec4<f32> {
    var sum = read_input(input_plane(0u) + texel);
    let beside = texel.x % 8 == 7;
    let below = texel.y % 16 >= 12;
    if beside {
        sum += read_input(input_plane(1u) + texel);
    }
    if below {
        sum += read_input(input_plane(2u) + texel);
        if beside {
            sum += read_input(input_plane(3u) + texel);
        }
    }
    return sum;
}
