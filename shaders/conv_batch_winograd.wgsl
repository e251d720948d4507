// One convolution with filters of 5 x 5 over the maps of a batch, by Winograd's F(4, 5) along rows: as conv_batch.wgsl,
// with 2.5 times fewer products.
//
//   output[b, n, y, x] = B[n] + sum over c, i, j of W[n, c, i, j] input[b, c, y - READ_ROWS + i, x - 4 READ_TEXELS + j]
//
// RELU, GATED and NORMALIZED as in conv_batch.wgsl.
//
// One invocation owns a square of 4 x 4 pixels of one sub-image for BLOCKS8 times 8 outputs, whose sums stay in the first
// level of a CPU's cache: shared/winograd_squares.wgsl. Neighboring invocations do the same for other sub-images.
// Grid: x = sub-images / WORKGROUP x texels in a row, y = rows / 4, z = groups of outputs.
// Entry point and weights: shared/weight_load_*.wgsl.
//
// weights: for each group, GROUP vec4s long, [B, of BIASES vec4s, then for each input, INPUT_WEIGHTS long, U as
// [8 outputs][p][i][output]]. pack_winograd.wgsl writes them.
//
// Prelude: BATCH, INPUTS, PLANES (of the output), READ_ROWS, READ_TEXELS, BLOCKS8 (of outputs in a group, up to 2), LANES,
// GROUP, BIASES, INPUT_WEIGHTS, WEIGHTS, RELU, GATED, NORMALIZED, INPUT, GATE, OUTPUT.
//#import winograd_squares
//#import write_map

override WORKGROUP: u32 = 8u;

// Texels of a row of the output.
const TEXELS: u32 = (OUTPUT.width + 3u) / 4u;

@group(0) @binding(0) var input: MapTexture;
@group(0) @binding(2) var gate: MapTexture;
@group(0) @binding(3) var output: texture_storage_2d<rgba32float, write>;

fn run(lane: u32, workgroup: vec3<u32>) {
    // No invocation returns early: subgroups exchange weights.
    let at = texel(workgroup.x / TEXELS * WORKGROUP + lane, workgroup.x % TEXELS, workgroup.y * 4u);
    let group = workgroup.z;
    var a = Sums();
    var b = Sums();
    var base = group * GROUP + BIASES;
    for (var c = 0u; c < INPUTS; c++) {
        let column = at.texel - i32(READ_TEXELS);
        let v = points(texel_address(INPUT, c, at.sub_image, column, at.row - i32(READ_ROWS)));
        a = add_input(a, v, base, 0u);
        if BLOCKS8 > 1u {
            b = add_input(b, v, base, BLOCK8_WEIGHTS);
        }
        base += INPUT_WEIGHTS;
    }
    store8(squares8(a), group, 0u, at);
    if BLOCKS8 > 1u {
        store8(squares8(b), group, 1u, at);
    }
}

fn store8(squares: Squares8, group: u32, block: u32, at: Texel) {
    let n = (group * BLOCKS8 + block) * 8u;
    let b0 = weight(group * GROUP, 2u * block);
    let b1 = weight(group * GROUP, 2u * block + 1u);
    store(squares.s0, b0.x, n, at);
    store(squares.s1, b0.y, n + 1u, at);
    store(squares.s2, b0.z, n + 2u, at);
    store(squares.s3, b0.w, n + 3u, at);
    store(squares.s4, b1.x, n + 4u, at);
    store(squares.s5, b1.y, n + 5u, at);
    store(squares.s6, b1.z, n + 6u, at);
    store(squares.s7, b1.w, n + 7u, at);
}

fn store(square: mat4x4<f32>, bias: f32, n: u32, at: Texel) {
    let rows = transpose(square);
    write_map(rows[0], bias, n, at);
    write_map(rows[1], bias, n, Texel(at.sub_image, at.texel, at.row + 1, at.wanted));
    write_map(rows[2], bias, n, Texel(at.sub_image, at.texel, at.row + 2, at.wanted));
    write_map(rows[3], bias, n, Texel(at.sub_image, at.texel, at.row + 3, at.wanted));
}
