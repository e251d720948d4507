// The transfer function of sRGB (IEC 61966-2-1), mirrored below 0 and continued above 1: from linear light to the
// gamma-encoded values that picture files hold and networks are trained on, and back.
fn encode(light: vec3<f32>) -> vec3<f32> {
    let size = abs(light);
    let curve = 1.055 * pow(size, vec3(1.0 / 2.4)) - 0.055;
    return sign(light) * select(curve, 12.92 * size, size <= vec3(0.0031308));
}

fn decode(value: vec3<f32>) -> vec3<f32> {
    let size = abs(value);
    let curve = pow((size + 0.055) / 1.055, vec3(2.4));
    return sign(value) * select(curve, size / 12.92, size <= vec3(0.04045));
}
