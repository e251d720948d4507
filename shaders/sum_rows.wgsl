// The end of layer 3 (equation 3), after conv_first.wgsl, conv_wide.wgsl or conv_fold.wgsl:
//
//   output[y, x] = B3 + m(y, x) sum over i of P[i, y + i, x]
//
// P comes as what each group of GROUP texels of a row adds to itself (planes 2 i) and to 2 columns on either side (planes
// 2 i + 1, a texel a group: the two columns before it and the two behind it). m is 1, or with NORMALIZED the valid-pixel
// map of conv_forward.wgsl.
// One invocation owns a group. Grid: x = columns / (4 GROUP), y = rows.
//
// Prelude: FILTER_3 (f3), GROUP (1 to 4), NORMALIZED.

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;

@group(0) @binding(1) var<uniform> bias: vec4<f32>; // B3 in x
@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // [picture columns + picture rows]
@group(0) @binding(3) var input: texture_2d<f32>;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let texel = vec2<i32>(i32(id.x * GROUP), i32(id.y));
    if any(texel * vec2(4, 1) >= region.size) {
        return;
    }
    let group = i32(id.x) + region.source.x / i32(4u * GROUP);
    // Groups that there are not add to columns that are not wanted.
    let left = max(group - 1, 0);
    let right = min(group + 1, i32(region.input_texels / GROUP) - 1);
    var a = vec4(0.0);
    var b = vec4(0.0);
    var c = vec4(0.0);
    var d = vec4(0.0);
    for (var i = 0u; i < FILTER_3; i++) {
        let row = texel.y + i32(i) + region.source.y - i32(FILTER_3 / 2u);
        let main = input_plane(2u * i) + vec2(group * i32(GROUP), row);
        let sides = input_plane(2u * i + 1u) + vec2(0, row);
        var before = vec2(0.0);
        var behind = vec2(0.0);
        if FILTER_3 > 1u {
            before = textureLoad(input, sides + vec2(left, 0), 0).zw;
            behind = textureLoad(input, sides + vec2(right, 0), 0).xy;
        }
        if FILTER_3 == 3u {
            // The other column is out of reach, and the group that would add to it may not be there.
            before.y = 0.0;
            behind.x = 0.0;
        }
        a += textureLoad(input, main, 0);
        if GROUP == 1u {
            a += vec4(before, behind);
        } else {
            a += vec4(before, 0.0, 0.0);
        }
        if GROUP > 1u {
            b += textureLoad(input, main + vec2(1, 0), 0);
            b += select(vec4(0.0), vec4(0.0, 0.0, behind), GROUP == 2u);
        }
        if GROUP > 2u {
            c += textureLoad(input, main + vec2(2, 0), 0);
            c += select(vec4(0.0), vec4(0.0, 0.0, behind), GROUP == 3u);
        }
        if GROUP > 3u {
            d += textureLoad(input, main + vec2(3, 0), 0);
            d += vec4(0.0, 0.0, behind);
        }
    }
    store(a, texel);
    if GROUP > 1u {
        store(b, texel + vec2(1, 0));
    }
    if GROUP > 2u {
        store(c, texel + vec2(2, 0));
    }
    if GROUP > 3u {
        store(d, texel + vec2(3, 0));
    }
}

fn store(sums: vec4<f32>, texel: vec2<i32>) {
    var sum = sums;
    if NORMALIZED {
        let position = region.origin + texel * vec2(4, 1);
        let x = clamp(position.x + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
        let columns = vec4(valid_map[x.x], valid_map[x.y], valid_map[x.z], valid_map[x.w]);
        sum *= columns * valid_map[region.picture.x + position.y];
    }
    textureStore(output, output_plane(0u) + texel, sum + bias.x);
}
