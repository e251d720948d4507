// The same as conv_grad_weight.wgsl for a layer of 1x1 filters:
//
//   weight[n, c] = sum over b, y, x of gradient[b, n, y, x] input[b, c, y, x]
//   bias[n]      = sum over b, y, x of gradient[b, n, y, x], without the factor that NORMALIZED put into it
//
// One invocation owns the weights of 8 FILTER_BLOCKS8 filters for 8 INPUT_BLOCKS8 inputs, in registers, over all pixels
// of the sub-images part, part + PARTS, part + 2 PARTS and so on.
// Grid: x = PARTS / WORKGROUP, y = groups of filters, z = groups of inputs.
//
// Prelude: BATCH, PARTS, PARAMETERS, WEIGHT_START and BIAS_START (among the parameters), FILTERS, INPUTS, NORMALIZED
// (as in conv_batch.wgsl), FILTER_BLOCKS8 and INPUT_BLOCKS8 (up to 4), INPUT, GRADIENT.
//#import load_block8
//#import read_gradient

override WORKGROUP: u32 = 8u;

@group(0) @binding(0) var input: MapTexture;
@group(0) @binding(1) var gradient: MapTexture;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>; // [part][parameter]

// For each filter the sums of all inputs, 4 in a vec4, and the sums of the bias gradients.
struct Sums {
    f0: Block8,
    f1: Block8,
    f2: Block8,
    f3: Block8,
    f4: Block8,
    f5: Block8,
    f6: Block8,
    f7: Block8,
    f8: Block8,
    f9: Block8,
    f10: Block8,
    f11: Block8,
    f12: Block8,
    f13: Block8,
    f14: Block8,
    f15: Block8,
    f16: Block8,
    f17: Block8,
    f18: Block8,
    f19: Block8,
    f20: Block8,
    f21: Block8,
    f22: Block8,
    f23: Block8,
    f24: Block8,
    f25: Block8,
    f26: Block8,
    f27: Block8,
    f28: Block8,
    f29: Block8,
    f30: Block8,
    f31: Block8,
    biases: Block8,
}

// The first filter and the first input of a tile.
struct Tile {
    n: u32,
    c: u32,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let part = workgroup.x * WORKGROUP + lane;
    if part >= PARTS {
        return;
    }
    let tile = Tile(workgroup.y * 8u * FILTER_BLOCKS8, workgroup.z * 8u * INPUT_BLOCKS8);
    var sums = Sums();
    for (var sub_image = part; sub_image < BATCH; sub_image += PARTS) {
        for (var y = 0; y < i32(GRADIENT.height); y++) {
            for (var x = 0; x * 4 < i32(GRADIENT.width); x++) {
                add_texel(&sums, tile, Texel(sub_image, x, y, true));
            }
        }
    }
    let start = part * PARAMETERS;
    store_filter(sums.f0, sums.biases.s0.x, tile, 0u, start);
    store_filter(sums.f1, sums.biases.s0.y, tile, 1u, start);
    store_filter(sums.f2, sums.biases.s0.z, tile, 2u, start);
    store_filter(sums.f3, sums.biases.s0.w, tile, 3u, start);
    store_filter(sums.f4, sums.biases.s1.x, tile, 4u, start);
    store_filter(sums.f5, sums.biases.s1.y, tile, 5u, start);
    store_filter(sums.f6, sums.biases.s1.z, tile, 6u, start);
    store_filter(sums.f7, sums.biases.s1.w, tile, 7u, start);
    store_filter(sums.f8, sums.biases.s2.x, tile, 8u, start);
    store_filter(sums.f9, sums.biases.s2.y, tile, 9u, start);
    store_filter(sums.f10, sums.biases.s2.z, tile, 10u, start);
    store_filter(sums.f11, sums.biases.s2.w, tile, 11u, start);
    store_filter(sums.f12, sums.biases.s3.x, tile, 12u, start);
    store_filter(sums.f13, sums.biases.s3.y, tile, 13u, start);
    store_filter(sums.f14, sums.biases.s3.z, tile, 14u, start);
    store_filter(sums.f15, sums.biases.s3.w, tile, 15u, start);
    store_filter(sums.f16, sums.biases.s4.x, tile, 16u, start);
    store_filter(sums.f17, sums.biases.s4.y, tile, 17u, start);
    store_filter(sums.f18, sums.biases.s4.z, tile, 18u, start);
    store_filter(sums.f19, sums.biases.s4.w, tile, 19u, start);
    store_filter(sums.f20, sums.biases.s5.x, tile, 20u, start);
    store_filter(sums.f21, sums.biases.s5.y, tile, 21u, start);
    store_filter(sums.f22, sums.biases.s5.z, tile, 22u, start);
    store_filter(sums.f23, sums.biases.s5.w, tile, 23u, start);
    store_filter(sums.f24, sums.biases.s6.x, tile, 24u, start);
    store_filter(sums.f25, sums.biases.s6.y, tile, 25u, start);
    store_filter(sums.f26, sums.biases.s6.z, tile, 26u, start);
    store_filter(sums.f27, sums.biases.s6.w, tile, 27u, start);
    store_filter(sums.f28, sums.biases.s7.x, tile, 28u, start);
    store_filter(sums.f29, sums.biases.s7.y, tile, 29u, start);
    store_filter(sums.f30, sums.biases.s7.z, tile, 30u, start);
    store_filter(sums.f31, sums.biases.s7.w, tile, 31u, start);
}

