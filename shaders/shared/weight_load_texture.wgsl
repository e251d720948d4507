// As weight_load_uniform.wgsl, for weights that do not fit in a uniform buffer: each invocation loads every vec4 itself, from
// a texture that is WEIGHT_COLUMNS texels wide. The kernel defines `run`; this file has the entry point.
//#import read_weights

@group(0) @binding(1) var weights: MapTexture;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    run(lane, workgroup);
}

fn weight(base: u32, at: u32) -> vec4<f32> {
    let n = base + at;
    return read_weights(vec2<i32>(vec2(n % WEIGHT_COLUMNS, n / WEIGHT_COLUMNS)));
}
