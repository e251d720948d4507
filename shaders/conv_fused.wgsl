// The layers of a network f1-1-f3 on one channel (equations 1 to 3) in one pass, but for the last sum:
//
//   F1[n, y, x] = max(0, B1[n] + m(y, x) sum over i, j of W1[n, i, j] Y[y + i, x + j])
//   F2[k, y, x] = max(0, B2[k] + sum over n of W2[k, n] F1[n, y, x])
//   P[i, y, x]  = sum over k, j of W3[k, i, j] F2[k, y, x + j]
//
// The maps of layer 1 and 2 never leave the registers; `sum_rows` adds the f3 rows of P. m is 1, or with NORMALIZED
// the valid-pixel map of conv_forward.wgsl.
//
// One invocation owns 4 pixels of a row, a texel, whose column is a multiple of 4 in the picture. What a tile's sums
// are made of, and in which order, so does not depend on where the tile begins. It takes the filters of layer 1 in
// groups of 4, and adds each group to all sums of layer 2 at once. Of P it knows what its own 4 columns add to the 4
// and to 2 on either side: two texels a row, columns 0 1 2 3 and columns -2 -1 4 5, in planes 2 i and 2 i + 1.
// A workgroup owns WORKGROUP_X such texels in a row and WORKGROUP_Y in a column; it is declared in one dimension,
// because software adapters fill their lanes along the first one only.
// Grid: x = columns / (4 WORKGROUP_X), y = rows / WORKGROUP_Y.
//
// Axes: input [rows][columns], one plane; it begins 4 columns left of the output and f1 / 2 rows above. weights:
// GROUPS times [B1, taps of W1 as i, j, columns of W2] of 4 filters; then B2; then W3 as [i][j][filters of layer 2].
//
// Prelude: FILTER_1 (f1, up to 9), FILTER_3 (f3, up to 5), GROUPS (of 4 filters of layer 1), EIGHTS (of filters of
// layer 2, up to 4), WEIGHTS, LANES, NORMALIZED, PADDING.

override WORKGROUP_X: u32 = 1u;
override WORKGROUP_Y: u32 = 8u;
override WORKGROUP: u32 = WORKGROUP_X * WORKGROUP_Y;

// Lengths of the parts of `weights`, in vec4s; each begins at a multiple of LANES.
const TAPS: u32 = FILTER_1 * FILTER_1;
const GROUP: u32 = (TAPS + 8u * EIGHTS + LANES) / LANES * LANES;
const BIAS_2: u32 = GROUPS * GROUP;
const ROWS_3: u32 = BIAS_2 + (2u * EIGHTS + LANES - 1u) / LANES * LANES;
const ROW_3: u32 = (2u * EIGHTS * FILTER_3 + LANES - 1u) / LANES * LANES;

@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // [picture columns + picture rows]
@group(0) @binding(3) var input: texture_2d<f32>;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

// Rows of the input under the filters of layer 1, from 4 columns left of the pixels to 4 columns right of them.
struct Window {
    r0: Row,
    r1: Row,
    r2: Row,
    r3: Row,
    r4: Row,
    r5: Row,
    r6: Row,
    r7: Row,
    r8: Row,
}

struct Row {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
}

// 4 pixels of two filters.
struct Pair {
    a: vec4<f32>,
    b: vec4<f32>,
}

// 4 pixels of all filters of layer 2.
struct Sums {
    a: Eight,
    b: Eight,
    c: Eight,
    d: Eight,
}

struct Eight {
    s0: vec4<f32>,
    s1: vec4<f32>,
    s2: vec4<f32>,
    s3: vec4<f32>,
    s4: vec4<f32>,
    s5: vec4<f32>,
    s6: vec4<f32>,
    s7: vec4<f32>,
}

