// The layer before the last one (equation 2), with filters of 5 x 5, by Winograd's F(4, 5) along rows, and layer 3
// (equation 3) over its maps except for the last sum: 2.5 times fewer products than conv_fused_body.wgsl.
//
//   F2[k, y, x] = max(0, B2[k] + m(y, x) sum over c, i, j of W2[k, c, i, j] input[c, y + i, x + j])
//   F(Y)[y, x]  = B3 + m(y, x) sum over k, i, j of W3[k, i, j] F2[k, y + i, x + j]
//
// One invocation owns a square of 4 x 4 pixels (shared/locate.wgsl) and takes the filters in groups of BLOCKS8 times 8,
// whose sums stay in the first level of a CPU's cache. F(4, 5): shared/winograd_squares.wgsl. What a square contributes
// to layer 3, which conv_winograd_sum.wgsl adds up: shared/winograd_layer3.wgsl. Squares begin at multiples of 4 in the
// picture, and so do regions, so the order of sums does not depend on tiles.
// Grid: x = columns / (4 WORKGROUP_X), y = rows / (4 WORKGROUP_Y). Entry point and weights: shared/weight_load_*.wgsl.
//
// Axes: input [INPUTS][rows][columns]. weights: [group][c], INPUT long, U as [8 filters][p][i][filter]; then of each
// group, EPILOGUE long, B2 and W3 as in conv_winograd.wgsl. All lengths are in vec4s.
//
// Prelude: INPUTS, GROUPS (of filters), BLOCKS8 (of filters in a group, up to 2), FILTER_3 (f3, up to 5), LANES, INPUT, EPILOGUE,
// BIAS_2, ROWS_3, ROW_3, WEIGHTS, NORMALIZED, PADDING.
//#import square_maps
//#import winograd_layer3

// What an invocation owns: a square.
const OWNED: vec2<i32> = vec2(4, 4);

@group(0) @binding(3) var input: MapTexture;
@group(0) @binding(4) var output: texture_storage_2d<rgba32float, write>;

fn run(lane: u32, workgroup: vec3<u32>) {
    let location = locate(lane, workgroup);
    let m = valid_factors(location.start);
    var columns = Columns();
    for (var group = 0u; group < GROUPS; group++) {
        let start = group * EPILOGUE;
        let maps = group_maps(group, location.start, m, start + BIAS_2);
        var a = maps.a;
        var b = maps.b;
        // There are no more blocks in a group.
        var c = Squares8();
        var d = Squares8();
        columns = add_columns(columns, last_layer(&a, &b, &c, &d, start, location));
    }
    if location.inside_region {
        store(columns, vec2(location.wanted.x / 4, location.wanted.y));
    }
}
