// All layers of a network f1-1-f3 on one channel (equations 1 to 3) except for the last sum, with layer 1 by Winograd's
// F(4, 5) and F(4, 4) along rows: fewer products than conv_fused_head.wgsl.
//
//   F1[n, y, x] = max(0, B1[n] + m(y, x) sum over i, j of W1[n, i, j] Y[y + i, x + j])
//   F2[k, y, x] = max(0, B2[k] + sum over n of W2[k, n] F1[n, y, x])
//   F(Y)[y, x]  = B3 + m(y, x) sum over k, i, j of W3[k, i, j] F2[k, y + i, x + j]
//
// One invocation owns a square of 4 x 4 pixels (shared/locate.wgsl) and takes the filters of layer 1 in fours. A weight
// costs several instructions on software adapters, so 16 pixels share each. All vec4s are 4 rows of one column, and a
// mat4x4 is 4 such columns. Layer 1: shared/winograd_input.wgsl. What a square contributes to layer 3, which
// conv_winograd_sum.wgsl adds up: shared/winograd_layer3.wgsl. Squares begin at multiples of 4 in the picture, and so
// do regions, so the order of sums does not depend on tiles.
// Grid: x = columns / (4 WORKGROUP_X), y = rows / (4 WORKGROUP_Y). Entry point and weights: shared/weight_load_*.wgsl.
//
// weights: QUADS times, QUAD long, [B1 of 4 filters, U of each filter as [p][block, i] with POINT for each p, columns of W2
// as [k][filter] at COLUMNS_2]; B2 at BIAS_2; W3 as [i][j][k], ROW_3 long for each i, at ROWS_3. All lengths are in vec4s.
//
// Prelude: FILTER (f1, 3 to 9), QUADS (fours of filters of layer 1), BLOCKS8 (of filters of layer 2, up to 4), FILTER_3
// (f3, up to 5), LANES, POINT, QUAD, COLUMNS_2, BIAS_2, ROWS_3, ROW_3, WEIGHTS, NORMALIZED, PADDING.
//#import winograd_input
//#import winograd_layer3

// Length of a filter's U.
const FILTER_1: u32 = 8u * POINT;

// What an invocation owns: a square.
const OWNED: vec2<i32> = vec2(4, 4);

@group(0) @binding(3) var input: MapTexture;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

// 4 maps of layer 1.
struct Maps4 {
    f0: mat4x4<f32>,
    f1: mat4x4<f32>,
    f2: mat4x4<f32>,
    f3: mat4x4<f32>,
}

fn run(lane: u32, workgroup: vec3<u32>) {
    let location = locate(lane, workgroup);
    let blocks = load_blocks(vec2(location.start.x / 4, location.start.y));
    let m = valid_factors(location.start);
    var a = Squares8();
    var b = Squares8();
    var c = Squares8();
    var d = Squares8();
    for (var quad = 0u; quad < QUADS; quad++) {
        let base = quad * QUAD;
        let bias = weight(base, 0u);
        let maps = Maps4(
            first_layer(blocks, m, bias.x, base, 1u),
            first_layer(blocks, m, bias.y, base, 1u + FILTER_1),
            first_layer(blocks, m, bias.z, base, 1u + 2u * FILTER_1),
            first_layer(blocks, m, bias.w, base, 1u + 3u * FILTER_1),
        );
        add_maps(&a, maps, base, COLUMNS_2);
        if BLOCKS8 > 1u {
            add_maps(&b, maps, base, COLUMNS_2 + 8u);
        }
        if BLOCKS8 > 2u {
            add_maps(&c, maps, base, COLUMNS_2 + 16u);
        }
        if BLOCKS8 > 3u {
            add_maps(&d, maps, base, COLUMNS_2 + 24u);
        }
    }
    finish_squares8(&a, 0u);
    if BLOCKS8 > 1u {
        finish_squares8(&b, 2u);
    }
    if BLOCKS8 > 2u {
        finish_squares8(&c, 4u);
    }
    if BLOCKS8 > 3u {
        finish_squares8(&d, 6u);
    }
    let columns = last_layer(&a, &b, &c, &d, 0u, location);
    if location.inside_region {
        store(columns, vec2(location.wanted.x / 4, location.wanted.y));
    }
}

// Adds what four maps of layer 1 contribute to 8 maps of layer 2.
fn add_maps(sums: ptr<function, Squares8>, maps: Maps4, base: u32, at: u32) {
    (*sums).s0 = add_maps4((*sums).s0, maps, weight(base, at));
    (*sums).s1 = add_maps4((*sums).s1, maps, weight(base, at + 1u));
    (*sums).s2 = add_maps4((*sums).s2, maps, weight(base, at + 2u));
    (*sums).s3 = add_maps4((*sums).s3, maps, weight(base, at + 3u));
    (*sums).s4 = add_maps4((*sums).s4, maps, weight(base, at + 4u));
    (*sums).s5 = add_maps4((*sums).s5, maps, weight(base, at + 5u));
    (*sums).s6 = add_maps4((*sums).s6, maps, weight(base, at + 6u));
    (*sums).s7 = add_maps4((*sums).s7, maps, weight(base, at + 7u));
}

fn add_maps4(sum: mat4x4<f32>, maps: Maps4, weights: vec4<f32>) -> mat4x4<f32> {
    return sum + maps.f0 * weights.x + maps.f1 * weights.y + maps.f2 * weights.z + maps.f3 * weights.w;
}

// Maps of layer 2 from their sums: max(0, sum + B2).
fn finish_squares8(sums: ptr<function, Squares8>, at: u32) {
    let b0 = weight(BIAS_2, at);
    let b1 = weight(BIAS_2, at + 1u);
    (*sums).s0 = finish((*sums).s0, b0.x);
    (*sums).s1 = finish((*sums).s1, b0.y);
    (*sums).s2 = finish((*sums).s2, b0.z);
    (*sums).s3 = finish((*sums).s3, b0.w);
    (*sums).s4 = finish((*sums).s4, b1.x);
    (*sums).s5 = finish((*sums).s5, b1.y);
    (*sums).s6 = finish((*sums).s6, b1.z);
    (*sums).s7 = finish((*sums).s7, b1.w);
}

fn finish(sums: mat4x4<f32>, bias: f32) -> mat4x4<f32> {
    let zero = vec4(0.0);
    return mat4x4(
        max(sums[0] + bias, zero),
        max(sums[1] + bias, zero),
        max(sums[2] + bias, zero),
        max(sums[3] + bias, zero),
    );
}
