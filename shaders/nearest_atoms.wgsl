// The atoms that patches are correlated with most, of either sign: the NEAREST largest of
//
//   |sum over the features i of atom[j][i] feature[i]|
//
// in descending order; of equal ones the first. One invocation owns one patch. Grid: x = patches.
// Prelude: STEP, PATCH, FEATURE_GROUPS (features / 4, rounded up), ATOMS, NEAREST (no more than ATOMS).
//#import patch_block

override WORKGROUP: u32 = 64u;

@group(0) @binding(1) var<storage, read> features: array<vec4<f32>>; // [patch][FEATURE_GROUPS]
// Row: atom. Column: four features.
@group(0) @binding(2) var atoms: texture_2d<f32>;
@group(0) @binding(3) var<storage, read_write> nearest: array<u32>; // [patch][NEAREST]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= block.columns * block.rows {
        return;
    }
    var own: array<vec4<f32>, FEATURE_GROUPS>;
    for (var i = 0u; i < FEATURE_GROUPS; i++) {
        own[i] = features[id.x * FEATURE_GROUPS + i];
    }
    var indices: array<u32, NEAREST>;
    var correlations: array<f32, NEAREST>;
    for (var k = 0u; k < NEAREST; k++) {
        indices[k] = 0u;
        correlations[k] = -1.0;
    }
    for (var atom = 0u; atom < ATOMS; atom++) {
        var sums = vec4(0.0);
        for (var i = 0u; i < FEATURE_GROUPS; i++) {
            sums += textureLoad(atoms, vec2(i, atom), 0) * own[i];
        }
        let correlation = abs(sums.x + sums.y + sums.z + sums.w);
        if correlation > correlations[NEAREST - 1u] {
            // Those that are smaller move on by one place.
            var place = NEAREST - 1u;
            for (var k = NEAREST - 1u; k > 0u; k--) {
                if correlations[k - 1u] >= correlation {
                    break;
                }
                correlations[k] = correlations[k - 1u];
                indices[k] = indices[k - 1u];
                place = k - 1u;
            }
            correlations[place] = correlation;
            indices[place] = atom;
        }
    }
    for (var k = 0u; k < NEAREST; k++) {
        nearest[id.x * NEAREST + k] = indices[k];
    }
}
