// Adam (Kingma and Ba 2015) on a layer's spectrum. The gradient's spectrum is g[n][c][k] = sum over taps p of D[k][p]
// G[n][c][p]; m and v are running means of g and g^2; direction = m' / (sqrt(v') + epsilon), where m' and v' are m and
// v over 1 - decay^t. spectrum_update.wgsl takes the direction back to the parameters.
//
// One invocation owns every n-th value of the spectrum, where n is the number of invocations.
// Prelude: that of shared/spectrum.wgsl, PARAMETERS.
//#import slot
//#import spectrum

override WORKGROUP: u32 = 64u;

@group(0) @binding(1) var<storage, read> cosines: array<f32>;
@group(0) @binding(2) var<storage, read> gradients: array<f32>;
@group(0) @binding(3) var<storage, read_write> moments: array<f32>; // [slot][parameter]
@group(0) @binding(4) var<storage, read_write> direction: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    for (var index = id.x; index < LENGTH; index += workgroups.x * WORKGROUP) {
        let i = START + index;
        var g = gradients[i];
        if index < WEIGHTS {
            let first = i - index % TAPS;
            g = 0.0;
            for (var p = 0u; p < TAPS; p++) {
                g += cosine(index % TAPS, p) * gradients[first + p];
            }
        }
        let m = slot.decay.x * moments[i] + (1.0 - slot.decay.x) * g;
        let v = slot.decay.y * moments[PARAMETERS + i] + (1.0 - slot.decay.y) * g * g;
        moments[i] = m;
        moments[PARAMETERS + i] = v;
        direction[i] = m * slot.correction.x / (sqrt(v * slot.correction.y) + slot.epsilon);
    }
}
