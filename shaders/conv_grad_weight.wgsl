// Gradients of one layer's filters and biases, as partial sums over parts of the batch:
//
//   weight[n, c, i, j] = sum over b, y, x of gradient[b, n, y, x] input[b, c, y - READ_ROWS + i, x - READ_COLUMNS + j]
//   bias[n]            = sum over b, y, x of gradient[b, n, y, x], without the factor that NORMALIZED put into it
//
// where READ_COLUMNS = 4 READ_TEXELS - SHIFT.
//
// One invocation owns TILE_ROWS x TILE_COLUMNS taps of one input for TILE_FILTERS filters, in registers, over all
// pixels of the sub-images part, part + PARTS, part + 2 PARTS and so on. It goes over the rows of the gradient, with
// the input rows that each meets. grad_sum.wgsl adds up the parts.
// Grid: x = PARTS / WORKGROUP, y = groups of filters, z = inputs x groups of tap rows x groups of tap columns.
//
// Prelude: BATCH, PARTS, PARAMETERS, WEIGHT_START and BIAS_START (among the parameters), FILTERS, INPUTS, SIZE,
// NORMALIZED (as in conv_batch.wgsl), READ_ROWS, READ_TEXELS, SHIFT, WINDOW, TILE_FILTERS (up to 16), TILE_ROWS and
// TILE_COLUMNS (up to 9, or multiples of 4), INPUT, GRADIENT.
//#import filter_sums
//#import read_gradient

override WORKGROUP: u32 = 8u;

const ROW_GROUPS: u32 = (SIZE + TILE_ROWS - 1u) / TILE_ROWS;

@group(0) @binding(0) var input: MapTexture;
@group(0) @binding(1) var gradient: MapTexture;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>; // [part][parameter]

// The first weight of a tile.
struct Tile {
    n: u32,
    c: u32,
    row: u32,
    column: u32,
}

struct Sums {
    f0: Filter,
    f1: Filter,
    f2: Filter,
    f3: Filter,
    f4: Filter,
    f5: Filter,
    f6: Filter,
    f7: Filter,
    f8: Filter,
    f9: Filter,
    f10: Filter,
    f11: Filter,
    f12: Filter,
    f13: Filter,
    f14: Filter,
    f15: Filter,
    biases: Biases,
}

// Sums of the bias gradients, 4 in a vec4.
struct Biases {
    b0: vec4<f32>,
    b1: vec4<f32>,
    b2: vec4<f32>,
    b3: vec4<f32>,
}

struct Window {
    r0: Row,
    r1: Row,
    r2: Row,
    r3: Row,
    r4: Row,
    r5: Row,
    r6: Row,
    r7: Row,
    r8: Row,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let part = workgroup.x * WORKGROUP + lane;
    if part >= PARTS {
        return;
    }
    let rows = workgroup.z / INPUTS;
    let tile = Tile(
        workgroup.y * TILE_FILTERS,
        workgroup.z % INPUTS,
        rows % ROW_GROUPS * TILE_ROWS,
        rows / ROW_GROUPS * TILE_COLUMNS,
    );
    var sums = Sums();
    for (var sub_image = part; sub_image < BATCH; sub_image += PARTS) {
        for (var y = 0; y < i32(GRADIENT.height); y++) {
            add_row(&sums, tile, sub_image, y);
        }
    }
    store(sums.f0, tile, 0u, part);
    if TILE_FILTERS > 1u {
        store(sums.f1, tile, 1u, part);
    }
    if TILE_FILTERS > 2u {
        store(sums.f2, tile, 2u, part);
    }
    if TILE_FILTERS > 3u {
        store(sums.f3, tile, 3u, part);
    }
    if TILE_FILTERS > 4u {
        store(sums.f4, tile, 4u, part);
    }
    if TILE_FILTERS > 5u {
        store(sums.f5, tile, 5u, part);
    }
    if TILE_FILTERS > 6u {
        store(sums.f6, tile, 6u, part);
    }
    if TILE_FILTERS > 7u {
        store(sums.f7, tile, 7u, part);
    }
    if TILE_FILTERS > 8u {
        store(sums.f8, tile, 8u, part);
    }
    if TILE_FILTERS > 9u {
        store(sums.f9, tile, 9u, part);
    }
    if TILE_FILTERS > 10u {
        store(sums.f10, tile, 10u, part);
    }
    if TILE_FILTERS > 11u {
        store(sums.f11, tile, 11u, part);
    }
    if TILE_FILTERS > 12u {
        store(sums.f12, tile, 12u, part);
    }
    if TILE_FILTERS > 13u {
        store(sums.f13, tile, 13u, part);
    }
    if TILE_FILTERS > 14u {
        store(sums.f14, tile, 14u, part);
    }
    if TILE_FILTERS > 15u {
        store(sums.f15, tile, 15u, part);
    }
    // All tiles of a filter have the same sums of gradients.
    if tile.c + tile.row + tile.column == 0u {
        store_biases(sums.biases.b0, tile, 0u, part);
        store_biases(sums.biases.b1, tile, 4u, part);
        store_biases(sums.biases.b2, tile, 8u, part);
        store_biases(sums.biases.b3, tile, 12u, part);
    }
}

