// Updates the parameters by a direction among spectra: W[n][c][p] <- W[n][c][p] - rate sum over frequencies k of
// D[k][p] direction[n][c][k], and b[n] <- b[n] - rate direction[n].
//
// One invocation owns every n-th parameter of a layer, where n is the number of invocations.
// Prelude: that of shared/spectrum.wgsl.
//#import slot
//#import spectrum

override WORKGROUP: u32 = 64u;

@group(0) @binding(1) var<storage, read> cosines: array<f32>;
@group(0) @binding(2) var<storage, read> direction: array<f32>;
@group(0) @binding(3) var<storage, read> rates: array<f32>;
@group(0) @binding(4) var<storage, read_write> parameters: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    for (var index = id.x; index < LENGTH; index += workgroups.x * WORKGROUP) {
        let i = START + index;
        var sum = direction[i];
        if index < WEIGHTS {
            let first = i - index % TAPS;
            sum = 0.0;
            for (var k = 0u; k < TAPS; k++) {
                sum += cosine(k, index % TAPS) * direction[first + k];
            }
        }
        parameters[i] -= rates[i] * slot.factor * sum;
    }
}
