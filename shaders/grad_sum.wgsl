// gradients[p] = sum over parts of parts[part][p], in the order of the parts, for LENGTH parameters from START on.
//
// One invocation owns every n-th of them, where n is the number of invocations. Prelude: PARTS, PARAMETERS, START, LENGTH.

override WORKGROUP: u32 = 64u;

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> gradients: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    for (var p = START + id.x; p < START + LENGTH; p += workgroups.x * WORKGROUP) {
        var sum = 0.0;
        for (var part = 0u; part < PARTS; part++) {
            sum += parts[part * PARAMETERS + p];
        }
        gradients[p] = sum;
    }
}
