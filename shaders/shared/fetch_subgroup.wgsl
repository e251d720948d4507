// How invocations come by a vec4 of weights that all of them want: each of a subgroup's LANES invocations loads another
// one of LANES vec4s, and they hand them round. For software adapters that load from a buffer lane by lane; `at` has to
// be a constant once functions are inlined, and is relative to a `base` that is a multiple of LANES.
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

// Weights that are about to be used (shared/fetch_workgroup.wgsl): nothing has to be done for them.
fn stage(base: u32, length: u32) {}

fn weight(base: u32, at: u32) -> vec4<f32> {
    return subgroupShuffle(weights[base + at / LANES * LANES + subgroup_lane], at % LANES);
}
