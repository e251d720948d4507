// One convolution layer (equations 1 to 3): output = max(0, W * input + B), the maximum only where RELU.
//
//   output[n, y, x] = B[n] + m(y, x) sum over c, i, j of W[n, c, i, j] input[c, y + i, x + j]
//
// Axes: input [INPUTS][rows][columns], output [filters][rows][columns]. The sum runs over valid positions only: the
// input's first pixel is the first tap of the output's first pixel. m is 1, or with NORMALIZED the valid-pixel map
// (section 4: f*f over the number of the filter's taps inside the picture), the product of one factor a column and
// one a row. Positions outside the picture get what the padding of the next layer needs: PADDING.
//
// One invocation owns PIXELS pixels of a row for OUTPUTS outputs, kept in registers (shared/registers_*.wgsl). The
// outputs are filters, or with OUTPUT_ROWS = 4 four rows of one filter, whose taps the host has then moved down by 0
// to 3 rows in a filter of FILTER_ROWS = f + 3. A workgroup owns WORKGROUP_X such tiles in a row and WORKGROUP_Y in a
// column; it is declared in one dimension, because software adapters fill their lanes along the first one only.
// Grid: x = columns / (PIXELS WORKGROUP_X), y = rows / (OUTPUT_ROWS WORKGROUP_Y), z = groups of OUTPUTS filters.
//
// Products and their sums over BLOCK channels have the precision of shared/single.wgsl or shared/half.wgsl; the blocks
// are added up in single precision.
//
// Prelude: INPUTS, BLOCK, FILTER_ROWS, FILTER_COLUMNS, OUTPUT_ROWS, WEIGHTS, RELU, NORMALIZED, PADDING.

override WORKGROUP_X: u32 = 1u;
override WORKGROUP_Y: u32 = 8u;
override WORKGROUP: u32 = WORKGROUP_X * WORKGROUP_Y;

// vec4s of outputs, and of one group in `weights`: biases, then taps as [c][i][j].
const QUADS: u32 = OUTPUTS / 4u;
const GROUP: u32 = (BIASES + INPUTS * FILTER_ROWS * FILTER_COLUMNS) * QUADS;

@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // [picture columns + picture rows]
@group(0) @binding(3) var input: texture_2d<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let tile = workgroup.xy * vec2(WORKGROUP_X, WORKGROUP_Y) + vec2(lane % WORKGROUP_X, lane / WORKGROUP_X);
    let position = vec2<i32>(tile * vec2(PIXELS, OUTPUT_ROWS));
    if any(position >= region.size) {
        return;
    }
    // Outside the picture, compute the nearest tile that holds pixels of it.
    let first = max(-region.origin, vec2(0));
    let last = region.picture - 1 - region.origin;
    var start = position;
    if PADDING == PADDING_REPLICATE {
        let pixels = i32(PIXELS);
        start.x = clamp(start.x, first.x / pixels * pixels, last.x / pixels * pixels);
        start.y = clamp(start.y, first.y, last.y);
    }

    var sums = Sums();
    let group = workgroup.z * GROUP;
    var tap = group + BIASES * QUADS;
    for (var c0 = 0u; c0 < INPUTS; c0 += BLOCK) {
        var block = Block();
        for (var c = c0; c < min(c0 + BLOCK, INPUTS); c++) {
            let plane = input_plane(c) + vec2(start.x / 4, start.y);
            for (var i = 0; i < i32(FILTER_ROWS); i++) {
                var at = plane + vec2(0, i);
                var window = load(at);
                // Four taps at a time, so that texels stay aligned.
                for (var j = 0u; j + 4u <= FILTER_COLUMNS; j += 4u) {
                    load_next(&window, at);
                    tap0(&block, window, tap);
                    tap1(&block, window, tap + QUADS);
                    tap2(&block, window, tap + 2u * QUADS);
                    tap3(&block, window, tap + 3u * QUADS);
                    advance(&window);
                    at.x++;
                    tap += 4u * QUADS;
                }
                // An odd filter leaves one tap or three.
                tap0(&block, window, tap);
                if FILTER_COLUMNS % 4u == 3u {
                    load_next(&window, at);
                    tap1(&block, window, tap + QUADS);
                    tap2(&block, window, tap + 2u * QUADS);
                }
                tap += FILTER_COLUMNS % 4u * QUADS;
            }
        }
        add(&sums, block);
    }
    if PADDING == PADDING_REPLICATE && (position.x < first.x || position.x + i32(PIXELS) > last.x + 1) {
        replicate(&sums, position.x, first.x, last.x, start.x);
    }
    store_all(sums, workgroup.z, position);
}

fn texel(at: vec2<i32>) -> real4 {
    return real4(textureLoad(input, at, 0));
}

fn outer(pixels: real4, outputs: real4) -> real4x4 {
    return real4x4(pixels * outputs.x, pixels * outputs.y, pixels * outputs.z, pixels * outputs.w);
}

// The four outputs of one pixel.
fn pixel(sum: mat4x4<f32>, index: i32) -> vec4<f32> {
    return vec4(sum[0][index], sum[1][index], sum[2][index], sum[3][index]);
}

// Four pixels from column x on: those before `first` become `left`, those behind `last` become `right`.
fn between(sum: mat4x4<f32>, x: i32, first: i32, last: i32, left: vec4<f32>, right: vec4<f32>) -> mat4x4<f32> {
    let columns = x + vec4(0, 1, 2, 3);
    let before = columns < vec4(first);
    let behind = columns > vec4(last);
    return mat4x4<f32>(
        select(select(sum[0], vec4(right.x), behind), vec4(left.x), before),
        select(select(sum[1], vec4(right.y), behind), vec4(left.y), before),
        select(select(sum[2], vec4(right.z), behind), vec4(left.z), before),
        select(select(sum[3], vec4(right.w), behind), vec4(left.w), before),
    );
}

// Four pixels of four outputs of a group.
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
    if n >= region.planes || any(at >= region.size) {
        return;
    }
    var value = sum;
    if NORMALIZED {
        value *= valid_columns(at.x) * valid_row(at.y);
    }
    value += bias(group * GROUP + quad, o);
    if RELU {
        // Not max, which makes 0 of what is no number: maps that overflow have to show in the result.
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

// The map's factors; positions outside the picture take those of the nearest pixel, they are not used.
fn valid_columns(column: i32) -> vec4<f32> {
    let x = clamp(region.origin.x + column + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
    return vec4(valid_map[x.x], valid_map[x.y], valid_map[x.z], valid_map[x.w]);
}

fn valid_row(row: i32) -> f32 {
    return valid_map[region.picture.x + clamp(region.origin.y + row, 0, region.picture.y - 1)];
}
