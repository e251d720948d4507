// How invocations come by a vec4 of weights that all of them want: those of a workgroup load a part of the weights into
// memory that they share, each another vec4, and all read it from there. STAGED is the length of the longest part.
var<workgroup> staged: array<vec4<f32>, STAGED>;
var<private> own_lane: u32;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    own_lane = lane;
    run(lane, workgroup);
}

// Before `weight(base, at)` for at < length, until the next call; all invocations of the workgroup come here together.
fn stage(base: u32, length: u32) {
    workgroupBarrier();
    for (var at = own_lane; at < length; at += WORKGROUP) {
        staged[at] = weights[base + at];
    }
    workgroupBarrier();
}

fn weight(base: u32, at: u32) -> vec4<f32> {
    return staged[at];
}
