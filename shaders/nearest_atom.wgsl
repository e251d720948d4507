// The atom that a patch is correlated with most, of either sign: the j with the largest
//
//   |sum over the features i of atom[j][i] feature[i]|
//
// of equal ones the first. One invocation owns 8 patches and takes 8 atoms at a time, so that each texel it loads is used eight
// times. Grid: x = patches / 8.
// Prelude: STEP, PATCH, FEATURE_GROUPS (features / 4, rounded up), ATOM_TILES (atoms / 8, rounded up).
//#import patch_block

override WORKGROUP: u32 = 64u;

@group(0) @binding(1) var<storage, read> features: array<vec4<f32>>; // [patch][FEATURE_GROUPS]
// Row: four atoms. Column: feature. A texel has the four atoms' values, zeros behind the last atom and the last feature.
@group(0) @binding(2) var atoms: texture_2d<f32>;
@group(0) @binding(3) var<storage, read_write> nearest: array<u32>; // [patch]

// The atoms found for four patches. The first atom is looked at with less than any correlation found, those behind the last one
// when no correlation is less than theirs, 0.
struct Found {
    indices: vec4<u32>,
    correlations: vec4<f32>,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let first = 8u * id.x;
    if first >= block.columns * block.rows {
        return;
    }
    // FEATURE_GROUPS, which compilers do not see here: they would unroll the loop and run out of registers.
    let groups = textureDimensions(atoms).x / 4u;
    var first_found = Found(vec4(0u), vec4(-1.0));
    var other_found = first_found;
    for (var tile = 0u; tile < ATOM_TILES; tile++) {
        // Correlations of the first four atoms and of the others, with the first four patches and with the others: a column for
        // each patch.
        var first_first = mat4x4<f32>();
        var other_first = mat4x4<f32>();
        var first_other = mat4x4<f32>();
        var other_other = mat4x4<f32>();
        for (var i = 0u; i < groups; i++) {
            let first_atoms = values(2u * tile, i);
            let other_atoms = values(2u * tile + 1u, i);
            let first_patches = own(first, i);
            first_first += first_atoms * first_patches;
            other_first += other_atoms * first_patches;
            let other_patches = own(first + 4u, i);
            first_other += first_atoms * other_patches;
            other_other += other_atoms * other_patches;
        }
        look_at(&first_found, 8u * tile, first_first, other_first);
        look_at(&other_found, 8u * tile, first_other, other_other);
    }
    store(first, first_found.indices);
    store(first + 4u, other_found.indices);
}

// Four features of four atoms: a column for each feature.
fn values(row: u32, group: u32) -> mat4x4<f32> {
    return mat4x4(
        textureLoad(atoms, vec2(4u * group, row), 0),
        textureLoad(atoms, vec2(4u * group + 1u, row), 0),
        textureLoad(atoms, vec2(4u * group + 2u, row), 0),
        textureLoad(atoms, vec2(4u * group + 3u, row), 0),
    );
}

// Four features of four patches: a column for each patch. Behind the last patch it is repeated, and not stored.
fn own(first: u32, group: u32) -> mat4x4<f32> {
    let patches = min(vec4(first) + vec4(0u, 1u, 2u, 3u), vec4(block.columns * block.rows - 1u));
    let at = patches * FEATURE_GROUPS + group;
    return mat4x4(features[at.x], features[at.y], features[at.z], features[at.w]);
}

// Looks at eight atoms.
fn look_at(found: ptr<function, Found>, atom: u32, first: mat4x4<f32>, other: mat4x4<f32>) {
    let correlations = vec4(
        largest(first[0], other[0]),
        largest(first[1], other[1]),
        largest(first[2], other[2]),
        largest(first[3], other[3]),
    );
    let places = vec4(
        place(first[0], other[0], correlations.x),
        place(first[1], other[1], correlations.y),
        place(first[2], other[2], correlations.z),
        place(first[3], other[3], correlations.w),
    );
    let nearer = correlations > (*found).correlations;
    // Products instead of a select by components: for integers that becomes a mix(), which OpenGL has from 4.5 on.
    let one = vec4<u32>(nearer);
    (*found).indices = one * (atom + places) + (1u - one) * (*found).indices;
    (*found).correlations = max(correlations, (*found).correlations);
}

fn largest(first: vec4<f32>, other: vec4<f32>) -> f32 {
    let four = max(abs(first), abs(other));
    return max(max(four.x, four.y), max(four.z, four.w));
}

// The first place of a magnitude.
fn place(first: vec4<f32>, other: vec4<f32>, magnitude: f32) -> u32 {
    var place = 7u;
    place = select(place, 6u, abs(other.z) == magnitude);
    place = select(place, 5u, abs(other.y) == magnitude);
    place = select(place, 4u, abs(other.x) == magnitude);
    place = select(place, 3u, abs(first.w) == magnitude);
    place = select(place, 2u, abs(first.z) == magnitude);
    place = select(place, 1u, abs(first.y) == magnitude);
    return select(place, 0u, abs(first.x) == magnitude);
}

fn store(first: u32, indices: vec4<u32>) {
    for (var k = 0u; k < 4u && first + k < block.columns * block.rows; k++) {
        nearest[first + k] = indices[k];
    }
}
