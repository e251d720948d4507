// Bicubic enlargement by a whole factor and all layers of a network f1-1-f3 (equations 1 to 3), but for the last sum, from
// the low-resolution luminance L: the first layer with bicubic interpolation folded into it (footnote 3 of the paper).
//
// Row s r + p and column s q + k of the enlarged picture, s the factor, have phase (p, k). Both steps before the first
// max(0, .) are linear, so layer 1 of the pixels of a phase is one filter each, W[p, k, n], on low-resolution pixels:
//
//   F1[n, s r + p, s q + k] = max(0, B1[n] + sum over i, j of W[p, k, n, i, j] L[r + first(p) + i, q + first(k) + j])
//   F2[m, y, x] = max(0, B2[m] + sum over n of W2[m, n] F1[n, y, x])
//   P[i, y, x]  = sum over m, j of W3[m, i, j] F2[m, y, x + j]
//
// This holds where neither bicubic interpolation nor layer 1 reads beyond the picture; nothing else is computed here.
// first(k) is the window's first column, from phase MOVED on the second one; first(p) is up to the host.
//
// One invocation owns 4 s pixels of a row in s phases of 4 pixels, s apart: a group. Of P it stores what its own columns
// add to themselves, s texels of plane 2 i, and to 2 columns on either side (-2 -1 4s 4s+1), a texel of plane 2 i + 1,
// which has a texel a group. `sum_rows` adds these. Groups begin at multiples of 4 s in the picture, so sums do not
// depend on tiles. The invocations of a workgroup share the row phase p, and so the weights: a dispatch for each p, which
// is first_filter. A workgroup owns WORKGROUP_X groups in a row and WORKGROUP_Y rows, s apart.
// Grid: x = columns / (4 s WORKGROUP_X), y = rows / (s WORKGROUP_Y).
//
// Axes: input [low-resolution rows][columns], one plane, from the first tap of the first pixel of p = 0 on. weights: for
// each k GROUPS times [B1, taps as [i][j]] of 4 filters; GROUPS times columns of W2; B2, and W3 as [i][j][filter].
//
// Prelude: FACTOR (s, 2 to 4), FILTER (taps of a phase on each axis, up to 9), MOVED, GROUPS (of 4 filters of layer 1),
// EIGHTS (of filters of layer 2, up to 4), FILTER_3 (f3, up to 5), LANES, WEIGHTS, STAGED, NORMALIZED and PADDING
// (none).

override WORKGROUP_X: u32 = 1u;
override WORKGROUP_Y: u32 = 8u;
override WORKGROUP: u32 = WORKGROUP_X * WORKGROUP_Y;

// Lengths of the parts of `weights`, in vec4s; each begins at a multiple of LANES.
const GROUP: u32 = (TAPS + LANES) / LANES * LANES;
const COLUMNS: u32 = (8u * EIGHTS + LANES - 1u) / LANES * LANES;
const COLUMNS_START: u32 = FACTOR * GROUPS * GROUP;
const BIAS_2: u32 = COLUMNS_START + GROUPS * COLUMNS;
const ROWS_3: u32 = BIAS_2 + (2u * EIGHTS + LANES - 1u) / LANES * LANES;
const ROW_3: u32 = (2u * EIGHTS * FILTER_3 + LANES - 1u) / LANES * LANES;

@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // not used: it is 1 where this kernel computes
@group(0) @binding(3) var input: texture_2d<f32>;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

// What a group adds to columns of a row: component k of number c is for column s k + c - 2. Phase p adds to numbers p to
// p + 4: those are `now`, the numbers before them `past`.
struct Columns {
    past0: vec4<f32>,
    past1: vec4<f32>,
    past2: vec4<f32>,
    now0: vec4<f32>,
    now1: vec4<f32>,
    now2: vec4<f32>,
    now3: vec4<f32>,
    now4: vec4<f32>,
}

fn run(lane: u32, workgroup: vec3<u32>) {
    let group = workgroup.x * WORKGROUP_X + lane % WORKGROUP_X;
    let row = i32(workgroup.y * WORKGROUP_Y + lane / WORKGROUP_X);
    let phase_y = i32(region.first_filter);
    // No invocation returns early: they exchange weights.
    let texel = min(i32(group), (region.size.x - 1) / i32(4u * FACTOR));
    let start = min(row, (region.size.y - 1) / i32(FACTOR));
    let all = load_window(vec2(texel, start + select(0, 1, phase_y >= i32(MOVED))));

    var row0 = Columns();
    var row1 = Columns();
    var row2 = Columns();
    var row3 = Columns();
    var row4 = Columns();
    for (var phase = 0u; phase < FACTOR; phase++) {
        let window = window_of(all, phase >= MOVED);
        var sums = Maps();
        for (var group = 0u; group < GROUPS; group++) {
            let base = (phase * GROUPS + group) * GROUP;
            stage(base, GROUP);
            let bias = weight(base, 0u);
            let ab = add_pair(Pair(), window, base, 1u, false);
            let cd = add_pair(Pair(), window, base, 1u, true);
            let zero = vec4(0.0);
            let f1 = mat4x4(
                max(ab.a + bias.x, zero),
                max(ab.b + bias.y, zero),
                max(cd.a + bias.z, zero),
                max(cd.b + bias.w, zero),
            );
            let columns = COLUMNS_START + group * COLUMNS;
            stage(columns, COLUMNS);
            sums = add_maps(sums, f1, columns, 0u);
        }
        stage(BIAS_2, ROWS_3 - BIAS_2);
        let f2 = finish(sums, Place(), vec4(1.0), BIAS_2);
        row0 = next(row0);
        row1 = next(row1);
        row2 = next(row2);
        row3 = next(row3);
        row4 = next(row4);
        for (var i = 0u; i < FILTER_3; i++) {
            let base = ROWS_3 + i * ROW_3;
            stage(base, ROW_3);
            let taps = row_taps(f2, base);
            row0 = add_taps(row0, taps, i == 0u);
            if FILTER_3 > 1u {
                row1 = add_taps(row1, taps, i == 1u);
                row2 = add_taps(row2, taps, i == 2u);
            }
            if FILTER_3 > 3u {
                row3 = add_taps(row3, taps, i == 3u);
                row4 = add_taps(row4, taps, i == 4u);
            }
        }
    }
    let y = i32(FACTOR) * row + phase_y;
    if i32(group) == texel && y < region.size.y {
        store_group(row0, 0u, texel, y);
        if FILTER_3 > 1u {
            store_group(row1, 1u, texel, y);
            store_group(row2, 2u, texel, y);
        }
        if FILTER_3 > 3u {
            store_group(row3, 3u, texel, y);
            store_group(row4, 4u, texel, y);
        }
    }
}

