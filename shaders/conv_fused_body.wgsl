// The layer before the last one (equation 2), all filters at once, and the rows of the last layer (equation 3), which
// has one filter, over its maps, which never leave the registers:
//
//   F2[k, y, x] = max(0, B2[k] + m(y, x) sum over c, i, j of W2[k, c, i, j] input[c, y + i, x + j])
//   P[i, y, x]  = sum over k, j of W3[k, i, j] F2[k, y, x + j]
//
// conv_fused_sum.wgsl adds the rows of P, which shared/fused_epilogue.wgsl describes. m is 1, or with NORMALIZED the
// valid-pixel map.
//
// One invocation owns 4 pixels of a row, a texel (shared/locate.wgsl), for all filters: they share each texel of input.
// Grid: x = columns / (4 WORKGROUP_X), y = rows / WORKGROUP_Y. Entry point and weights: shared/weight_load_*.wgsl.
//
// Axes: input [INPUTS][rows][columns], output P. weights: for each input, INPUT long, the taps of each 4 filters as
// [i][j]; then B2 at BIAS_2, and the rows of W3 as [j][k], ROW_3 long, at ROWS_3. All lengths are in vec4s.
//
// Prelude: INPUTS, FILTER (f2, up to 5), BLOCKS8 (of filters, up to 4), FILTER_3 (f3, up to 5), LANES, INPUT, BIAS_2,
// ROWS_3, ROW_3, WEIGHTS, NORMALIZED, PADDING.
//#import taps
//#import fused_epilogue

@group(0) @binding(3) var input: MapTexture;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

fn run(lane: u32, workgroup: vec3<u32>) {
    let location = locate(lane, workgroup);
    var sums = Maps();
    for (var c = 0u; c < INPUTS; c++) {
        let window = load_window(input_plane(c) + vec2(location.start.x / 4, location.start.y));
        let base = c * INPUT;
        sums.a = add_block8(sums.a, window, base, 0u);
        if BLOCKS8 > 1u {
            sums.b = add_block8(sums.b, window, base, 2u * TAPS);
        }
        if BLOCKS8 > 2u {
            sums.c = add_block8(sums.c, window, base, 4u * TAPS);
        }
        if BLOCKS8 > 3u {
            sums.d = add_block8(sums.d, window, base, 6u * TAPS);
        }
    }
    var m = vec4(1.0);
    if NORMALIZED {
        m = valid_factors(location.start);
    }
    let maps = finish(sums, location, m, BIAS_2);
    for (var i = 0u; i < FILTER_3; i++) {
        store_row(maps, ROWS_3 + i * ROW_3, i, location);
    }
}

fn add_block8(sums: Block8, window: Window, base: u32, at: u32) -> Block8 {
    let p0 = add_pair(Pair(sums.s0, sums.s1), window, base, at, false);
    let p1 = add_pair(Pair(sums.s2, sums.s3), window, base, at, true);
    let p2 = add_pair(Pair(sums.s4, sums.s5), window, base, at + TAPS, false);
    let p3 = add_pair(Pair(sums.s6, sums.s7), window, base, at + TAPS, true);
    return Block8(p0.a, p0.b, p1.a, p1.b, p2.a, p2.b, p3.a, p3.b);
}
