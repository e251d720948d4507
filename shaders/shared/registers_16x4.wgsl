// Register tile of 16 pixels of a row by 4 outputs. Named fields, not arrays: not every compiler turns an array in a
// loop into registers.
const PIXELS: u32 = 16u;
const OUTPUTS: u32 = 4u;

// Sums: a matrix for each 4 pixels (a, b, c, d) and 4 outputs (0), its columns the outputs.
struct Sums {
    a0: mat4x4<f32>,
    b0: mat4x4<f32>,
    c0: mat4x4<f32>,
    d0: mat4x4<f32>,
}

// Sums of a block of channels, alike, in the precision of the products.
struct Block {
    a0: real4x4,
    b0: real4x4,
    c0: real4x4,
    d0: real4x4,
}

fn add(sums: ptr<function, Sums>, block: Block) {
    (*sums).a0 += single(block.a0);
    (*sums).b0 += single(block.b0);
    (*sums).c0 += single(block.c0);
    (*sums).d0 += single(block.d0);
}

// The texels under the current tap of each 4 pixels, and the texel to the right of them.
struct Window {
    a: real4,
    b: real4,
    c: real4,
    d: real4,
    next: real4,
}

fn load(at: vec2<i32>) -> Window {
    return Window(
        texel(at + vec2(0, 0)),
        texel(at + vec2(1, 0)),
        texel(at + vec2(2, 0)),
        texel(at + vec2(3, 0)),
        real4(),
    );
}

fn load_next(window: ptr<function, Window>, at: vec2<i32>) {
    (*window).next = texel(at + vec2(4, 0));
}

// Moves the window four taps to the right.
fn advance(window: ptr<function, Window>) {
    (*window).a = (*window).b;
    (*window).b = (*window).c;
    (*window).c = (*window).d;
    (*window).d = (*window).next;
}

fn tap0(sums: ptr<function, Block>, window: Window, tap: u32) {
    let a = window.a;
    let b = window.b;
    let c = window.c;
    let d = window.d;
    let w0 = weights[tap];
    (*sums).a0 += outer(a, w0);
    (*sums).b0 += outer(b, w0);
    (*sums).c0 += outer(c, w0);
    (*sums).d0 += outer(d, w0);
}

fn tap1(sums: ptr<function, Block>, window: Window, tap: u32) {
    let a = vec4(window.a.yzw, window.b.x);
    let b = vec4(window.b.yzw, window.c.x);
    let c = vec4(window.c.yzw, window.d.x);
    let d = vec4(window.d.yzw, window.next.x);
    let w0 = weights[tap];
    (*sums).a0 += outer(a, w0);
    (*sums).b0 += outer(b, w0);
    (*sums).c0 += outer(c, w0);
    (*sums).d0 += outer(d, w0);
}

fn tap2(sums: ptr<function, Block>, window: Window, tap: u32) {
    let a = vec4(window.a.zw, window.b.xy);
    let b = vec4(window.b.zw, window.c.xy);
    let c = vec4(window.c.zw, window.d.xy);
    let d = vec4(window.d.zw, window.next.xy);
    let w0 = weights[tap];
    (*sums).a0 += outer(a, w0);
    (*sums).b0 += outer(b, w0);
    (*sums).c0 += outer(c, w0);
    (*sums).d0 += outer(d, w0);
}

fn tap3(sums: ptr<function, Block>, window: Window, tap: u32) {
    let a = vec4(window.a.w, window.b.xyz);
    let b = vec4(window.b.w, window.c.xyz);
    let c = vec4(window.c.w, window.d.xyz);
    let d = vec4(window.d.w, window.next.xyz);
    let w0 = weights[tap];
    (*sums).a0 += outer(a, w0);
    (*sums).b0 += outer(b, w0);
    (*sums).c0 += outer(c, w0);
    (*sums).d0 += outer(d, w0);
}

// The pixel at index, four outputs each.
fn edge0(sums: Sums, index: i32) -> vec4<f32> {
    var sum = sums.a0;
    if index >= 4 {
        sum = sums.b0;
    }
    if index >= 8 {
        sum = sums.c0;
    }
    if index >= 12 {
        sum = sums.d0;
    }
    return pixel(sum, clamp(index, 0, 15) % 4);
}

// Pixels of the tile at column x that are outside of first..last take the value of the nearest one inside, which is in
// the tile that was computed, at column `start`.
fn replicate(sums: ptr<function, Sums>, x: i32, first: i32, last: i32, start: i32) {
    let left0 = edge0(*sums, first - start);
    let right0 = edge0(*sums, last - start);
    (*sums).a0 = between((*sums).a0, x, first, last, left0, right0);
    (*sums).b0 = between((*sums).b0, x + 4, first, last, left0, right0);
    (*sums).c0 = between((*sums).c0, x + 8, first, last, left0, right0);
    (*sums).d0 = between((*sums).d0, x + 12, first, last, left0, right0);
}

fn store_all(sums: Sums, group: u32, position: vec2<i32>) {
    store(sums.a0, group, 0u, position);
    store(sums.b0, group, 0u, position + vec2(4, 0));
    store(sums.c0, group, 0u, position + vec2(8, 0));
    store(sums.d0, group, 0u, position + vec2(12, 0));
}
