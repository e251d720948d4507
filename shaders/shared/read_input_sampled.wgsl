// Reads maps through the part of a GPU that samples textures, with its caches. The level is always 0.
alias MapTexture = texture_2d<f32>;

fn read_input(at: vec2<i32>) -> vec4<f32> {
    return textureLoad(input, at, 0);
}
