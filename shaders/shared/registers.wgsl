// Register tile of conv_forward.wgsl: PIXELS (8 or 16) pixels of a row by OUTPUTS (4, 8 or 16) outputs. Members that a
// tile does not need are never touched and cost no registers. Named members, not arrays: not every compiler keeps an
// array that is used in a loop in registers.
// Turn is what products are added to: Sums, or sums of a turn of the loop in the precision of the products.
// Prelude: PIXELS, OUTPUTS, FILTER_COLUMNS.

// vec4s of outputs.
const QUADS: u32 = OUTPUTS / 4u;

// Sums: a matrix for each 4 pixels (a to d) and 4 outputs (0 to 3), its columns are outputs. Tiles of 16 pixels have 4
// outputs, so only a0 to d0 and a1 to b3 exist.
struct Sums {
    a0: mat4x4<f32>,
    b0: mat4x4<f32>,
    c0: mat4x4<f32>,
    d0: mat4x4<f32>,
    a1: mat4x4<f32>,
    b1: mat4x4<f32>,
    a2: mat4x4<f32>,
    b2: mat4x4<f32>,
    a3: mat4x4<f32>,
    b3: mat4x4<f32>,
}

// The texels under the current tap of each 4 pixels, and the texel to the right of them: a to c, or a to e.
struct Window {
    a: real4,
    b: real4,
    c: real4,
    d: real4,
    e: real4,
}

fn load(at: vec2<i32>) -> Window {
    var window = Window();
    window.a = texel(at);
    window.b = texel(at + vec2(1, 0));
    if PIXELS > 8u {
        window.c = texel(at + vec2(2, 0));
        window.d = texel(at + vec2(3, 0));
    }
    return window;
}

// Loads the texel to the right.
fn load_next(window: ptr<function, Window>, at: vec2<i32>) {
    if PIXELS > 8u {
        (*window).e = texel(at + vec2(4, 0));
    } else {
        (*window).c = texel(at + vec2(2, 0));
    }
}

// Moves the window four taps to the right.
fn advance(window: ptr<function, Window>) {
    (*window).a = (*window).b;
    (*window).b = (*window).c;
    (*window).c = (*window).d;
    (*window).d = (*window).e;
}

// Adds four taps of a row, whose weights begin at `tap`, and moves the window past them. Four at a time keep it at whole
// texels.
fn add_taps4(sums: ptr<function, Turn>, window: ptr<function, Window>, at: vec2<i32>, tap: u32) {
    load_next(window, at);
    add_tap(sums, *window, tap, 0u);
    add_tap(sums, *window, tap + QUADS, 1u);
    add_tap(sums, *window, tap + 2u * QUADS, 2u);
    add_tap(sums, *window, tap + 3u * QUADS, 3u);
    advance(window);
}

// Adds what a filter of odd size leaves of a row: one tap, or three.
fn add_last_taps(sums: ptr<function, Turn>, window: ptr<function, Window>, at: vec2<i32>, tap: u32) {
    add_tap(sums, *window, tap, 0u);
    if FILTER_COLUMNS % 4u == 3u {
        load_next(window, at);
        add_tap(sums, *window, tap + QUADS, 1u);
        add_tap(sums, *window, tap + 2u * QUADS, 2u);
    }
}

// Adds the tap whose weights begin at `tap`, `shift` (0 to 3, a constant) pixels to the right of the window.
fn add_tap(sums: ptr<function, Turn>, window: Window, tap: u32, shift: u32) {
    let a = shifted(window.a, window.b, shift);
    let b = shifted(window.b, window.c, shift);
    let w0 = weights[tap];
    (*sums).a0 += outer(a, w0);
    (*sums).b0 += outer(b, w0);
    if PIXELS > 8u {
        (*sums).c0 += outer(shifted(window.c, window.d, shift), w0);
        (*sums).d0 += outer(shifted(window.d, window.e, shift), w0);
    }
    if OUTPUTS > 4u {
        let w1 = weights[tap + 1u];
        (*sums).a1 += outer(a, w1);
        (*sums).b1 += outer(b, w1);
    }
    if OUTPUTS > 8u {
        let w2 = weights[tap + 2u];
        (*sums).a2 += outer(a, w2);
        (*sums).b2 += outer(b, w2);
        let w3 = weights[tap + 3u];
        (*sums).a3 += outer(a, w3);
        (*sums).b3 += outer(b, w3);
    }
}

