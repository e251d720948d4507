// A 1x1 layer 2 (equation 2) over 4 maps of layer 1 at a time. The weights are the columns of W2 for these 4 maps: one
// vec4 for each map of layer 2.
//#import block8
//#import weight_load

// Adds what 4 maps of layer 1 contribute to layer 2.
fn add_maps(before: Maps, f1: mat4x4<f32>, base: u32, at: u32) -> Maps {
    var sums = before;
    sums.a = add_block8(sums.a, f1, base, at);
    if BLOCKS8 > 1u {
        sums.b = add_block8(sums.b, f1, base, at + 8u);
    }
    if BLOCKS8 > 2u {
        sums.c = add_block8(sums.c, f1, base, at + 16u);
    }
    if BLOCKS8 > 3u {
        sums.d = add_block8(sums.d, f1, base, at + 24u);
    }
    return sums;
}

fn add_block8(sums: Block8, f1: mat4x4<f32>, base: u32, at: u32) -> Block8 {
    return Block8(
        add(sums.s0, f1, weight(base, at)),
        add(sums.s1, f1, weight(base, at + 1u)),
        add(sums.s2, f1, weight(base, at + 2u)),
        add(sums.s3, f1, weight(base, at + 3u)),
        add(sums.s4, f1, weight(base, at + 4u)),
        add(sums.s5, f1, weight(base, at + 5u)),
        add(sums.s6, f1, weight(base, at + 6u)),
        add(sums.s7, f1, weight(base, at + 7u)),
    );
}
