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
// One invocation owns 4 * PIXEL_VECS pixels of a row for 4 * FILTER_VECS outputs, kept in registers as 4x4 matrices
// (a column an output, a row a pixel). The 4 outputs of a matrix are 4 filters, or with OUTPUT_ROWS = 4 four rows of
// one filter, whose taps the host has then moved down by 0 to 3 rows in a filter of FILTER_ROWS = f + 3.
// Grid: x = columns / (4 PIXEL_VECS), y = rows / OUTPUT_ROWS, z = filters / filters of a group.
//
// Prelude: INPUTS, FILTER_ROWS, FILTER_COLUMNS, PIXEL_VECS, FILTER_VECS, OUTPUT_ROWS, WEIGHTS, RELU, NORMALIZED.

override WORKGROUP_X: u32 = 1u;
override WORKGROUP_Y: u32 = 8u;

// vec4s of one group in `weights`: [bias, then taps as [c][i][j]][FILTER_VECS].
const GROUP: u32 = (1u + INPUTS * FILTER_ROWS * FILTER_COLUMNS) * FILTER_VECS;
const TILE: u32 = PIXEL_VECS * FILTER_VECS;

@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // [picture width + picture height]
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>;

fn outer(pixels: vec4<f32>, outputs: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(pixels * outputs.x, pixels * outputs.y, pixels * outputs.z, pixels * outputs.w);
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let column = id.x * PIXEL_VECS * 4u;
    let row = id.y * OUTPUT_ROWS;
    if column >= region.size.x || row >= region.size.y {
        return;
    }
    let group = id.z * GROUP;

    var sum: array<mat4x4<f32>, TILE>;
    var tap = group + FILTER_VECS;
    for (var c = 0u; c < INPUTS; c++) {
        for (var i = 0u; i < FILTER_ROWS; i++) {
            var at = (c * region.input_plane + (row + i) * region.input_stride + column) / 4u;
            // The pixels under the current tap of each vec4 of output, and the vec4 to the right of them.
            var window: array<vec4<f32>, PIXEL_VECS + 1u>;
            for (var p = 0u; p < PIXEL_VECS; p++) {
                window[p] = input[at + p];
            }
            at += PIXEL_VECS;
            // Four taps at a time, so that vec4s of pixels stay aligned.
            for (var j = 0u; j + 4u <= FILTER_COLUMNS; j += 4u) {
                window[PIXEL_VECS] = input[at];
                at++;
                for (var q = 0u; q < FILTER_VECS; q++) {
                    let w0 = weights[tap + q];
                    let w1 = weights[tap + FILTER_VECS + q];
                    let w2 = weights[tap + 2u * FILTER_VECS + q];
                    let w3 = weights[tap + 3u * FILTER_VECS + q];
                    for (var p = 0u; p < PIXEL_VECS; p++) {
                        let left = window[p];
                        let right = window[p + 1u];
                        var s = sum[q * PIXEL_VECS + p];
                        s += outer(left, w0);
                        s += outer(vec4(left.yzw, right.x), w1);
                        s += outer(vec4(left.zw, right.xy), w2);
                        s += outer(vec4(left.w, right.xyz), w3);
                        sum[q * PIXEL_VECS + p] = s;
                    }
                }
                tap += 4u * FILTER_VECS;
                for (var p = 0u; p < PIXEL_VECS; p++) {
                    window[p] = window[p + 1u];
                }
            }
            // An odd filter leaves one tap or three.
            if FILTER_COLUMNS % 4u == 3u {
                window[PIXEL_VECS] = input[at];
            }
            for (var q = 0u; q < FILTER_VECS; q++) {
                let w0 = weights[tap + q];
                for (var p = 0u; p < PIXEL_VECS; p++) {
                    sum[q * PIXEL_VECS + p] += outer(window[p], w0);
                }
                if FILTER_COLUMNS % 4u == 3u {
                    let w1 = weights[tap + FILTER_VECS + q];
                    let w2 = weights[tap + 2u * FILTER_VECS + q];
                    for (var p = 0u; p < PIXEL_VECS; p++) {
                        let left = window[p];
                        let right = window[p + 1u];
                        sum[q * PIXEL_VECS + p] += outer(vec4(left.yzw, right.x), w1);
                        sum[q * PIXEL_VECS + p] += outer(vec4(left.zw, right.xy), w2);
                    }
                }
            }
            tap += (FILTER_COLUMNS % 4u) * FILTER_VECS;
        }
    }

    for (var q = 0u; q < FILTER_VECS; q++) {
        let bias = weights[group + q];
        for (var p = 0u; p < PIXEL_VECS; p++) {
            let s = sum[q * PIXEL_VECS + p];
            for (var o = 0u; o < 4u; o++) {
                // Output o of the matrix: a filter, or a row.
                let y = row + select(0u, o, OUTPUT_ROWS == 4u);
                let n = region.first_filter + select(id.z * 4u * FILTER_VECS + 4u * q + o, id.z * FILTER_VECS + q, OUTPUT_ROWS == 4u);
                let x = column + 4u * p;
                if n < region.planes && y < region.size.y && x < region.size.x {
                    var value = s[o];
                    if NORMALIZED {
                        value *= valid_columns(x) * valid_row(y);
                    }
                    value += bias[o];
                    if RELU {
                        value = max(value, vec4(0.0));
                    }
                    output[(n * region.output_plane + y * region.output_stride + x) / 4u] = value;
                }
            }
        }
    }
}

// The map's factors; positions in the halo take those of the nearest pixel, they are overwritten anyway.
fn valid_columns(column: u32) -> vec4<f32> {
    let x = clamp(vec4(region.origin.x + i32(column)) + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
    return vec4(valid_map[x.x], valid_map[x.y], valid_map[x.z], valid_map[x.w]);
}

fn valid_row(row: u32) -> f32 {
    return valid_map[region.picture.x + clamp(region.origin.y + i32(row), 0, region.picture.y - 1)];
}
