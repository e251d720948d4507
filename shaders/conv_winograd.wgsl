// All layers of a network f1-1-f3 on one channel (equations 1 to 3), but for the last sum, with fewer products than
// conv_first.wgsl: layer 1 by Winograd's F(4, 3) along rows.
//
//   F1[n, y, x] = max(0, B1[n] + m(y, x) sum over i, j of W1[n, i, j] Y[y + i, x + j])
//   F2[k, y, x] = max(0, B2[k] + sum over n of W2[k, n] F1[n, y, x])
//   F(Y)[y, x]  = B3 + m(y, x) sum over k, i, j of W3[k, i, j] F2[k, y + i, x + j]
//
// A row of a filter is cut into blocks of 3 taps. 4 neighbours under such a block take 6 products instead of 12, one for
// each of the points 0, 1, -1, 2, -2 and infinity, of what the host made of the taps (U = G W1) and V = B' d of 6 pixels.
// All rows and blocks are added up before the way back, A':
//
//   M[p]     = sum over i, b of U[n, p, b, i] V[p, b, y + i]
//   F1[n, x] = A'(M)[x], with bias and max(0, .)
//
// Maps, padding and m are those of conv_forward.wgsl.
//
// One invocation owns a square of 4 x 4 pixels: a weight costs several instructions on software adapters, and there are
// twice as many as taps, so 16 pixels share each. It takes the filters of layer 1 in twos. All vec4s are 4 rows of one
// column, so what is a shift along rows elsewhere is one along columns here, and what is a mat4x4 has 4 columns of pixels.
// Of layer 3 it stores what its own pixels add to themselves and to 2 rows and columns around them, rows and columns
// -2 to 5, for `sum_squares`, four texels each: in plane 0 its rows of columns 0 to 3; in plane 1 its rows of columns
// -2 -1 4 5; in planes 2 and 3 the same of rows -2 -1 4 5. Squares begin at columns and rows of the picture that are
// multiples of 4, and regions begin and end there, so sums do not depend on tiles.
// A workgroup owns WORKGROUP_X squares in a row and WORKGROUP_Y in a column; it is declared in one dimension, because
// software adapters fill their lanes along the first one only.
// Grid: x = columns / (4 WORKGROUP_X), y = rows / (4 WORKGROUP_Y).
//
// Axes: input [rows][columns], one plane; output as above. weights: PAIRS times [B1 of 2 filters, U of one filter as
// [p][b, i], U of the other, columns of W2 as [k][filter]], each made up to a vec4; B2; W3 as [i, j][k].
//
// Prelude: FILTER (f1, 3 to 9), PAIRS (of filters of layer 1), EIGHTS (of filters of layer 2, up to 4), FILTER_3 (f3, up to
// 5), LANES, NORMALIZED, PADDING.

override WORKGROUP_X: u32 = 1u;
override WORKGROUP_Y: u32 = 8u;
override WORKGROUP: u32 = WORKGROUP_X * WORKGROUP_Y;

// Blocks of 3 taps in a row, and the columns under them and their 4 pixels that a filter has taps for.
const BLOCKS: u32 = (FILTER + 2u) / 3u;
const COLUMNS: u32 = FILTER + 3u;
const ROWS: u32 = FILTER + 3u;

// Lengths of the parts of `weights`, in vec4s; those of a pair, B2 and each tap of W3 begin at multiples of LANES.
const POINT: u32 = (BLOCKS * FILTER + 3u) / 4u;
const COLUMNS_2: u32 = 1u + 12u * POINT;
const PAIR: u32 = (COLUMNS_2 + 4u * EIGHTS + LANES - 1u) / LANES * LANES;
const BIAS_2: u32 = PAIRS * PAIR;
const TAP_3: u32 = (2u * EIGHTS + LANES - 1u) / LANES * LANES;
const TAPS_3: u32 = BIAS_2 + TAP_3;

@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // [picture columns + picture rows]
@group(0) @binding(3) var input: texture_2d<f32>;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

// V of a block, by points: 12 rows of it, from the first row of the filter for the first row of pixels on.
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

// 8 maps of layer 2.
struct Eight {
    s0: mat4x4<f32>,
    s1: mat4x4<f32>,
    s2: mat4x4<f32>,
    s3: mat4x4<f32>,
    s4: mat4x4<f32>,
    s5: mat4x4<f32>,
    s6: mat4x4<f32>,
    s7: mat4x4<f32>,
}

