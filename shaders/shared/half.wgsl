// conv_forward.wgsl in half precision: filters, products and their sums over BLOCK channels, and the maps written.
// The input may have any precision.
alias real4 = vec4<f16>;
alias real4x4 = mat4x4<f16>;

// vec4s of biases for 4 outputs: rounded, and then what rounding has left over.
const BIASES: u32 = 2u;

// A storage buffer: in a uniform one, the vec4s would not lie close together.
@group(0) @binding(1) var<storage, read> weights: array<real4>;
@group(0) @binding(4) var output: texture_storage_2d<rgba16float, write>;

fn single(sums: real4x4) -> mat4x4<f32> {
    return mat4x4<f32>(vec4<f32>(sums[0]), vec4<f32>(sums[1]), vec4<f32>(sums[2]), vec4<f32>(sums[3]));
}

// Rounded here: what drivers do with more bits than the texture holds differs, and some cut them off, which makes the
// whole result darker.
fn stored(value: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(vec4<f16>(value));
}

fn bias(at: u32, output: u32) -> f32 {
    return f32(weights[at][output]) + f32(weights[at + QUADS][output]);
}
