// Equation 4: L = (1/n) sum over the batch of ||F(Y) - X||^2, the squared norm over all pixels and channels.
//
//   gradient[b, c, y, x] = 2/n (prediction - target),  squares[y, b] = sum over c, x of (prediction - target)^2
//
// Where NORMALIZED is not 0, the gradient is multiplied by the valid-pixel map of a layer with filters of that size.
//
// One invocation owns one row of one sub-image. Grid: x = sub-images / WORKGROUP, y = rows.
// Prelude: BATCH, CHANNELS, NORMALIZED, PREDICTION, SOLUTION (the target's maps), GRADIENT.
//#import batch_layout

override WORKGROUP: u32 = 8u;

@group(0) @binding(0) var prediction: texture_2d<f32>;
@group(0) @binding(1) var solution: texture_2d<f32>;
@group(0) @binding(2) var gradient: texture_storage_2d<rgba32float, write>;
@group(0) @binding(3) var<storage, read_write> squares: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let sub_image = id.x;
    if sub_image >= BATCH {
        return;
    }
    let row = i32(id.y);
    var sum = 0.0;
    for (var c = 0u; c < CHANNELS; c++) {
        for (var texel = 0; texel * 4 < i32(PREDICTION.width); texel++) {
            let f = textureLoad(prediction, texel_address(PREDICTION, c, sub_image, texel, row), 0);
            let x = textureLoad(solution, texel_address(SOLUTION, c, sub_image, texel, row), 0);
            // Past the row's end both are zero.
            let difference = f - x;
            sum += dot(difference, difference);
            let slope = difference * (2.0 / f32(BATCH)) / valid_share(GRADIENT, NORMALIZED, texel, row);
            textureStore(gradient, texel_address(GRADIENT, c, sub_image, texel, row), slope);
        }
    }
    squares[id.y * BATCH + sub_image] = sum;
}
