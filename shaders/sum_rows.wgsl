// The end of layer 3 (equation 3), after conv_first.wgsl or conv_wide.wgsl:
//
//   output[y, x] = B3 + m(y, x) sum over i of P[i, y + i, x]
//
// P is what each texel of a row adds to itself (planes 2 i) and to 2 columns on either side (planes 2 i + 1: the two
// columns before it, then the two after it). m is 1, or with NORMALIZED the valid-pixel map of conv_forward.wgsl.
// One invocation owns 4 pixels of a row, a texel. Grid: x = columns / 4, y = rows.
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
    let texel = vec2<i32>(id.xy);
    if any(texel * vec2(4, 1) >= region.size) {
        return;
    }
    let column = texel.x + region.source.x / 4;
    // Texels out of range affect only columns outside the region.
    let left = max(column - 1, 0);
    let right = min(column + 1, i32(region.input_texels) - 1);
    var sum = vec4(0.0);
    for (var i = 0u; i < FILTER_3; i++) {
        let row = texel.y + i32(i) + region.source.y - i32(FILTER_3 / 2u);
        let main = input_plane(2u * i) + vec2(column, row);
        let sides = input_plane(2u * i + 1u) + vec2(0, row);
        var before = vec2(0.0);
        var after = vec2(0.0);
        if FILTER_3 > 1u {
            before = textureLoad(input, sides + vec2(left, 0), 0).zw;
            after = textureLoad(input, sides + vec2(right, 0), 0).xy;
        }
        if FILTER_3 == 3u {
            // The other column is out of reach, and the texel that would add to it may not exist.
            before.y = 0.0;
            after.x = 0.0;
        }
        sum += textureLoad(input, main, 0);
        sum += vec4(before, after);
    }
    if NORMALIZED {
        let position = region.origin + texel * vec2(4, 1);
        let x = clamp(position.x + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
        let columns = vec4(valid_map[x.x], valid_map[x.y], valid_map[x.z], valid_map[x.w]);
        sum *= columns * valid_map[region.picture.x + position.y];
    }
    textureStore(output, output_plane(0u) + texel, sum + bias.x);
}
