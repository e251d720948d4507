// A network f1-1-f3 on one channel (equations 1 to 3), except for the last sum, for GPUs: the maps stay in registers, and
// what pixels add to their neighbors through the last layer meets in the memory of their workgroup.
//
//   F1[n, y, x] = max(0, B1[n] + m(y, x) sum over i, j of W1[n, i, j] Y[y + i, x + j])
//   F2[k, y, x] = max(0, B2[k] + sum over n of W2[k, n] F1[n, y, x])
//   P[y, x]     = sum over k, i, j of W3[k, i, j] F2[k, y + i - R, x + j - R], over the pixels of the workgroup
//
// R is the radius of f3. m is 1, or with NORMALIZED the valid-pixel map. Outside the picture F2 is what the padding of the last
// layer needs.
//
// A workgroup owns a block of 32 x 16 pixels, an invocation 2 pixels of a row. It takes the filters of layer 1 in groups of
// 8, and adds each group, or two, to all sums of layer 2. In layer 3 an invocation knows what its pixels add to 2 R + 2 columns of
// f3 rows. It adds two columns at a time to the workgroup's sums; at that moment no other invocation adds to the same ones.
// Grid: x = columns / 32, y = rows / 16.
//
// The sums of a block reach R pixels beyond it on each side. So a texel of the result has at most four parts: one from its own
// block (plane 0), and others from the block to the left (plane 1), above (plane 2), and above and to the left (plane 3).
// conv_fused_workgroup_sum.wgsl adds them.
//
// Axes: input [rows][columns], one plane; output [4][rows][columns], shifted by R against what is computed. weights: GROUPS
// times [B1, W1 as [i][j], W2 as [n][k]] of 8 filters of layer 1; then B2 at BIAS_2; then W3 as [i][j][k] at TAPS_3. k runs
// over 8 BLOCKS8 filters. All lengths are in vec4s.
//
// Prelude: FILTER (f1, up to 9), GROUPS (of 8 filters of layer 1), BLOCKS8 (of filters of layer 2, up to 4), FILTER_3 (f3: 3 or
// 5), GROUP, FIRST_TAP, COLUMNS_2, BIAS_2, TAPS_3, WEIGHTS, NORMALIZED, PADDING.
//#import pixel_pairs
//#import read_input
//#import valid_map

@group(0) @binding(3) var input: MapTexture;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

// Columns and rows of a block, and invocations along a row.
const BLOCK: vec2<i32> = vec2(32, 16);
const PAIRS: u32 = 16u;
// What a block reads: texels of a row, and rows. Filters smaller than 9 x 9 leave some unused.
const READ_TEXELS: u32 = 10u;
const READ_ROWS: u32 = 24u;
// What a block adds to: texels of a row, and rows.
const SUM_TEXELS: u32 = 9u;
const SUM_ROWS: u32 = 20u;
const RADIUS_3: u32 = FILTER_3 / 2u;

var<workgroup> sums: array<vec2<f32>, SUM_ROWS * 2u * SUM_TEXELS>;

// Where an invocation's pair of pixels lies.
struct Pair {
    // The pair in the region.
    wanted: vec2<i32>,
    // With PADDING_REPLICATE: the nearest pair that holds pixels of the picture, and the places in it of the nearest pixels.
    // That pair is computed.
    start: vec2<i32>,
    nearest: vec2<i32>,
    // The picture's first and last column and row, in the region.
    first: vec2<i32>,
    last: vec2<i32>,
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let block = vec2<i32>(workgroup.xy);
    let own = vec2(lane % PAIRS, lane / PAIRS);
    let pair = locate(block * BLOCK + vec2<i32>(own * vec2(2u, 1u)));
    // A block beyond the picture's end reads that end.
    let beyond = max(block * BLOCK - max(pair.last - vec2(1, 0), pair.first), vec2(0));
    let read = block * BLOCK - select(vec2(0), vec2((beyond.x + 3) / 4 * 4, beyond.y), PADDING == PADDING_REPLICATE);

    if lane < READ_TEXELS * READ_ROWS {
        let texel = vec2(lane % READ_TEXELS, lane / READ_TEXELS);
        let at = vec2(read.x / 4, read.y) + vec2<i32>(texel);
        // What lies beyond the input is multiplied, but adds to nothing that is kept.
        let end = vec2<i32>(vec2(region.input.texels, region.input.rows)) - 1;
        keep(texel.y, texel.x, read_input(min(at, end)), read_input(min(at + vec2(NEXT_TEXEL, 0), end)));
    }
    for (var i = lane; i < SUM_ROWS * 2u * SUM_TEXELS; i += 256u) {
        sums[i] = vec2(0.0);
    }
    workgroupBarrier();

    let maps = layers12(vec2<u32>(pair.start - read), pair);
    let place = (own.y + 4u) * 2u * SUM_TEXELS + own.x + 2u - RADIUS_3;
    for (var i = 0u; i < FILTER_3; i++) {
        let sides = row_of_layer3(maps, TAPS_3 + i * FILTER_3 * 2u * BLOCKS8);
        let at = place - i * 2u * SUM_TEXELS;
        sums[at] += sides.left;
        workgroupBarrier();
        sums[at + 1u] += sides.middle;
        workgroupBarrier();
        if FILTER_3 > 3u {
            sums[at + 2u] += sides.right;
            workgroupBarrier();
        }
    }
    store(lane, block);
}

fn locate(wanted: vec2<i32>) -> Pair {
    let first = max(-region.origin, vec2(0));
    let last = region.picture - 1 - region.origin;
    var start = wanted;
    if PADDING == PADDING_REPLICATE {
        start = clamp(wanted, vec2(first.x / 2 * 2, first.y), vec2(last.x / 2 * 2, last.y));
    }
    let nearest = clamp(wanted.x + vec2(0, 1), vec2(first.x), vec2(last.x)) - start.x;
    return Pair(wanted, start, nearest, first, last);
}

// Layers 1 and 2 for a pair whose first tap is at this column and row of what the block reads.
fn layers12(first: vec2<u32>, pair: Pair) -> Maps {
    var m = vec2(1.0);
    if NORMALIZED {
        m = valid_columns(pair.wanted.x).xy * valid_row(pair.wanted.y);
    }
    var maps = Maps();
    for (var group = 0u; group < GROUPS; group += GROUPS_AT_ONCE) {
        add_groups(&maps, factors(first, m, group * GROUP), group * GROUP + COLUMNS_2);
    }
    let columns = pair.wanted.x + vec2(0, 1);
    let row_outside = vec2(pair.wanted.y < pair.first.y || pair.wanted.y > pair.last.y);
    let outside = (columns < pair.first.xx) | (columns > pair.last.xx) | row_outside;
    return finish(maps, pair.nearest, outside);
}

// Stores the parts of the result that the block has.
fn store(lane: u32, block: vec2<i32>) {
    if lane >= SUM_TEXELS * SUM_ROWS {
        return;
    }
    let own = vec2(lane % SUM_TEXELS, lane / SUM_TEXELS);
    let texel = block * vec2(8, 16) + vec2<i32>(own) - vec2(1, 4);
    if all(texel >= vec2(0)) && all(texel < vec2<i32>(vec2(region.output.texels, region.output.rows))) {
        let plane = select(0u, 1u, own.x == 8u) + select(0u, 2u, own.y >= 16u);
        textureStore(output, output_plane(plane) + texel, vec4(sums[2u * lane], sums[2u * lane + 1u]));
    }
}
