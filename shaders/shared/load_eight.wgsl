// Appended to the kernels of training that hold many inputs of a texel.
fn load_eight(c: u32, at: Texel) -> Eight {
    return Eight(
        load(c, at),
        load(c + 1u, at),
        load(c + 2u, at),
        load(c + 3u, at),
        load(c + 4u, at),
        load(c + 5u, at),
        load(c + 6u, at),
        load(c + 7u, at),
    );
}

// Planes past the last one are not used, or with weights of zero, and may as well be the last.
fn load(c: u32, at: Texel) -> vec4<f32> {
    return textureLoad(input, place(INPUT, min(c, INPUTS - 1u), at.sub_image, at.texel, at.row), 0);
}
