// Appended to conv_first.wgsl and conv_first_batch.wgsl: a 1x1 layer 2 (equation 2) over 4 maps of layer 1 at a time; the
// columns of W2 for these are vec4s of weights, one for each map of layer 2.
// What 4 maps of layer 1 add to those of layer 2.
fn add_maps(before: Maps, f1: mat4x4<f32>, base: u32, at: u32) -> Maps {
    var sums = before;
    sums.a = add_eight(sums.a, f1, base, at);
    if EIGHTS > 1u {
        sums.b = add_eight(sums.b, f1, base, at + 8u);
    }
    if EIGHTS > 2u {
        sums.c = add_eight(sums.c, f1, base, at + 16u);
    }
    if EIGHTS > 3u {
        sums.d = add_eight(sums.d, f1, base, at + 24u);
    }
    return sums;
}

fn add_eight(sums: Eight, f1: mat4x4<f32>, base: u32, at: u32) -> Eight {
    return Eight(
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
