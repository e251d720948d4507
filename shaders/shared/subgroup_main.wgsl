// Entry point of the kernels whose invocations shuffle weights: it keeps the lane in the subgroup. The kernel defines
// `run`.
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
