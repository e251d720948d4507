// The running mean of the parameters over the steps, which is less noisy than they are while rates are high:
//
//   average[p] <- average[p] + weight (parameter[p] - average[p])
//
// One invocation owns every n-th parameter, where n is the number of invocations. Prelude: PARAMETERS.
//#import slot

override WORKGROUP: u32 = 64u;

@group(0) @binding(1) var<storage, read> parameters: array<f32>;
@group(0) @binding(2) var<storage, read_write> averages: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    for (var p = id.x; p < PARAMETERS; p += workgroups.x * WORKGROUP) {
        averages[p] += slot.average * (parameters[p] - averages[p]);
    }
}
