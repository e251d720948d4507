// The low-resolution luminance, as conv_fold.wgsl reads it: 4 pixels of a row a texel.
//
//   output[y, x] = Y of source[y, x], or its red where that is luminance already
//
// Pixels beyond the part of the picture that the source holds repeat its edge; they are not used.
// One invocation owns 4 pixels of a row. Grid: x = columns / 4, y = rows.

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;
override YCBCR: bool = true;

@group(0) @binding(1) var source: texture_2d<f32>;
@group(0) @binding(2) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let position = vec2<i32>(i32(id.x) * 4, i32(id.y));
    if any(position >= region.size) {
        return;
    }
    let at = region.origin - region.offset + position;
    let value = vec4(luminance(at), luminance(at + vec2(1, 0)), luminance(at + vec2(2, 0)), luminance(at + vec2(3, 0)));
    textureStore(output, vec2<i32>(id.xy), value);
}

fn luminance(at: vec2<i32>) -> f32 {
    let texel = textureLoad(source, region.source + clamp(at, vec2(0), region.picture - 1), 0);
    if YCBCR {
        return ycbcr(texel).x;
    }
    return texel.x;
}
