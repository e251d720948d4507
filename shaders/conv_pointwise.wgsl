// One convolution with 1x1 filters over the maps of a batch: a layer's forward pass (equation 2), or with its filters
// transposed the gradient of its input.
//
//   output[b, n, y, x] = B[n] + sum over c of W[n, c] input[b, c, y, x]
//
// RELU, GATED and NORMALIZED as in conv_batch.wgsl. One invocation owns TEXELS x 4 pixels of a row of one sub-image for all outputs:
// it loads all channels of its pixels once and goes over the groups of 4 outputs, whose sums it keeps in registers (the
// tile is src/train/gpu/tiles.rs). Neighbouring invocations do the same for other sub-images.
// Grid: x = sub-images / WORKGROUP x TILES in a row, y = rows.
//
// Prelude: that of conv_batch.wgsl, READ_TEXELS and READ_ROWS zero.

override WORKGROUP: u32 = 8u;

// vec4s of a group in `weights`: biases, then one for each input.
const GROUP: u32 = 1u + INPUTS;

@group(0) @binding(0) var<uniform> first: vec4<u32>; // x: the first plane that this dispatch computes, y: groups of 4
@group(0) @binding(2) var input: texture_2d<f32>;
@group(0) @binding(3) var gate: texture_2d<f32>;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let sub_image = workgroup.x / TILES * WORKGROUP + lane;
    if sub_image < BATCH {
        all_groups(sub_image, i32(workgroup.x % TILES * TEXELS), i32(workgroup.y));
    }
}
