// Gradients of one layer's filters and biases, as partial sums over parts of the batch:
//
//   weight[n, c, i, j] = sum over b, y, x of gradient[b, n, y, x] input[b, c, y - READ_ROWS + i, x - READ_COLUMNS + j]
//   bias[n]            = sum over b, y, x of gradient[b, n, y, x], without the map that NORMALIZED multiplied it by
//
// One invocation owns TILE_FILTERS x TILE_INPUTS x TILE_ROWS x TILE_COLUMNS of the weights in registers (the tile is
// src/train/gpu/tiles.rs: it goes over ROWS rows of the gradient, or of the input), over all pixels of the sub-images part, part + PARTS, part + 2 PARTS and so on.
// Grid: x = PARTS / WORKGROUP, y = groups of filters, z = groups of inputs x of tap rows x of tap columns.
//
// Prelude: BATCH, PARTS, PARAMETERS, WEIGHT_START and BIAS_START (in them), FILTERS, INPUTS, SIZE, NORMALIZED, READ_ROWS,
// READ_TEXELS, INPUT, GRADIENT.

override WORKGROUP: u32 = 8u;

const INPUT_GROUPS: u32 = (INPUTS + TILE_INPUTS - 1u) / TILE_INPUTS;
const ROW_GROUPS: u32 = (SIZE + TILE_ROWS - 1u) / TILE_ROWS;

@group(0) @binding(0) var input: texture_2d<f32>;
@group(0) @binding(1) var gradient: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>; // [part][parameter]

// The first weight of a tile.
struct Tile {
    filters: u32,
    inputs: u32,
    row: u32,
    column: u32,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let part = workgroup.x * WORKGROUP + lane;
    if part >= PARTS {
        return;
    }
    let rows = workgroup.z / INPUT_GROUPS;
    let tile = Tile(
        workgroup.y * TILE_FILTERS,
        workgroup.z % INPUT_GROUPS * TILE_INPUTS,
        rows % ROW_GROUPS * TILE_ROWS,
        rows / ROW_GROUPS * TILE_COLUMNS,
    );
    var sums = Sums();
    for (var sub_image = part; sub_image < BATCH; sub_image += PARTS) {
        for (var y = 0; y < ROWS; y++) {
            add_row(&sums, tile, sub_image, y);
        }
    }
    store_all(sums, tile, part * PARAMETERS);
}

// First texel of a row of gradients, or of the zeros above and below; planes past the last one are not stored and may as well be the last.
fn gradient_row(n: u32, sub_image: u32, y: i32) -> vec2<i32> {
    return place(GRADIENT, min(n, FILTERS - 1u), sub_image, 0, y);
}

// Texel of a row of the inputs under the tile's first tap column, for the first gradient of a row.
fn input_row(tile: Tile, c: u32, sub_image: u32, row: i32) -> vec2<i32> {
    let texel = i32(tile.column / 4u) - i32(READ_TEXELS);
    return place(INPUT, min(tile.inputs + c, INPUTS - 1u), sub_image, texel, row);
}

fn store(value: f32, tile: Tile, offset: vec4<u32>, part: u32) {
    let at = vec4(tile.filters, tile.inputs, tile.row, tile.column) + offset;
    if at.x < FILTERS && at.y < INPUTS && at.z < SIZE && at.w < SIZE {
        parts[part + WEIGHT_START + ((at.x * INPUTS + at.y) * SIZE + at.z) * SIZE + at.w] = value;
    }
}

fn store_bias(value: f32, tile: Tile, filter_offset: u32, part: u32) {
    let n = tile.filters + filter_offset;
    // All tiles of a filter have the same sum.
    if n < FILTERS && tile.inputs + tile.row + tile.column == 0u {
        parts[part + BIAS_START + n] = value;
    }
}
