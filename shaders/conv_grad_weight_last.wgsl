// The same as conv_grad_weight.wgsl for a last layer, with one filter and many inputs:
//
//   weight[c, i, j] = sum over b, y, x of gradient[b, y - i + READ_ROWS, x] input[b, c, y, x - READ_COLUMNS + j]
//   bias            = sum over b, y, x of gradient[b, y, x], without the factor that NORMALIZED put into it
//
// One invocation owns all taps of TILE_INPUTS inputs, in registers, over all pixels of the sub-images part, part +
// PARTS, part + 2 PARTS and so on. It goes over the rows of the input, each loaded once, with all gradient rows that
// each meets; the gradient has zeros around it where these lie outside.
// Grid: x = PARTS / WORKGROUP, y = groups of inputs.
//
// Prelude: that of conv_grad_weight.wgsl with SIZE up to 9, TILE_ROWS = TILE_COLUMNS = SIZE; TILE_INPUTS (up to 8).
//#import filter_sums

override WORKGROUP: u32 = 8u;

@group(0) @binding(0) var input: texture_2d<f32>;
@group(0) @binding(1) var gradient: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>; // [part][parameter]

struct Sums {
    s0: Filter,
    s1: Filter,
    s2: Filter,
    s3: Filter,
    s4: Filter,
    s5: Filter,
    s6: Filter,
    s7: Filter,
    bias: f32,
}

// 4 gradients of each row.
struct Gradients {
    r0: vec4<f32>,
    r1: vec4<f32>,
    r2: vec4<f32>,
    r3: vec4<f32>,
    r4: vec4<f32>,
    r5: vec4<f32>,
    r6: vec4<f32>,
    r7: vec4<f32>,
    r8: vec4<f32>,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let part = workgroup.x * WORKGROUP + lane;
    if part >= PARTS {
        return;
    }
    let c = workgroup.y * TILE_INPUTS;
    var sums = Sums();
    for (var sub_image = part; sub_image < BATCH; sub_image += PARTS) {
        for (var y = 0; y < i32(INPUT.height); y++) {
            add_row(&sums, c, sub_image, y);
        }
    }
    store(sums.s0, c, part);
    if TILE_INPUTS > 1u {
        store(sums.s1, c + 1u, part);
    }
    if TILE_INPUTS > 2u {
        store(sums.s2, c + 2u, part);
    }
    if TILE_INPUTS > 3u {
        store(sums.s3, c + 3u, part);
    }
    if TILE_INPUTS > 4u {
        store(sums.s4, c + 4u, part);
    }
    if TILE_INPUTS > 5u {
        store(sums.s5, c + 5u, part);
    }
    if TILE_INPUTS > 6u {
        store(sums.s6, c + 6u, part);
    }
    if TILE_INPUTS > 7u {
        store(sums.s7, c + 7u, part);
    }
    // All tiles have the same sum of gradients.
    if c == 0u {
        parts[part * PARAMETERS + BIAS_START] = sums.bias;
    }
}

fn store(sums: Filter, c: u32, part: u32) {
    store_filter(sums, 0u, c, 0u, 0u, part * PARAMETERS);
}