fn run(lane: u32, workgroup: vec3<u32>) {
    let tile = workgroup.xy * vec2(WORKGROUP_X, WORKGROUP_Y) + vec2(lane % WORKGROUP_X, lane / WORKGROUP_X);
    let wanted = vec2<i32>(tile * vec2(4u, 1u));
    // No early return: lanes exchange weights.
    let position = min(wanted, (region.size - 1) / vec2(4, 1) * vec2(4, 1));
    // Outside the picture, compute the nearest texel that holds pixels of it.
    let first = -region.origin;
    let last = first + region.picture - 1;
    var start = position;
    if PADDING == PADDING_REPLICATE {
        start = clamp(start, first, vec2(first.x + (region.picture.x - 1) / 4 * 4, last.y));
    }

    let window = load_window(start);
    var m = vec4(1.0);
    if NORMALIZED {
        m = valid_columns(start.x) * valid_row(start.y);
    }
    var sums = Sums();
    for (var group = 0u; group < GROUPS; group++) {
        let base = group * GROUP;
        let bias = weight(base, 0u);
        // Two filters at a time: 8 sums of 4 lanes each are what registers hold.
        let ab = pair(window, base, false);
        let cd = pair(window, base, true);
        let f1 = mat4x4(
            max(m * ab.a + bias.x, vec4(0.0)),
            max(m * ab.b + bias.y, vec4(0.0)),
            max(m * cd.a + bias.z, vec4(0.0)),
            max(m * cd.b + bias.w, vec4(0.0)),
        );
        sums.a = add_eight(sums.a, f1, base, 1u + TAPS);
        if EIGHTS > 1u {
            sums.b = add_eight(sums.b, f1, base, 9u + TAPS);
        }
        if EIGHTS > 2u {
            sums.c = add_eight(sums.c, f1, base, 17u + TAPS);
        }
        if EIGHTS > 3u {
            sums.d = add_eight(sums.d, f1, base, 25u + TAPS);
        }
    }

    let columns = position.x + vec4(0, 1, 2, 3);
    var border = Border((columns < vec4(first.x)), (columns > vec4(last.x)), (region.picture.x - 1) % 4);
    if PADDING == PADDING_ZERO && (position.y < first.y || position.y > last.y) {
        border.left = vec4(true);
    }
    sums.a = finish(sums.a, 0u, border);
    if EIGHTS > 1u {
        sums.b = finish(sums.b, 2u, border);
    }
    if EIGHTS > 2u {
        sums.c = finish(sums.c, 4u, border);
    }
    if EIGHTS > 3u {
        sums.d = finish(sums.d, 6u, border);
    }

    for (var i = 0u; i < FILTER_3; i++) {
        store_row(sums, i, position, all(wanted < region.size));
    }
}

fn load_window(at: vec2<i32>) -> Window {
    let texel = vec2(at.x / 4, at.y);
    var window = Window();
    window.r0 = load_row(texel);
    if FILTER_1 > 1u {
        window.r1 = load_row(texel + vec2(0, 1));
        window.r2 = load_row(texel + vec2(0, 2));
    }
    if FILTER_1 > 3u {
        window.r3 = load_row(texel + vec2(0, 3));
        window.r4 = load_row(texel + vec2(0, 4));
    }
    if FILTER_1 > 5u {
        window.r5 = load_row(texel + vec2(0, 5));
        window.r6 = load_row(texel + vec2(0, 6));
    }
    if FILTER_1 > 7u {
        window.r7 = load_row(texel + vec2(0, 7));
        window.r8 = load_row(texel + vec2(0, 8));
    }
    return window;
}

fn load_row(at: vec2<i32>) -> Row {
    return Row(
        textureLoad(input, at, 0),
        textureLoad(input, at + vec2(1, 0), 0),
        textureLoad(input, at + vec2(2, 0), 0),
    );
}

