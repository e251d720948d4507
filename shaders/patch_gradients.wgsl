// The gradients of the bicubic picture f that features come from, edges repeated. On each axis
//
//   first(x) = f(x + ceil(REACH/2)) - f(x - floor(REACH/2)),  second(x) = f(x - REACH)/2 - f(x) + f(x + REACH)/2
//
// in the order first horizontal, first vertical, second horizontal, second vertical. REACH is the scale.
//
// One invocation owns one pixel. Grid: x = columns, y = rows of the part of the picture. Prelude: STEP, REACH, PATCH.
//#import patch_block

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;

@group(0) @binding(1) var picture: texture_2d<f32>;
@group(0) @binding(2) var gradients: texture_storage_2d<rgba32float, write>;

fn value(at: vec2<i32>) -> f32 {
    return textureLoad(picture, within(at), 0).x;
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= block.width || id.y >= block.height {
        return;
    }
    let at = vec2<i32>(id.xy);
    let across = vec2(1, 0);
    let down = vec2(0, 1);
    let reach = i32(REACH);
    let before = reach / 2;
    let after = (reach + 1) / 2;
    let here = value(at);
    let gradient = vec4(
        value(at + after * across) - value(at - before * across),
        value(at + after * down) - value(at - before * down),
        0.5 * (value(at - reach * across) + value(at + reach * across)) - here,
        0.5 * (value(at - reach * down) + value(at + reach * down)) - here,
    );
    textureStore(gradients, at, gradient);
}
