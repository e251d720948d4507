// One convolution over the maps of a batch: a layer's forward pass (equations 1 to 3), or with the layer's filters
// flipped and transposed the gradient of its input.
//
//   output[b, n, y, x] = B[n] + sum over c, i, j of W[n, c, i, j] input[b, c, y - READ_ROWS + i, x - 4 READ_TEXELS + j]
//
// With RELU the maximum of that and 0; GATED: zero where `gate`, a layer's output, is not above 0 (the gradient of
// its ReLU).
//
// Where NORMALIZED is not 0, sums are multiplied by the valid-pixel map of a layer with filters of that size: the
// layer's own, or for a gradient those of the layer whose output it belongs to.
//
// One invocation owns TEXELS x 4 pixels of a row for OUTPUTS outputs of one sub-image, kept in registers (the tile is
// src/train/gpu/tiles.rs). The outputs are filters, or with OUTPUT_ROWS = 4 four rows of one filter, whose taps have
// been moved down by 0 to 3 rows in a filter of FILTER_ROWS = f + 3. Neighbouring invocations do the same for other
// sub-images. Grid: x = sub-images / WORKGROUP x TILES in a row, y = rows / OUTPUT_ROWS, z = groups of outputs.
//
// Prelude: BATCH, INPUTS, PLANES (of the output), FILTER_ROWS, FILTER_COLUMNS, OUTPUT_ROWS, READ_ROWS, READ_TEXELS,
// TILES, WEIGHTS, RELU, GATED, NORMALIZED, INPUT, OUTPUT.

override WORKGROUP: u32 = 8u;

// vec4s of outputs, and of one group in `weights`: biases, then taps as [c][i][j].
const OUTPUTS: u32 = QUADS * 4u;
const GROUP: u32 = (1u + INPUTS * FILTER_ROWS * FILTER_COLUMNS) * QUADS;

@group(0) @binding(0) var<uniform> first: vec4<u32>; // x: the first plane of the output that this dispatch computes
@group(0) @binding(2) var input: texture_2d<f32>;
@group(0) @binding(3) var gate: texture_2d<f32>;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let sub_image = workgroup.x / TILES * WORKGROUP + lane;
    if sub_image >= BATCH {
        return;
    }
    let texel = i32(workgroup.x % TILES * TEXELS);
    let row = i32(workgroup.y * OUTPUT_ROWS);

    var sums = Sums();
    var tap = workgroup.z * GROUP + QUADS;
    for (var c = 0u; c < INPUTS; c += CHANNELS) {
        for (var i = 0u; i < FILTER_ROWS; i++) {
            let at = vec2(texel - i32(READ_TEXELS), row - i32(READ_ROWS) + i32(i));
            add_row(&sums, c, sub_image, at, tap + i * FILTER_COLUMNS * QUADS);
        }
        tap += CHANNELS * FILTER_ROWS * FILTER_COLUMNS * QUADS;
    }
    store_all(sums, workgroup.z, sub_image, texel, row);
}

// Four pixels of four outputs of a group.
fn store(sum: mat4x4<f32>, group: u32, quad: u32, sub_image: u32, texel: i32, row: i32) {
    store_one(sum[0], group, quad, 0u, sub_image, texel, row);
    store_one(sum[1], group, quad, 1u, sub_image, texel, row);
    store_one(sum[2], group, quad, 2u, sub_image, texel, row);
    store_one(sum[3], group, quad, 3u, sub_image, texel, row);
}

fn store_one(sum: vec4<f32>, group: u32, quad: u32, o: u32, sub_image: u32, texel: i32, first_row: i32) {
    // Output o is a filter, or a row.
    let row = first_row + select(0, i32(o), OUTPUT_ROWS == 4u);
    let n = first.x + select(group * OUTPUTS + quad * 4u + o, group, OUTPUT_ROWS == 4u);
    write_map(sum, weights[group * GROUP + quad][o], n, Texel(sub_image, texel, row, true));
}
