// One convolution with 1x1 filters over the maps of a batch: a layer's forward pass (equation 2), or with its filters
// transposed the gradient of its input.
//
//   output[b, n, y, x] = B[n] + sum over c of W[n, c] input[b, c, y, x]
//
// RELU, GATED and NORMALIZED as in conv_batch.wgsl.
//
// One invocation owns 4 pixels of a row, a texel, of one sub-image for all outputs: it loads all channels once and goes
// over the outputs in groups of 4. Neighboring invocations do the same for other sub-images.
// Grid: x = sub-images / WORKGROUP x texels in a row, y = rows. Entry point and weights: shared/weight_load_*.wgsl.
//
// weights: for each 4 outputs, GROUP vec4s long, [B, W as [c]].
//
// Prelude: BATCH, INPUTS, BLOCKS8 (of inputs, up to 8), PLANES (of the output), RELU, GATED, NORMALIZED, LANES, GROUP,
// WEIGHTS, INPUT, GATE, OUTPUT; FILTER = 1.
//#import taps
//#import load_block8
//#import write_map

override WORKGROUP: u32 = 8u;

// Texels of a row of the output.
const TEXELS: u32 = (OUTPUT.width + 3u) / 4u;

@group(0) @binding(0) var input: MapTexture;
@group(0) @binding(2) var gate: MapTexture;
@group(0) @binding(3) var output: texture_storage_2d<rgba32float, write>;

fn run(lane: u32, workgroup: vec3<u32>) {
    // No invocation returns early: subgroups exchange weights.
    let at = texel(workgroup.x / TEXELS * WORKGROUP + lane, workgroup.x % TEXELS, workgroup.y);
    let low = load_maps(0u, at);
    let high = load_maps(32u, at);
    for (var n = 0u; n < PLANES; n += 4u) {
        let base = n / 4u * GROUP;
        let bias = weight(base, 0u);
        let ab = add_all(low, high, base, false);
        write_map(ab.a, bias.x, n, at);
        write_map(ab.b, bias.y, n + 1u, at);
        let cd = add_all(low, high, base, true);
        write_map(cd.a, bias.z, n + 2u, at);
        write_map(cd.b, bias.w, n + 3u, at);
    }
}

fn load_maps(c: u32, at: Texel) -> Maps {
    var maps = Maps();
    if 8u * BLOCKS8 > c {
        maps.a = load_block8(c, at);
    }
    if 8u * BLOCKS8 > c + 8u {
        maps.b = load_block8(c + 8u, at);
    }
    if 8u * BLOCKS8 > c + 16u {
        maps.c = load_block8(c + 16u, at);
    }
    if 8u * BLOCKS8 > c + 24u {
        maps.d = load_block8(c + 24u, at);
    }
    return maps;
}

// The sums of the first two outputs of a group, or of the second two.
fn add_all(low: Maps, high: Maps, base: u32, second: bool) -> Pair {
    var sums = add_block8(Pair(), low.a, base, 1u, second);
    if BLOCKS8 > 1u {
        sums = add_block8(sums, low.b, base, 9u, second);
    }
    if BLOCKS8 > 2u {
        sums = add_block8(sums, low.c, base, 17u, second);
    }
    if BLOCKS8 > 3u {
        sums = add_block8(sums, low.d, base, 25u, second);
    }
    if BLOCKS8 > 4u {
        sums = add_block8(sums, high.a, base, 33u, second);
    }
    if BLOCKS8 > 5u {
        sums = add_block8(sums, high.b, base, 41u, second);
    }
    if BLOCKS8 > 6u {
        sums = add_block8(sums, high.c, base, 49u, second);
    }
    if BLOCKS8 > 7u {
        sums = add_block8(sums, high.d, base, 57u, second);
    }
    return sums;
}

fn add_block8(before: Pair, maps: Block8, base: u32, at: u32, second: bool) -> Pair {
    var sums = add_tap(before, maps.s0, base, at, second);
    sums = add_tap(sums, maps.s1, base, at + 1u, second);
    sums = add_tap(sums, maps.s2, base, at + 2u, second);
    sums = add_tap(sums, maps.s3, base, at + 3u, second);
    sums = add_tap(sums, maps.s4, base, at + 4u, second);
    sums = add_tap(sums, maps.s5, base, at + 5u, second);
    sums = add_tap(sums, maps.s6, base, at + 6u, second);
    return add_tap(sums, maps.s7, base, at + 7u, second);
}