fn run(lane: u32, workgroup: vec3<u32>) {
    let place = place(lane, workgroup);
    let blocks = load_blocks(vec2(place.start.x / 4, place.start.y));
    let m = valid_factors(place.start);
    var a = Eight();
    var b = Eight();
    var c = Eight();
    var d = Eight();
    for (var pair = 0u; pair < PAIRS; pair++) {
        let base = pair * PAIR;
        stage(base, PAIR);
        let bias = weight(base, 0u);
        let first = first_layer(blocks, m, bias.x, base, 1u);
        let second = first_layer(blocks, m, bias.y, base, 1u + 6u * POINT);
        add_eight(&a, first, second, base, COLUMNS_2);
        if EIGHTS > 1u {
            add_eight(&b, first, second, base, COLUMNS_2 + 4u);
        }
        if EIGHTS > 2u {
            add_eight(&c, first, second, base, COLUMNS_2 + 8u);
        }
        if EIGHTS > 3u {
            add_eight(&d, first, second, base, COLUMNS_2 + 12u);
        }
    }
    stage(BIAS_2, TAP_3);
    finish_eight(&a, 0u);
    if EIGHTS > 1u {
        finish_eight(&b, 2u);
    }
    if EIGHTS > 2u {
        finish_eight(&c, 4u);
    }
    if EIGHTS > 3u {
        finish_eight(&d, 6u);
    }
    // Row by row of the filter, what was added before moves down by one, to where the next row adds to the first four.
    var columns = Columns();
    for (var i = 0u; i < FILTER_3; i++) {
        var row = Row();
        for (var j = 0u; j < FILTER_3; j++) {
            let base = TAPS_3 + (i * FILTER_3 + j) * TAP_3;
            stage(base, TAP_3);
            var sums = over_eight(mat4x4<f32>(), &a, base, 0u);
            if EIGHTS > 1u {
                sums = over_eight(sums, &b, base, 2u);
            }
            if EIGHTS > 2u {
                sums = over_eight(sums, &c, base, 4u);
            }
            if EIGHTS > 3u {
                sums = over_eight(sums, &d, base, 6u);
            }
            // What was added before moves by a column, to where the next tap adds to the first four.
            let moved = mat4x4(vec4(0.0), row.first[0], row.first[1], row.first[2]);
            let next = mat4x4(row.first[3], row.next[0], row.next[1], row.next[2]);
            row = Row(moved + padded(sums, place), next);
        }
        columns = add_row(columns, row);
    }
    if place.inside_region {
        store(columns, vec2(place.wanted.x / 4, place.wanted.y));
    }
}

// A square of the region, and the nearest one with pixels of the picture: that one is computed.
struct Place {
    // Column and row of the first pixel of the square, and of the one that is computed.
    wanted: vec2<i32>,
    start: vec2<i32>,
    inside_region: bool,
    // The picture's first and last column and row, in the region.
    first: vec2<i32>,
    last: vec2<i32>,
}

fn place(lane: u32, workgroup: vec3<u32>) -> Place {
    let square = workgroup.xy * vec2(WORKGROUP_X, WORKGROUP_Y) + vec2(lane % WORKGROUP_X, lane / WORKGROUP_X);
    let position = 4 * vec2<i32>(square);
    let first = -region.origin;
    let last = first + region.picture - 1;
    // No invocation returns early: they exchange weights.
    let wanted = min(position, (region.size - 1) / 4 * 4);
    var start = wanted;
    if PADDING == PADDING_REPLICATE {
        start = clamp(start, first / 4 * 4, last / 4 * 4);
    }
    return Place(wanted, start, all(position < region.size), first, last);
}

