// The second half of a last layer with one filter (equation 3), for kernels that add up what neighboring pixels have
// contributed to each other: bindings, entry point, bias and valid-pixel map m.
//
//   output[y, x] = B3 + m(y, x) contributions(y, x)
//
// One invocation owns 4 pixels of a row, a texel. Grid: x = columns / 4, y = rows.
// The kernel defines `contributions(texel)`. Prelude: FILTER_3 (f3), NORMALIZED.
//#import region
//#import read_input
//#import valid_map

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;

@group(0) @binding(1) var<uniform> bias: vec4<f32>; // B3 in x
@group(0) @binding(3) var input: MapTexture;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let texel = vec2<i32>(id.xy);
    if any(texel * vec2(4, 1) >= region.size) {
        return;
    }
    var sum = contributions(texel);
    if NORMALIZED {
        sum *= valid_columns(4 * texel.x) * valid_row(texel.y);
    }
    textureStore(output, output_plane(0u) + texel, sum + bias.x);
}
