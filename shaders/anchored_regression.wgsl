// ANR (Timofte et al. 2013, equation 5): the residual of a patch is what the matrix of its nearest atom makes of its features,
//
//   residual[p] = sum over the features i of matrix[nearest][p][i] feature[i]
//
// One invocation computes 4 pixels of one patch. Grid: x = pixels of a patch / 4, y = patches.
// Prelude: STEP, PATCH, FEATURE_GROUPS (features / 4, rounded up).
//#import patch_block

override WORKGROUP_X: u32 = 16u;
override WORKGROUP_Y: u32 = 4u;

const PIXELS = PATCH * PATCH;

@group(0) @binding(1) var<storage, read> features: array<vec4<f32>>; // [patch][FEATURE_GROUPS]
@group(0) @binding(2) var<storage, read> nearest: array<u32>; // [patch]
// Row: atom. Column: four pixels and feature. A texel has the four pixels' factors, zeros behind the last pixel and the last
// feature.
@group(0) @binding(3) var matrices: texture_2d<f32>;
@group(0) @binding(4) var<storage, read_write> residuals: array<f32>; // [patch][pixel]

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = 4u * id.x;
    let patch_index = id.y;
    if pixel >= PIXELS || patch_index >= block.columns * block.rows {
        return;
    }
    var at = vec2(id.x * 4u * FEATURE_GROUPS, nearest[patch_index]);
    var sums = vec4(0.0);
    for (var i = 0u; i < FEATURE_GROUPS; i++) {
        let columns = mat4x4(
            textureLoad(matrices, at, 0),
            textureLoad(matrices, at + vec2(1u, 0u), 0),
            textureLoad(matrices, at + vec2(2u, 0u), 0),
            textureLoad(matrices, at + vec2(3u, 0u), 0),
        );
        sums += columns * features[patch_index * FEATURE_GROUPS + i];
        at.x += 4u;
    }
    for (var k = 0u; k < 4u && pixel + k < PIXELS; k++) {
        residuals[patch_index * PIXELS + pixel + k] = sums[k];
    }
}
