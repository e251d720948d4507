// Features of patches: their gradients projected on principal components,
//
//   feature[i] = sum over the pixels (y, x) of the patch and the gradients g of projection[i][y][x][g] gradient[y, x][g]
//
// One invocation computes 8 features of 8 patches, so that each texel it loads is used eight times.
// Grid: x = patches / 8, y = features / 8.
// Prelude: STEP, PATCH, FEATURE_GROUPS (features / 4, rounded up).
//#import patch_block

override WORKGROUP: u32 = 64u;

@group(0) @binding(1) var gradients: texture_2d<f32>;
// Row: four features. Column: pixel of the patch, row by row, and gradient. A texel has the four features' factors, zeros behind
// the last feature.
@group(0) @binding(2) var projection: texture_2d<f32>;
@group(0) @binding(3) var<storage, read_write> features: array<vec4<f32>>; // [patch][FEATURE_GROUPS]

// Where four patches begin, in columns and rows.
struct Starts {
    x: vec4<i32>,
    y: vec4<i32>,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let first = 8u * id.x;
    if first >= block.columns * block.rows {
        return;
    }
    // PATCH, which compilers do not see here: they would unroll the loops and run out of registers.
    let side = i32(textureDimensions(projection).x / (4u * PATCH));
    let first_starts = starts(first);
    let other_starts = starts(first + 4u);
    // The first four features and the others, of the first four patches and of the others: a column for each patch.
    var first_first = mat4x4<f32>();
    var other_first = mat4x4<f32>();
    var first_other = mat4x4<f32>();
    var other_other = mat4x4<f32>();
    for (var y = 0; y < side; y++) {
        for (var x = 0; x < side; x++) {
            let pixel = u32(y) * PATCH + u32(x);
            let first_features = factors(2u * id.y, pixel);
            let other_features = factors(2u * id.y + 1u, pixel);
            let first_patches = own(first_starts, x, y);
            first_first += first_features * first_patches;
            other_first += other_features * first_patches;
            let other_patches = own(other_starts, x, y);
            first_other += first_features * other_patches;
            other_other += other_features * other_patches;
        }
    }
    store(first, 2u * id.y, first_first);
    store(first, 2u * id.y + 1u, other_first);
    store(first + 4u, 2u * id.y, first_other);
    store(first + 4u, 2u * id.y + 1u, other_other);
}

// Behind the last patch it is repeated, and not stored.
fn starts(first: u32) -> Starts {
    let last = block.columns * block.rows - 1u;
    let a = patch_start(min(first, last));
    let b = patch_start(min(first + 1u, last));
    let c = patch_start(min(first + 2u, last));
    let d = patch_start(min(first + 3u, last));
    return Starts(vec4<i32>(vec4(a.x, b.x, c.x, d.x)), vec4<i32>(vec4(a.y, b.y, c.y, d.y)));
}

// What four features take of the four gradients of a pixel: a column for each gradient.
fn factors(row: u32, pixel: u32) -> mat4x4<f32> {
    return mat4x4(
        textureLoad(projection, vec2(4u * pixel, row), 0),
        textureLoad(projection, vec2(4u * pixel + 1u, row), 0),
        textureLoad(projection, vec2(4u * pixel + 2u, row), 0),
        textureLoad(projection, vec2(4u * pixel + 3u, row), 0),
    );
}

// The gradients of a pixel of four patches: a column for each patch.
fn own(starts: Starts, x: i32, y: i32) -> mat4x4<f32> {
    // As `within`, for four at once.
    let column = min(starts.x + x, vec4(i32(block.width) - 1));
    let row = min(starts.y + y, vec4(i32(block.height) - 1));
    return mat4x4(
        textureLoad(gradients, vec2(column.x, row.x), 0),
        textureLoad(gradients, vec2(column.y, row.y), 0),
        textureLoad(gradients, vec2(column.z, row.z), 0),
        textureLoad(gradients, vec2(column.w, row.w), 0),
    );
}

fn store(first: u32, group: u32, values: mat4x4<f32>) {
    if group >= FEATURE_GROUPS {
        return;
    }
    for (var k = 0u; k < 4u && first + k < block.columns * block.rows; k++) {
        features[(first + k) * FEATURE_GROUPS + group] = values[k];
    }
}
