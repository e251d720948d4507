// Lays a layer's parameters out for convolutions: chunks of groups of [biases, then taps as c, i, j][outputs].
//
// Forward, output planes are the filters. Transposed, for the gradient of the input, output planes are the inputs, taps
// are flipped on both axes and biases are zero. Taps begin `shift` columns late so that reads are aligned to texels.
// With `output_rows` = 4, the 4 outputs of a group are one filter, moved down by 0 to 3 rows.
//
// One invocation owns every n-th value, where n is the number of invocations.

override WORKGROUP: u32 = 64u;

// Outputs of a group.
const OUTPUTS: u32 = 4u;

// Mirrors `Packing` in src/train/gpu/pack.rs.
struct Packing {
    weight_start: u32,
    bias_start: u32,
    filters: u32,
    inputs: u32,
    size: u32,
    // Taps of a row, including those that are zero.
    columns: u32,
    shift: u32,
    output_rows: u32,
    chunk_groups: u32,
    // Lengths of a group and of a chunk in floats, padded with zeros.
    group_length: u32,
    chunk_length: u32,
    length: u32,
    // Where this begins in the buffer.
    start: u32,
    transposed: u32,
}

@group(0) @binding(0) var<uniform> packing: Packing;
@group(0) @binding(1) var<storage, read> parameters: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    for (var i = id.x; i < packing.length; i += workgroups.x * WORKGROUP) {
        packed[packing.start + i] = value(i);
    }
}

fn value(index: u32) -> f32 {
    let p = packing;
    let transposed = p.transposed != 0u;
    let planes = select(vec2(p.filters, p.inputs), vec2(p.inputs, p.filters), transposed); // output, input
    let taps = vec2(p.columns, p.size + p.output_rows - 1u); // columns, rows

    let in_chunk = index % p.chunk_length;
    let group = in_chunk / p.group_length;
    let in_group = in_chunk % p.group_length;
    let output = in_group % OUTPUTS;
    let plane = (index / p.chunk_length * p.chunk_groups + group) * (OUTPUTS / p.output_rows) + output / p.output_rows;
    if group >= p.chunk_groups || plane >= planes.x {
        return 0.0;
    }
    if in_group < OUTPUTS {
        return select(parameters[p.bias_start + min(plane, p.filters - 1u)], 0.0, transposed);
    }
    let tap = in_group / OUTPUTS - 1u;
    let c = tap / (taps.x * taps.y);
    let i = i32(tap / taps.x % taps.y) - i32(output % p.output_rows);
    let j = i32(tap % taps.x) - i32(p.shift);
    let size = i32(p.size);
    if c >= planes.y || i < 0 || i >= size || j < 0 || j >= size {
        return 0.0;
    }
    let weight = select(
        ((plane * p.inputs + c) * p.size + u32(i)) * p.size + u32(j),
        ((c * p.inputs + plane) * p.size + u32(size - 1 - i)) * p.size + u32(size - 1 - j),
        transposed,
    );
    return parameters[p.weight_start + weight];
}