// The window of a phase: all of it, or all but the first column.
fn window_of(all: Window, moved: bool) -> Window {
    if MOVED >= FACTOR {
        return all;
    }
    return Window(
        row_of(all.r0, moved),
        row_of(all.r1, moved),
        row_of(all.r2, moved),
        row_of(all.r3, moved),
        row_of(all.r4, moved),
        row_of(all.r5, moved),
        row_of(all.r6, moved),
        row_of(all.r7, moved),
        row_of(all.r8, moved),
    );
}

fn row_of(all: Row, moved: bool) -> Row {
    return Row(
        select(all.a, vec4(all.a.yzw, all.b.x), moved),
        select(all.b, vec4(all.b.yzw, all.c.x), moved),
        select(all.c, vec4(all.c.yzw, 0.0), moved),
    );
}

// The columns as the next phase counts them.
fn next(columns: Columns) -> Columns {
    return Columns(
        columns.past1,
        columns.past2,
        columns.now0,
        columns.now1,
        columns.now2,
        columns.now3,
        columns.now4,
        vec4(0.0),
    );
}

// What a phase adds to columns, by a row of the last layer's filter.
struct RowTaps {
    t0: vec4<f32>,
    t1: vec4<f32>,
    t2: vec4<f32>,
    t3: vec4<f32>,
    t4: vec4<f32>,
}

fn row_taps(maps: Maps, base: u32) -> RowTaps {
    var taps = RowTaps();
    taps.t2 = row_tap(maps, base, FILTER_3 / 2u);
    if FILTER_3 > 1u {
        taps.t1 = row_tap(maps, base, FILTER_3 / 2u + 1u);
        taps.t3 = row_tap(maps, base, FILTER_3 / 2u - 1u);
    }
    if FILTER_3 > 3u {
        taps.t0 = row_tap(maps, base, 4u);
        taps.t4 = row_tap(maps, base, 0u);
    }
    return taps;
}

// Adds them to a row if it is the one that they are for.
fn add_taps(before: Columns, taps: RowTaps, here: bool) -> Columns {
    let zero = vec4(0.0);
    var columns = before;
    columns.now0 += select(zero, taps.t0, here);
    columns.now1 += select(zero, taps.t1, here);
    columns.now2 += select(zero, taps.t2, here);
    columns.now3 += select(zero, taps.t3, here);
    columns.now4 += select(zero, taps.t4, here);
    return columns;
}

fn store_group(columns: Columns, i: u32, group: i32, y: i32) {
    const END = i32(4u * FACTOR);
    let main = output_plane(2u * i) + vec2(group * i32(FACTOR), y);
    textureStore(output, main, texel_at(columns, 0));
    textureStore(output, main + vec2(1, 0), texel_at(columns, 4));
    if FACTOR > 2u {
        textureStore(output, main + vec2(2, 0), texel_at(columns, 8));
    }
    if FACTOR > 3u {
        textureStore(output, main + vec2(3, 0), texel_at(columns, 12));
    }
    let sides = vec4(
        column(columns, -2),
        column(columns, -1),
        column(columns, END),
        column(columns, END + 1),
    );
    textureStore(output, output_plane(2u * i + 1u) + vec2(group, y), sides);
}

fn texel_at(columns: Columns, x: i32) -> vec4<f32> {
    return vec4(column(columns, x), column(columns, x + 1), column(columns, x + 2), column(columns, x + 3));
}

// What is added to column x of the group; x is known when functions are inlined.
fn column(columns: Columns, x: i32) -> f32 {
    const S = i32(FACTOR);
    let c = x + 2;
    return number(columns, c).x + number(columns, c - S).y + number(columns, c - 2 * S).z + number(columns, c - 3 * S).w;
}

fn number(columns: Columns, c: i32) -> vec4<f32> {
    let at = c + 4 - i32(FACTOR);
    let past = select(select(select(vec4(0.0), columns.past0, at == 0), columns.past1, at == 1), columns.past2, at == 2);
    let first = select(select(past, columns.now0, at == 3), columns.now1, at == 4);
    return select(select(select(first, columns.now2, at == 5), columns.now3, at == 6), columns.now4, at == 7);
}
