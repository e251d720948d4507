// 4 pixels of a plane, a texel, under a filter of FILTER x FILTER taps (up to 9 x 9), all in registers. The weights are
// those of 4 filters, one vec4 for each tap.
//#import weight_load
//#import read_input

const TAPS: u32 = FILTER * FILTER;

// Rows of the input that the filter covers, from the first tap of the first pixel.
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

// The sums of two filters.
struct Pair {
    a: vec4<f32>,
    b: vec4<f32>,
}

fn load_window(at: vec2<i32>) -> Window {
    var window = Window();
    window.r0 = load_row(at);
    if FILTER > 1u {
        window.r1 = load_row(at + vec2(0, 1));
    }
    if FILTER > 2u {
        window.r2 = load_row(at + vec2(0, 2));
    }
    if FILTER > 3u {
        window.r3 = load_row(at + vec2(0, 3));
    }
    if FILTER > 4u {
        window.r4 = load_row(at + vec2(0, 4));
    }
    if FILTER > 5u {
        window.r5 = load_row(at + vec2(0, 5));
    }
    if FILTER > 6u {
        window.r6 = load_row(at + vec2(0, 6));
    }
    if FILTER > 7u {
        window.r7 = load_row(at + vec2(0, 7));
    }
    if FILTER > 8u {
        window.r8 = load_row(at + vec2(0, 8));
    }
    return window;
}

fn load_row(at: vec2<i32>) -> Row {
    var row = Row();
    row.a = read_input(at);
    if FILTER > 1u {
        row.b = read_input(at + vec2(NEXT_TEXEL, 0));
    }
    if FILTER > 5u {
        row.c = read_input(at + vec2(2 * NEXT_TEXEL, 0));
    }
    return row;
}

// Adds the window under the first two of the 4 filters, or the second two. Two at a time, because the vector registers
// of a CPU hold 8 sums of 8 lanes.
fn add_pair(before: Pair, window: Window, base: u32, at: u32, second: bool) -> Pair {
    var sums = add_row(before, window.r0, base, at, second);
    if FILTER > 1u {
        sums = add_row(sums, window.r1, base, at + FILTER, second);
    }
    if FILTER > 2u {
        sums = add_row(sums, window.r2, base, at + 2u * FILTER, second);
    }
    if FILTER > 3u {
        sums = add_row(sums, window.r3, base, at + 3u * FILTER, second);
    }
    if FILTER > 4u {
        sums = add_row(sums, window.r4, base, at + 4u * FILTER, second);
    }
    if FILTER > 5u {
        sums = add_row(sums, window.r5, base, at + 5u * FILTER, second);
    }
    if FILTER > 6u {
        sums = add_row(sums, window.r6, base, at + 6u * FILTER, second);
    }
    if FILTER > 7u {
        sums = add_row(sums, window.r7, base, at + 7u * FILTER, second);
    }
    if FILTER > 8u {
        sums = add_row(sums, window.r8, base, at + 8u * FILTER, second);
    }
    return sums;
}

fn add_row(before: Pair, row: Row, base: u32, at: u32, second: bool) -> Pair {
    let a = row.a;
    let b = row.b;
    let c = row.c;
    var sums = add_tap(before, a, base, at, second);
    if FILTER > 1u {
        sums = add_tap(sums, vec4(a.yzw, b.x), base, at + 1u, second);
    }
    if FILTER > 2u {
        sums = add_tap(sums, vec4(a.zw, b.xy), base, at + 2u, second);
    }
    if FILTER > 3u {
        sums = add_tap(sums, vec4(a.w, b.xyz), base, at + 3u, second);
    }
    if FILTER > 4u {
        sums = add_tap(sums, b, base, at + 4u, second);
    }
    if FILTER > 5u {
        sums = add_tap(sums, vec4(b.yzw, c.x), base, at + 5u, second);
    }
    if FILTER > 6u {
        sums = add_tap(sums, vec4(b.zw, c.xy), base, at + 6u, second);
    }
    if FILTER > 7u {
        sums = add_tap(sums, vec4(b.w, c.xyz), base, at + 7u, second);
    }
    if FILTER > 8u {
        sums = add_tap(sums, c, base, at + 8u, second);
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
