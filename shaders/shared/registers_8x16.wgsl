// Register tile of 8 pixels of a row by 16 outputs. Named fields, not arrays: not every compiler turns an array in a
// loop into registers.
const PIXELS: u32 = 8u;
const OUTPUTS: u32 = 16u;

// Sums: a matrix for each 4 pixels (a, b) and 4 outputs (0, 1, 2, 3), its columns the outputs.
struct Sums {
    a0: mat4x4<f32>,
    b0: mat4x4<f32>,
    a1: mat4x4<f32>,
    b1: mat4x4<f32>,
    a2: mat4x4<f32>,
    b2: mat4x4<f32>,
    a3: mat4x4<f32>,
    b3: mat4x4<f32>,
}

// Sums of a block of channels, alike, in the precision of the products.
struct Block {
    a0: real4x4,
    b0: real4x4,
    a1: real4x4,
    b1: real4x4,
    a2: real4x4,
    b2: real4x4,
    a3: real4x4,
    b3: real4x4,
}

fn add(sums: ptr<function, Sums>, block: Block) {
    (*sums).a0 += single(block.a0);
    (*sums).b0 += single(block.b0);
    (*sums).a1 += single(block.a1);
    (*sums).b1 += single(block.b1);
    (*sums).a2 += single(block.a2);
    (*sums).b2 += single(block.b2);
    (*sums).a3 += single(block.a3);
    (*sums).b3 += single(block.b3);
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
    let w2 = weights[tap + 2u];
    (*sums).a2 += outer(a, w2);
    (*sums).b2 += outer(b, w2);
    let w3 = weights[tap + 3u];
    (*sums).a3 += outer(a, w3);
    (*sums).b3 += outer(b, w3);
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
    let w2 = weights[tap + 2u];
    (*sums).a2 += outer(a, w2);
    (*sums).b2 += outer(b, w2);
    let w3 = weights[tap + 3u];
    (*sums).a3 += outer(a, w3);
    (*sums).b3 += outer(b, w3);
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
    let w2 = weights[tap + 2u];
    (*sums).a2 += outer(a, w2);
    (*sums).b2 += outer(b, w2);
    let w3 = weights[tap + 3u];
    (*sums).a3 += outer(a, w3);
    (*sums).b3 += outer(b, w3);
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
    let w2 = weights[tap + 2u];
    (*sums).a2 += outer(a, w2);
    (*sums).b2 += outer(b, w2);
    let w3 = weights[tap + 3u];
    (*sums).a3 += outer(a, w3);
    (*sums).b3 += outer(b, w3);
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

fn edge2(sums: Sums, index: i32) -> vec4<f32> {
    var sum = sums.a2;
    if index >= 4 {
        sum = sums.b2;
    }
    return pixel(sum, clamp(index, 0, 7) % 4);
}

fn edge3(sums: Sums, index: i32) -> vec4<f32> {
    var sum = sums.a3;
    if index >= 4 {
        sum = sums.b3;
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
    let left2 = edge2(*sums, first - start);
    let right2 = edge2(*sums, last - start);
    (*sums).a2 = between((*sums).a2, x, first, last, left2, right2);
    (*sums).b2 = between((*sums).b2, x + 4, first, last, left2, right2);
    let left3 = edge3(*sums, first - start);
    let right3 = edge3(*sums, last - start);
    (*sums).a3 = between((*sums).a3, x, first, last, left3, right3);
    (*sums).b3 = between((*sums).b3, x + 4, first, last, left3, right3);
}

fn store_all(sums: Sums, group: u32, position: vec2<i32>) {
    store(sums.a0, group, 0u, position);
    store(sums.b0, group, 0u, position + vec2(4, 0));
    store(sums.a1, group, 1u, position);
    store(sums.b1, group, 1u, position + vec2(4, 0));
    store(sums.a2, group, 2u, position);
    store(sums.b2, group, 2u, position + vec2(4, 0));
    store(sums.a3, group, 3u, position);
    store(sums.b3, group, 3u, position + vec2(4, 0));
}
