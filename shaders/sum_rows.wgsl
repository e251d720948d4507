// The end of layer 3 (equation 3), after conv_fused.wgsl:
//
//   output[y, x] = B3 + m(y, x) sum over i of P[i, y + i, x]
//
// P comes as what each 4 columns add to themselves (planes 2 i) and to 2 columns on either side (planes 2 i + 1: columns
// -2 -1 4 5). m is 1, or with NORMALIZED the valid-pixel map of conv_forward.wgsl.
// One invocation owns 4 pixels of a row. Grid: x = columns / 4, y = rows.
//
// Prelude: FILTER_3 (f3), NORMALIZED.

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;

@group(0) @binding(1) var<uniform> bias: vec4<f32>; // B3 in x
@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // [picture columns + picture rows]
@group(0) @binding(3) var input: texture_2d<f32>;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let position = vec2<i32>(i32(id.x) * 4, i32(id.y));
    if any(position >= region.size) {
        return;
    }
    let texel = vec2<i32>(id.xy) + vec2(region.source.x / 4, 0);
    // Texels that there are not add to columns that are not wanted.
    let left = max(texel.x - 1, 0);
    let right = min(texel.x + 1, i32(region.input_texels) - 1);
    var sum = vec4(0.0);
    for (var i = 0u; i < FILTER_3; i++) {
        let row = texel.y + i32(i);
        let main = input_plane(2u * i) + vec2(0, row);
        let sides = input_plane(2u * i + 1u) + vec2(0, row);
        sum += textureLoad(input, main + vec2(texel.x, 0), 0);
        if FILTER_3 > 1u {
            sum += vec4(
                textureLoad(input, sides + vec2(left, 0), 0).zw,
                textureLoad(input, sides + vec2(right, 0), 0).xy,
            );
        }
    }
    if NORMALIZED {
        let x = clamp(region.origin.x + position.x + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
        let columns = vec4(valid_map[x.x], valid_map[x.y], valid_map[x.z], valid_map[x.w]);
        sum *= columns * valid_map[region.picture.x + region.origin.y + position.y];
    }
    textureStore(output, output_plane(0u) + vec2<i32>(id.xy), sum + bias.x);
}
