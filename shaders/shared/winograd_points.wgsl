// Pixels at the points of Winograd's F(4, 5) and F(5, 4) along rows: 0, 1, -1, 2, -2, 1/2, -1/2 and infinity.
//
// A mat2x4 is 8 rows of one column or point.
//#import load_square

// V: for each point 8 rows.
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
