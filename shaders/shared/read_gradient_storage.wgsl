// The gradient of conv_grad_weight.wgsl and conv_grad_weight_pointwise.wgsl, read as in read_input_storage.wgsl.
fn read_gradient(at: vec2<i32>) -> vec4<f32> {
    return textureLoad(gradient, at);
}
