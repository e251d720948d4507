// The layer before the last one (equation 2), with filters of 5 x 5, by Winograd's F(4, 5) along rows, and layer 3
// (equation 3) over its maps except for the last sum: 2.5 times fewer products than conv_fused_body.wgsl.
//
//   F2[k, y, x] = max(0, B2[k] + m(y, x) sum over c, i, j of W2[k, c, i, j] input[c, y + i, x + j])
//   F(Y)[y, x]  = B3 + m(y, x) sum over k, i, j of W3[k, i, j] F2[k, y + i, x + j]
//
// 4 neighboring pixels under a row of a filter take 8 products instead of 20, one for each point p of 0, 1, -1, 2, -2,
// 1/2, -1/2 and infinity: of U = G W2, which the host computes, and V = B' d of 8 pixels d. All inputs c and rows i are
// added up before A' leads back to pixels:
//
//   M[k, p, y] = sum over c, i of U[k, c, i, p] V[c, p, y + i],  F2[k, y, x] = max(0, B2[k] + m A'(M[k])[y, x])
//
// One invocation owns a square of 4 x 4 pixels (shared/locate.wgsl) and takes the filters in groups of BLOCKS8 times 8,
// whose M stay in the first level of a CPU's cache. Where a vec4 holds no more than 4 numbers of a row, it is 4 rows of
// one column or point. What a square contributes to layer 3, which conv_winograd_sum.wgsl adds up:
// shared/winograd_layer3.wgsl. Squares begin at multiples of 4 in the picture, and so do regions, so the order of sums
// does not depend on tiles.
// Grid: x = columns / (4 WORKGROUP_X), y = rows / (4 WORKGROUP_Y). Entry point and weights: shared/weight_load_*.wgsl.
//
// Axes: input [INPUTS][rows][columns]. weights: [group][c], INPUT long, U as [8 filters][p][i][filter]; then B2 and W3
// of each group. All lengths are in vec4s.
//
// Prelude: INPUTS, GROUPS (of filters), BLOCKS8 (of filters in a group), FILTER_3 (f3, up to 5), LANES, INPUT, BIAS_2,
// TAP_3, TAPS_3, WEIGHTS, NORMALIZED, PADDING.
//#import block8
//#import winograd_layer3
//#import load_square

// What an invocation owns: a square.
const OWNED: vec2<i32> = vec2(4, 4);

@group(0) @binding(3) var input: MapTexture;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

// V: for each point 8 rows, the first of them under the filter's first row for the first row of pixels.
struct Points {
    p0: mat2x4<f32>,
    p1: mat2x4<f32>,
    p2: mat2x4<f32>,
    p3: mat2x4<f32>,
    p4: mat2x4<f32>,
    p5: mat2x4<f32>,
    p6: mat2x4<f32>,
    p7: mat2x4<f32>,
}

// M of 8 filters: for each point 4 rows.
struct Sums {
    p0: Block8,
    p1: Block8,
    p2: Block8,
    p3: Block8,
    p4: Block8,
    p5: Block8,
    p6: Block8,
    p7: Block8,
}

