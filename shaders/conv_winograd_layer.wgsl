// A layer between the first and the last two (equation 2), with filters of 5 x 5, by Winograd's F(4, 5) along rows: its maps
// are stored.
//
//   F[n, y, x] = max(0, B[n] + m(y, x) sum over c, i, j of W[n, c, i, j] input[c, y + i, x + j])
//
// One invocation owns a square of 4 x 4 pixels (shared/locate.wgsl) and takes the filters in groups of BLOCKS8 times 8,
// whose sums stay in the first level of a CPU's cache. F(4, 5): shared/winograd_squares.wgsl. Squares begin at multiples of
// 4 in the picture, less the radius of the layers up to the last but one, and so do regions, so the order of sums does not
// depend on tiles. Positions outside the picture get what the next layer's padding needs.
// Grid: x = columns / (4 WORKGROUP_X), y = rows / (4 WORKGROUP_Y). Entry point and weights: shared/weight_load_*.wgsl.
//
// Axes: input [INPUTS][rows][columns], output [filters][rows][columns]. weights: [group][c], INPUT long, U as
// [8 filters][p][i][filter]; at BIAS B of each group, 2 BLOCKS8 long. All lengths are in vec4s.
//
// Prelude: INPUTS, GROUPS (of filters), BLOCKS8 (of filters in a group, up to 2), LANES, INPUT, BIAS, BIASES, WEIGHTS,
// NORMALIZED, PADDING.
//#import square_maps
//#import padded_square

// What an invocation owns: a square.
const OWNED: vec2<i32> = vec2(4, 4);

@group(0) @binding(3) var input: MapTexture;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

fn run(lane: u32, workgroup: vec3<u32>) {
    let location = locate(lane, workgroup);
    let m = valid_factors(location.start);
    for (var group = 0u; group < GROUPS; group++) {
        let maps = group_maps(group, location.start, m, BIAS + group * BIASES);
        store8(maps.a, 8u * BLOCKS8 * group, location);
        if BLOCKS8 > 1u {
            store8(maps.b, 8u * (BLOCKS8 * group + 1u), location);
        }
    }
}

fn store8(maps: Squares8, n: u32, location: Location) {
    store(maps.s0, n, location);
    store(maps.s1, n + 1u, location);
    store(maps.s2, n + 2u, location);
    store(maps.s3, n + 3u, location);
    store(maps.s4, n + 4u, location);
    store(maps.s5, n + 5u, location);
    store(maps.s6, n + 6u, location);
    store(maps.s7, n + 7u, location);
}

fn store(map: mat4x4<f32>, n: u32, location: Location) {
    if location.inside_region && n < region.output.planes {
        let at = vec2(location.wanted.x / 4, location.wanted.y);
        store_rows(padded(map, location), output_plane(n) + at);
    }
}