fn add_texel(sums: ptr<function, Sums>, tile: Tile, at: Texel) {
    var inputs = Maps();
    inputs.a = load_block8(tile.c, at);
    if INPUT_BLOCKS8 > 1u {
        inputs.b = load_block8(tile.c + 8u, at);
    }
    if INPUT_BLOCKS8 > 2u {
        inputs.c = load_block8(tile.c + 16u, at);
    }
    if INPUT_BLOCKS8 > 3u {
        inputs.d = load_block8(tile.c + 24u, at);
    }
    let share = valid_share(GRADIENT, NORMALIZED, at.texel, at.row);
    let g0 = load_gradients(tile.n, 0u, at);
    (*sums).f0 = add_filter((*sums).f0, g0, inputs, 0u);
    let g1 = load_gradients(tile.n, 1u, at);
    (*sums).f1 = add_filter((*sums).f1, g1, inputs, 1u);
    let g2 = load_gradients(tile.n, 2u, at);
    (*sums).f2 = add_filter((*sums).f2, g2, inputs, 2u);
    let g3 = load_gradients(tile.n, 3u, at);
    (*sums).f3 = add_filter((*sums).f3, g3, inputs, 3u);
    (*sums).biases.s0 += dots(share, g0, g1, g2, g3);
    let g4 = load_gradients(tile.n, 4u, at);
    (*sums).f4 = add_filter((*sums).f4, g4, inputs, 4u);
    let g5 = load_gradients(tile.n, 5u, at);
    (*sums).f5 = add_filter((*sums).f5, g5, inputs, 5u);
    let g6 = load_gradients(tile.n, 6u, at);
    (*sums).f6 = add_filter((*sums).f6, g6, inputs, 6u);
    let g7 = load_gradients(tile.n, 7u, at);
    (*sums).f7 = add_filter((*sums).f7, g7, inputs, 7u);
    (*sums).biases.s1 += dots(share, g4, g5, g6, g7);
    let g8 = load_gradients(tile.n, 8u, at);
    (*sums).f8 = add_filter((*sums).f8, g8, inputs, 8u);
    let g9 = load_gradients(tile.n, 9u, at);
    (*sums).f9 = add_filter((*sums).f9, g9, inputs, 9u);
    let g10 = load_gradients(tile.n, 10u, at);
    (*sums).f10 = add_filter((*sums).f10, g10, inputs, 10u);
    let g11 = load_gradients(tile.n, 11u, at);
    (*sums).f11 = add_filter((*sums).f11, g11, inputs, 11u);
    (*sums).biases.s2 += dots(share, g8, g9, g10, g11);
    let g12 = load_gradients(tile.n, 12u, at);
    (*sums).f12 = add_filter((*sums).f12, g12, inputs, 12u);
    let g13 = load_gradients(tile.n, 13u, at);
    (*sums).f13 = add_filter((*sums).f13, g13, inputs, 13u);
    let g14 = load_gradients(tile.n, 14u, at);
    (*sums).f14 = add_filter((*sums).f14, g14, inputs, 14u);
    let g15 = load_gradients(tile.n, 15u, at);
    (*sums).f15 = add_filter((*sums).f15, g15, inputs, 15u);
    (*sums).biases.s3 += dots(share, g12, g13, g14, g15);
    let g16 = load_gradients(tile.n, 16u, at);
    (*sums).f16 = add_filter((*sums).f16, g16, inputs, 16u);
    let g17 = load_gradients(tile.n, 17u, at);
    (*sums).f17 = add_filter((*sums).f17, g17, inputs, 17u);
    let g18 = load_gradients(tile.n, 18u, at);
    (*sums).f18 = add_filter((*sums).f18, g18, inputs, 18u);
    let g19 = load_gradients(tile.n, 19u, at);
    (*sums).f19 = add_filter((*sums).f19, g19, inputs, 19u);
    (*sums).biases.s4 += dots(share, g16, g17, g18, g19);
    let g20 = load_gradients(tile.n, 20u, at);
    (*sums).f20 = add_filter((*sums).f20, g20, inputs, 20u);
    let g21 = load_gradients(tile.n, 21u, at);
    (*sums).f21 = add_filter((*sums).f21, g21, inputs, 21u);
    let g22 = load_gradients(tile.n, 22u, at);
    (*sums).f22 = add_filter((*sums).f22, g22, inputs, 22u);
    let g23 = load_gradients(tile.n, 23u, at);
    (*sums).f23 = add_filter((*sums).f23, g23, inputs, 23u);
    (*sums).biases.s5 += dots(share, g20, g21, g22, g23);
    let g24 = load_gradients(tile.n, 24u, at);
    (*sums).f24 = add_filter((*sums).f24, g24, inputs, 24u);
    let g25 = load_gradients(tile.n, 25u, at);
    (*sums).f25 = add_filter((*sums).f25, g25, inputs, 25u);
    let g26 = load_gradients(tile.n, 26u, at);
    (*sums).f26 = add_filter((*sums).f26, g26, inputs, 26u);
    let g27 = load_gradients(tile.n, 27u, at);
    (*sums).f27 = add_filter((*sums).f27, g27, inputs, 27u);
    (*sums).biases.s6 += dots(share, g24, g25, g26, g27);
    let g28 = load_gradients(tile.n, 28u, at);
    (*sums).f28 = add_filter((*sums).f28, g28, inputs, 28u);
    let g29 = load_gradients(tile.n, 29u, at);
    (*sums).f29 = add_filter((*sums).f29, g29, inputs, 29u);
    let g30 = load_gradients(tile.n, 30u, at);
    (*sums).f30 = add_filter((*sums).f30, g30, inputs, 30u);
    let g31 = load_gradients(tile.n, 31u, at);
    (*sums).f31 = add_filter((*sums).f31, g31, inputs, 31u);
    (*sums).biases.s7 += dots(share, g28, g29, g30, g31);
}

