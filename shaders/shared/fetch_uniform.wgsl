// How invocations come by a vec4 of weights that all of them want: they all load it.
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    run(lane, workgroup);
}

// Weights that are about to be used (shared/fetch_workgroup.wgsl): nothing has to be done for them.
fn stage(base: u32, length: u32) {}

fn weight(base: u32, at: u32) -> vec4<f32> {
    return weights[base + at];
}
