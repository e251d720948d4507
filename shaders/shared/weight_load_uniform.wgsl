// Loads weights that all invocations want: each invocation loads every vec4 itself. `weight(base, at)` is the vec4
// `base + at`. The kernel defines `run`; this file has the entry point.
//#import weights

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    run(lane, workgroup);
}

fn weight(base: u32, at: u32) -> vec4<f32> {
    return weights[base + at];
}
