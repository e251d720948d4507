// The gate of conv_batch.wgsl and conv_pointwise.wgsl, read as in read_input_storage.wgsl.
fn read_gate(at: vec2<i32>) -> vec4<f32> {
    return textureLoad(gate, at);
}
