// Layer 1 by Winograd's filtering along rows, for a square of 4 x 4 pixels. A vec4 is 4 rows of one column, a mat3x4 12
// rows of it, a mat4x4 4 rows of 4 columns.
//
// A row of a filter is cut into a block of 5 taps, a, and one of 4, b. 4 neighboring pixels under a block take 8 or 7
// products instead of 20 or 16, one for each point p of 0, 1, -1, 2, -2, 1/2, -1/2 (in a only) and infinity: of U = G W1,
// which the host computes, and V = B' d of 8 or 7 pixels d. All rows and blocks are added up before A' leads back to
// pixels:
//
//   M[p] = sum over i, blocks of U[n, p, block, i] V[p, block, y + i],  F1[n, x] = max(0, B1[n] + m A'(M)[x])
//#import weight_load
//#import load_square
//#import square_relu

// Columns and rows of pixels under the taps of a square.
const WINDOW: u32 = FILTER + 3u;
// Whether there is a block b.
const TWO_BLOCKS: bool = FILTER > 5u;

// V of a block for each point: 12 rows, the first of them under the filter's first row for the first row of pixels.
struct Points {
    p0: mat3x4<f32>,
    p1: mat3x4<f32>,
    p2: mat3x4<f32>,
    p3: mat3x4<f32>,
    p4: mat3x4<f32>,
    p5: mat3x4<f32>,
    p6: mat3x4<f32>,
    p7: mat3x4<f32>,
}

struct Blocks {
    a: Points,
    b: Points,
}

fn load_blocks(at: vec2<i32>) -> Blocks {
    let t0 = load_texels(at);
    let t1 = load_texels(at + vec2(NEXT_TEXEL, 0));
    var t2 = Texels();
    // Columns beyond the filter would only add rounding errors that depend on what lies there.
    if WINDOW > 8u {
        t2 = load_texels(at + vec2(2 * NEXT_TEXEL, 0));
    }
    var blocks = Blocks();
    let zero = mat3x4<f32>();
    var x6 = zero;
    if WINDOW > 6u {
        x6 = column(t1, 2u);
    }
    var x7 = zero;
    if WINDOW > 7u {
        x7 = column(t1, 3u);
    }
    let x5 = column(t1, 1u);
    blocks.a = points_a(column(t0, 0u), column(t0, 1u), column(t0, 2u), column(t0, 3u), column(t1, 0u), x5, x6, x7);
    if TWO_BLOCKS {
        var x9 = zero;
        if WINDOW > 9u {
            x9 = column(t2, 1u);
        }
        var x10 = zero;
        if WINDOW > 10u {
            x10 = column(t2, 2u);
        }
        var x11 = zero;
        if WINDOW > 11u {
            x11 = column(t2, 3u);
        }
        blocks.b = points_b(x5, x6, x7, column(t2, 0u), x9, x10, x11);
    }
    return blocks;
}

// 12 rows of 4 columns.
struct Texels {
    a: mat4x4<f32>,
    b: mat4x4<f32>,
    c: mat4x4<f32>,
}

fn load_texels(at: vec2<i32>) -> Texels {
    var texels = Texels();
    texels.a = load_square(at);
    texels.b = load_square(at + vec2(0, 4));
    if WINDOW > 8u {
        texels.c = load_square(at + vec2(0, 8));
    }
    return texels;
}

fn column(texels: Texels, x: u32) -> mat3x4<f32> {
    return mat3x4(texels.a[x], texels.b[x], texels.c[x]);
}

// V = B' d of F(4, 5).
fn points_a(
    d0: mat3x4<f32>,
    d1: mat3x4<f32>,
    d2: mat3x4<f32>,
    d3: mat3x4<f32>,
    d4: mat3x4<f32>,
    d5: mat3x4<f32>,
    d6: mat3x4<f32>,
    d7: mat3x4<f32>,
) -> Points {
    let even1 = d2 + d6 - 4.25 * d4;
    let odd1 = d1 + d5 - 4.25 * d3;
    let even2 = d6 + 0.25 * d2 - 1.25 * d4;
    let odd2 = 0.5 * d1 + 2.0 * d5 - 2.5 * d3;
    let even3 = d6 + 4.0 * d2 - 5.0 * d4;
    let odd3 = 2.0 * d1 + 0.5 * d5 - 2.5 * d3;
    return Points(
        d6 - d0 + 5.25 * (d2 - d4),
        even1 + odd1,
        even1 - odd1,
        even2 + odd2,
        even2 - odd2,
        even3 + odd3,
        even3 - odd3,
        d7 - d1 + 5.25 * (d3 - d5),
    );
}

