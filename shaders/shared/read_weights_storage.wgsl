// Weights in a texture, read as in read_input_storage.wgsl.
fn read_weights(at: vec2<i32>) -> vec4<f32> {
    return textureLoad(weights, at);
}
