// The atoms that patches are correlated with most, of either sign: the NEAREST largest of
//
//   |sum over the features i of atom[j][i] feature[i]|
//
// in descending order; of equal ones the first. One invocation owns one patch, since its list takes more registers than several
// patches have, and takes 4 atoms at a time. Grid: x = patches.
// Prelude: STEP, PATCH, FEATURE_GROUPS (features / 4, rounded up), ATOM_TILES (atoms / 8, rounded up), NEAREST (no more than
// there are atoms).
//#import patch_block

override WORKGROUP: u32 = 64u;

@group(0) @binding(1) var<storage, read> features: array<vec4<f32>>; // [patch][FEATURE_GROUPS]
// Row: four atoms. Column: feature. A texel has the four atoms' values, zeros behind the last atom and the last feature.
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
    // The atoms that are looked at first take all places, so that the zeros behind the last one do not.
    var indices: array<u32, NEAREST>;
    var correlations: array<f32, NEAREST>;
    for (var k = 0u; k < NEAREST; k++) {
        indices[k] = 0u;
        correlations[k] = -1.0;
    }
    for (var row = 0u; row < 2u * ATOM_TILES; row++) {
        var sums = vec4(0.0);
        for (var i = 0u; i < FEATURE_GROUPS; i++) {
            let values = mat4x4(
                textureLoad(atoms, vec2(4u * i, row), 0),
                textureLoad(atoms, vec2(4u * i + 1u, row), 0),
                textureLoad(atoms, vec2(4u * i + 2u, row), 0),
                textureLoad(atoms, vec2(4u * i + 3u, row), 0),
            );
            sums += values * own[i];
        }
        for (var a = 0u; a < 4u; a++) {
            let correlation = abs(sums[a]);
            if correlation > correlations[NEAREST - 1u] {
                // Those that are smaller move on by one place.
                var place = NEAREST - 1u;
                while place > 0u && correlations[place - 1u] < correlation {
                    correlations[place] = correlations[place - 1u];
                    indices[place] = indices[place - 1u];
                    place--;
                }
                correlations[place] = correlation;
                indices[place] = 4u * row + a;
            }
        }
    }
    for (var k = 0u; k < NEAREST; k++) {
        nearest[id.x * NEAREST + k] = indices[k];
    }
}
