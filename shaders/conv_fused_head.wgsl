// The first layer of a network on one channel (equation 1), whose maps are stored; or with FUSED all layers of a
// network f1-1-f3 (equations 1 to 3) except for the last sum, whose maps never leave the registers:
//
//   F1[n, y, x] = max(0, B1[n] + m(y, x) sum over i, j of W1[n, i, j] Y[y + i, x + j])
//   F2[k, y, x] = max(0, B2[k] + sum over n of W2[k, n] F1[n, y, x])
//   P[i, y, x]  = sum over k, j of W3[k, i, j] F2[k, y, x + j]
//
// conv_fused_sum.wgsl adds the f3 rows of P, which shared/fused_epilogue.wgsl describes. m is 1, or with NORMALIZED the
// valid-pixel map. Positions outside the picture get what the next layer's padding needs.
//
// One invocation owns 4 pixels of a row, a texel (shared/locate.wgsl). It takes the filters of layer 1 in groups of 4,
// and with FUSED adds each group to all sums of layer 2 at once.
// Grid: x = columns / (4 WORKGROUP_X), y = rows / WORKGROUP_Y. Entry point and weights: shared/weight_load_*.wgsl.
//
// Axes: input [rows][columns], one plane; output [filters][rows][columns], or P. weights: GROUPS times [B1, taps of W1
// as [i][j], with FUSED the columns of W2 at COLUMNS_2] of 4 filters; with FUSED then B2 at BIAS_2, and the rows of W3
// as [j][k], ROW_3 long, at ROWS_3. All lengths are in vec4s.
//
// Prelude: FILTER (f1, up to 9), GROUPS (of 4 filters of layer 1), FUSED, BLOCKS8 (of filters of layer 2, up to 4),
// FILTER_3 (f3, up to 5), LANES, GROUP, COLUMNS_2, BIAS_2, ROWS_3, ROW_3, WEIGHTS, NORMALIZED, PADDING.
//#import taps
//#import add_maps
//#import fused_epilogue

@group(0) @binding(3) var input: MapTexture;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

fn run(lane: u32, workgroup: vec3<u32>) {
    let location = locate(lane, workgroup);
    let window = load_window(vec2(location.start.x / 4, location.start.y));
    var m = vec4(1.0);
    if NORMALIZED {
        m = valid_factors(location.start);
    }
    var sums = Maps();
    for (var group = 0u; group < GROUPS; group++) {
        let base = group * GROUP;
        let bias = weight(base, 0u);
        let ab = add_pair(Pair(), window, base, 1u, false);
        let cd = add_pair(Pair(), window, base, 1u, true);
        let f1 = mat4x4(m * ab.a + bias.x, m * ab.b + bias.y, m * cd.a + bias.z, m * cd.b + bias.w);
        if FUSED {
            sums = add_maps(sums, relu(f1), base, COLUMNS_2);
        } else {
            store_maps(f1, 4u * group, location);
        }
    }
    if FUSED {
        let f2 = finish(sums, location, vec4(1.0), BIAS_2);
        for (var i = 0u; i < FILTER_3; i++) {
            store_row(f2, ROWS_3 + i * ROW_3, i, location);
        }
    }
}

fn relu(sums: mat4x4<f32>) -> mat4x4<f32> {
    let zero = vec4(0.0);
    return mat4x4(max(sums[0], zero), max(sums[1], zero), max(sums[2], zero), max(sums[3], zero));
}

fn store_maps(sums: mat4x4<f32>, n: u32, location: Location) {
    let border = border(location, vec4(1.0));
    store(finish_one(sums[0], border), n, location);
    store(finish_one(sums[1], border), n + 1u, location);
    store(finish_one(sums[2], border), n + 2u, location);
    store(finish_one(sums[3], border), n + 3u, location);
}

fn store(value: vec4<f32>, n: u32, location: Location) {
    if location.inside_region && n < region.output.planes {
        textureStore(output, output_plane(n) + vec2(location.wanted.x / 4, location.wanted.y), value);
    }
}
