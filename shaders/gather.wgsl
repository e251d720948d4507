// A batch from pictures: output[b, c, y, x] = pixels[picture][c][Y][X], where (Y, X) is the pixel of sub-image b that
// its symmetry takes to (y, x). The output is the sub-image without CROP pixels on each side.
//
// One invocation writes one texel. Grid: x = sub-images / WORKGROUP, y = rows, z = texels of a row x channels.
//
// Prelude: BATCH, CHANNELS, PATCH (pixels of a sub-image on each axis), CROP, OUTPUT.
//#import batch_layout
//#import slot

override WORKGROUP: u32 = 8u;

@group(0) @binding(1) var<storage, read> pixels: array<f32>; // pictures, each [channel][row][column]
@group(0) @binding(2) var<storage, read> pictures: array<u32>; // [picture][offset, width, height]
@group(0) @binding(3) var<storage, read> patches: array<u32>; // [patch][picture, y, x]
@group(0) @binding(4) var<storage, read> samples: array<vec2<u32>>; // [step][sub-image], patch and symmetry
@group(0) @binding(5) var output: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let sub_image = id.x;
    if sub_image >= BATCH {
        return;
    }
    let sample = samples[slot.index * BATCH + sub_image];
    let patch_at = sample.x * 3u;
    let picture = patches[patch_at] * 3u;
    let width = pictures[picture + 1u];
    let channel = id.z % CHANNELS;
    let texel = id.z / CHANNELS;
    let plane = pictures[picture] + channel * pictures[picture + 2u] * width;
    let corner = plane + patches[patch_at + 1u] * width + patches[patch_at + 2u];

    var value = vec4(0.0);
    for (var k = 0u; k < 4u; k++) {
        // Past the row's end, in the last texel, any pixel will do: it becomes zero.
        let x = min(texel * 4u + k, OUTPUT.width - 1u);
        let at = turned(sample.y, vec2(x, id.y) + CROP);
        value[k] = pixels[corner + at.y * width + at.x];
    }
    let address = texel_address(OUTPUT, channel, sub_image, i32(texel), i32(id.y));
    textureStore(output, address, inside(OUTPUT, i32(texel), value));
}

// Where a pixel of the sub-image comes from under one of 8 symmetries: bit 0 transposes, then bit 1 mirrors columns,
// bit 2 rows.
fn turned(symmetry: u32, at: vec2<u32>) -> vec2<u32> {
    // Products instead of a select by components: for integers that becomes a mix(), which OpenGL has from 4.5 on.
    let mirror = (vec2(symmetry) >> vec2(1u, 2u)) & vec2(1u);
    let mirrored = mirror * (PATCH - 1u - at) + (1u - mirror) * at;
    return select(mirrored, mirrored.yx, (symmetry & 1u) != 0u);
}
