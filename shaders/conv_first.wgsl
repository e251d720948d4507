// The first layer of a network on one channel (equation 1), whose maps are stored; or with FUSED all layers of a network
// f1-1-f3 (equations 1 to 3), but for the last sum:
//
//   F1[n, y, x] = max(0, B1[n] + m(y, x) sum over i, j of W1[n, i, j] Y[y + i, x + j])
//   F2[k, y, x] = max(0, B2[k] + sum over n of W2[k, n] F1[n, y, x])
//   P[i, y, x]  = sum over k, j of W3[k, i, j] F2[k, y, x + j]
//
// Then the maps of layer 1 and 2 never leave the registers, and `sum_rows` adds the f3 rows of P. Maps, padding and m
// are those of conv_forward.wgsl.
//
// One invocation owns 4 pixels of a row, a texel. It takes the filters of layer 1 in groups of 4, and with FUSED adds
// each group to all sums of layer 2 at once. Of P it knows what its own 4 columns add to the 4 and to 2 on either side:
// two texels a row, columns 0 1 2 3 and columns -2 -1 4 5, in planes 2 i and 2 i + 1. The column of the first texel is
// a multiple of 4 in the picture, so what these sums are made of does not depend on where a tile begins.
// A workgroup owns WORKGROUP_X such texels in a row and WORKGROUP_Y in a column; it is declared in one dimension,
// because software adapters fill their lanes along the first one only.
// Grid: x = columns / (4 WORKGROUP_X), y = rows / WORKGROUP_Y.
//
// Axes: input [rows][columns], one plane; output [filters][rows][columns], or P. weights: GROUPS times [B1, taps of W1
// as [i][j], with FUSED columns of W2] of 4 filters; with FUSED then B2, and W3 as [i][j][filter of layer 2].
//
// Prelude: FILTER (f1, up to 9), GROUPS (of 4 filters of layer 1), FUSED, EIGHTS (of filters of layer 2, up to 4),
// FILTER_3 (f3, up to 5), LANES, WEIGHTS, STAGED, NORMALIZED, PADDING.

override WORKGROUP_X: u32 = 1u;
override WORKGROUP_Y: u32 = 8u;
override WORKGROUP: u32 = WORKGROUP_X * WORKGROUP_Y;

// Lengths of the parts of `weights`, in vec4s; each begins at a multiple of LANES.
const GROUP: u32 = (TAPS + select(0u, 8u * EIGHTS, FUSED) + LANES) / LANES * LANES;
const BIAS_2: u32 = GROUPS * GROUP;
const ROWS_3: u32 = BIAS_2 + (2u * EIGHTS + LANES - 1u) / LANES * LANES;
const ROW_3: u32 = (2u * EIGHTS * FILTER_3 + LANES - 1u) / LANES * LANES;

@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // [picture columns + picture rows]
@group(0) @binding(3) var input: texture_2d<f32>;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

fn run(lane: u32, workgroup: vec3<u32>) {
    let place = place(lane, workgroup);
    let window = load_window(vec2(place.start.x / 4, place.start.y));
    var m = vec4(1.0);
    if NORMALIZED {
        m = valid_factors(place.start);
    }
    var sums = Maps();
    for (var group = 0u; group < GROUPS; group++) {
        let base = group * GROUP;
        stage(base, GROUP);
        let bias = weight(base, 0u);
        let ab = add_pair(Pair(), window, base, 1u, false);
        let cd = add_pair(Pair(), window, base, 1u, true);
        let f1 = mat4x4(m * ab.a + bias.x, m * ab.b + bias.y, m * cd.a + bias.z, m * cd.b + bias.w);
        if FUSED {
            sums = add_maps(sums, relu(f1), base, 1u + TAPS);
        } else {
            store_maps(f1, 4u * group, place);
        }
    }
    if FUSED {
        stage(BIAS_2, ROWS_3 - BIAS_2);
        let f2 = finish(sums, place, vec4(1.0), BIAS_2);
        for (var i = 0u; i < FILTER_3; i++) {
            stage(ROWS_3 + i * ROW_3, ROW_3);
            store_row(f2, ROWS_3 + i * ROW_3, i, place);
        }
    }
}

fn relu(sums: mat4x4<f32>) -> mat4x4<f32> {
    let zero = vec4(0.0);
    return mat4x4(max(sums[0], zero), max(sums[1], zero), max(sums[2], zero), max(sums[3], zero));
}

fn store_maps(sums: mat4x4<f32>, n: u32, place: Place) {
    let border = border(place, vec4(1.0));
    store(finish_one(sums[0], border), n, place);
    store(finish_one(sums[1], border), n + 1u, place);
    store(finish_one(sums[2], border), n + 2u, place);
    store(finish_one(sums[3], border), n + 3u, place);
}

fn store(value: vec4<f32>, n: u32, place: Place) {
    if place.inside_region && n < region.planes {
        textureStore(output, output_plane(n) + vec2(place.wanted.x / 4, place.wanted.y), value);
    }
}