// Layer 1 for the first two filters of a group, or the second two.
fn pair(window: Window, base: u32, second: bool) -> Pair {
    var sums = Pair();
    sums = add_row(sums, window.r0, base, 1u, second);
    if FILTER_1 > 1u {
        sums = add_row(sums, window.r1, base, 1u + FILTER_1, second);
        sums = add_row(sums, window.r2, base, 1u + 2u * FILTER_1, second);
    }
    if FILTER_1 > 3u {
        sums = add_row(sums, window.r3, base, 1u + 3u * FILTER_1, second);
        sums = add_row(sums, window.r4, base, 1u + 4u * FILTER_1, second);
    }
    if FILTER_1 > 5u {
        sums = add_row(sums, window.r5, base, 1u + 5u * FILTER_1, second);
        sums = add_row(sums, window.r6, base, 1u + 6u * FILTER_1, second);
    }
    if FILTER_1 > 7u {
        sums = add_row(sums, window.r7, base, 1u + 7u * FILTER_1, second);
        sums = add_row(sums, window.r8, base, 1u + 8u * FILTER_1, second);
    }
    return sums;
}

// A row of taps; `at` is the first one's place in the group. Column 4 of the window is the filter's middle.
fn add_row(before: Pair, row: Row, base: u32, at: u32, second: bool) -> Pair {
    var sums = before;
    if FILTER_1 > 7u {
        sums = add_tap(sums, row.a, base, at, second);
    }
    if FILTER_1 > 5u {
        sums = add_tap(sums, vec4(row.a.yzw, row.b.x), base, at + FILTER_1 / 2u - 3u, second);
    }
    if FILTER_1 > 3u {
        sums = add_tap(sums, vec4(row.a.zw, row.b.xy), base, at + FILTER_1 / 2u - 2u, second);
    }
    if FILTER_1 > 1u {
        sums = add_tap(sums, vec4(row.a.w, row.b.xyz), base, at + FILTER_1 / 2u - 1u, second);
    }
    sums = add_tap(sums, row.b, base, at + FILTER_1 / 2u, second);
    if FILTER_1 > 1u {
        sums = add_tap(sums, vec4(row.b.yzw, row.c.x), base, at + FILTER_1 / 2u + 1u, second);
    }
    if FILTER_1 > 3u {
        sums = add_tap(sums, vec4(row.b.zw, row.c.xy), base, at + FILTER_1 / 2u + 2u, second);
    }
    if FILTER_1 > 5u {
        sums = add_tap(sums, vec4(row.b.w, row.c.xyz), base, at + FILTER_1 / 2u + 3u, second);
    }
    if FILTER_1 > 7u {
        sums = add_tap(sums, row.c, base, at + FILTER_1 / 2u + 4u, second);
    }
    return sums;
}

fn add_tap(sums: Pair, pixels: vec4<f32>, base: u32, at: u32, second: bool) -> Pair {
    let filters = weight(base, at);
    if second {
        return Pair(sums.a + pixels * filters.z, sums.b + pixels * filters.w);
    }
    return Pair(sums.a + pixels * filters.x, sums.b + pixels * filters.y);
}

// What 4 filters of layer 1 add to 8 of layer 2.
fn add_eight(sums: Eight, f1: mat4x4<f32>, base: u32, at: u32) -> Eight {
    return Eight(
        add(sums.s0, f1, weight(base, at)),
        add(sums.s1, f1, weight(base, at + 1u)),
        add(sums.s2, f1, weight(base, at + 2u)),
        add(sums.s3, f1, weight(base, at + 3u)),
        add(sums.s4, f1, weight(base, at + 4u)),
        add(sums.s5, f1, weight(base, at + 5u)),
        add(sums.s6, f1, weight(base, at + 6u)),
        add(sums.s7, f1, weight(base, at + 7u)),
    );
}

fn add(sum: vec4<f32>, maps: mat4x4<f32>, weights: vec4<f32>) -> vec4<f32> {
    return sum + maps[0] * weights.x + maps[1] * weights.y + maps[2] * weights.z + maps[3] * weights.w;
}

// Which of an invocation's pixels lie outside the picture, and which pixel of a texel is the picture's last.
struct Border {
    left: vec4<bool>,
    right: vec4<bool>,
    last: i32,
}

