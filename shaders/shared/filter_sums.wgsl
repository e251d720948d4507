// Filter gradients of layers with filters larger than a pixel: sums for up to 9 x 9 taps in registers, and the pixels
// of an input row that these taps meet.
//
// For each 4 gradients of a row, a texel, a window of WINDOW texels of the input holds the pixels of all taps. The
// first tap of the first gradient reads pixel SHIFT of the window.
//#import batch_layout
//#import read_input

struct Taps {
    c0: f32,
    c1: f32,
    c2: f32,
    c3: f32,
    c4: f32,
    c5: f32,
    c6: f32,
    c7: f32,
    c8: f32,
}

struct Filter {
    r0: Taps,
    r1: Taps,
    r2: Taps,
    r3: Taps,
    r4: Taps,
    r5: Taps,
    r6: Taps,
    r7: Taps,
    r8: Taps,
}

struct Row {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
}

// Texel number `texel` of the row that begins at `at`.
fn load_pixels(at: vec2<i32>, texel: i32) -> vec4<f32> {
    return read_input(at + vec2(texel * NEXT_TEXEL, 0));
}

// The first window of the row that begins at `at`, without its last texel.
fn first_texels(at: vec2<i32>) -> Row {
    var row = Row();
    if WINDOW > 1u {
        row.a = load_pixels(at, 0);
    }
    if WINDOW > 2u {
        row.b = load_pixels(at, 1);
    }
    if WINDOW > 3u {
        row.c = load_pixels(at, 2);
    }
    return row;
}

// Completes the window for texel x of the gradients.
fn complete(before: Row, at: vec2<i32>, x: i32) -> Row {
    let last = load_pixels(at, x + i32(WINDOW) - 1);
    var row = before;
    if WINDOW == 1u {
        row.a = last;
    } else if WINDOW == 2u {
        row.b = last;
    } else if WINDOW == 3u {
        row.c = last;
    } else {
        row.d = last;
    }
    return row;
}

// Moves the window one texel to the right.
fn advance(row: Row) -> Row {
    return Row(row.b, row.c, row.d, vec4(0.0));
}

// Adds the products of 4 gradients and the pixels of a window to the sums of one filter row.
fn add_taps(before: Taps, g: vec4<f32>, row: Row) -> Taps {
    // The pixels from the first tap.
    let a = shifted(row.a, row.b);
    let b = shifted(row.b, row.c);
    let c = shifted(row.c, row.d);
    var sums = before;
    sums.c0 += dot(g, a);
    if TILE_COLUMNS > 1u {
        sums.c1 += dot(g, vec4(a.yzw, b.x));
    }
    if TILE_COLUMNS > 2u {
        sums.c2 += dot(g, vec4(a.zw, b.xy));
    }
    if TILE_COLUMNS > 3u {
        sums.c3 += dot(g, vec4(a.w, b.xyz));
    }
    if TILE_COLUMNS > 4u {
        sums.c4 += dot(g, b);
    }
    if TILE_COLUMNS > 5u {
        sums.c5 += dot(g, vec4(b.yzw, c.x));
    }
    if TILE_COLUMNS > 6u {
        sums.c6 += dot(g, vec4(b.zw, c.xy));
    }
    if TILE_COLUMNS > 7u {
        sums.c7 += dot(g, vec4(b.w, c.xyz));
    }
    if TILE_COLUMNS > 8u {
        sums.c8 += dot(g, c);
    }
    return sums;
}

// 4 pixels, SHIFT to the right of the first ones.
fn shifted(first: vec4<f32>, second: vec4<f32>) -> vec4<f32> {
    var pixels = first;
    if SHIFT == 1u {
        pixels = vec4(first.yzw, second.x);
    } else if SHIFT == 2u {
        pixels = vec4(first.zw, second.xy);
    } else if SHIFT == 3u {
        pixels = vec4(first.w, second.xyz);
    }
    return pixels;
}

// Stores the sums of filter n and input c whose first tap is at `row` and `column`; the part's parameters begin at
// `part`.
fn store_filter(sums: Filter, n: u32, c: u32, row: u32, column: u32, part: u32) {
    if n >= FILTERS || c >= INPUTS {
        return;
    }
    let start = part + WEIGHT_START + (n * INPUTS + c) * SIZE * SIZE;
    store_taps(sums.r0, row, column, start);
    if TILE_ROWS > 1u {
        store_taps(sums.r1, row + 1u, column, start);
    }
    if TILE_ROWS > 2u {
        store_taps(sums.r2, row + 2u, column, start);
    }
    if TILE_ROWS > 3u {
        store_taps(sums.r3, row + 3u, column, start);
    }
    if TILE_ROWS > 4u {
        store_taps(sums.r4, row + 4u, column, start);
    }
    if TILE_ROWS > 5u {
        store_taps(sums.r5, row + 5u, column, start);
    }
    if TILE_ROWS > 6u {
        store_taps(sums.r6, row + 6u, column, start);
    }
    if TILE_ROWS > 7u {
        store_taps(sums.r7, row + 7u, column, start);
    }
    if TILE_ROWS > 8u {
        store_taps(sums.r8, row + 8u, column, start);
    }
}

fn store_taps(taps: Taps, row: u32, column: u32, start: u32) {
    if row >= SIZE {
        return;
    }
    let first = start + row * SIZE;
    store_tap(taps.c0, column, first);
    if TILE_COLUMNS > 1u {
        store_tap(taps.c1, column + 1u, first);
    }
    if TILE_COLUMNS > 2u {
        store_tap(taps.c2, column + 2u, first);
    }
    if TILE_COLUMNS > 3u {
        store_tap(taps.c3, column + 3u, first);
    }
    if TILE_COLUMNS > 4u {
        store_tap(taps.c4, column + 4u, first);
    }
    if TILE_COLUMNS > 5u {
        store_tap(taps.c5, column + 5u, first);
    }
    if TILE_COLUMNS > 6u {
        store_tap(taps.c6, column + 6u, first);
    }
    if TILE_COLUMNS > 7u {
        store_tap(taps.c7, column + 7u, first);
    }
    if TILE_COLUMNS > 8u {
        store_tap(taps.c8, column + 8u, first);
    }
}

fn store_tap(sum: f32, column: u32, first: u32) {
    if column < SIZE {
        parts[first + column] = sum;
    }
}
