// One convolution layer (equations 1 to 3): output = max(0, W * input + B), the maximum only with RELU.
//
//   output[n, y, x] = B[n] + m(y, x) sum over c, i, j of W[n, c, i, j] input[c, y + i, x + j]
//
// Axes: input [INPUTS][rows][columns], output [filters][rows][columns]. The first pixel of the input is the first tap
// of the output's first pixel. m is 1, or with NORMALIZED the valid-pixel map. Positions outside the picture get what
// the next layer's padding needs: PADDING.
//
// One invocation owns PIXELS pixels of a row for OUTPUTS outputs (shared/registers.wgsl). The outputs are filters; or
// with OUTPUT_ROWS = 4 they are four rows of one filter, whose taps the host has moved down by 0 to 3 rows in a filter
// of FILTER_ROWS = f + 3. A workgroup owns WORKGROUP_X such tiles in a row and WORKGROUP_Y in a column. It is declared
// in one dimension because software adapters fill their lanes along the first one only.
// Grid: x = columns / (PIXELS WORKGROUP_X), y = rows / (OUTPUT_ROWS WORKGROUP_Y), z = groups of OUTPUTS filters.
//
// weights: for each group [B, W as [c][i][j]] of OUTPUTS outputs, GROUP vec4s long, taps from FIRST_TAP.
// The sum over c, i and j, the inner loop, is in shared/products_single.wgsl and shared/products_half.wgsl.
//
// Prelude: INPUTS, TURN_ROWS, FILTER_ROWS, FILTER_COLUMNS, OUTPUT_ROWS, GROUP, FIRST_TAP, WEIGHTS, RELU, NORMALIZED,
// PADDING.
//#import registers
//#import precision
//#import padding
//#import valid_map
//#import read_input

override WORKGROUP_X: u32 = 1u;
override WORKGROUP_Y: u32 = 8u;
override WORKGROUP: u32 = WORKGROUP_X * WORKGROUP_Y;

@group(0) @binding(3) var input: MapTexture;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let tile = workgroup.xy * vec2(WORKGROUP_X, WORKGROUP_Y) + vec2(lane % WORKGROUP_X, lane / WORKGROUP_X);
    let position = vec2<i32>(tile * vec2(PIXELS, OUTPUT_ROWS));
    if any(position >= region.size) {
        return;
    }
    // Outside the picture, compute the nearest tile that holds pixels of the picture.
    let first = max(-region.origin, vec2(0));
    let last = region.picture - 1 - region.origin;
    var start = position;
    if PADDING == PADDING_REPLICATE {
        let pixels = i32(PIXELS);
        start.x = clamp(start.x, first.x / pixels * pixels, last.x / pixels * pixels);
        start.y = clamp(start.y, first.y, last.y);
    }

    let group = workgroup.z * GROUP;
    var sums = products(start, group + FIRST_TAP);
    if PADDING == PADDING_REPLICATE && (position.x < first.x || position.x + i32(PIXELS) > last.x + 1) {
        replicate(&sums, position.x, first.x, last.x, start.x);
    }
    store_all(sums, workgroup.z, position);
}

fn texel(at: vec2<i32>) -> real4 {
    return real4(read_input(at));
}

fn outer(pixels: real4, outputs: real4) -> real4x4 {
    return real4x4(pixels * outputs.x, pixels * outputs.y, pixels * outputs.z, pixels * outputs.w);
}

// Stores 4 pixels of 4 outputs of a group.
fn store(sum: mat4x4<f32>, group: u32, quad: u32, position: vec2<i32>) {
    store_one(sum[0], group, quad, 0u, position);
    store_one(sum[1], group, quad, 1u, position);
    store_one(sum[2], group, quad, 2u, position);
    store_one(sum[3], group, quad, 3u, position);
}

fn store_one(sum: vec4<f32>, group: u32, quad: u32, o: u32, position: vec2<i32>) {
    // Output o is a filter, or a row.
    let at = position + vec2(0, select(0, i32(o), OUTPUT_ROWS == 4u));
    let n = region.first_filter + select(group * OUTPUTS + quad * 4u + o, group, OUTPUT_ROWS == 4u);
    if n >= region.output.planes || any(at >= region.size) {
        return;
    }
    var value = sum;
    if NORMALIZED {
        value *= valid_columns(at.x) * valid_row(at.y);
    }
    value += bias(group * GROUP + quad, o);
    if RELU {
        // Not max, which turns NaN into 0: maps that overflow have to show in the result.
        value = select(value, vec4(0.0), value < vec4(0.0));
    }
    if PADDING == PADDING_ZERO {
        let picture = region.origin + at;
        let columns = picture.x + vec4(0, 1, 2, 3);
        let outside = (columns < vec4(0)) | (columns >= vec4(region.picture.x));
        value = select(value, vec4(0.0), outside);
        if picture.y < 0 || picture.y >= region.picture.y {
            value = vec4(0.0);
        }
    }
    textureStore(output, output_plane(n) + vec2(at.x / 4, at.y), stored(value));
}
