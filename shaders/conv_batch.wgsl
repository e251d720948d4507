// One convolution over the maps of a batch: a layer's forward pass (equations 1 to 3), or with the layer's filters
// flipped and transposed the gradient of its input.
//
//   output[b, n, y, x] = B[n] + sum over c, i, j of W[n, c, i, j] input[b, c, y - READ_ROWS + i, x - 4 READ_TEXELS + j]
//
// With RELU max(0, .) of that. With GATED zero where `gate`, a layer's output, is not positive (the gradient of its
// ReLU). Where NORMALIZED is not 0, sums are multiplied by the valid-pixel map of a layer with filters of that size:
// for a gradient, the layer before.
//
// One invocation owns up to 7 texels, of 4 pixels of a row, for QUADS times 4 outputs of one sub-image, all in
// registers: for each input and row of the filter it loads the texels once, and takes the taps of a row in blocks. The
// outputs are filters; or with OUTPUT_ROWS = 4 they are four rows of one filter, whose taps have been moved down by 0
// to 3 rows in a filter of FILTER_ROWS = f + 3. Neighboring invocations do the same for other sub-images.
// Grid: x = sub-images / WORKGROUP x TILES in a row, y = rows / OUTPUT_ROWS, z = groups of QUADS.
// Entry point and weights: shared/weight_load_*.wgsl.
//
// weights: for each 4 outputs, GROUP vec4s long, [B, W as [c][i][block][j]].
//
// Prelude: BATCH, INPUTS, PLANES (of the output), FILTER_ROWS, FILTER (columns of a block: up to 9, or 8 if there are
// several), BLOCKS (in a row), OUTPUT_ROWS, READ_ROWS, READ_TEXELS, TEXELS (of a tile), TILES, QUADS (up to 4), LANES,
// GROUP, WEIGHTS, RELU, GATED, NORMALIZED, INPUT, GATE, OUTPUT.
//#import taps
//#import write_map

override WORKGROUP: u32 = 8u;

@group(0) @binding(0) var<uniform> first: vec4<u32>; // x: the first output plane of this dispatch
@group(0) @binding(2) var input: MapTexture;
@group(0) @binding(3) var gate: MapTexture;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

// The sums of a texel for 4 outputs, and of all texels.
struct Quad {
    ab: Pair,
    cd: Pair,
}

struct Sums {
    t0: Quad,
    t1: Quad,
    t2: Quad,
    t3: Quad,
    t4: Quad,
    t5: Quad,
    t6: Quad,
}

// The tile's texels of the input, and those to the right of them.
struct Texels {
    x0: vec4<f32>,
    x1: vec4<f32>,
    x2: vec4<f32>,
    x3: vec4<f32>,
    x4: vec4<f32>,
    x5: vec4<f32>,
    x6: vec4<f32>,
    x7: vec4<f32>,
    x8: vec4<f32>,
}

fn run(lane: u32, workgroup: vec3<u32>) {
    let sub_image = workgroup.x / TILES * WORKGROUP + lane;
    let at = texel(sub_image, workgroup.x % TILES * TEXELS, workgroup.y * OUTPUT_ROWS);
    let group = workgroup.z * QUADS;
    var q0 = Sums();
    var q1 = Sums();
    var q2 = Sums();
    var q3 = Sums();
    var tap = group * GROUP + 1u;
    // One loop over inputs, rows and blocks: software adapters copy all sums once for each level of nesting.
    for (var k = 0u; k < INPUTS * FILTER_ROWS * BLOCKS; k++) {
        let block = i32(k % BLOCKS);
        let row = at.row - i32(READ_ROWS) + i32(k / BLOCKS % FILTER_ROWS);
        let column = at.texel - i32(READ_TEXELS) + 2 * block;
        let texels = load_texels(texel_address(INPUT, k / BLOCKS / FILTER_ROWS, at.sub_image, column, row));
        q0 = add_texels(q0, texels, tap);
        if QUADS > 1u {
            q1 = add_texels(q1, texels, tap + GROUP);
        }
        if QUADS > 2u {
            q2 = add_texels(q2, texels, tap + 2u * GROUP);
        }
        if QUADS > 3u {
            q3 = add_texels(q3, texels, tap + 3u * GROUP);
        }
        tap += FILTER;
    }
    store_quads(q0, group, at);
    if QUADS > 1u {
        store_quads(q1, group + 1u, at);
    }
    if QUADS > 2u {
        store_quads(q2, group + 2u, at);
    }
    if QUADS > 3u {
        store_quads(q3, group + 3u, at);
    }
}

