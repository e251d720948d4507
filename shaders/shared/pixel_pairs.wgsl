// Maps of conv_fused_workgroup.wgsl in registers: 2 pixels of each, in matrices whose columns are 4 maps. What depends on the
// precision is in shared/pair_products_single.wgsl and shared/pair_products_half.wgsl: pixels in the workgroup's memory, the types
// real2 and real4 of pixels and weights, and products. Prelude: FIRST_TAP, FILTER_3,
// BLOCKS8, BIAS_2, PADDING.
//#import padding
//#import pair_products

// 8 maps of layer 1.
struct Eight {
    a: mat4x2<f32>,
    b: mat4x2<f32>,
}

// Up to 32 maps of layer 2. Members that a network does not need cost no registers.
struct Maps {
    a: mat4x2<f32>,
    b: mat4x2<f32>,
    c: mat4x2<f32>,
    d: mat4x2<f32>,
    e: mat4x2<f32>,
    f: mat4x2<f32>,
    g: mat4x2<f32>,
    h: mat4x2<f32>,
}

// m sum + b.
fn biased(sum: mat4x2<f32>, m: vec2<f32>, b: vec4<f32>) -> mat4x2<f32> {
    return mat4x2(m * sum[0] + b.x, m * sum[1] + b.y, m * sum[2] + b.z, m * sum[3] + b.w);
}

fn relu(sum: mat4x2<f32>) -> mat4x2<f32> {
    return mat4x2(relu_one(sum[0]), relu_one(sum[1]), relu_one(sum[2]), relu_one(sum[3]));
}

// Adds what a tap, whose weights begin at `tap`, adds to 8 maps of layer 1.
fn add_tap(sums: ptr<function, Products>, pair: real2, tap: u32) {
    (*sums).a += outer(pair, weights[tap]);
    (*sums).b += outer(pair, weights[tap + 1u]);
}

// Maps of a group of layer 1 before max(0, x): for the pair whose first tap is at an even column and a row, weights from `base` on.
fn group_sums(first: vec2<u32>, m: vec2<f32>, base: u32) -> Eight {
    let sums = layer1(first, base + FIRST_TAP);
    return Eight(biased(sums.a, m, bias(base, 2u)), biased(sums.b, m, bias(base + 1u, 2u)));
}

// Adds what groups of layer 1 add to layer 2; their columns of W2 begin at `at`.
fn add_groups(maps: ptr<function, Maps>, f1: Factors, at: u32) {
    (*maps).a = add_to_four((*maps).a, f1, at);
    (*maps).b = add_to_four((*maps).b, f1, at + 1u);
    if BLOCKS8 > 1u {
        (*maps).c = add_to_four((*maps).c, f1, at + 2u);
        (*maps).d = add_to_four((*maps).d, f1, at + 3u);
    }
    if BLOCKS8 > 2u {
        (*maps).e = add_to_four((*maps).e, f1, at + 4u);
        (*maps).f = add_to_four((*maps).f, f1, at + 5u);
    }
    if BLOCKS8 > 3u {
        (*maps).g = add_to_four((*maps).g, f1, at + 6u);
        (*maps).h = add_to_four((*maps).h, f1, at + 7u);
    }
}

// Maps of layer 2 from their sums. `nearest` are the places in the pair of the pixels of the picture nearest to it, `outside`
// tells which lie outside.
fn finish(sums: Maps, nearest: vec2<i32>, outside: vec2<bool>) -> Maps {
    var maps = Maps();
    maps.a = finish_four(sums.a, nearest, outside, 0u);
    maps.b = finish_four(sums.b, nearest, outside, 1u);
    if BLOCKS8 > 1u {
        maps.c = finish_four(sums.c, nearest, outside, 2u);
        maps.d = finish_four(sums.d, nearest, outside, 3u);
    }
    if BLOCKS8 > 2u {
        maps.e = finish_four(sums.e, nearest, outside, 4u);
        maps.f = finish_four(sums.f, nearest, outside, 5u);
    }
    if BLOCKS8 > 3u {
        maps.g = finish_four(sums.g, nearest, outside, 6u);
        maps.h = finish_four(sums.h, nearest, outside, 7u);
    }
    return maps;
}

fn finish_four(sum: mat4x2<f32>, nearest: vec2<i32>, outside: vec2<bool>, at: u32) -> mat4x2<f32> {
    let four = relu(biased(sum, vec2(1.0), bias(BIAS_2 + at, 2u * BLOCKS8)));
    return mat4x2(
        finish_one(four[0], nearest, outside),
        finish_one(four[1], nearest, outside),
        finish_one(four[2], nearest, outside),
        finish_one(four[3], nearest, outside),
    );
}

fn finish_one(pair: vec2<f32>, nearest: vec2<i32>, outside: vec2<bool>) -> vec2<f32> {
    if PADDING == PADDING_REPLICATE {
        return select(pair.xx, pair.yy, nearest == vec2(1));
    }
    if PADDING == PADDING_ZERO {
        return select(pair, vec2(0.0), outside);
    }
    return pair;
}

// What a pair adds to columns by a row of the last filter: columns -R and 1 - R, and so on by two.
struct Sides {
    left: vec2<f32>,
    middle: vec2<f32>,
    right: vec2<f32>,
}

// By the row whose weights begin at `row`.
fn row_of_layer3(maps: Maps, row: u32) -> Sides {
    // Tap j adds a pixel to the column f3 - 1 - j after the first.
    let last = over_maps(maps, row + (FILTER_3 - 1u) * 2u * BLOCKS8);
    let before_last = over_maps(maps, row + (FILTER_3 - 2u) * 2u * BLOCKS8);
    let third_last = over_maps(maps, row + (FILTER_3 - 3u) * 2u * BLOCKS8);
    var sides = Sides(last, third_last, vec2(0.0));
    sides.left.y += before_last.x;
    sides.middle.x += before_last.y;
    if FILTER_3 > 3u {
        let second = over_maps(maps, row + 2u * BLOCKS8);
        sides.right = over_maps(maps, row);
        sides.middle.y += second.x;
        sides.right.x += second.y;
    }
    return sides;
}

// The sum over all maps for the tap whose weights begin at `tap`.
fn over_maps(maps: Maps, tap: u32) -> vec2<f32> {
    var sum = over_four(vec2(0.0), maps.a, weights[tap]);
    sum = over_four(sum, maps.b, weights[tap + 1u]);
    if BLOCKS8 > 1u {
        sum = over_four(sum, maps.c, weights[tap + 2u]);
        sum = over_four(sum, maps.d, weights[tap + 3u]);
    }
    if BLOCKS8 > 2u {
        sum = over_four(sum, maps.e, weights[tap + 4u]);
        sum = over_four(sum, maps.f, weights[tap + 5u]);
    }
    if BLOCKS8 > 3u {
        sum = over_four(sum, maps.g, weights[tap + 6u]);
        sum = over_four(sum, maps.h, weights[tap + 7u]);
    }
    return sum;
}

fn over_four(before: vec2<f32>, maps: mat4x2<f32>, weights: real4) -> vec2<f32> {
    let w = vec4<f32>(weights);
    return before + maps[0] * w.x + maps[1] * w.y + maps[2] * w.z + maps[3] * w.w;
}
