// shared/pixel_pairs.wgsl in single precision. Prelude: FILTER.
//#import weights

alias real2 = vec2<f32>;
alias real4 = vec4<f32>;
// What products of layer 1 are added to, and factors of those of layer 2.
alias Products = Eight;
alias Factors = Eight;
const GROUPS_AT_ONCE: u32 = 1u;

var<workgroup> pixels: array<vec2<f32>, READ_ROWS * ROW_PAIRS>;

// Pairs of a row of pixels.
const ROW_PAIRS: u32 = 2u * READ_TEXELS;

// Stores a texel of a row for all invocations. `next` is the texel to the right.
fn keep(row: u32, texel: u32, value: vec4<f32>, next: vec4<f32>) {
    let at = row * ROW_PAIRS + 2u * texel;
    pixels[at] = value.xy;
    pixels[at + 1u] = value.zw;
}

fn outer(pair: vec2<f32>, w: vec4<f32>) -> mat4x2<f32> {
    return mat4x2(pair * w.x, pair * w.y, pair * w.z, pair * w.w);
}

// The sums of 8 maps of layer 1, for the pair whose first tap is at an even column and a row. Weights begin at `tap`.
fn layer1(first: vec2<u32>, tap: u32) -> Eight {
    var sums = Eight();
    for (var i = 0u; i < FILTER; i++) {
        add_row(&sums, (first.y + i) * ROW_PAIRS + first.x / 2u, tap + i * 2u * FILTER);
    }
    return sums;
}

// Adds what a row of f1 taps adds to 8 maps of layer 1: pixels from `at` on, weights from `tap` on.
fn add_row(sums: ptr<function, Products>, at: u32, tap: u32) {
    let p0 = pixels[at];
    add_tap(sums, p0, tap);
    if FILTER > 1u {
        let p2 = pixels[at + 1u];
        add_tap(sums, vec2(p0.y, p2.x), tap + 2u);
        add_tap(sums, p2, tap + 4u);
        if FILTER > 3u {
            let p4 = pixels[at + 2u];
            add_tap(sums, vec2(p2.y, p4.x), tap + 6u);
            add_tap(sums, p4, tap + 8u);
            if FILTER > 5u {
                let p6 = pixels[at + 3u];
                add_tap(sums, vec2(p4.y, p6.x), tap + 10u);
                add_tap(sums, p6, tap + 12u);
                if FILTER > 7u {
                    let p8 = pixels[at + 4u];
                    add_tap(sums, vec2(p6.y, p8.x), tap + 14u);
                    add_tap(sums, p8, tap + 16u);
                }
            }
        }
    }
}

// Adds what a group of layer 1 adds to 4 maps of layer 2. The weights of its first map are at `at`.
fn add_to_four(before: mat4x2<f32>, f1: Eight, at: u32) -> mat4x2<f32> {
    return add_four(add_four(before, f1.a, at), f1.b, at + 8u * BLOCKS8);
}

fn add_four(before: mat4x2<f32>, f1: mat4x2<f32>, at: u32) -> mat4x2<f32> {
    return before + outer(f1[0], weights[at]) + outer(f1[1], weights[at + 2u * BLOCKS8])
        + outer(f1[2], weights[at + 4u * BLOCKS8]) + outer(f1[3], weights[at + 6u * BLOCKS8]);
}

// The maps of a group.
fn factors(first: vec2<u32>, m: vec2<f32>, base: u32) -> Eight {
    let sums = group_sums(first, m, base);
    return Eight(relu(sums.a), relu(sums.b));
}

fn bias(at: u32, count: u32) -> vec4<f32> {
    return weights[at];
}

fn relu_one(pair: vec2<f32>) -> vec2<f32> {
    return max(pair, vec2(0.0));
}
