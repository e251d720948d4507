// Reads maps as storage textures, which have one level: llvmpipe looks up the level's size and place for each lane in
// what it samples, in a function of its own, which costs more than the load.
alias MapTexture = texture_storage_2d<rgba32float, read>;

fn read_map(maps: MapTexture, at: vec2<i32>) -> vec4<f32> {
    return textureLoad(maps, at);
}
