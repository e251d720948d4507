// The first half of bicubic resampling, equal to MATLAB's imresize (see src/resample.rs): the columns.
//
//   output[y, x] = sum over taps t of weight[x, t] source[y, index[x, t]]
//
// Texels are red, green, blue and alpha (or the network's channels), taken as they are stored: a view with an sRGB
// format would hand over linear light, which the networks are not trained on. The taps come from a table made on the
// host, addressed by picture coordinates, so that a tile reads what the whole picture would.
// One invocation owns one texel. Grid: x = columns, y = rows of the source.

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;

@group(0) @binding(1) var<storage, read> taps: array<vec2<u32>>; // [picture columns][taps] of (index, bits of the weight)
@group(0) @binding(2) var source: texture_2d<f32>;
@group(0) @binding(3) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let position = vec2<i32>(id.xy);
    let x = region.origin.x + position.x;
    if any(position >= region.size) || x < 0 || x >= region.picture.x {
        return;
    }
    var sum = vec4(0.0);
    for (var t = 0u; t < region.taps; t++) {
        let tap = taps[u32(x) * region.taps + t];
        let column = region.source.x + i32(tap.x) - region.offset.x;
        sum += bitcast<f32>(tap.y) * textureLoad(source, vec2(column, region.source.y + position.y), 0);
    }
    textureStore(output, position, sum);
}