fn run(lane: u32, workgroup: vec3<u32>) {
    let location = locate(lane, workgroup);
    let m = valid_factors(location.start);
    var columns = Columns();
    for (var group = 0u; group < GROUPS; group++) {
        var sums_a = Sums();
        var sums_b = Sums();
        var sums_c = Sums();
        var sums_d = Sums();
        for (var c = 0u; c < INPUTS; c++) {
            let v = points(input_plane(c) + vec2(location.start.x / 4, location.start.y));
            let base = (group * INPUTS + c) * INPUT;
            sums_a = add_input(sums_a, v, base, 0u);
            if BLOCKS8 > 1u {
                sums_b = add_input(sums_b, v, base, 80u);
            }
            if BLOCKS8 > 2u {
                sums_c = add_input(sums_c, v, base, 160u);
            }
            if BLOCKS8 > 3u {
                sums_d = add_input(sums_d, v, base, 240u);
            }
        }
        let biases = BIAS_2 + group * TAP_3;
        var a = finish(sums_a, m, biases, 0u);
        var b = Squares8();
        var c = Squares8();
        var d = Squares8();
        if BLOCKS8 > 1u {
            b = finish(sums_b, m, biases, 2u);
        }
        if BLOCKS8 > 2u {
            c = finish(sums_c, m, biases, 4u);
        }
        if BLOCKS8 > 3u {
            d = finish(sums_d, m, biases, 6u);
        }
        columns = add_columns(columns, last_layer(&a, &b, &c, &d, group, location));
    }
    if location.inside_region {
        store(columns, vec2(location.wanted.x / 4, location.wanted.y));
    }
}

// V = B' d of 8 rows of 8 columns.
fn points(at: vec2<i32>) -> Points {
    let a = load_square(at);
    let b = load_square(at + vec2(NEXT_TEXEL, 0));
    let c = load_square(at + vec2(0, 4));
    let d = load_square(at + vec2(NEXT_TEXEL, 4));
    let d1 = mat2x4(a[1], c[1]);
    let d2 = mat2x4(a[2], c[2]);
    let d3 = mat2x4(a[3], c[3]);
    let d4 = mat2x4(b[0], d[0]);
    let d5 = mat2x4(b[1], d[1]);
    let d6 = mat2x4(b[2], d[2]);
    let even1 = d2 + d6 - 4.25 * d4;
    let odd1 = d1 + d5 - 4.25 * d3;
    let even2 = d6 + 0.25 * d2 - 1.25 * d4;
    let odd2 = 0.5 * d1 + 2.0 * d5 - 2.5 * d3;
    let even3 = d6 + 4.0 * d2 - 5.0 * d4;
    let odd3 = 2.0 * d1 + 0.5 * d5 - 2.5 * d3;
    return Points(
        d6 - mat2x4(a[0], c[0]) + 5.25 * (d2 - d4),
        even1 + odd1,
        even1 - odd1,
        even2 + odd2,
        even2 - odd2,
        even3 + odd3,
        even3 - odd3,
        mat2x4(b[3], d[3]) - d1 + 5.25 * (d3 - d5),
    );
}

// Adds what an input contributes to 8 filters, point by point, so that the 8 rows of a point stay in registers.
fn add_input(before: Sums, v: Points, base: u32, at: u32) -> Sums {
    return Sums(
        add_point(before.p0, v.p0, base, at),
        add_point(before.p1, v.p1, base, at + 10u),
        add_point(before.p2, v.p2, base, at + 20u),
        add_point(before.p3, v.p3, base, at + 30u),
        add_point(before.p4, v.p4, base, at + 40u),
        add_point(before.p5, v.p5, base, at + 50u),
        add_point(before.p6, v.p6, base, at + 60u),
        add_point(before.p7, v.p7, base, at + 70u),
    );
}

fn add_point(before: Block8, v: mat2x4<f32>, base: u32, at: u32) -> Block8 {
    // The weights of a row of the filters, each for two times four of them.
    let a0 = weight(base, at);
    let b0 = weight(base, at + 1u);
    let a1 = weight(base, at + 2u);
    let b1 = weight(base, at + 3u);
    let a2 = weight(base, at + 4u);
    let b2 = weight(base, at + 5u);
    let a3 = weight(base, at + 6u);
    let b3 = weight(base, at + 7u);
    let a4 = weight(base, at + 8u);
    let b4 = weight(base, at + 9u);
    return Block8(
        add_rows(before.s0, v, a0.x, a1.x, a2.x, a3.x, a4.x),
        add_rows(before.s1, v, a0.y, a1.y, a2.y, a3.y, a4.y),
        add_rows(before.s2, v, a0.z, a1.z, a2.z, a3.z, a4.z),
        add_rows(before.s3, v, a0.w, a1.w, a2.w, a3.w, a4.w),
        add_rows(before.s4, v, b0.x, b1.x, b2.x, b3.x, b4.x),
        add_rows(before.s5, v, b0.y, b1.y, b2.y, b3.y, b4.y),
        add_rows(before.s6, v, b0.z, b1.z, b2.z, b3.z, b4.z),
        add_rows(before.s7, v, b0.w, b1.w, b2.w, b3.w, b4.w),
    );
}

