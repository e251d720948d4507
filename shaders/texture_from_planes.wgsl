// Writes the result into a part of the target texture: the network's planes F(Y) in place of the first bicubic ones,
// the others as bicubic left them; alpha is the fourth plane, or 1.
//
// With YCBCR the planes are converted to red, green and blue by the inverse of `resample_rows`. Float targets get the
// values unclamped; shared/target_*.wgsl declares the texture, one file a format.
// One invocation owns one pixel. Grid: x = columns, y = rows.

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;
override YCBCR: bool = true;
override NETWORK_PLANES: u32 = 1u;

@group(0) @binding(1) var network: texture_2d<f32>;
@group(0) @binding(2) var bicubic: texture_2d<f32>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let position = vec2<i32>(id.xy);
    if any(position >= region.size) {
        return;
    }
    let own = position + region.source;
    let around = position + region.halo;
    var texel = vec4(0.0, 0.0, 0.0, 1.0);
    for (var plane = 0u; plane < region.planes; plane++) {
        if plane < NETWORK_PLANES {
            let at = input_plane(plane) + vec2(own.x / 4, own.y);
            texel[plane] = textureLoad(network, at, 0)[own.x % 4];
        } else {
            let at = output_plane(plane) + vec2(around.x / 4, around.y);
            texel[plane] = textureLoad(bicubic, at, 0)[around.x % 4];
        }
    }
    if YCBCR {
        // The inverse of the matrix of rgb2ycbcr, times 255.
        let ycbcr = texel.xyz - vec3(16.0, 128.0, 128.0) / 255.0;
        texel = vec4(
            dot(ycbcr, vec3(1.1643835616438356, 3.0112439743723867e-07, 1.596026887335704)),
            dot(ycbcr, vec3(1.1643835616438356, -0.39176253994145005, -0.8129682921622052)),
            dot(ycbcr, vec3(1.1643835616438356, 2.0172326395564593, 3.054261745434849e-06)),
            texel.a,
        );
    }
    textureStore(target_texture, region.offset + position, texel);
}