fn load_texels(at: vec2<i32>) -> Texels {
    const COUNT: u32 = TEXELS + (FILTER + 2u) / 4u;
    var texels = Texels();
    texels.x0 = read_input(at);
    if COUNT > 1u {
        texels.x1 = read_input(at + vec2(NEXT_TEXEL, 0));
    }
    if COUNT > 2u {
        texels.x2 = read_input(at + vec2(2 * NEXT_TEXEL, 0));
    }
    if COUNT > 3u {
        texels.x3 = read_input(at + vec2(3 * NEXT_TEXEL, 0));
    }
    if COUNT > 4u {
        texels.x4 = read_input(at + vec2(4 * NEXT_TEXEL, 0));
    }
    if COUNT > 5u {
        texels.x5 = read_input(at + vec2(5 * NEXT_TEXEL, 0));
    }
    if COUNT > 6u {
        texels.x6 = read_input(at + vec2(6 * NEXT_TEXEL, 0));
    }
    if COUNT > 7u {
        texels.x7 = read_input(at + vec2(7 * NEXT_TEXEL, 0));
    }
    if COUNT > 8u {
        texels.x8 = read_input(at + vec2(8 * NEXT_TEXEL, 0));
    }
    return texels;
}

// Adds a block of taps of a row to all sums.
fn add_texels(before: Sums, texels: Texels, tap: u32) -> Sums {
    var sums = before;
    sums.t0 = add_quad(sums.t0, Row(texels.x0, texels.x1, texels.x2), tap);
    if TEXELS > 1u {
        sums.t1 = add_quad(sums.t1, Row(texels.x1, texels.x2, texels.x3), tap);
    }
    if TEXELS > 2u {
        sums.t2 = add_quad(sums.t2, Row(texels.x2, texels.x3, texels.x4), tap);
    }
    if TEXELS > 3u {
        sums.t3 = add_quad(sums.t3, Row(texels.x3, texels.x4, texels.x5), tap);
    }
    if TEXELS > 4u {
        sums.t4 = add_quad(sums.t4, Row(texels.x4, texels.x5, texels.x6), tap);
    }
    if TEXELS > 5u {
        sums.t5 = add_quad(sums.t5, Row(texels.x5, texels.x6, texels.x7), tap);
    }
    if TEXELS > 6u {
        sums.t6 = add_quad(sums.t6, Row(texels.x6, texels.x7, texels.x8), tap);
    }
    return sums;
}

fn add_quad(sums: Quad, row: Row, tap: u32) -> Quad {
    return Quad(add_row(sums.ab, row, tap, 0u, false), add_row(sums.cd, row, tap, 0u, true));
}

fn store_quads(sums: Sums, group: u32, at: Texel) {
    store_quad(sums.t0, group, at, 0);
    if TEXELS > 1u {
        store_quad(sums.t1, group, at, 1);
    }
    if TEXELS > 2u {
        store_quad(sums.t2, group, at, 2);
    }
    if TEXELS > 3u {
        store_quad(sums.t3, group, at, 3);
    }
    if TEXELS > 4u {
        store_quad(sums.t4, group, at, 4);
    }
    if TEXELS > 5u {
        store_quad(sums.t5, group, at, 5);
    }
    if TEXELS > 6u {
        store_quad(sums.t6, group, at, 6);
    }
}

fn store_quad(sums: Quad, group: u32, at: Texel, texel: i32) {
    let bias = weight(group * GROUP, 0u);
    store(sums.ab.a, bias.x, group, 0u, at, texel);
    store(sums.ab.b, bias.y, group, 1u, at, texel);
    store(sums.cd.a, bias.z, group, 2u, at, texel);
    store(sums.cd.b, bias.w, group, 3u, at, texel);
}

fn store(sum: vec4<f32>, bias: f32, group: u32, o: u32, at: Texel, texel: i32) {
    // Output o is a filter, or a row.
    let row = at.row + select(0, i32(o), OUTPUT_ROWS == 4u);
    let n = first.x + select(group * 4u + o, group, OUTPUT_ROWS == 4u);
    write_map(sum, bias, n, Texel(at.sub_image, at.texel + texel, row, at.wanted));
}
