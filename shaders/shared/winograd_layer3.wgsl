// The end of Winograd's kernels: maps of layer 2 from their sums (equation 2), in squares of 4 x 4 pixels, and what a
// group of them contributes to layer 3 (equation 3), which has one filter. What is stored of that:
// shared/winograd_output.wgsl.
//
// A vec4 is 4 rows of one column, a mat4x4 4 such columns. Weights of a group: B2, TAP_3 long, in BIAS_2; W3 as
// [i, j][k], TAP_3 each, in TAPS_3.
//
// Prelude: BLOCKS8 (of maps in a group, up to 4), FILTER_3 (f3, up to 5), BIAS_2, TAP_3, TAPS_3, NORMALIZED, PADDING.
//#import squares8
//#import winograd_output

// max(0, m sum + B).
fn relu(sum: vec4<f32>, m: vec4<f32>, bias: f32) -> vec4<f32> {
    if NORMALIZED {
        return max(m * sum + bias, vec4(0.0));
    }
    return max(sum + bias, vec4(0.0));
}

// What a group of maps contributes to layer 3. Blocks of maps that there are not are left alone.
fn last_layer(
    a: ptr<function, Squares8>,
    b: ptr<function, Squares8>,
    c: ptr<function, Squares8>,
    d: ptr<function, Squares8>,
    group: u32,
    location: Location,
) -> Columns {
    // For each row of the filter, what was added before moves down by one, so that each row adds to the first four.
    var columns = Columns();
    for (var i = 0u; i < FILTER_3; i++) {
        var row = Row();
        for (var j = 0u; j < FILTER_3; j++) {
            let base = TAPS_3 + ((group * FILTER_3 + i) * FILTER_3 + j) * TAP_3;
            var sums = over_squares8(mat4x4<f32>(), a, base, 0u);
            if BLOCKS8 > 1u {
                sums = over_squares8(sums, b, base, 2u);
            }
            if BLOCKS8 > 2u {
                sums = over_squares8(sums, c, base, 4u);
            }
            if BLOCKS8 > 3u {
                sums = over_squares8(sums, d, base, 6u);
            }
            // What was added before moves right by one column, so that each tap adds to the first four.
            let moved = mat4x4(vec4(0.0), row.first[0], row.first[1], row.first[2]);
            let next = mat4x4(row.first[3], row.next[0], row.next[1], row.next[2]);
            row = Row(moved + padded(sums, location), next);
        }
        columns = add_row(columns, row);
    }
    return columns;
}

// Adds what a tap of layer 3 makes of 8 maps.
fn over_squares8(before: mat4x4<f32>, maps: ptr<function, Squares8>, base: u32, at: u32) -> mat4x4<f32> {
    let w0 = weight(base, at);
    let sums = before + (*maps).s0 * w0.x + (*maps).s1 * w0.y + (*maps).s2 * w0.z + (*maps).s3 * w0.w;
    let w1 = weight(base, at + 1u);
    return sums + (*maps).s4 * w1.x + (*maps).s5 * w1.y + (*maps).s6 * w1.z + (*maps).s7 * w1.w;
}

// The valid-pixel map's factors.
fn valid_factors(at: vec2<i32>) -> mat4x4<f32> {
    if !NORMALIZED {
        return mat4x4<f32>();
    }
    let columns = valid_columns(at.x);
    let rows = vec4(valid_row(at.y), valid_row(at.y + 1), valid_row(at.y + 2), valid_row(at.y + 3));
    return mat4x4(columns.x * rows, columns.y * rows, columns.z * rows, columns.w * rows);
}
