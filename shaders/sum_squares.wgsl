// The end of layer 3 (equation 3), after conv_winograd.wgsl:
//
//   output[y, x] = B3 + m(y, x) sum over squares of what each adds to (y, x)
//
// The input has what each square of 4 x 4 pixels adds to itself (plane 0), to columns -2 -1 4 5 (plane 1), to rows -2 -1 4 5
// (plane 2), and to both (plane 3). m is 1, or with NORMALIZED the valid-pixel map of conv_forward.wgsl.
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
    let at = texel + region.source / vec2(4, 1);
    var sum = textureLoad(input, input_plane(0u) + at, 0);
    if FILTER_3 > 1u {
        // Rows 0 and 1 of a square get rows 4 and 5 of the one above, rows 2 and 3 get -2 and -1 of the one below. Squares
        // that there are not add to pixels that are not wanted.
        let last = vec2<i32>(vec2(region.input_texels, region.input_rows)) - 1;
        let beside = clamp(at.y + select(-2, 2, at.y % 4 >= 2), 0, last.y);
        sum += textureLoad(input, input_plane(2u) + vec2(at.x, beside), 0);
        let left = max(at.x - 1, 0);
        let right = min(at.x + 1, last.x);
        sum += vec4(sides(left, at.y, beside).zw, sides(right, at.y, beside).xy);
    }
    if NORMALIZED {
        let position = region.origin + texel * vec2(4, 1);
        let x = clamp(position.x + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
        let columns = vec4(valid_map[x.x], valid_map[x.y], valid_map[x.z], valid_map[x.w]);
        sum *= columns * valid_map[region.picture.x + position.y];
    }
    textureStore(output, output_plane(0u) + texel, sum + bias.x);
}

fn sides(x: i32, y: i32, beside: i32) -> vec4<f32> {
    return textureLoad(input, input_plane(1u) + vec2(x, y), 0) + textureLoad(input, input_plane(3u) + vec2(x, beside), 0);
}
