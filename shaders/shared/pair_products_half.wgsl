// shared/pixel_pairs.wgsl in half precision: pixels, filters, maps of layer 1, and products of layers 1 and 2 with their sums over
// a few rows of a filter or 16 maps, which begin from nothing and are added to sums in single precision
// (shared/products_half.wgsl says why). Of layer 3 only the weights are rounded. Prelude: FILTER, GROUP.

alias real2 = vec2<f16>;
alias real4 = vec4<f16>;

// A storage buffer: in a uniform buffer, vec4s of 16 bits would be padded.
@group(0) @binding(1) var<storage, read> weights: array<real4>;

// The pair that begins at each pixel. Made of even pairs, those at odd pixels would be taken apart: compilers then multiply
// one pixel by two weights, and have to sort the products.
var<workgroup> pairs: array<real2, READ_ROWS * ROW_PIXELS>;

const ROW_PIXELS: u32 = 4u * READ_TEXELS;

// Stores a texel of a row for all invocations. `next` is the texel to the right.
fn keep(row: u32, texel: u32, value: vec4<f32>, next: vec4<f32>) {
    let at = row * ROW_PIXELS + 4u * texel;
    pairs[at] = real2(value.xy);
    pairs[at + 1u] = real2(value.yz);
    pairs[at + 2u] = real2(value.zw);
    pairs[at + 3u] = real2(vec2(value.w, next.x));
}

// What products are added to: sums of 8 maps over up to TURN_ROWS rows of a filter.
struct Products {
    a: mat4x2<f16>,
    b: mat4x2<f16>,
}

const TURN_ROWS: u32 = 3u;

fn outer(pair: real2, w: real4) -> mat4x2<f16> {
    return mat4x2<f16>(pair * w.x, pair * w.y, pair * w.z, pair * w.w);
}

// The sums of 8 maps of layer 1, for the pair whose first tap is at an even column and a row. Weights begin at `tap`.
fn layer1(first: vec2<u32>, tap: u32) -> Eight {
    let at = first.y * ROW_PIXELS + first.x;
    var sums = Eight();
    for (var i = 0u; i + TURN_ROWS <= FILTER; i += TURN_ROWS) {
        add_turn(&sums, at + i * ROW_PIXELS, tap + i * 2u * FILTER, TURN_ROWS);
    }
    let left = FILTER % TURN_ROWS;
    if left > 0u {
        add_turn(&sums, at + (FILTER - left) * ROW_PIXELS, tap + (FILTER - left) * 2u * FILTER, left);
    }
    return sums;
}

fn add_turn(sums: ptr<function, Eight>, at: u32, tap: u32, rows: u32) {
    var turn = Products();
    add_row(&turn, at, tap);
    if rows > 1u {
        add_row(&turn, at + ROW_PIXELS, tap + 2u * FILTER);
    }
    if rows > 2u {
        add_row(&turn, at + 2u * ROW_PIXELS, tap + 4u * FILTER);
    }
    (*sums).a += single(turn.a);
    (*sums).b += single(turn.b);
}

// Adds what a row of f1 taps adds to 8 maps of layer 1: pixels from `at` on, weights from `tap` on.
fn add_row(sums: ptr<function, Products>, at: u32, tap: u32) {
    add_tap(sums, pairs[at], tap);
    if FILTER > 1u {
        add_tap(sums, pairs[at + 1u], tap + 2u);
        add_tap(sums, pairs[at + 2u], tap + 4u);
    }
    if FILTER > 3u {
        add_tap(sums, pairs[at + 3u], tap + 6u);
        add_tap(sums, pairs[at + 4u], tap + 8u);
    }
    if FILTER > 5u {
        add_tap(sums, pairs[at + 5u], tap + 10u);
        add_tap(sums, pairs[at + 6u], tap + 12u);
    }
    if FILTER > 7u {
        add_tap(sums, pairs[at + 7u], tap + 14u);
        add_tap(sums, pairs[at + 8u], tap + 16u);
    }
}

fn single(sums: mat4x2<f16>) -> mat4x2<f32> {
    return mat4x2<f32>(vec2<f32>(sums[0]), vec2<f32>(sums[1]), vec2<f32>(sums[2]), vec2<f32>(sums[3]));
}

// Two groups of maps of layer 1, whose products with a column are summed in half precision.
struct Factors {
    first: Products,
    second: Products,
}

const GROUPS_AT_ONCE: u32 = 2u;

// Adds what two groups of layer 1 add to 4 maps of layer 2. The weights of the first map are at `at`.
fn add_to_four(before: mat4x2<f32>, f1: Factors, at: u32) -> mat4x2<f32> {
    return before + single(add_products(add_products(mat4x2<f16>(), f1.first, at), f1.second, at + GROUP));
}

fn add_products(before: mat4x2<f16>, f1: Products, at: u32) -> mat4x2<f16> {
    var sums = before + outer(f1.a[0], weights[at]);
    sums += outer(f1.a[1], weights[at + 2u * BLOCKS8]);
    sums += outer(f1.a[2], weights[at + 4u * BLOCKS8]);
    sums += outer(f1.a[3], weights[at + 6u * BLOCKS8]);
    sums += outer(f1.b[0], weights[at + 8u * BLOCKS8]);
    sums += outer(f1.b[1], weights[at + 10u * BLOCKS8]);
    sums += outer(f1.b[2], weights[at + 12u * BLOCKS8]);
    sums += outer(f1.b[3], weights[at + 14u * BLOCKS8]);
    return sums;
}

// The maps of two groups.
fn factors(first: vec2<u32>, m: vec2<f32>, base: u32) -> Factors {
    let one = group_sums(first, m, base);
    let two = group_sums(first, m, base + GROUP);
    return Factors(Products(halves(one.a), halves(one.b)), Products(halves(two.a), halves(two.b)));
}

fn halves(sums: mat4x2<f32>) -> mat4x2<f16> {
    let zero = real2(0.0);
    return mat4x2<f16>(
        max(real2(sums[0]), zero),
        max(real2(sums[1]), zero),
        max(real2(sums[2]), zero),
        max(real2(sums[3]), zero),
    );
}

// Of `count` biases in vec4s, their rounded values come first and then their rounding errors.
fn bias(at: u32, count: u32) -> vec4<f32> {
    return vec4<f32>(weights[at]) + vec4<f32>(weights[at + count]);
}

// Not max, which turns NaN into 0: maps of layer 1 that overflow have to show in the result.
fn relu_one(pair: vec2<f32>) -> vec2<f32> {
    return select(pair, vec2(0.0), pair < vec2(0.0));
}
