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

// Adds what a tap of layer 3 makes of 8 maps.
fn over_eight(before: mat4x4<f32>, maps: ptr<function, Eight>, base: u32, at: u32) -> mat4x4<f32> {
    let w0 = weight(base, at);
    let sums = before + (*maps).s0 * w0.x + (*maps).s1 * w0.y + (*maps).s2 * w0.z + (*maps).s3 * w0.w;
    let w1 = weight(base, at + 1u);
    return sums + (*maps).s4 * w1.x + (*maps).s5 * w1.y + (*maps).s6 * w1.z + (*maps).s7 * w1.w;
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
