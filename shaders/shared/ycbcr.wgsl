// Red, green and blue to luminance and chrominance as in MATLAB's rgb2ycbcr (BT.601, all values in 0..1).
fn ycbcr(texel: vec4<f32>) -> vec4<f32> {
    let rgb = texel.rgb / 255.0;
    return vec4(
        16.0 / 255.0 + dot(rgb, vec3(65.481, 128.553, 24.966)),
        128.0 / 255.0 + dot(rgb, vec3(-37.797, -74.203, 112.0)),
        128.0 / 255.0 + dot(rgb, vec3(112.0, -93.786, -18.214)),
        texel.a,
    );
}
