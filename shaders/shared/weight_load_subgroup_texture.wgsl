// As weight_load_subgroup.wgsl, for weights that do not fit in a uniform buffer: software adapters load from textures
// of rgba32float faster than from storage buffers. The texture is WEIGHT_COLUMNS texels wide.
@group(0) @binding(1) var weights: texture_2d<f32>;

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

fn weight(base: u32, at: u32) -> vec4<f32> {
    let n = base + at / LANES * LANES + subgroup_lane;
    let own = textureLoad(weights, vec2(n % WEIGHT_COLUMNS, n / WEIGHT_COLUMNS), 0);
    return subgroupShuffle(own, at % LANES);
}
