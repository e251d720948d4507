// The rate of multiply-adds that an adapter can reach: 12 independent chains an invocation, enough to hide the latency
// of each, and 8 steps in each round of the loop, so that its overhead does not show. Nothing is loaded but two
// numbers.
// Grid: x = as many workgroups as keep the adapter busy.

override WORKGROUP: u32 = 64u;

@group(0) @binding(0) var<uniform> numbers: vec4<f32>; // factor and summand that keep the chains finite
@group(0) @binding(1) var<storage, read_write> output: array<f32>; // [invocations]

struct Chains {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let start = vec4(f32(id.x)) + vec4(0.0, 1.0, 2.0, 3.0);
    var chains = Chains(start, start + 4.0, start + 8.0);
    for (var i = 0u; i < 1000u; i++) {
        chains = step(step(step(step(step(step(step(step(chains))))))));
    }
    let sum = chains.a + chains.b + chains.c;
    output[id.x] = sum.x + sum.y + sum.z + sum.w;
}

fn step(chains: Chains) -> Chains {
    return Chains(
        chains.a * numbers.x + numbers.y,
        chains.b * numbers.x + numbers.y,
        chains.c * numbers.x + numbers.y,
    );
}
