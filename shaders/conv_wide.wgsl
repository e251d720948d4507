// The layer before the last one (equation 2), all filters at once, and the rows of the last layer (equation 3), which has
// one filter, over its maps:
//
//   F[k, y, x] = max(0, B[k] + m(y, x) sum over c, i, j of W[k, c, i, j] input[c, y + i, x + j])
//   P[i, y, x] = sum over k, j of W3[k, i, j] F[k, y, x + j]
//
// The maps F never leave the registers; P is as conv_first.wgsl describes it, for `sum_rows`. Maps, padding and m are
// those of conv_forward.wgsl.
//
// One invocation owns 4 pixels of a row for all filters: a texel of input serves all of them. A workgroup owns
// WORKGROUP_X such texels in a row and WORKGROUP_Y in a column; it is declared in one dimension, because software
// adapters fill their lanes along the first one only. Grid: x = columns / (4 WORKGROUP_X), y = rows / WORKGROUP_Y.
//
// Axes: input [INPUTS][rows][columns], output P. weights: for each input the taps of each 4 filters as [i][j]; then B,
// and W3 as [i][j][filter].
//
// Prelude: INPUTS, FILTER (f, up to 5), EIGHTS (of filters, up to 4), FILTER_3 (up to 5), LANES, WEIGHTS, STAGED,
// NORMALIZED, PADDING.

override WORKGROUP_X: u32 = 1u;
override WORKGROUP_Y: u32 = 8u;
override WORKGROUP: u32 = WORKGROUP_X * WORKGROUP_Y;

// Lengths of the parts of `weights`, in vec4s; each begins at a multiple of LANES.
const INPUT: u32 = (2u * EIGHTS * TAPS + LANES - 1u) / LANES * LANES;
const BIAS: u32 = INPUTS * INPUT;
const ROWS_3: u32 = BIAS + (2u * EIGHTS + LANES - 1u) / LANES * LANES;
const ROW_3: u32 = (2u * EIGHTS * FILTER_3 + LANES - 1u) / LANES * LANES;

@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // [picture columns + picture rows]
@group(0) @binding(3) var input: texture_2d<f32>;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

fn run(lane: u32, workgroup: vec3<u32>) {
    let place = place(lane, workgroup);
    var sums = Maps();
    for (var c = 0u; c < INPUTS; c++) {
        let window = load_window(input_plane(c) + vec2(place.start.x / 4, place.start.y));
        let base = c * INPUT;
        stage(base, INPUT);
        sums.a = add_eight(sums.a, window, base, 0u);
        if EIGHTS > 1u {
            sums.b = add_eight(sums.b, window, base, 2u * TAPS);
        }
        if EIGHTS > 2u {
            sums.c = add_eight(sums.c, window, base, 4u * TAPS);
        }
        if EIGHTS > 3u {
            sums.d = add_eight(sums.d, window, base, 6u * TAPS);
        }
    }
    var m = vec4(1.0);
    if NORMALIZED {
        m = valid_factors(place.start);
    }
    stage(BIAS, ROWS_3 - BIAS);
    let maps = finish(sums, place, m, BIAS);
    for (var i = 0u; i < FILTER_3; i++) {
        stage(ROWS_3 + i * ROW_3, ROW_3);
        store_row(maps, ROWS_3 + i * ROW_3, i, place);
    }
}

fn add_eight(sums: Eight, window: Window, base: u32, at: u32) -> Eight {
    let p0 = add_pair(Pair(sums.s0, sums.s1), window, base, at, false);
    let p1 = add_pair(Pair(sums.s2, sums.s3), window, base, at, true);
    let p2 = add_pair(Pair(sums.s4, sums.s5), window, base, at + TAPS, false);
    let p3 = add_pair(Pair(sums.s6, sums.s7), window, base, at + TAPS, true);
    return Eight(p0.a, p0.b, p1.a, p1.b, p2.a, p2.b, p3.a, p3.b);
}
