// conv_forward.wgsl in single precision.
//#import weights
//#import products_single

alias real4 = vec4<f32>;
alias real4x4 = mat4x4<f32>;
alias Turn = Sums;

@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

fn stored(value: vec4<f32>) -> vec4<f32> {
    return value;
}

fn bias(at: u32, output: u32) -> f32 {
    return weights[at][output];
}