// Adds what a row of the inputs contributes.
fn add_row(sums: ptr<function, Sums>, c: u32, sub_image: u32, y: i32) {
    let a0 = input_row(c + 0u, sub_image, y);
    let a1 = input_row(c + 1u, sub_image, y);
    let a2 = input_row(c + 2u, sub_image, y);
    let a3 = input_row(c + 3u, sub_image, y);
    let a4 = input_row(c + 4u, sub_image, y);
    let a5 = input_row(c + 5u, sub_image, y);
    let a6 = input_row(c + 6u, sub_image, y);
    let a7 = input_row(c + 7u, sub_image, y);
    var w0 = first_texels(a0);
    var w1 = first_texels(a1);
    var w2 = first_texels(a2);
    var w3 = first_texels(a3);
    var w4 = first_texels(a4);
    var w5 = first_texels(a5);
    var w6 = first_texels(a6);
    var w7 = first_texels(a7);
    let last = texel_address(GRADIENT, 0u, sub_image, 0, y + i32(READ_ROWS));
    for (var x = 0; x * 4 < i32(GRADIENT.width); x++) {
        let g = load_gradients(last, x);
        // The row at the same height as that of the input.
        let same = textureLoad(gradient, last + vec2(x * NEXT_TEXEL, -i32(READ_ROWS)), 0);
        (*sums).bias += dot(same, valid_share(GRADIENT, NORMALIZED, x, y));
        w0 = complete(w0, a0, x);
        (*sums).s0 = add_filter((*sums).s0, g, w0);
        w0 = advance(w0);
        if TILE_INPUTS > 1u {
            w1 = complete(w1, a1, x);
            (*sums).s1 = add_filter((*sums).s1, g, w1);
            w1 = advance(w1);
        }
        if TILE_INPUTS > 2u {
            w2 = complete(w2, a2, x);
            (*sums).s2 = add_filter((*sums).s2, g, w2);
            w2 = advance(w2);
        }
        if TILE_INPUTS > 3u {
            w3 = complete(w3, a3, x);
            (*sums).s3 = add_filter((*sums).s3, g, w3);
            w3 = advance(w3);
        }
        if TILE_INPUTS > 4u {
            w4 = complete(w4, a4, x);
            (*sums).s4 = add_filter((*sums).s4, g, w4);
            w4 = advance(w4);
        }
        if TILE_INPUTS > 5u {
            w5 = complete(w5, a5, x);
            (*sums).s5 = add_filter((*sums).s5, g, w5);
            w5 = advance(w5);
        }
        if TILE_INPUTS > 6u {
            w6 = complete(w6, a6, x);
            (*sums).s6 = add_filter((*sums).s6, g, w6);
            w6 = advance(w6);
        }
        if TILE_INPUTS > 7u {
            w7 = complete(w7, a7, x);
            (*sums).s7 = add_filter((*sums).s7, g, w7);
            w7 = advance(w7);
        }
    }
}

// First texel under the first tap of a row. Sums for planes past the last one are not stored, so the last one stands
// in.
fn input_row(c: u32, sub_image: u32, y: i32) -> vec2<i32> {
    return texel_address(INPUT, min(c, INPUTS - 1u), sub_image, -i32(READ_TEXELS), y);
}

// Rows of the gradient from `last` upwards.
fn load_gradients(last: vec2<i32>, x: i32) -> Gradients {
    let at = last + vec2(x * NEXT_TEXEL, 0);
    var g = Gradients();
    g.r0 = textureLoad(gradient, at, 0);
    if SIZE > 1u {
        g.r1 = textureLoad(gradient, at - vec2(0, 1), 0);
    }
    if SIZE > 2u {
        g.r2 = textureLoad(gradient, at - vec2(0, 2), 0);
    }
    if SIZE > 3u {
        g.r3 = textureLoad(gradient, at - vec2(0, 3), 0);
    }
    if SIZE > 4u {
        g.r4 = textureLoad(gradient, at - vec2(0, 4), 0);
    }
    if SIZE > 5u {
        g.r5 = textureLoad(gradient, at - vec2(0, 5), 0);
    }
    if SIZE > 6u {
        g.r6 = textureLoad(gradient, at - vec2(0, 6), 0);
    }
    if SIZE > 7u {
        g.r7 = textureLoad(gradient, at - vec2(0, 7), 0);
    }
    if SIZE > 8u {
        g.r8 = textureLoad(gradient, at - vec2(0, 8), 0);
    }
    return g;
}

fn add_filter(before: Filter, g: Gradients, row: Row) -> Filter {
    var sums = before;
    sums.r0 = add_taps(sums.r0, g.r0, row);
    if SIZE > 1u {
        sums.r1 = add_taps(sums.r1, g.r1, row);
    }
    if SIZE > 2u {
        sums.r2 = add_taps(sums.r2, g.r2, row);
    }
    if SIZE > 3u {
        sums.r3 = add_taps(sums.r3, g.r3, row);
    }
    if SIZE > 4u {
        sums.r4 = add_taps(sums.r4, g.r4, row);
    }
    if SIZE > 5u {
        sums.r5 = add_taps(sums.r5, g.r5, row);
    }
    if SIZE > 6u {
        sums.r6 = add_taps(sums.r6, g.r6, row);
    }
    if SIZE > 7u {
        sums.r7 = add_taps(sums.r7, g.r7, row);
    }
    if SIZE > 8u {
        sums.r8 = add_taps(sums.r8, g.r8, row);
    }
    return sums;
}