// Stores the sums of the tile's filter k.
fn store(sums: Filter, tile: Tile, k: u32, part: u32) {
    store_filter(sums, tile.n + k, tile.c, tile.row, tile.column, part * PARAMETERS);
}

fn store_biases(sums: vec4<f32>, tile: Tile, first: u32, part: u32) {
    for (var k = 0u; k < 4u && first + k < TILE_FILTERS && tile.n + first + k < FILTERS; k++) {
        parts[part * PARAMETERS + BIAS_START + tile.n + first + k] = sums[k];
    }
}

// Adds what a row of gradients contributes.
fn add_row(sums: ptr<function, Sums>, tile: Tile, sub_image: u32, y: i32) {
    let column = i32(tile.column / 4u) - i32(READ_TEXELS);
    let at = texel_address(INPUT, tile.c, sub_image, column, y + i32(tile.row) - i32(READ_ROWS));
    var before = first_rows(at);
    for (var x = 0; x * 4 < i32(GRADIENT.width); x++) {
        let window = complete_rows(before, at, x);
        before = advance_rows(window);
        let texel = Texel(sub_image, x, y, true);
        let share = valid_share(GRADIENT, NORMALIZED, x, y);
        {
            let g = load_gradients(tile.n, texel);
            (*sums).f0 = add_filter((*sums).f0, g, window);
            (*sums).biases.b0.x += dot(g, share);
        }
        if TILE_FILTERS > 1u {
            let g = load_gradients(tile.n + 1u, texel);
            (*sums).f1 = add_filter((*sums).f1, g, window);
            (*sums).biases.b0.y += dot(g, share);
        }
        if TILE_FILTERS > 2u {
            let g = load_gradients(tile.n + 2u, texel);
            (*sums).f2 = add_filter((*sums).f2, g, window);
            (*sums).biases.b0.z += dot(g, share);
        }
        if TILE_FILTERS > 3u {
            let g = load_gradients(tile.n + 3u, texel);
            (*sums).f3 = add_filter((*sums).f3, g, window);
            (*sums).biases.b0.w += dot(g, share);
        }
        if TILE_FILTERS > 4u {
            let g = load_gradients(tile.n + 4u, texel);
            (*sums).f4 = add_filter((*sums).f4, g, window);
            (*sums).biases.b1.x += dot(g, share);
        }
        if TILE_FILTERS > 5u {
            let g = load_gradients(tile.n + 5u, texel);
            (*sums).f5 = add_filter((*sums).f5, g, window);
            (*sums).biases.b1.y += dot(g, share);
        }
        if TILE_FILTERS > 6u {
            let g = load_gradients(tile.n + 6u, texel);
            (*sums).f6 = add_filter((*sums).f6, g, window);
            (*sums).biases.b1.z += dot(g, share);
        }
        if TILE_FILTERS > 7u {
            let g = load_gradients(tile.n + 7u, texel);
            (*sums).f7 = add_filter((*sums).f7, g, window);
            (*sums).biases.b1.w += dot(g, share);
        }
        if TILE_FILTERS > 8u {
            let g = load_gradients(tile.n + 8u, texel);
            (*sums).f8 = add_filter((*sums).f8, g, window);
            (*sums).biases.b2.x += dot(g, share);
        }
        if TILE_FILTERS > 9u {
            let g = load_gradients(tile.n + 9u, texel);
            (*sums).f9 = add_filter((*sums).f9, g, window);
            (*sums).biases.b2.y += dot(g, share);
        }
        if TILE_FILTERS > 10u {
            let g = load_gradients(tile.n + 10u, texel);
            (*sums).f10 = add_filter((*sums).f10, g, window);
            (*sums).biases.b2.z += dot(g, share);
        }
        if TILE_FILTERS > 11u {
            let g = load_gradients(tile.n + 11u, texel);
            (*sums).f11 = add_filter((*sums).f11, g, window);
            (*sums).biases.b2.w += dot(g, share);
        }
        if TILE_FILTERS > 12u {
            let g = load_gradients(tile.n + 12u, texel);
            (*sums).f12 = add_filter((*sums).f12, g, window);
            (*sums).biases.b3.x += dot(g, share);
        }
        if TILE_FILTERS > 13u {
            let g = load_gradients(tile.n + 13u, texel);
            (*sums).f13 = add_filter((*sums).f13, g, window);
            (*sums).biases.b3.y += dot(g, share);
        }
        if TILE_FILTERS > 14u {
            let g = load_gradients(tile.n + 14u, texel);
            (*sums).f14 = add_filter((*sums).f14, g, window);
            (*sums).biases.b3.z += dot(g, share);
        }
        if TILE_FILTERS > 15u {
            let g = load_gradients(tile.n + 15u, texel);
            (*sums).f15 = add_filter((*sums).f15, g, window);
            (*sums).biases.b3.w += dot(g, share);
        }
    }
}

