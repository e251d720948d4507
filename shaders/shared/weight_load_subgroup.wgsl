// Loads weights that all invocations want: each of a subgroup's LANES invocations loads a different vec4, and they
// shuffle them among themselves. Software adapters, which load from buffers lane by lane, need an eighth of the loads
// this way. `weight(base, at)` is the vec4 `base + at`, where `base` is a multiple of LANES and `at` is constant once
// functions are inlined. The kernel defines `run`; this file has the entry point.
//#import weights

var<private> subgroup_lane: u32;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_invocation_id) subgroup_invocation: u32,
) {
    subgroup_lane = subgroup_invocation;
    run(lane, workgroup);
}

fn weight(base: u32, at: u32) -> vec4<f32> {
    return subgroupShuffle(weights[base + at / LANES * LANES + subgroup_lane], at % LANES);
}
