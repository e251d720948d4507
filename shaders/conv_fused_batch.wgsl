// Layers 1 and 2 of a network f1-1-f3 on one channel, over the maps of a batch (equations 1 and 2):
//
//   F1[b, n, y, x] = max(0, B1[n] + m1 sum over i, j of W1[n, i, j] Y[b, y - READ_ROWS + i, x - 4 READ_TEXELS + j])
//   F2[b, k, y, x] = max(0, B2[k] + m2 sum over n of W2[k, n] F1[b, n, y, x])
//
// m1 and m2 are the valid-pixel maps of the layers, whose filter sizes are NORMALIZED_1 and NORMALIZED_2; or 1 where
// these are 0.
//
// One invocation owns 4 pixels of a row, a texel, of one sub-image for all filters: it loads the pixels under the
// filters once, takes layer 1 in groups of 4 filters, stores these maps for the backward pass and adds them to all sums
// of layer 2. Neighboring invocations do the same for other sub-images.
// Grid: x = sub-images / WORKGROUP x texels in a row, y = rows. Entry point and weights: shared/weight_load_*.wgsl.
//
// weights: GROUPS times, GROUP long, [B1, taps as [i][j]] of 4 filters; at COLUMNS_START GROUPS times, COLUMNS long,
// [nothing, columns of W2 as [k]] for these; B2 at BIAS_2. All lengths are in vec4s.
//
// Prelude: BATCH, FILTER (f1, up to 9), GROUPS (of 4 filters of layer 1), FILTERS_1, BLOCKS8 (of filters of layer 2, up
// to 4), FILTERS_2, READ_ROWS, READ_TEXELS, NORMALIZED_1, NORMALIZED_2, LANES, GROUP, COLUMNS, COLUMNS_START, BIAS_2,
// WEIGHTS, INPUT, OUTPUT_1, OUTPUT_2.
//#import taps
//#import add_maps
//#import batch_layout

override WORKGROUP: u32 = 8u;

// Texels of a row of the output.
const TEXELS: u32 = (OUTPUT_1.width + 3u) / 4u;

@group(0) @binding(0) var input: MapTexture;
@group(0) @binding(2) var output_1: texture_storage_2d<rgba32float, write>;
@group(0) @binding(3) var output_2: texture_storage_2d<rgba32float, write>;

fn run(lane: u32, workgroup: vec3<u32>) {
    // No invocation returns early: subgroups exchange weights.
    let at = texel(workgroup.x / TEXELS * WORKGROUP + lane, workgroup.x % TEXELS, workgroup.y);
    let first = vec2(at.texel - i32(READ_TEXELS), at.row - i32(READ_ROWS));
    let window = load_window(texel_address(INPUT, 0u, at.sub_image, first.x, first.y));
    let share = valid_share(OUTPUT_1, NORMALIZED_1, at.texel, at.row);
    var sums = Maps();
    for (var group = 0u; group < GROUPS; group++) {
        let base = group * GROUP;
        let bias = weight(base, 0u);
        let ab = add_pair(Pair(), window, base, 1u, false);
        let cd = add_pair(Pair(), window, base, 1u, true);
        let f1 = mat4x4(
            finish(ab.a, share, bias.x),
            finish(ab.b, share, bias.y),
            finish(cd.a, share, bias.z),
            finish(cd.b, share, bias.w),
        );
        store_1(f1[0], 4u * group, at);
        store_1(f1[1], 4u * group + 1u, at);
        store_1(f1[2], 4u * group + 2u, at);
        store_1(f1[3], 4u * group + 3u, at);
        let columns = COLUMNS_START + group * COLUMNS;
        sums = add_maps(sums, f1, columns, 1u);
    }
    store_block8(sums.a, 0u, at);
    if BLOCKS8 > 1u {
        store_block8(sums.b, 8u, at);
    }
    if BLOCKS8 > 2u {
        store_block8(sums.c, 16u, at);
    }
    if BLOCKS8 > 3u {
        store_block8(sums.d, 24u, at);
    }
}

fn finish(sum: vec4<f32>, share: vec4<f32>, bias: f32) -> vec4<f32> {
    return max(sum / share + bias, vec4(0.0));
}

fn store_1(value: vec4<f32>, n: u32, at: Texel) {
    if at.wanted && n < FILTERS_1 {
        textureStore(
            output_1,
            texel_address(OUTPUT_1, n, at.sub_image, at.texel, at.row),
            inside(OUTPUT_1, at.texel, value),
        );
    }
}

fn store_block8(sums: Block8, k: u32, at: Texel) {
    let b0 = weight(BIAS_2, k / 4u);
    let b1 = weight(BIAS_2, k / 4u + 1u);
    store_2(sums.s0, b0.x, k, at);
    store_2(sums.s1, b0.y, k + 1u, at);
    store_2(sums.s2, b0.z, k + 2u, at);
    store_2(sums.s3, b0.w, k + 3u, at);
    store_2(sums.s4, b1.x, k + 4u, at);
    store_2(sums.s5, b1.y, k + 5u, at);
    store_2(sums.s6, b1.z, k + 6u, at);
    store_2(sums.s7, b1.w, k + 7u, at);
}

fn store_2(sum: vec4<f32>, bias: f32, k: u32, at: Texel) {
    if at.wanted && k < FILTERS_2 {
        let value = finish(sum, valid_share(OUTPUT_2, NORMALIZED_2, at.texel, at.row), bias);
        textureStore(
            output_2,
            texel_address(OUTPUT_2, k, at.sub_image, at.texel, at.row),
            inside(OUTPUT_2, at.texel, value),
        );
    }
}
