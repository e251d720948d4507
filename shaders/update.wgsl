// The update of all parameters. SGD (section 3.3): v <- momentum v - rate g; p <- p + v.
// Adam (Kingma and Ba 2015): m and v are running means of g and g^2, p <- p - rate m' / (sqrt(v') + epsilon), where
// m' and v' are m and v over 1 - decay^t.
//
// One invocation owns every n-th parameter, where n is the number of invocations. Prelude: PARAMETERS, ADAM.
//#import slot

override WORKGROUP: u32 = 64u;

@group(0) @binding(1) var<storage, read> gradients: array<f32>;
@group(0) @binding(2) var<storage, read> rates: array<f32>;
@group(0) @binding(3) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(4) var<storage, read_write> moments: array<f32>; // [slot][parameter]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    for (var p = id.x; p < PARAMETERS; p += workgroups.x * WORKGROUP) {
        let g = gradients[p];
        let rate = rates[p] * slot.factor;
        if ADAM {
            let m = slot.decay.x * moments[p] + (1.0 - slot.decay.x) * g;
            let v = slot.decay.y * moments[PARAMETERS + p] + (1.0 - slot.decay.y) * g * g;
            moments[p] = m;
            moments[PARAMETERS + p] = v;
            parameters[p] -= rate * (m * slot.correction.x) / (sqrt(v * slot.correction.y) + slot.epsilon);
        } else {
            let v = slot.decay.x * moments[p] - rate * g;
            moments[p] = v;
            parameters[p] += v;
        }
    }
}