// F2 of 8 filters, whose biases are at `at`; outside the picture what the padding of layer 3 needs.
fn finish(sums: Eight, at: u32, border: Border) -> Eight {
    let b0 = weight(BIAS_2, at);
    let b1 = weight(BIAS_2, at + 1u);
    return Eight(
        finish_one(sums.s0 + b0.x, border),
        finish_one(sums.s1 + b0.y, border),
        finish_one(sums.s2 + b0.z, border),
        finish_one(sums.s3 + b0.w, border),
        finish_one(sums.s4 + b1.x, border),
        finish_one(sums.s5 + b1.y, border),
        finish_one(sums.s6 + b1.z, border),
        finish_one(sums.s7 + b1.w, border),
    );
}

fn finish_one(sum: vec4<f32>, border: Border) -> vec4<f32> {
    let f2 = max(sum, vec4(0.0));
    if PADDING == PADDING_REPLICATE {
        // Texels outside were computed as the picture's first or last one.
        let right = select(select(f2.x, f2.y, border.last >= 1), select(f2.z, f2.w, border.last == 3), border.last >= 2);
        return select(select(f2, vec4(right), border.right), vec4(f2.x), border.left);
    }
    if PADDING == PADDING_ZERO {
        return select(f2, vec4(0.0), border.left | border.right);
    }
    return f2;
}

// A row of layer 3's filter over the 4 pixels: what they add to columns -2 to 5.
fn store_row(f2: Sums, i: u32, position: vec2<i32>, wanted: bool) {
    // The tap that lands on the same column, and those that land on columns to the right and left.
    let t0 = tap_3(f2, i, FILTER_3 / 2u);
    var main = t0;
    var sides = vec4(0.0);
    if FILTER_3 > 1u {
        let r1 = tap_3(f2, i, FILTER_3 / 2u - 1u);
        let l1 = tap_3(f2, i, FILTER_3 / 2u + 1u);
        main += vec4(0.0, r1.xyz) + vec4(l1.yzw, 0.0);
        sides += vec4(0.0, l1.x, r1.w, 0.0);
    }
    if FILTER_3 > 3u {
        let r2 = tap_3(f2, i, 0u);
        let l2 = tap_3(f2, i, 4u);
        main += vec4(0.0, 0.0, r2.xy) + vec4(l2.zw, 0.0, 0.0);
        sides += vec4(l2.xy, r2.zw);
    }
    if wanted {
        let texel = vec2(position.x / 4, position.y);
        textureStore(output, output_plane(2u * i) + texel, main);
        textureStore(output, output_plane(2u * i + 1u) + texel, sides);
    }
}

// The sum over all filters of layer 2 for tap (i, j) of layer 3.
fn tap_3(f2: Sums, i: u32, j: u32) -> vec4<f32> {
    let base = ROWS_3 + i * ROW_3;
    let at = j * 2u * EIGHTS;
    var sum = over_eight(f2.a, base, at);
    if EIGHTS > 1u {
        sum += over_eight(f2.b, base, at + 2u);
    }
    if EIGHTS > 2u {
        sum += over_eight(f2.c, base, at + 4u);
    }
    if EIGHTS > 3u {
        sum += over_eight(f2.d, base, at + 6u);
    }
    return sum;
}

fn over_eight(f2: Eight, base: u32, at: u32) -> vec4<f32> {
    let sum = add(vec4(0.0), mat4x4(f2.s0, f2.s1, f2.s2, f2.s3), weight(base, at));
    return add(sum, mat4x4(f2.s4, f2.s5, f2.s6, f2.s7), weight(base, at + 1u));
}

// The valid-pixel map's factors; positions outside the picture take those of the nearest pixel, they are not used.
fn valid_columns(column: i32) -> vec4<f32> {
    let x = clamp(region.origin.x + column + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
    return vec4(valid_map[x.x], valid_map[x.y], valid_map[x.z], valid_map[x.w]);
}

fn valid_row(row: i32) -> f32 {
    return valid_map[region.picture.x + clamp(region.origin.y + row, 0, region.picture.y - 1)];
}
