// The second half of bicubic resampling, the rows: the planes of Y (section 3.1).
//
//   output[plane, y, x] = sum over taps t of weight[y, t] input[plane, index[y, t], x]
//
// Positions outside the picture get what the padding of the first layer needs: PADDING.
//
// One invocation owns 4 pixels of a row, all planes. Grid: x = columns / 4, y = rows. Prelude: PADDING.
//#import padding
//#import region

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;

@group(0) @binding(1) var<storage, read> taps: array<vec2<u32>>; // [picture rows][taps], index and bits of the weight
@group(0) @binding(2) var input: texture_2d<f32>; // planes, as resample_columns writes them
@group(0) @binding(3) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let position = vec2<i32>(i32(id.x) * 4, i32(id.y));
    if any(position >= region.size) {
        return;
    }
    let last = region.picture - 1 - region.origin;
    let inside = clamp(position.y, -region.origin.y, last.y);
    let first = u32(region.origin.y + inside) * region.terms;
    let columns = position.x + vec4(0, 1, 2, 3);
    let outside = (columns < vec4(-region.origin.x)) | (columns > vec4(last.x)) | vec4<bool>(inside != position.y);
    for (var plane = 0u; plane < region.output.planes; plane++) {
        let start = input_plane(plane) + vec2(i32(id.x), -region.source_start.y);
        var sum = vec4(0.0);
        for (var t = 0u; t < region.terms; t++) {
            let tap = taps[first + t];
            sum += bitcast<f32>(tap.y) * textureLoad(input, start + vec2(0, i32(tap.x)), 0);
        }
        if PADDING == PADDING_ZERO {
            sum = select(sum, vec4(0.0), outside);
        }
        textureStore(output, output_plane(plane) + vec2<i32>(id.xy), sum);
    }
}
