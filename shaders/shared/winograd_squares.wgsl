// Winograd's F(4, 5) along rows, for filters of 5 x 5 over a square of 4 x 4 pixels.
//
// 4 neighboring pixels under a row of a filter take 8 products instead of 20, one for each point p of 0, 1, -1, 2, -2,
// 1/2, -1/2 and infinity: of U = G W, and V = B' d of 8 pixels d. All inputs c and rows i are added up before A' leads
// back to pixels:
//
//   M[n, p, y] = sum over c, i of U[n, c, i, p] V[c, p, y + i],  sum[n, y, x] = A'(M[n])[y, x]
//
// A vec4 is 4 rows of one column or point, a mat2x4 8 such rows, a mat4x4 4 rows of 4 columns; but a vec4 of weights is
// U of 4 filters. The weights of an input: U as [8 filters][p][i][filter].
//#import block8
//#import squares8
//#import winograd_points
//#import weight_load

// Length of the weights of an input for 8 filters.
const BLOCK8_WEIGHTS: u32 = 80u;

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

// A' of 8 filters.
fn squares8(sums: Sums) -> Squares8 {
    return Squares8(
        square(sums.p0.s0, sums.p1.s0, sums.p2.s0, sums.p3.s0, sums.p4.s0, sums.p5.s0, sums.p6.s0, sums.p7.s0),
        square(sums.p0.s1, sums.p1.s1, sums.p2.s1, sums.p3.s1, sums.p4.s1, sums.p5.s1, sums.p6.s1, sums.p7.s1),
        square(sums.p0.s2, sums.p1.s2, sums.p2.s2, sums.p3.s2, sums.p4.s2, sums.p5.s2, sums.p6.s2, sums.p7.s2),
        square(sums.p0.s3, sums.p1.s3, sums.p2.s3, sums.p3.s3, sums.p4.s3, sums.p5.s3, sums.p6.s3, sums.p7.s3),
        square(sums.p0.s4, sums.p1.s4, sums.p2.s4, sums.p3.s4, sums.p4.s4, sums.p5.s4, sums.p6.s4, sums.p7.s4),
        square(sums.p0.s5, sums.p1.s5, sums.p2.s5, sums.p3.s5, sums.p4.s5, sums.p5.s5, sums.p6.s5, sums.p7.s5),
        square(sums.p0.s6, sums.p1.s6, sums.p2.s6, sums.p3.s6, sums.p4.s6, sums.p5.s6, sums.p6.s6, sums.p7.s6),
        square(sums.p0.s7, sums.p1.s7, sums.p2.s7, sums.p3.s7, sums.p4.s7, sums.p5.s7, sums.p6.s7, sums.p7.s7),
    );
}

fn square(
    m0: vec4<f32>,
    m1: vec4<f32>,
    m2: vec4<f32>,
    m3: vec4<f32>,
    m4: vec4<f32>,
    m5: vec4<f32>,
    m6: vec4<f32>,
    m7: vec4<f32>,
) -> mat4x4<f32> {
    let even1 = m1 + m2;
    let odd1 = m1 - m2;
    let even2 = m3 + m4;
    let odd2 = m3 - m4;
    let even3 = m5 + m6;
    let odd3 = m5 - m6;
    return mat4x4(
        m0 + even1 + even2 + even3,
        odd1 + 2.0 * odd2 + 0.5 * odd3,
        even1 + 4.0 * even2 + 0.25 * even3,
        odd1 + 8.0 * odd2 + 0.125 * odd3 + m7,
    );
}
