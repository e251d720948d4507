// ANR (Timofte et al. 2013, equation 5): the residual of a patch is what the matrix of its nearest atom makes of its features,
//
//   residual[p] = sum over the features i of matrix[nearest][p][i] feature[i]
//
// One invocation computes one pixel of one patch. Grid: x = pixels of a patch, y = patches.
// Prelude: STEP, PATCH, FEATURE_GROUPS (features / 4, rounded up).
//#import patch_block

override WORKGROUP_X: u32 = 16u;
override WORKGROUP_Y: u32 = 4u;

const PIXELS = PATCH * PATCH;

@group(0) @binding(1) var<storage, read> features: array<vec4<f32>>; // [patch][FEATURE_GROUPS]
@group(0) @binding(2) var<storage, read> nearest: array<u32>; // [patch]
@group(0) @binding(3) var<storage, read> matrices: array<vec4<f32>>; // [atom][pixel][FEATURE_GROUPS]
@group(0) @binding(4) var<storage, read_write> residuals: array<f32>; // [patch][pixel]

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let patch_index = id.y;
    if pixel >= PIXELS || patch_index >= block.columns * block.rows {
        return;
    }
    let row = (nearest[patch_index] * PIXELS + pixel) * FEATURE_GROUPS;
    var sums = vec4(0.0);
    for (var i = 0u; i < FEATURE_GROUPS; i++) {
        sums += matrices[row + i] * features[patch_index * FEATURE_GROUPS + i];
    }
    residuals[patch_index * PIXELS + pixel] = sums.x + sums.y + sums.z + sums.w;
}
