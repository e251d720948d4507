// Loads a texel of 8 consecutive inputs, in training.
//#import block8
//#import batch_layout
//#import read_input

fn load_block8(c: u32, at: Texel) -> Block8 {
    return Block8(
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

// Planes past the last one are unused or meet weights of zero, so the last one stands in for them.
fn load(c: u32, at: Texel) -> vec4<f32> {
    return read_input(texel_address(INPUT, min(c, INPUTS - 1u), at.sub_image, at.texel, at.row));
}
