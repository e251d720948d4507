// Register tile of 8 pixels of a row by 8 outputs. Named fields, not arrays: not every compiler turns an array in a
// loop into registers.
const PIXELS: u32 = 8u;
const OUTPUTS: u32 = 8u;

// Sums: a matrix for each 4 pixels (a, b) and 4 outputs (0, 1), its columns the outputs.
struct Sums {
    a0: mat4x4<f32>,
    b0: mat4x4<f32>,
    a1: mat4x4<f32>,
    b1: mat4x4<f32>,
}

// Sums of a block of channels, alike, in the precision of the products.
struct Block {
    a0: real4x4,
    b0: real4x4,
    a1: real4x4,
    b1: real4x4,
}

fn add(sums: ptr<function, Sums>, block: Block) {
    (*sums).a0 += single(block.a0);
    (*sums).b0 += single(block.b0);
    (*sums).a1 += single(block.a1);
    (*sums).b1 += single(block.b1);
}

// The texels under the current tap of each 4 pixels, and the texel to the right of them.
struct Window {
    a: real4,
    b: real4,
    next: real4,
}

fn load(at: vec2<i32>) -> Window {
    return Window(
        texel(at + vec2(0, 0)),
        texel(at + vec2(1, 0)),
        real4(),
    );
}

fn load_next(window: ptr<function, Window>, at: vec2<i32>) {
    (*window).next = texel(at + vec2(2, 0));
}

// Moves the window four taps to the right.
fn advance(window: ptr<function, Window>) {
    (*window).a = (*window).b;
    (*window).b = (*window).next;
}

fn tap0(sums: ptr<function, Block>, window: Window, tap: u32) {
    let a = window.a;
    let b = window.b;
    let w0 = weights[tap];
    (*sums).a0 += outer(a, w0);
    (*sums).b0 += outer(b, w0);
    let w1 = weights[tap + 1u];
    (*sums).a1 += outer(a, w1);
    (*sums).b1 += outer(b, w1);
}

fn tap1(sums: ptr<function, Block>, window: Window, tap: u32) {
    let a = vec4(window.a.yzw, window.b.x);
    let b = vec4(window.b.yzw, window.next.x);
    let w0 = weights[tap];
    (*sums).a0 += outer(a, w0);
    (*sums).b0 += outer(b, w0);
    let w1 = weights[tap + 1u];
    (*sums).a1 += outer(a, w1);
    (*sums).b1 += outer(b, w1);
}

fn tap2(sums: ptr<function, Block>, window: Window, tap: u32) {
    let a = vec4(window.a.zw, window.b.xy);
    let b = vec4(window.b.zw, window.next.xy);
    let w0 = weights[tap];
    (*sums).a0 += outer(a, w0);
    (*sums).b0 += outer(b, w0);
    let w1 = weights[tap + 1u];
    (*sums).a1 += outer(a, w1);
    (*sums).b1 += outer(b, w1);
}

fn tap3(sums: ptr<function, Block>, window: Window, tap: u32) {
    let a = vec4(window.a.w, window.b.xyz);
    let b = vec4(window.b.w, window.next.xyz);
    let w0 = weights[tap];
    (*sums).a0 += outer(a, w0);
    (*sums).b0 += outer(b, w0);
    let w1 = weights[tap + 1u];
    (*sums).a1 += outer(a, w1);
    (*sums).b1 += outer(b, w1);
}

// The pixel at index, four outputs each.
fn edge0(sums: Sums, index: i32) -> vec4<f32> {
    var sum = sums.a0;
    if index >= 4 {
        sum = sums.b0;
    }
    return pixel(sum, clamp(index, 0, 7) % 4);
}

fn edge1(sums: Sums, index: i32) -> vec4<f32> {
    var sum = sums.a1;
    if index >= 4 {
        sum = sums.b1;
    }
    return pixel(sum, clamp(index, 0, 7) % 4);
}

// Pixels of the tile at column x that are outside of first..last take the value of the nearest one inside, which is in
// the tile that was computed, at column `start`.
fn replicate(sums: ptr<function, Sums>, x: i32, first: i32, last: i32, start: i32) {
    let left0 = edge0(*sums, first - start);
    let right0 = edge0(*sums, last - start);
    (*sums).a0 = between((*sums).a0, x, first, last, left0, right0);
    (*sums).b0 = between((*sums).b0, x + 4, first, last, left0, right0);
    let left1 = edge1(*sums, first - start);
    let right1 = edge1(*sums, last - start);
    (*sums).a1 = between((*sums).a1, x, first, last, left1, right1);
    (*sums).b1 = between((*sums).b1, x + 4, first, last, left1, right1);
}

fn store_all(sums: Sums, group: u32, position: vec2<i32>) {
    store(sums.a0, group, 0u, position);
    store(sums.b0, group, 0u, position + vec2(4, 0));
    store(sums.a1, group, 1u, position);
    store(sums.b1, group, 1u, position + vec2(4, 0));
}
