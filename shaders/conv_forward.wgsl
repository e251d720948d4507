// One convolution layer (equations 1 to 3): output = max(0, W * input + B), the maximum only where RELU.
//
//   output[n, y, x] = B[n] + m(y, x) sum over c, i, j of W[n, c, i, j] input[c, y + i, x + j]
//
// Axes: input [INPUTS][rows][columns], output [filters][rows][columns], planar. The sum runs over valid positions
// only: the input's first element is the first tap of the output's first element, and `pad.wgsl` has put values
// outside the picture where the padding mode wants them. m is 1, or with NORMALIZED the valid-pixel map
// (section 4: f*f over the number of the filter's taps inside the picture), the product of one factor a column
// and one a row.
//
// One invocation owns PIXELS pixels of a row for 4 outputs, kept in registers (shared/registers_*.wgsl). The outputs
// are 4 filters, or with OUTPUT_ROWS = 4 four rows of one filter, whose taps the host has then moved down by 0 to 3
// rows in a filter of FILTER_ROWS = f + 3.
// Grid: x = columns / PIXELS, y = rows / OUTPUT_ROWS, z = groups of 4 filters, or filters.
//
// Prelude: INPUTS, FILTER_ROWS, FILTER_COLUMNS, OUTPUT_ROWS, WEIGHTS, RELU, NORMALIZED.

override WORKGROUP_X: u32 = 1u;
override WORKGROUP_Y: u32 = 8u;

// vec4s of one group in `weights`: bias, then taps as [c][i][j].
const GROUP: u32 = 1u + INPUTS * FILTER_ROWS * FILTER_COLUMNS;

@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // [picture width + picture height]
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>;

fn outer(pixels: vec4<f32>, outputs: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(pixels * outputs.x, pixels * outputs.y, pixels * outputs.z, pixels * outputs.w);
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let column = id.x * PIXELS;
    let row = id.y * OUTPUT_ROWS;
    if column >= region.size.x || row >= region.size.y {
        return;
    }
    var sums = Sums();
    var tap = id.z * GROUP + 1u;
    for (var c = 0u; c < INPUTS; c++) {
        for (var i = 0u; i < FILTER_ROWS; i++) {
            var at = (c * region.input_plane + (row + i) * region.input_stride + column) / 4u;
            var window = load(at);
            // Four taps at a time, so that vec4s of pixels stay aligned.
            for (var j = 0u; j + 4u <= FILTER_COLUMNS; j += 4u) {
                load_next(&window, at);
                tap0(&sums, &window, weights[tap]);
                tap1(&sums, &window, weights[tap + 1u]);
                tap2(&sums, &window, weights[tap + 2u]);
                tap3(&sums, &window, weights[tap + 3u]);
                advance(&window);
                at++;
                tap += 4u;
            }
            // An odd filter leaves one tap or three.
            tap0(&sums, &window, weights[tap]);
            if FILTER_COLUMNS % 4u == 3u {
                load_next(&window, at);
                tap1(&sums, &window, weights[tap + 1u]);
                tap2(&sums, &window, weights[tap + 2u]);
            }
            tap += FILTER_COLUMNS % 4u;
        }
    }
    store_all(sums, id.z, column, row);
}

// Four pixels of the four outputs of a group.
fn store(sums: mat4x4<f32>, group: u32, x: u32, row: u32) {
    store_one(sums[0], group, 0u, x, row);
    store_one(sums[1], group, 1u, x, row);
    store_one(sums[2], group, 2u, x, row);
    store_one(sums[3], group, 3u, x, row);
}

fn store_one(sum: vec4<f32>, group: u32, o: u32, x: u32, row: u32) {
    // Output o is a filter, or a row.
    let y = row + select(0u, o, OUTPUT_ROWS == 4u);
    let n = region.first_filter + select(4u * group + o, group, OUTPUT_ROWS == 4u);
    if n >= region.planes || y >= region.size.y || x >= region.size.x {
        return;
    }
    var value = sum;
    if NORMALIZED {
        value *= valid_columns(x) * valid_row(y);
    }
    value += weights[group * GROUP][o];
    if RELU {
        value = max(value, vec4(0.0));
    }
    output[(n * region.output_plane + y * region.output_stride + x) / 4u] = value;
}

// The map's factors; positions in the halo take those of the nearest pixel, they are overwritten anyway.
fn valid_columns(column: u32) -> vec4<f32> {
    let x = clamp(vec4(region.origin.x + i32(column)) + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
    return vec4(valid_map[x.x], valid_map[x.y], valid_map[x.z], valid_map[x.w]);
}

fn valid_row(row: u32) -> f32 {
    return valid_map[region.picture.x + clamp(region.origin.y + i32(row), 0, region.picture.y - 1)];
}