fn load_blocks(at: vec2<i32>) -> Blocks {
    let t0 = load_texels(at);
    let t1 = load_texels(at + vec2(NEXT_TEXEL, 0));
    var t2 = Texels();
    // Columns that no tap is for would only add rounding errors that depend on what lies there.
    if COLUMNS > 8u {
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
            if COLUMNS > 10u {
                x10 = column(t2, 2u);
            }
            if COLUMNS > 11u {
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
    if ROWS > 8u {
        texels.c = load_square(at + vec2(0, 8));
    }
    return texels;
}

fn load_square(at: vec2<i32>) -> mat4x4<f32> {
    return transpose(mat4x4(
        textureLoad(input, at, 0),
        textureLoad(input, at + vec2(0, 1), 0),
        textureLoad(input, at + vec2(0, 2), 0),
        textureLoad(input, at + vec2(0, 3), 0),
    ));
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

// A map of layer 1, the filter's U at `at`.
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

fn relu(sum: vec4<f32>, m: vec4<f32>, bias: f32) -> vec4<f32> {
    if NORMALIZED {
        return max(m * sum + bias, vec4(0.0));
    }
    return max(sum + bias, vec4(0.0));
}

// M of a point.
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

// Adds what the rows of a filter make of V, for 4 rows of pixels; `first` is the number of the first one's weight.
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

// Adds what two maps of layer 1 add to 8 of layer 2.
fn add_eight(sums: ptr<function, Eight>, first: mat4x4<f32>, second: mat4x4<f32>, base: u32, at: u32) {
    let w0 = weight(base, at);
    (*sums).s0 += first * w0.x + second * w0.y;
    (*sums).s1 += first * w0.z + second * w0.w;
    let w1 = weight(base, at + 1u);
    (*sums).s2 += first * w1.x + second * w1.y;
    (*sums).s3 += first * w1.z + second * w1.w;
    let w2 = weight(base, at + 2u);
    (*sums).s4 += first * w2.x + second * w2.y;
    (*sums).s5 += first * w2.z + second * w2.w;
    let w3 = weight(base, at + 3u);
    (*sums).s6 += first * w3.x + second * w3.y;
    (*sums).s7 += first * w3.z + second * w3.w;
}

// Maps of layer 2 from their sums: max(0, sum + B).
fn finish_eight(sums: ptr<function, Eight>, at: u32) {
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

// What a tap of layer 3 makes of pixels, where outside the picture it meets what the padding puts there: that of the nearest
// pixel, or nothing.
fn padded(inside: mat4x4<f32>, place: Place) -> mat4x4<f32> {
    var map = inside;
    let zero = vec4(0.0);
    let columns = place.wanted.x + vec4(0, 1, 2, 3);
    let left = columns < vec4(place.first.x);
    let right = columns > vec4(place.last.x);
    let rows = place.wanted.y + vec4(0, 1, 2, 3);
    let above = rows < vec4(place.first.y);
    let below = rows > vec4(place.last.y);
    if PADDING == PADDING_REPLICATE {
        let first = column_of(map, place.first.x % 4);
        let last = column_of(map, place.last.x % 4);
        map = mat4x4(
            replicate(select(select(map[0], last, right.x), first, left.x), above, below, place),
            replicate(select(select(map[1], last, right.y), first, left.y), above, below, place),
            replicate(select(select(map[2], last, right.z), first, left.z), above, below, place),
            replicate(select(select(map[3], last, right.w), first, left.w), above, below, place),
        );
    }
    if PADDING == PADDING_ZERO {
        let outside = above | below;
        map = mat4x4(
            select(map[0], zero, outside | vec4(left.x || right.x)),
            select(map[1], zero, outside | vec4(left.y || right.y)),
            select(map[2], zero, outside | vec4(left.z || right.z)),
            select(map[3], zero, outside | vec4(left.w || right.w)),
        );
    }
    return map;
}

fn replicate(column: vec4<f32>, above: vec4<bool>, below: vec4<bool>, place: Place) -> vec4<f32> {
    let top = vec4(row_of(column, place.first.y % 4));
    let bottom = vec4(row_of(column, place.last.y % 4));
    return select(select(column, bottom, below), top, above);
}

fn column_of(map: mat4x4<f32>, x: i32) -> vec4<f32> {
    return select(select(map[0], map[1], x == 1), select(map[2], map[3], x == 3), x >= 2);
}

fn row_of(column: vec4<f32>, y: i32) -> f32 {
    return select(select(column.x, column.y, y == 1), select(column.z, column.w, y == 3), y >= 2);
}

// What the 4 rows of pixels add to columns, from FILTER_3 / 2 before the first one on: to the first four, and the next.
struct Row {
    first: mat4x4<f32>,
    next: mat4x4<f32>,
}

// Adds what a tap of layer 3 makes of 8 maps.
fn over_eight(before: mat4x4<f32>, maps: ptr<function, Eight>, base: u32, at: u32) -> mat4x4<f32> {
    let w0 = weight(base, at);
    let sums = before + (*maps).s0 * w0.x + (*maps).s1 * w0.y + (*maps).s2 * w0.z + (*maps).s3 * w0.w;
    let w1 = weight(base, at + 1u);
    return sums + (*maps).s4 * w1.x + (*maps).s5 * w1.y + (*maps).s6 * w1.z + (*maps).s7 * w1.w;
}

// The same for all rows of the filter: rows from FILTER_3 / 2 before the first one on, the first four and the next.
struct Columns {
    first: Row,
    next: Row,
}

fn add_row(before: Columns, row: Row) -> Columns {
    return Columns(
        Row(down(before.first.first, row.first), down(before.first.next, row.next)),
        Row(
            behind(before.first.first, before.next.first),
            behind(before.first.next, before.next.next),
        ),
    );
}

// Rows that move down by one, and what is added to them.
fn down(rows: mat4x4<f32>, more: mat4x4<f32>) -> mat4x4<f32> {
    return more + mat4x4(
        vec4(0.0, rows[0].xyz),
        vec4(0.0, rows[1].xyz),
        vec4(0.0, rows[2].xyz),
        vec4(0.0, rows[3].xyz),
    );
}

// The rows behind them.
fn behind(rows: mat4x4<f32>, next: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4(
        vec4(rows[0].w, next[0].xyz),
        vec4(rows[1].w, next[1].xyz),
        vec4(rows[2].w, next[2].xyz),
        vec4(rows[3].w, next[3].xyz),
    );
}

fn store(columns: Columns, at: vec2<i32>) {
    let main = inner(columns.first);
    let main_next = inner(columns.next);
    store_rows(inner_rows(main, main_next), output_plane(0u) + at);
    if FILTER_3 > 1u {
        let sides = outer(columns.first);
        let sides_next = outer(columns.next);
        store_rows(inner_rows(sides, sides_next), output_plane(1u) + at);
        store_rows(outer_rows(main, main_next), output_plane(2u) + at);
        store_rows(outer_rows(sides, sides_next), output_plane(3u) + at);
    }
}

fn store_rows(columns: mat4x4<f32>, at: vec2<i32>) {
    let rows = transpose(columns);
    textureStore(output, at, rows[0]);
    textureStore(output, at + vec2(0, 1), rows[1]);
    textureStore(output, at + vec2(0, 2), rows[2]);
    textureStore(output, at + vec2(0, 3), rows[3]);
}

// Columns 0 to 3.
fn inner(row: Row) -> mat4x4<f32> {
    if FILTER_3 == 5u {
        return mat4x4(row.first[2], row.first[3], row.next[0], row.next[1]);
    }
    if FILTER_3 == 3u {
        return mat4x4(row.first[1], row.first[2], row.first[3], row.next[0]);
    }
    return row.first;
}

// Columns -2 -1 4 5.
fn outer(row: Row) -> mat4x4<f32> {
    if FILTER_3 == 5u {
        return mat4x4(row.first[0], row.first[1], row.next[2], row.next[3]);
    }
    return mat4x4(vec4(0.0), row.first[0], row.next[1], vec4(0.0));
}

// Rows 0 to 3.
fn inner_rows(first: mat4x4<f32>, next: mat4x4<f32>) -> mat4x4<f32> {
    return transpose(inner(Row(transpose(first), transpose(next))));
}

// Rows -2 -1 4 5.
fn outer_rows(first: mat4x4<f32>, next: mat4x4<f32>) -> mat4x4<f32> {
    return transpose(outer(Row(transpose(first), transpose(next))));
}

// The valid-pixel map's factors; positions outside the picture take those of the nearest pixel, they are not used.
fn valid_factors(at: vec2<i32>) -> mat4x4<f32> {
    if !NORMALIZED {
        return mat4x4<f32>();
    }
    let x = clamp(region.origin.x + at.x + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
    let y = region.picture.x + clamp(region.origin.y + at.y + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.y - 1));
    let rows = vec4(valid_map[y.x], valid_map[y.y], valid_map[y.z], valid_map[y.w]);
    return mat4x4(valid_map[x.x] * rows, valid_map[x.y] * rows, valid_map[x.z] * rows, valid_map[x.w] * rows);
}