fn add_rows(before: vec4<f32>, v: mat2x4<f32>, w0: f32, w1: f32, w2: f32, w3: f32, w4: f32) -> vec4<f32> {
    var sum = before + v[0] * w0;
    sum += vec4(v[0].yzw, v[1].x) * w1;
    sum += vec4(v[0].zw, v[1].xy) * w2;
    sum += vec4(v[0].w, v[1].xyz) * w3;
    return sum + v[1] * w4;
}

// 8 maps from their sums.
fn finish(sums: Sums, m: mat4x4<f32>, base: u32, at: u32) -> Squares8 {
    let b0 = weight(base, at);
    let b1 = weight(base, at + 1u);
    return Squares8(
        square(sums.p0.s0, sums.p1.s0, sums.p2.s0, sums.p3.s0, sums.p4.s0, sums.p5.s0, sums.p6.s0, sums.p7.s0, m, b0.x),
        square(sums.p0.s1, sums.p1.s1, sums.p2.s1, sums.p3.s1, sums.p4.s1, sums.p5.s1, sums.p6.s1, sums.p7.s1, m, b0.y),
        square(sums.p0.s2, sums.p1.s2, sums.p2.s2, sums.p3.s2, sums.p4.s2, sums.p5.s2, sums.p6.s2, sums.p7.s2, m, b0.z),
        square(sums.p0.s3, sums.p1.s3, sums.p2.s3, sums.p3.s3, sums.p4.s3, sums.p5.s3, sums.p6.s3, sums.p7.s3, m, b0.w),
        square(sums.p0.s4, sums.p1.s4, sums.p2.s4, sums.p3.s4, sums.p4.s4, sums.p5.s4, sums.p6.s4, sums.p7.s4, m, b1.x),
        square(sums.p0.s5, sums.p1.s5, sums.p2.s5, sums.p3.s5, sums.p4.s5, sums.p5.s5, sums.p6.s5, sums.p7.s5, m, b1.y),
        square(sums.p0.s6, sums.p1.s6, sums.p2.s6, sums.p3.s6, sums.p4.s6, sums.p5.s6, sums.p6.s6, sums.p7.s6, m, b1.z),
        square(sums.p0.s7, sums.p1.s7, sums.p2.s7, sums.p3.s7, sums.p4.s7, sums.p5.s7, sums.p6.s7, sums.p7.s7, m, b1.w),
    );
}

// A'
fn square(
    m0: vec4<f32>,
    m1: vec4<f32>,
    m2: vec4<f32>,
    m3: vec4<f32>,
    m4: vec4<f32>,
    m5: vec4<f32>,
    m6: vec4<f32>,
    m7: vec4<f32>,
    m: mat4x4<f32>,
    bias: f32,
) -> mat4x4<f32> {
    let even1 = m1 + m2;
    let odd1 = m1 - m2;
    let even2 = m3 + m4;
    let odd2 = m3 - m4;
    let even3 = m5 + m6;
    let odd3 = m5 - m6;
    return mat4x4(
        relu(m0 + even1 + even2 + even3, m[0], bias),
        relu(odd1 + 2.0 * odd2 + 0.5 * odd3, m[1], bias),
        relu(even1 + 4.0 * even2 + 0.25 * even3, m[2], bias),
        relu(odd1 + 8.0 * odd2 + 0.125 * odd3 + m7, m[3], bias),
    );
}
