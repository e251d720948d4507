// Appended to the convolutions of training: what becomes of a sum. Four pixels of plane n of the output, through the
// valid-pixel map, bias, ReLU and gate as conv_batch.wgsl describes them; nothing where a tile ends past the plane.
fn write_map(sum: vec4<f32>, bias: f32, n: u32, sub_image: u32, texel: i32, row: i32) {
    if n >= PLANES || texel * 4 >= i32(OUTPUT.width) || row >= i32(OUTPUT.height) {
        return;
    }
    var value = sum / valid_share(OUTPUT, NORMALIZED, texel, row) + bias;
    if RELU {
        value = max(value, vec4(0.0));
    }
    if GATED {
        let positive = textureLoad(gate, place(GATE, n, sub_image, texel, row), 0) > vec4(0.0);
        value = select(vec4(0.0), value, positive);
    }
    textureStore(output, place(OUTPUT, n, sub_image, texel, row), inside(OUTPUT, texel, value));
}
