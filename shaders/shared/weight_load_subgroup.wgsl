// Loads weights that all invocations want: each of a subgroup's LANES invocations loads a different vec4, and they
// shuffle them among themselves. Software adapters, which load from buffers lane by lane, need an eighth of the loads
// this way. `weight(base, at)` is the vec4 `base + at`, where `base` is a multiple of LANES and `at` is constant once
// functions are inlined. The entry point is in
// subgroup_main.wgsl.
//#import weights
//#import subgroup_main

fn weight(base: u32, at: u32) -> vec4<f32> {
    return subgroupShuffle(weights[base + at / LANES * LANES + subgroup_lane], at % LANES);
}
