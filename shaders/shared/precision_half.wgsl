// conv_forward.wgsl in half precision: filters, products, sums over BLOCK channels, and the maps written. The input may
// have either precision.
alias real4 = vec4<f16>;
alias real4x4 = mat4x4<f16>;

// A storage buffer: in a uniform buffer, vec4s of 16 bits would be padded.
@group(0) @binding(1) var<storage, read> weights: array<real4>;
@group(0) @binding(4) var output: texture_storage_2d<rgba16float, write>;

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
