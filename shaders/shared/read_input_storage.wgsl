// Reads maps as storage textures, which have one level: of what it samples, llvmpipe looks up the size and place of the
// level for each lane, in a function of its own, which costs more than the load.
alias MapTexture = texture_storage_2d<rgba32float, read>;

fn read_input(at: vec2<i32>) -> vec4<f32> {
    return textureLoad(input, at);
}
