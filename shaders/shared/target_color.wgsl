// From the planes of a pixel to what is stored in the target texture. With YCBCR, planes are converted to red, green and
// blue by the inverse of resample_columns.wgsl.
//#import transfer

override YCBCR: bool = true;
// 0: gamma-encoded values. 1: linear light. 2: linear light of the nearest of 256 gamma-encoded values, for formats that
// encode it again to 8 bits: so the device has nothing left to round.
override LIGHT: u32 = 0u;

fn target_color(planes: vec4<f32>) -> vec4<f32> {
    var texel = planes;
    if YCBCR {
        // The inverse of rgb2ycbcr's matrix, times 255.
        let ycbcr = planes.xyz - vec3(16.0, 128.0, 128.0) / 255.0;
        texel = vec4(
            dot(ycbcr, vec3(1.1643835616438356, 3.0112439743723867e-07, 1.596026887335704)),
            dot(ycbcr, vec3(1.1643835616438356, -0.39176253994145005, -0.8129682921622052)),
            dot(ycbcr, vec3(1.1643835616438356, 2.0172326395564593, 3.054261745434849e-06)),
            planes.a,
        );
    }
    if LIGHT == 1u {
        texel = vec4(decode(texel.rgb), texel.a);
    }
    if LIGHT == 2u {
        let steps = floor(clamp(texel.rgb, vec3(0.0), vec3(1.0)) * 255.0 + 0.5);
        texel = vec4(decode(steps / 255.0), texel.a);
    }
    return texel;
}