// Sums for planes past the last one are not stored, so the last one stands in for them.
fn load_gradients(n: u32, at: Texel) -> vec4<f32> {
    return read_gradient(texel_address(GRADIENT, min(n, FILTERS - 1u), at.sub_image, at.texel, at.row));
}

fn first_rows(at: vec2<i32>) -> Window {
    var window = Window();
    window.r0 = first_texels(at + vec2(0, 0));
    if TILE_ROWS > 1u {
        window.r1 = first_texels(at + vec2(0, 1));
    }
    if TILE_ROWS > 2u {
        window.r2 = first_texels(at + vec2(0, 2));
    }
    if TILE_ROWS > 3u {
        window.r3 = first_texels(at + vec2(0, 3));
    }
    if TILE_ROWS > 4u {
        window.r4 = first_texels(at + vec2(0, 4));
    }
    if TILE_ROWS > 5u {
        window.r5 = first_texels(at + vec2(0, 5));
    }
    if TILE_ROWS > 6u {
        window.r6 = first_texels(at + vec2(0, 6));
    }
    if TILE_ROWS > 7u {
        window.r7 = first_texels(at + vec2(0, 7));
    }
    if TILE_ROWS > 8u {
        window.r8 = first_texels(at + vec2(0, 8));
    }
    return window;
}

fn complete_rows(before: Window, at: vec2<i32>, x: i32) -> Window {
    var window = before;
    window.r0 = complete(window.r0, at + vec2(0, 0), x);
    if TILE_ROWS > 1u {
        window.r1 = complete(window.r1, at + vec2(0, 1), x);
    }
    if TILE_ROWS > 2u {
        window.r2 = complete(window.r2, at + vec2(0, 2), x);
    }
    if TILE_ROWS > 3u {
        window.r3 = complete(window.r3, at + vec2(0, 3), x);
    }
    if TILE_ROWS > 4u {
        window.r4 = complete(window.r4, at + vec2(0, 4), x);
    }
    if TILE_ROWS > 5u {
        window.r5 = complete(window.r5, at + vec2(0, 5), x);
    }
    if TILE_ROWS > 6u {
        window.r6 = complete(window.r6, at + vec2(0, 6), x);
    }
    if TILE_ROWS > 7u {
        window.r7 = complete(window.r7, at + vec2(0, 7), x);
    }
    if TILE_ROWS > 8u {
        window.r8 = complete(window.r8, at + vec2(0, 8), x);
    }
    return window;
}

fn advance_rows(window: Window) -> Window {
    return Window(
        advance(window.r0),
        advance(window.r1),
        advance(window.r2),
        advance(window.r3),
        advance(window.r4),
        advance(window.r5),
        advance(window.r6),
        advance(window.r7),
        advance(window.r8),
    );
}

fn add_filter(before: Filter, g: vec4<f32>, window: Window) -> Filter {
    var sums = before;
    sums.r0 = add_taps(sums.r0, g, window.r0);
    if TILE_ROWS > 1u {
        sums.r1 = add_taps(sums.r1, g, window.r1);
    }
    if TILE_ROWS > 2u {
        sums.r2 = add_taps(sums.r2, g, window.r2);
    }
    if TILE_ROWS > 3u {
        sums.r3 = add_taps(sums.r3, g, window.r3);
    }
    if TILE_ROWS > 4u {
        sums.r4 = add_taps(sums.r4, g, window.r4);
    }
    if TILE_ROWS > 5u {
        sums.r5 = add_taps(sums.r5, g, window.r5);
    }
    if TILE_ROWS > 6u {
        sums.r6 = add_taps(sums.r6, g, window.r6);
    }
    if TILE_ROWS > 7u {
        sums.r7 = add_taps(sums.r7, g, window.r7);
    }
    if TILE_ROWS > 8u {
        sums.r8 = add_taps(sums.r8, g, window.r8);
    }
    return sums;
}
