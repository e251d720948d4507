// The end of Winograd's kernels: maps of layer 2 from their sums (equation 2), in squares of 4 x 4 pixels, and what a
// group of them contributes to layer 3 (equation 3), which has one filter. What is stored of that:
// shared/winograd_output.wgsl.
//
// A vec4 is 4 rows of one column, a mat4x4 4 such columns. Weights of a group, which begin at `start`: B2; W3 as
// [i][j][k], ROW_3 long for each i, at ROWS_3.
//
// Prelude: BLOCKS8 (of maps in a group, up to 4), FILTER_3 (f3, up to 5), ROWS_3, ROW_3, NORMALIZED, PADDING.
//#import squares8
//#import winograd_output

// What a group of maps contributes to layer 3. Blocks of maps that there are not are left alone.
fn last_layer(
    a: ptr<function, Squares8>,
    b: ptr<function, Squares8>,
    c: ptr<function, Squares8>,
    d: ptr<function, Squares8>,
    start: u32,
    location: Location,
) -> Columns {
    // For each row of the filter, what was added before moves down by one, so that each row adds to the first four.
    var columns = Columns();
    for (var i = 0u; i < FILTER_3; i++) {
        let base = start + ROWS_3 + i * ROW_3;
        var taps = add_squares8(Taps(), a, base, 0u);
        if BLOCKS8 > 1u {
            taps = add_squares8(taps, b, base, 2u);
        }
        if BLOCKS8 > 2u {
            taps = add_squares8(taps, c, base, 4u);
        }
        if BLOCKS8 > 3u {
            taps = add_squares8(taps, d, base, 6u);
        }
        columns = add_row(columns, row_of_taps(taps, location));
    }
    return columns;
}

// What the taps of a row make of the maps, the last tap first.
struct Taps {
    t0: mat4x4<f32>,
    t1: mat4x4<f32>,
    t2: mat4x4<f32>,
    t3: mat4x4<f32>,
    t4: mat4x4<f32>,
}

// Adds 8 maps, four of them to all taps before the next four: all 32 are more than the first level of a CPU's cache holds.
fn add_squares8(before: Taps, maps: ptr<function, Squares8>, base: u32, at: u32) -> Taps {
    let taps = add_squares4(before, (*maps).s0, (*maps).s1, (*maps).s2, (*maps).s3, base, at);
    return add_squares4(taps, (*maps).s4, (*maps).s5, (*maps).s6, (*maps).s7, base, at + 1u);
}

fn add_squares4(
    before: Taps,
    s0: mat4x4<f32>,
    s1: mat4x4<f32>,
    s2: mat4x4<f32>,
    s3: mat4x4<f32>,
    base: u32,
    at: u32,
) -> Taps {
    // Length of the weights of a tap.
    const TAP: u32 = 2u * BLOCKS8;
    var taps = before;
    let w0 = weight(base, at + (FILTER_3 - 1u) * TAP);
    taps.t0 += s0 * w0.x + s1 * w0.y + s2 * w0.z + s3 * w0.w;
    if FILTER_3 > 1u {
        let w1 = weight(base, at + (max(FILTER_3, 2u) - 2u) * TAP);
        taps.t1 += s0 * w1.x + s1 * w1.y + s2 * w1.z + s3 * w1.w;
        let w2 = weight(base, at + (max(FILTER_3, 3u) - 3u) * TAP);
        taps.t2 += s0 * w2.x + s1 * w2.y + s2 * w2.z + s3 * w2.w;
    }
    if FILTER_3 > 3u {
        let w3 = weight(base, at + (max(FILTER_3, 4u) - 4u) * TAP);
        taps.t3 += s0 * w3.x + s1 * w3.y + s2 * w3.z + s3 * w3.w;
        let w4 = weight(base, at + (max(FILTER_3, 5u) - 5u) * TAP);
        taps.t4 += s0 * w4.x + s1 * w4.y + s2 * w4.z + s3 * w4.w;
    }
    return taps;
}

// The columns that a row of the filter adds to: tap n from column n on.
fn row_of_taps(taps: Taps, location: Location) -> Row {
    let t0 = padded(taps.t0, location);
    let t1 = padded(taps.t1, location);
    let t2 = padded(taps.t2, location);
    let t3 = padded(taps.t3, location);
    let t4 = padded(taps.t4, location);
    return Row(
        mat4x4(t0[0], t0[1] + t1[0], t0[2] + t1[1] + t2[0], t0[3] + t1[2] + t2[1] + t3[0]),
        mat4x4(t1[3] + t2[2] + t3[1] + t4[0], t2[3] + t3[2] + t4[1], t3[3] + t4[2], t4[3]),
    );
}
