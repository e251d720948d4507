// The first half of bicubic resampling, equal to MATLAB's imresize (src/resample.rs): the columns, and from texels to
// planes (section 3.1).
//
//   texel[y, x] = sum over taps t of weight[x, t] source[y, index[x, t]]
//   output[plane, y, x] = texel[y, x][plane]
//
// Texels are red, green, blue and alpha (or the network's channels). Where they come as linear
// light, they are gamma-encoded first, since that is what the networks are trained on. The host's table of taps is addressed by
// picture coordinates, so a tile reads what the whole picture would. With YCBCR, red, green and blue become luminance
// and chrominance; that is linear and so commutes with resampling. Columns outside the picture get the nearest one
// inside.
//
// One invocation owns 4 pixels of a row, all planes. Grid: x = columns / 4, y = rows of the source.
//#import region
//#import ycbcr
//#import transfer

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;
override YCBCR: bool = true;
// 0: gamma-encoded values. 1: linear light. 2: linear light of 8-bit gamma-encoded values, from formats with sRGB; some
// devices decode these no better than that the nearest step is right.
override LIGHT: u32 = 0u;

@group(0) @binding(1) var<storage, read> taps: array<vec2<u32>>; // [picture columns][taps], index and bits of the weight
@group(0) @binding(2) var source: texture_2d<f32>;
@group(0) @binding(3) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let position = vec2<i32>(i32(id.x) * 4, i32(id.y));
    if any(position >= region.size) {
        return;
    }
    let columns = region.origin.x + position.x + vec4(0, 1, 2, 3);
    let first = vec4<u32>(clamp(columns, vec4(0), vec4(region.picture.x - 1))) * region.terms;
    var texels = mat4x4<f32>();
    for (var t = 0u; t < region.terms; t++) {
        texels += mat4x4(
            weighted(taps[first.x + t], position.y),
            weighted(taps[first.y + t], position.y),
            weighted(taps[first.z + t], position.y),
            weighted(taps[first.w + t], position.y),
        );
    }
    if YCBCR {
        texels = mat4x4(ycbcr(texels[0]), ycbcr(texels[1]), ycbcr(texels[2]), ycbcr(texels[3]));
    }
    let planes = transpose(texels);
    for (var plane = 0u; plane < region.output.planes; plane++) {
        textureStore(output, output_plane(plane) + vec2<i32>(id.xy), planes[plane]);
    }
}

fn weighted(tap: vec2<u32>, y: i32) -> vec4<f32> {
    let at = region.host_texel + vec2(i32(tap.x) - region.source_start.x, y);
    var texel = textureLoad(source, at, 0);
    if LIGHT > 0u {
        texel = vec4(encode(texel.rgb), texel.a);
    }
    if LIGHT == 2u {
        texel = vec4(floor(texel.rgb * 255.0 + 0.5) / 255.0, texel.a);
    }
    return bitcast<f32>(tap.y) * texel;
}
