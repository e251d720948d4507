// Appended to the convolutions of training: what becomes of a sum. Four pixels of plane n of the output, through the
// valid-pixel map, bias, ReLU and gate as conv_batch.wgsl describes them; nothing where a tile ends past the plane.
fn write_map(sum: vec4<f32>, bias: f32, n: u32, at: Texel) {
    if !at.wanted || n >= PLANES || at.texel * 4 >= i32(OUTPUT.width) || at.row >= i32(OUTPUT.height) {
        return;
    }
    var value = sum / valid_share(OUTPUT, NORMALIZED, at.texel, at.row) + bias;
    if RELU {
        value = max(value, vec4(0.0));
    }
    if GATED {
        let positive = textureLoad(gate, place(GATE, n, at.sub_image, at.texel, at.row), 0) > vec4(0.0);
        value = select(vec4(0.0), value, positive);
    }
    let place = place(OUTPUT, n, at.sub_image, at.texel, at.row);
    textureStore(output, place, inside(OUTPUT, at.texel, value));
}
