// Lays a layer's parameters out for conv_batch_winograd.wgsl: the taps of each row of its 5 x 5 filters at the points of
// F(4, 5), U = G W, with the divisors of Lagrange interpolation.
//
// Forward, outputs are the filters. Transposed, for the gradient of the input, outputs are the inputs, taps are flipped on
// both axes and biases are zero.
//
// One invocation owns every n-th row of a filter, of 4 outputs for one input, where n is the number of invocations, and
// of a group's last row, past all inputs, the biases of 4 outputs.

override WORKGROUP: u32 = 64u;

// Size of the filters.
const SIZE: u32 = 5u;
// Points of F(4, 5).
const POINTS: u32 = 8u;
// Width of the texture of weights.
const WEIGHT_COLUMNS: u32 = 1024u;

// Mirrors `WinogradPacking` in src/train/gpu/winograd.rs.
struct Packing {
    weight_start: u32,
    bias_start: u32,
    filters: u32,
    inputs: u32,
    transposed: u32,
    // Groups, and blocks of 4 outputs in each.
    groups: u32,
    quads: u32,
    // Lengths of a group, of its biases, and of an input's weights, in vec4s.
    group: u32,
    biases: u32,
    input_weights: u32,
}

@group(0) @binding(0) var<uniform> packing: Packing;
@group(0) @binding(1) var<storage, read> parameters: array<f32>;
@group(0) @binding(2) var packed: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let inputs = select(packing.inputs, packing.filters, packing.transposed != 0u);
    let rows = inputs * SIZE + 1u;
    for (var k = id.x; k < packing.groups * packing.quads * rows; k += workgroups.x * WORKGROUP) {
        let group = k / (packing.quads * rows);
        let quad = k / rows % packing.quads;
        let n = 4u * (group * packing.quads + quad);
        let start = group * packing.group;
        let row = k % rows;
        if row == rows - 1u {
            store(start + quad, vec4(bias(n), bias(n + 1u), bias(n + 2u), bias(n + 3u)));
        } else {
            let c = row / SIZE;
            let block = start + packing.biases + c * packing.input_weights + quad / 2u * 2u * SIZE * POINTS;
            store_row(taps(n, c, row % SIZE), block + 2u * (row % SIZE) + quad % 2u);
        }
    }
}

fn store(at: u32, value: vec4<f32>) {
    textureStore(packed, vec2<i32>(vec2(at % WEIGHT_COLUMNS, at / WEIGHT_COLUMNS)), value);
}

// The taps of a row, of 4 outputs.
struct Taps {
    j0: vec4<f32>,
    j1: vec4<f32>,
    j2: vec4<f32>,
    j3: vec4<f32>,
    j4: vec4<f32>,
}

fn taps(n: u32, c: u32, i: u32) -> Taps {
    return Taps(tap4(n, c, i, 0u), tap4(n, c, i, 1u), tap4(n, c, i, 2u), tap4(n, c, i, 3u), tap4(n, c, i, 4u));
}

fn tap4(n: u32, c: u32, i: u32, j: u32) -> vec4<f32> {
    return vec4(tap(n, c, i, j), tap(n + 1u, c, i, j), tap(n + 2u, c, i, j), tap(n + 3u, c, i, j));
}

fn tap(n: u32, c: u32, i: u32, j: u32) -> f32 {
    let p = packing;
    let transposed = p.transposed != 0u;
    if n >= select(p.filters, p.inputs, transposed) {
        return 0.0;
    }
    let forward = ((n * p.inputs + c) * SIZE + i) * SIZE + j;
    let backward = ((c * p.inputs + n) * SIZE + SIZE - 1u - i) * SIZE + SIZE - 1u - j;
    return parameters[p.weight_start + select(forward, backward, transposed)];
}

fn bias(n: u32) -> f32 {
    if packing.transposed != 0u || n >= packing.filters {
        return 0.0;
    }
    return parameters[packing.bias_start + n];
}

// U = G W: the polynomial of the taps at the points, by even and odd powers.
fn store_row(w: Taps, at: u32) {
    let even1 = w.j0 + w.j2 + w.j4;
    let odd1 = w.j1 + w.j3;
    let even2 = w.j0 + 4.0 * w.j2 + 16.0 * w.j4;
    let odd2 = 2.0 * w.j1 + 8.0 * w.j3;
    let even3 = w.j0 + 0.25 * w.j2 + 0.0625 * w.j4;
    let odd3 = 0.5 * w.j1 + 0.125 * w.j3;
    let step = 2u * SIZE;
    store(at, -w.j0);
    store(at + step, (even1 + odd1) / -4.5);
    store(at + 2u * step, (even1 - odd1) / -4.5);
    store(at + 3u * step, (even2 + odd2) / 90.0);
    store(at + 4u * step, (even2 - odd2) / 90.0);
    store(at + 5u * step, (even3 + odd3) / 1.40625);
    store(at + 6u * step, (even3 - odd3) / 1.40625);
    store(at + 7u * step, w.j4);
}
