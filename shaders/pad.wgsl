// Puts values outside the picture into a layer's input, in place: planes [planes][rows][columns].
//
//   replicate:         planes[c, y, x] = planes[c, clamp(y), clamp(x)]
//   zero, normalized:  planes[c, y, x] = 0
//
// for positions outside the picture only; nothing inside is written, so that the order of invocations is free.
// One invocation owns one element. Grid: x = columns, y = rows, z = planes.

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;
override REPLICATE: bool = true;

@group(0) @binding(1) var<storage, read_write> planes: array<f32>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= region.size.x || id.y >= region.size.y {
        return;
    }
    let position = region.origin + vec2<i32>(id.xy);
    let inside = clamp(position, vec2(0), region.picture - 1);
    if all(position == inside) {
        return;
    }
    let plane = id.z * region.output_plane;
    var value = 0.0;
    if REPLICATE {
        let nearest = vec2<u32>(inside - region.origin);
        value = planes[plane + nearest.y * region.output_stride + nearest.x];
    }
    planes[plane + id.y * region.output_stride + id.x] = value;
}
