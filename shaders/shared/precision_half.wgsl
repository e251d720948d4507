// conv_forward.wgsl in half precision: filters, products, their sums in a turn of the inner loop, and the maps written. The
// input may have either precision.
//#import products_half
alias real4 = vec4<f16>;
alias real4x4 = mat4x4<f16>;

// A storage buffer: in a uniform buffer, vec4s of 16 bits would be padded.
@group(0) @binding(1) var<storage, read> weights: array<real4>;
@group(0) @binding(4) var output: texture_storage_2d<rgba16float, write>;

// As Sums.
struct Turn {
    a0: real4x4,
    b0: real4x4,
    c0: real4x4,
    d0: real4x4,
    a1: real4x4,
    b1: real4x4,
    a2: real4x4,
    b2: real4x4,
    a3: real4x4,
    b3: real4x4,
}

fn add(sums: ptr<function, Sums>, turn: Turn) {
    (*sums).a0 += single(turn.a0);
    (*sums).b0 += single(turn.b0);
    if PIXELS > 8u {
        (*sums).c0 += single(turn.c0);
        (*sums).d0 += single(turn.d0);
    }
    if OUTPUTS > 4u {
        (*sums).a1 += single(turn.a1);
        (*sums).b1 += single(turn.b1);
    }
    if OUTPUTS > 8u {
        (*sums).a2 += single(turn.a2);
        (*sums).b2 += single(turn.b2);
        (*sums).a3 += single(turn.a3);
        (*sums).b3 += single(turn.b3);
    }
}

fn single(sums: real4x4) -> mat4x4<f32> {
    return mat4x4<f32>(vec4<f32>(sums[0]), vec4<f32>(sums[1]), vec4<f32>(sums[2]), vec4<f32>(sums[3]));
}

// Rounds to what the texture holds. Drivers differ in how they do it, and some truncate, which darkens the whole
// result.
fn stored(value: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(vec4<f16>(value));
}

// A bias is stored as its rounded value, and the rounding error after it.
fn bias(at: u32, output: u32) -> f32 {
    return f32(weights[at][output]) + f32(weights[at + QUADS][output]);
}
