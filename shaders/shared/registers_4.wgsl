// Register tile of 4 pixels of a row by 4 outputs. Named fields, not arrays: not every compiler turns an array in a
// loop into registers.
const PIXELS: u32 = 4u;

// Sums: a matrix for each 4 pixels, its columns the outputs.
struct Sums {
    a: mat4x4<f32>,
}

// The pixels under the current tap of each vec4 of pixels, and the vec4 to the right of them.
struct Window {
    a: vec4<f32>,
    next: vec4<f32>,
}

fn load(at: u32) -> Window {
    return Window(input[at], vec4(0.0));
}

fn load_next(window: ptr<function, Window>, at: u32) {
    (*window).next = input[at + 1u];
}

// Moves the window four taps to the right.
fn advance(window: ptr<function, Window>) {
    (*window).a = (*window).next;
}

fn tap0(sums: ptr<function, Sums>, window: ptr<function, Window>, w: vec4<f32>) {
    (*sums).a += outer((*window).a, w);
}

fn tap1(sums: ptr<function, Sums>, window: ptr<function, Window>, w: vec4<f32>) {
    (*sums).a += outer(vec4((*window).a.yzw, (*window).next.x), w);
}

fn tap2(sums: ptr<function, Sums>, window: ptr<function, Window>, w: vec4<f32>) {
    (*sums).a += outer(vec4((*window).a.zw, (*window).next.xy), w);
}

fn tap3(sums: ptr<function, Sums>, window: ptr<function, Window>, w: vec4<f32>) {
    (*sums).a += outer(vec4((*window).a.w, (*window).next.xyz), w);
}

fn store_all(sums: Sums, group: u32, column: u32, row: u32) {
    store(sums.a, group, column, row);
}
