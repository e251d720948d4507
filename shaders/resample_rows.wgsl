// The second half of bicubic resampling, the rows, and from texels to the planes of Y (section 3.1):
//
//   texel[y, x] = sum over taps t of weight[y, t] input[index[y, t], x]
//   output[plane, y, x] = texel[y, x][plane]
//
// With YCBCR, red, green and blue become luminance and chrominance as MATLAB's rgb2ycbcr (BT.601, all in 0..1):
// Y in 16/255..235/255, Cb and Cr around 128/255; that is linear and so commutes with resampling.
// Positions outside the picture get what the padding of the first layer needs: PADDING.
// One invocation owns 4 pixels of a row, all planes. Grid: x = columns / 4, y = rows.
//
// Prelude: PADDING.

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;
override YCBCR: bool = true;

@group(0) @binding(1) var<storage, read> taps: array<vec2<u32>>; // [picture rows][taps] of (index, bits of the weight)
@group(0) @binding(2) var input: texture_2d<f32>; // a texel a pixel, as resample_columns writes it
@group(0) @binding(3) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let position = vec2<i32>(i32(id.x) * 4, i32(id.y));
    if any(position >= region.size) {
        return;
    }
    let last = region.picture - 1 - region.origin;
    let inside = clamp(position.y, -region.origin.y, last.y);
    let columns = clamp(position.x + vec4(0, 1, 2, 3), vec4(-region.origin.x), vec4(last.x));
    var texels = mat4x4<f32>();
    for (var t = 0u; t < region.taps; t++) {
        let tap = taps[u32(region.origin.y + inside) * region.taps + t];
        let weight = bitcast<f32>(tap.y);
        let row = i32(tap.x) - region.offset.y;
        texels += mat4x4<f32>(
            weight * textureLoad(input, vec2(columns.x, row), 0),
            weight * textureLoad(input, vec2(columns.y, row), 0),
            weight * textureLoad(input, vec2(columns.z, row), 0),
            weight * textureLoad(input, vec2(columns.w, row), 0),
        );
    }
    if YCBCR {
        texels = mat4x4(ycbcr(texels[0]), ycbcr(texels[1]), ycbcr(texels[2]), ycbcr(texels[3]));
    }
    if PADDING == PADDING_ZERO {
        let outside = (columns != position.x + vec4(0, 1, 2, 3)) | vec4<bool>(inside != position.y);
        texels = mat4x4(
            select(texels[0], vec4(0.0), outside.x),
            select(texels[1], vec4(0.0), outside.y),
            select(texels[2], vec4(0.0), outside.z),
            select(texels[3], vec4(0.0), outside.w),
        );
    }
    let planes = transpose(texels);
    for (var plane = 0u; plane < region.planes; plane++) {
        textureStore(output, output_plane(plane) + vec2(position.x / 4, position.y), planes[plane]);
    }
}
