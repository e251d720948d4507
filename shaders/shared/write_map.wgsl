// The end of a training convolution: stores 4 pixels of plane n of the output, after valid-pixel map, bias, ReLU and
// gate as conv_batch.wgsl describes them. Stores nothing where a tile extends past the plane.
//#import batch_layout
//#import read_gate

fn write_map(sum: vec4<f32>, bias: f32, n: u32, at: Texel) {
    if !at.wanted || n >= PLANES || at.texel * 4 >= i32(OUTPUT.width) || at.row >= i32(OUTPUT.height) {
        return;
    }
    var value = sum / valid_share(OUTPUT, NORMALIZED, at.texel, at.row) + bias;
    if RELU {
        value = max(value, vec4(0.0));
    }
    if GATED {
        let positive = read_gate(texel_address(GATE, n, at.sub_image, at.texel, at.row)) > vec4(0.0);
        value = select(vec4(0.0), value, positive);
    }
    let address = texel_address(OUTPUT, n, at.sub_image, at.texel, at.row);
    textureStore(output, address, inside(OUTPUT, at.texel, value));
}