// V = B' d of F(4, 4), without the point -1/2.
fn points_b(
    d0: mat3x4<f32>,
    d1: mat3x4<f32>,
    d2: mat3x4<f32>,
    d3: mat3x4<f32>,
    d4: mat3x4<f32>,
    d5: mat3x4<f32>,
    d6: mat3x4<f32>,
) -> Points {
    return Points(
        d5 - 2.0 * d0 + 4.0 * d1 + 2.5 * d2 - 5.0 * d3 - 0.5 * d4,
        d5 + 2.0 * d1 - 2.0 * d2 - 4.5 * d3 + 0.5 * d4,
        d5 - 2.0 * d1 + 6.0 * d2 - 3.5 * d3 - 1.5 * d4,
        d5 + d1 - 1.5 * d2 - 2.0 * d3 + 1.5 * d4,
        d5 - d1 + 2.5 * (d2 - d4),
        d5 + 4.0 * d1 - 5.0 * d3,
        mat3x4<f32>(),
        d6 - 2.0 * d1 + 4.0 * d2 + 2.5 * d3 - 5.0 * d4 - 0.5 * d5,
    );
}

// A map of layer 1; the filter's U is at `at`.
fn first_layer(blocks: Blocks, m: mat4x4<f32>, bias: f32, base: u32, at: u32) -> mat4x4<f32> {
    let m0 = point(blocks.a.p0, blocks.b.p0, base, at, TWO_BLOCKS);
    let m1 = point(blocks.a.p1, blocks.b.p1, base, at + POINT, TWO_BLOCKS);
    let m2 = point(blocks.a.p2, blocks.b.p2, base, at + 2u * POINT, TWO_BLOCKS);
    let m3 = point(blocks.a.p3, blocks.b.p3, base, at + 3u * POINT, TWO_BLOCKS);
    let m4 = point(blocks.a.p4, blocks.b.p4, base, at + 4u * POINT, TWO_BLOCKS);
    let m5 = point(blocks.a.p5, blocks.b.p5, base, at + 5u * POINT, TWO_BLOCKS);
    let m6 = point(blocks.a.p6, blocks.b.p6, base, at + 6u * POINT, false);
    let m7 = point(blocks.a.p7, blocks.b.p7, base, at + 7u * POINT, TWO_BLOCKS);
    // A'
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

// M of a point, whose U is at `at`: of block a, or of both.
fn point(a: mat3x4<f32>, b: mat3x4<f32>, base: u32, at: u32, both: bool) -> vec4<f32> {
    let sum = add_column(vec4(0.0), a, base, at, 0u);
    if both {
        return add_column(sum, b, base, at, FILTER);
    }
    return sum;
}

// Adds what the rows of a filter make of V, for 4 rows of pixels; `first` is the number of the first row's weight.
fn add_column(before: vec4<f32>, v: mat3x4<f32>, base: u32, at: u32, first: u32) -> vec4<f32> {
    var sum = before + v[0] * number(base, at, first);
    sum += vec4(v[0].yzw, v[1].x) * number(base, at, first + 1u);
    sum += vec4(v[0].zw, v[1].xy) * number(base, at, first + 2u);
    if FILTER > 3u {
        sum += vec4(v[0].w, v[1].xyz) * number(base, at, first + 3u);
    }
    if FILTER > 4u {
        sum += v[1] * number(base, at, first + 4u);
    }
    if FILTER > 5u {
        sum += vec4(v[1].yzw, v[2].x) * number(base, at, first + 5u);
    }
    if FILTER > 6u {
        sum += vec4(v[1].zw, v[2].xy) * number(base, at, first + 6u);
    }
    if FILTER > 7u {
        sum += vec4(v[1].w, v[2].xyz) * number(base, at, first + 7u);
    }
    if FILTER > 8u {
        sum += v[2] * number(base, at, first + 8u);
    }
    return sum;
}

fn number(base: u32, at: u32, n: u32) -> f32 {
    return weight(base, at + n / 4u)[n % 4u];
}
