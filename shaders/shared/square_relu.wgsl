// ReLU of sums (equations 1 and 2) in squares of 4 x 4 pixels. A vec4 is 4 rows of one column, a mat4x4 4 such columns.
//
// Prelude: NORMALIZED.
//#import valid_map

// max(0, m sum + B).
fn relu(sum: vec4<f32>, m: vec4<f32>, bias: f32) -> vec4<f32> {
    if NORMALIZED {
        return max(m * sum + bias, vec4(0.0));
    }
    return max(sum + bias, vec4(0.0));
}

// The valid-pixel map's factors.
fn valid_factors(at: vec2<i32>) -> mat4x4<f32> {
    if !NORMALIZED {
        return mat4x4<f32>();
    }
    let columns = valid_columns(at.x);
    let rows = vec4(valid_row(at.y), valid_row(at.y + 1), valid_row(at.y + 2), valid_row(at.y + 3));
    return mat4x4(columns.x * rows, columns.y * rows, columns.z * rows, columns.w * rows);
}
