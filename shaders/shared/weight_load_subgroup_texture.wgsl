// As weight_load_subgroup.wgsl, for weights that do not fit in a uniform buffer: software adapters load from textures
// of rgba32float faster than from storage buffers. The texture is WEIGHT_COLUMNS texels wide.
//#import subgroup_main
//#import read_weights

@group(0) @binding(1) var weights: MapTexture;

fn weight(base: u32, at: u32) -> vec4<f32> {
    let n = base + at / LANES * LANES + subgroup_lane;
    let own = read_weights(vec2<i32>(vec2(n % WEIGHT_COLUMNS, n / WEIGHT_COLUMNS)));
    return subgroupShuffle(own, at % LANES);
}
