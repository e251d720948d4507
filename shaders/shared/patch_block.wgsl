// Patches of a picture: a block of them, whose pixels lie in a texture. Prelude: STEP (pixels from one patch to the next),
// PATCH (pixels of a patch on each axis).

// Mirrors `Block` in src/dictionary/gpu/block.rs.
struct Block {
    // Patches.
    columns: u32,
    rows: u32,
    // Texels of the part of the picture.
    width: u32,
    height: u32,
    // Where the first patch begins in it, and where the last one of the picture would.
    first: vec2<u32>,
    last: vec2<u32>,
}

@group(0) @binding(0) var<uniform> block: Block;

// The first texel of a patch.
fn patch_start(patch_index: u32) -> vec2<u32> {
    let place = vec2(patch_index % block.columns, patch_index / block.columns);
    return min(block.first + STEP * place, block.last);
}

// A texel, or the nearest one at the edge of the part, which is also the picture's where a patch reaches beyond it.
fn within(at: vec2<i32>) -> vec2<i32> {
    return clamp(at, vec2(0), vec2(i32(block.width), i32(block.height)) - 1);
}