fn shifted(first: real4, next: real4, shift: u32) -> real4 {
    var pixels = first;
    if shift == 1u {
        pixels = vec4(first.yzw, next.x);
    } else if shift == 2u {
        pixels = vec4(first.zw, next.xy);
    } else if shift == 3u {
        pixels = vec4(first.w, next.xyz);
    }
    return pixels;
}

// Gives the pixels of the tile at column x that lie outside first..last the value of the nearest pixel inside. That
// pixel is in the tile that was computed, at column `start`.
fn replicate(sums: ptr<function, Sums>, x: i32, first: i32, last: i32, start: i32) {
    let zero = mat4x4<f32>();
    var c = zero;
    var d = zero;
    if PIXELS > 8u {
        c = (*sums).c0;
        d = (*sums).d0;
    }
    let left0 = edge((*sums).a0, (*sums).b0, c, d, first - start);
    let right0 = edge((*sums).a0, (*sums).b0, c, d, last - start);
    (*sums).a0 = between((*sums).a0, x, first, last, left0, right0);
    (*sums).b0 = between((*sums).b0, x + 4, first, last, left0, right0);
    if PIXELS > 8u {
        (*sums).c0 = between(c, x + 8, first, last, left0, right0);
        (*sums).d0 = between(d, x + 12, first, last, left0, right0);
    }
    if OUTPUTS > 4u {
        let left1 = edge((*sums).a1, (*sums).b1, zero, zero, first - start);
        let right1 = edge((*sums).a1, (*sums).b1, zero, zero, last - start);
        (*sums).a1 = between((*sums).a1, x, first, last, left1, right1);
        (*sums).b1 = between((*sums).b1, x + 4, first, last, left1, right1);
    }
    if OUTPUTS > 8u {
        let left2 = edge((*sums).a2, (*sums).b2, zero, zero, first - start);
        let right2 = edge((*sums).a2, (*sums).b2, zero, zero, last - start);
        (*sums).a2 = between((*sums).a2, x, first, last, left2, right2);
        (*sums).b2 = between((*sums).b2, x + 4, first, last, left2, right2);
        let left3 = edge((*sums).a3, (*sums).b3, zero, zero, first - start);
        let right3 = edge((*sums).a3, (*sums).b3, zero, zero, last - start);
        (*sums).a3 = between((*sums).a3, x, first, last, left3, right3);
        (*sums).b3 = between((*sums).b3, x + 4, first, last, left3, right3);
    }
}

// The 4 outputs of the pixel at `index` of a tile's row.
fn edge(a: mat4x4<f32>, b: mat4x4<f32>, c: mat4x4<f32>, d: mat4x4<f32>, index: i32) -> vec4<f32> {
    var sum = a;
    if index >= 4 {
        sum = b;
    }
    if PIXELS > 8u {
        if index >= 8 {
            sum = c;
        }
        if index >= 12 {
            sum = d;
        }
    }
    return pixel(sum, clamp(index, 0, i32(PIXELS) - 1) % 4);
}

// The 4 outputs of one pixel.
fn pixel(sum: mat4x4<f32>, index: i32) -> vec4<f32> {
    return vec4(sum[0][index], sum[1][index], sum[2][index], sum[3][index]);
}

// 4 pixels from column x: those before `first` become `left`, those after `last` become `right`.
fn between(sum: mat4x4<f32>, x: i32, first: i32, last: i32, left: vec4<f32>, right: vec4<f32>) -> mat4x4<f32> {
    let columns = x + vec4(0, 1, 2, 3);
    let before = columns < vec4(first);
    let after = columns > vec4(last);
    return mat4x4<f32>(
        select(select(sum[0], vec4(right.x), after), vec4(left.x), before),
        select(select(sum[1], vec4(right.y), after), vec4(left.y), before),
        select(select(sum[2], vec4(right.z), after), vec4(left.z), before),
        select(select(sum[3], vec4(right.w), after), vec4(left.w), before),
    );
}

fn store_all(sums: Sums, group: u32, position: vec2<i32>) {
    store(sums.a0, group, 0u, position);
    store(sums.b0, group, 0u, position + vec2(4, 0));
    if PIXELS > 8u {
        store(sums.c0, group, 0u, position + vec2(8, 0));
        store(sums.d0, group, 0u, position + vec2(12, 0));
    }
    if OUTPUTS > 4u {
        store(sums.a1, group, 1u, position);
        store(sums.b1, group, 1u, position + vec2(4, 0));
    }
    if OUTPUTS > 8u {
        store(sums.a2, group, 2u, position);
        store(sums.b2, group, 2u, position + vec2(4, 0));
        store(sums.a3, group, 3u, position);
        store(sums.b3, group, 3u, position + vec2(4, 0));
    }
}
