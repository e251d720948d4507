// The loss of a step: losses[step] = (1/n) sum of squares, always in the same order.
//
// One workgroup: each invocation sums every LANES-th value, the first one adds up their sums.
// Prelude: BATCH, LENGTH (of squares).
//#import slot

const LANES: u32 = 64u;

@group(0) @binding(1) var<storage, read> squares: array<f32>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>;

var<workgroup> lane_sums: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var i = lane; i < LENGTH; i += LANES) {
        sum += squares[i];
    }
    lane_sums[lane] = sum;
    workgroupBarrier();
    if lane == 0u {
        var total = 0.0;
        for (var i = 0u; i < LANES; i++) {
            total += lane_sums[i];
        }
        losses[slot.index] = total / f32(BATCH);
    }
}
