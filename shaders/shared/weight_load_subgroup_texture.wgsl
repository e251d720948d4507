// As weight_load_subgroup.wgsl, for weights that do not fit in a uniform buffer: software adapters load from textures
// of rgba32float faster than from storage buffers. The texture is WEIGHT_COLUMNS texels wide.
//#import subgroup_main

@group(0) @binding(1) var weights: texture_2d<f32>;

fn weight(base: u32, at: u32) -> vec4<f32> {
    let n = base + at / LANES * LANES + subgroup_lane;
    let own = textureLoad(weights, vec2(n % WEIGHT_COLUMNS, n / WEIGHT_COLUMNS), 0);
    return subgroupShuffle(own, at % LANES);
}
