// Layer 1 by Winograd's F(4, 3) along rows, for a square of 4 x 4 pixels. A vec4 is 4 rows of one column, a mat3x4 12
// rows of it, a mat4x4 4 rows of 4 columns.
//
// A row of a filter is cut into BLOCKS blocks b of 3 taps. 4 neighboring pixels under a block take 6 products instead
// of 12, one for each point p of 0, 1, -1, 2, -2 and infinity: of U = G W1, which the host computes, and V = B' d of 6
// pixels d. All rows and blocks are added up before A' leads back to pixels:
//
//   M[p] = sum over i, b of U[n, p, b, i] V[p, b, y + i],  F1[n, x] = max(0, B1[n] + m A'(M)[x])
//#import weight_load
//#import load_square

// Columns and rows of pixels under the taps of a square.
const WINDOW: u32 = FILTER + 3u;

// V of a block for each point: 12 rows, the first of them under the filter's first row for the first row of pixels.
struct Points {
    p0: mat3x4<f32>,
    p1: mat3x4<f32>,
    p2: mat3x4<f32>,
    p3: mat3x4<f32>,
    p4: mat3x4<f32>,
    p5: mat3x4<f32>,
}

struct Blocks {
    a: Points,
    b: Points,
    c: Points,
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
    let x5 = column(t1, 1u);
    blocks.a = points(column(t0, 0u), column(t0, 1u), column(t0, 2u), column(t0, 3u), column(t1, 0u), x5);
    if BLOCKS > 1u {
        let x8 = column(t2, 0u);
        blocks.b = points(column(t0, 3u), column(t1, 0u), x5, column(t1, 2u), column(t1, 3u), x8);
        if BLOCKS > 2u {
            let zero = mat3x4<f32>();
            var x10 = zero;
            var x11 = zero;
            if WINDOW > 10u {
                x10 = column(t2, 2u);
            }
            if WINDOW > 11u {
                x11 = column(t2, 3u);
            }
            blocks.c = points(column(t1, 2u), column(t1, 3u), x8, column(t2, 1u), x10, x11);
        }
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

// V = B' d.
fn points(
    d0: mat3x4<f32>,
    d1: mat3x4<f32>,
    d2: mat3x4<f32>,
    d3: mat3x4<f32>,
    d4: mat3x4<f32>,
    d5: mat3x4<f32>,
) -> Points {
    let even = d4 - 4.0 * d2;
    let odd = d3 - 4.0 * d1;
    let even2 = d4 - d2;
    let odd2 = 2.0 * (d3 - d1);
    return Points(
        4.0 * d0 - 5.0 * d2 + d4,
        even + odd,
        even - odd,
        even2 + odd2,
        even2 - odd2,
        4.0 * d1 - 5.0 * d3 + d5,
    );
}

// A map of layer 1; the filter's U is at `at`.
fn first_layer(blocks: Blocks, m: mat4x4<f32>, bias: f32, base: u32, at: u32) -> mat4x4<f32> {
    let m0 = point(blocks.a.p0, blocks.b.p0, blocks.c.p0, base, at);
    let m1 = point(blocks.a.p1, blocks.b.p1, blocks.c.p1, base, at + POINT);
    let m2 = point(blocks.a.p2, blocks.b.p2, blocks.c.p2, base, at + 2u * POINT);
    let m3 = point(blocks.a.p3, blocks.b.p3, blocks.c.p3, base, at + 3u * POINT);
    let m4 = point(blocks.a.p4, blocks.b.p4, blocks.c.p4, base, at + 4u * POINT);
    let m5 = point(blocks.a.p5, blocks.b.p5, blocks.c.p5, base, at + 5u * POINT);
    // A'
    let even = m1 + m2;
    let odd = m1 - m2;
    let even2 = m3 + m4;
    let odd2 = m3 - m4;
    return mat4x4(
        relu(m0 + even + even2, m[0], bias),
        relu(odd + 2.0 * odd2, m[1], bias),
        relu(even + 4.0 * even2, m[2], bias),
        relu(odd + 8.0 * odd2 + m5, m[3], bias),
    );
}

// M of a point, whose U is at `at`.
fn point(a: mat3x4<f32>, b: mat3x4<f32>, c: mat3x4<f32>, base: u32, at: u32) -> vec4<f32> {
    var sum = add_column(vec4(0.0), a, base, at, 0u);
    if BLOCKS > 1u {
        sum = add_column(sum, b, base, at, FILTER);
    }
    if BLOCKS > 2u {
        sum = add_column(sum, c, base, at, 2u * FILTER);
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
