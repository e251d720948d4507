// Register tile of 16 pixels of a row by 4 outputs. Named fields, not arrays: not every compiler turns an array in a
// loop into registers.
const PIXELS: u32 = 16u;

// Sums: a matrix for each 4 pixels, its columns the outputs.
struct Sums {
    a: mat4x4<f32>,
    b: mat4x4<f32>,
    c: mat4x4<f32>,
    d: mat4x4<f32>,
}

// The pixels under the current tap of each vec4 of pixels, and the vec4 to the right of them.
struct Window {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
    next: vec4<f32>,
}

fn load(at: u32) -> Window {
    return Window(input[at], input[at + 1u], input[at + 2u], input[at + 3u], vec4(0.0));
}

fn load_next(window: ptr<function, Window>, at: u32) {
    (*window).next = input[at + 4u];
}

// Moves the window four taps to the right.
fn advance(window: ptr<function, Window>) {
    (*window).a = (*window).b;
    (*window).b = (*window).c;
    (*window).c = (*window).d;
    (*window).d = (*window).next;
}

fn tap0(sums: ptr<function, Sums>, window: ptr<function, Window>, w: vec4<f32>) {
    (*sums).a += outer((*window).a, w);
    (*sums).b += outer((*window).b, w);
    (*sums).c += outer((*window).c, w);
    (*sums).d += outer((*window).d, w);
}

fn tap1(sums: ptr<function, Sums>, window: ptr<function, Window>, w: vec4<f32>) {
    (*sums).a += outer(vec4((*window).a.yzw, (*window).b.x), w);
    (*sums).b += outer(vec4((*window).b.yzw, (*window).c.x), w);
    (*sums).c += outer(vec4((*window).c.yzw, (*window).d.x), w);
    (*sums).d += outer(vec4((*window).d.yzw, (*window).next.x), w);
}

fn tap2(sums: ptr<function, Sums>, window: ptr<function, Window>, w: vec4<f32>) {
    (*sums).a += outer(vec4((*window).a.zw, (*window).b.xy), w);
    (*sums).b += outer(vec4((*window).b.zw, (*window).c.xy), w);
    (*sums).c += outer(vec4((*window).c.zw, (*window).d.xy), w);
    (*sums).d += outer(vec4((*window).d.zw, (*window).next.xy), w);
}

fn tap3(sums: ptr<function, Sums>, window: ptr<function, Window>, w: vec4<f32>) {
    (*sums).a += outer(vec4((*window).a.w, (*window).b.xyz), w);
    (*sums).b += outer(vec4((*window).b.w, (*window).c.xyz), w);
    (*sums).c += outer(vec4((*window).c.w, (*window).d.xyz), w);
    (*sums).d += outer(vec4((*window).d.w, (*window).next.xyz), w);
}

fn store_all(sums: Sums, group: u32, column: u32, row: u32) {
    store(sums.a, group, column, row);
    store(sums.b, group, column + 4u, row);
    store(sums.c, group, column + 8u, row);
    store(sums.d, group, column + 12u, row);
}