// Gradients of the tile's filter k.
fn load_gradients(n: u32, k: u32, at: Texel) -> vec4<f32> {
    if k >= 8u * FILTER_BLOCKS8 {
        return vec4(0.0);
    }
    let plane = min(n + k, FILTERS - 1u);
    return read_gradient(texel_address(GRADIENT, plane, at.sub_image, at.texel, at.row));
}

// Adds to the sums of the tile's filter k.
fn add_filter(sums: Block8, g: vec4<f32>, inputs: Maps, k: u32) -> Block8 {
    if k >= 8u * FILTER_BLOCKS8 {
        return sums;
    }
    return Block8(
        add_dots(sums.s0, g, inputs.a.s0, inputs.a.s1, inputs.a.s2, inputs.a.s3, 0u),
        add_dots(sums.s1, g, inputs.a.s4, inputs.a.s5, inputs.a.s6, inputs.a.s7, 0u),
        add_dots(sums.s2, g, inputs.b.s0, inputs.b.s1, inputs.b.s2, inputs.b.s3, 1u),
        add_dots(sums.s3, g, inputs.b.s4, inputs.b.s5, inputs.b.s6, inputs.b.s7, 1u),
        add_dots(sums.s4, g, inputs.c.s0, inputs.c.s1, inputs.c.s2, inputs.c.s3, 2u),
        add_dots(sums.s5, g, inputs.c.s4, inputs.c.s5, inputs.c.s6, inputs.c.s7, 2u),
        add_dots(sums.s6, g, inputs.d.s0, inputs.d.s1, inputs.d.s2, inputs.d.s3, 3u),
        add_dots(sums.s7, g, inputs.d.s4, inputs.d.s5, inputs.d.s6, inputs.d.s7, 3u),
    );
}

// The same for 4 inputs of block number `block`.
fn add_dots(
    sums: vec4<f32>,
    g: vec4<f32>,
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
    block: u32,
) -> vec4<f32> {
    if block >= INPUT_BLOCKS8 {
        return sums;
    }
    return sums + dots(g, a, b, c, d);
}

fn dots(g: vec4<f32>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) -> vec4<f32> {
    return vec4(dot(g, a), dot(g, b), dot(g, c), dot(g, d));
}

// Stores the sums of the tile's filter k.
fn store_filter(sums: Block8, bias: f32, tile: Tile, k: u32, start: u32) {
    let n = tile.n + k;
    if k >= 8u * FILTER_BLOCKS8 || n >= FILTERS {
        return;
    }
    // All tiles of a filter have the same sum of gradients.
    if tile.c == 0u {
        parts[start + BIAS_START + n] = bias;
    }
    let first = start + WEIGHT_START + n * INPUTS;
    store_quad(sums.s0, tile.c, first, 0u);
    store_quad(sums.s1, tile.c, first, 1u);
    store_quad(sums.s2, tile.c, first, 2u);
    store_quad(sums.s3, tile.c, first, 3u);
    store_quad(sums.s4, tile.c, first, 4u);
    store_quad(sums.s5, tile.c, first, 5u);
    store_quad(sums.s6, tile.c, first, 6u);
    store_quad(sums.s7, tile.c, first, 7u);
}

// Stores the sums of inputs 4 i to 4 i + 3 of the tile.
fn store_quad(sums: vec4<f32>, first: u32, start: u32, i: u32) {
    for (var o = 0u; o < 4u && i < 2u * INPUT_BLOCKS8 && first + 4u * i + o < INPUTS; o++) {
        parts[start + first + 4u * i + o] = sums[o];
    }
}
