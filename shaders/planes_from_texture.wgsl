// Reads a part of the source texture into planes: [planes][rows][columns].
//
// With YCBCR, red, green and blue become luminance and chrominance as MATLAB's rgb2ycbcr (BT.601, all in 0..1):
// Y in 16/255..235/255, Cb and Cr around 128/255. Alpha is the fourth plane. Texels are taken as they are stored:
// a view with an sRGB format would hand over linear light, which the networks are not trained on.
// One invocation owns one pixel. Grid: x = columns, y = rows.

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;
override YCBCR: bool = true;

@group(0) @binding(1) var source: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= region.size.x || id.y >= region.size.y {
        return;
    }
    var texel = textureLoad(source, region.offset + vec2<i32>(id.xy), 0);
    if YCBCR {
        let rgb = texel.rgb / 255.0;
        texel = vec4(
            16.0 / 255.0 + dot(rgb, vec3(65.481, 128.553, 24.966)),
            128.0 / 255.0 + dot(rgb, vec3(-37.797, -74.203, 112.0)),
            128.0 / 255.0 + dot(rgb, vec3(112.0, -93.786, -18.214)),
            texel.a,
        );
    }
    for (var plane = 0u; plane < region.planes; plane++) {
        output[plane * region.output_plane + id.y * region.output_stride + id.x] = texel[plane];
    }
}
