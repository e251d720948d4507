// Features of patches: their gradients projected on principal components,
//
//   feature[i] = sum over the pixels (y, x) of the patch and the gradients g of projection[i][y][x][g] gradient[y, x][g]
//
// One invocation computes 4 features of one patch. Grid: x = patches, y = features / 4.
// Prelude: STEP, PATCH, FEATURE_GROUPS (features / 4, rounded up).
//#import patch_block

override WORKGROUP: u32 = 64u;

@group(0) @binding(1) var gradients: texture_2d<f32>;
// Row: feature. Column: pixel of the patch, row by row. A texel has its four gradients' factors.
@group(0) @binding(2) var projection: texture_2d<f32>;
@group(0) @binding(3) var<storage, read_write> features: array<vec4<f32>>; // [patch][FEATURE_GROUPS]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= block.columns * block.rows {
        return;
    }
    let start = vec2<i32>(patch_start(id.x));
    var sums = vec4(0.0);
    for (var y = 0u; y < PATCH; y++) {
        for (var x = 0u; x < PATCH; x++) {
            let gradient = textureLoad(gradients, within(start + vec2<i32>(vec2(x, y))), 0);
            let pixel = y * PATCH + x;
            for (var i = 0u; i < 4u; i++) {
                sums[i] += dot(textureLoad(projection, vec2(pixel, 4u * id.y + i), 0), gradient);
            }
        }
    }
    features[id.x * FEATURE_GROUPS + id.y] = sums;
}
