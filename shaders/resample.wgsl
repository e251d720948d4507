// Bicubic resampling of one axis, equal to MATLAB's imresize (see src/resample.rs):
//
//   output[c, y, x] = sum over taps t of weight[x, t] input[c, y, index[x, t]]     (columns; rows likewise)
//
// Axes: input and output [planes][rows][columns]. The taps come from a table made on the host, addressed by picture
// coordinates, so that a tile reads what the whole picture would. Positions outside the picture are left alone.
// One invocation owns one output element. Grid: x = columns, y = rows, z = planes.

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;
// Whether rows are resampled, or columns.
override ROWS: bool = false;

@group(0) @binding(1) var<storage, read> taps: array<vec2<u32>>; // [output samples][region.taps] of (index, bits of the weight)
@group(0) @binding(2) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let position = region.origin + vec2<i32>(id.xy);
    let sample = select(position.x, position.y, ROWS);
    let samples = select(region.picture.x, region.picture.y, ROWS);
    if id.x >= region.size.x || id.y >= region.size.y || sample < 0 || sample >= samples {
        return;
    }
    let first = select(region.offset.x, region.offset.y, ROWS);
    let step = select(1u, region.input_stride, ROWS);
    let start = id.z * region.input_plane + select(id.y * region.input_stride, id.x, ROWS);
    var sum = 0.0;
    for (var t = 0u; t < region.taps; t++) {
        let tap = taps[u32(sample) * region.taps + t];
        sum += bitcast<f32>(tap.y) * input[start + u32(i32(tap.x) - first) * step];
    }
    output[id.z * region.output_plane + id.y * region.output_stride + id.x] = sum;
}
