// A square of 4 x 4 pixels as the next layer reads it, and how it is stored. A mat4x4 is 4 columns of 4 rows.
//#import locate

fn store_rows(columns: mat4x4<f32>, at: vec2<i32>) {
    let rows = transpose(columns);
    textureStore(output, at, rows[0]);
    textureStore(output, at + vec2(0, 1), rows[1]);
    textureStore(output, at + vec2(0, 2), rows[2]);
    textureStore(output, at + vec2(0, 3), rows[3]);
}

// Gives positions outside the picture what the padding puts there: the value of the nearest pixel, or zero.
fn padded(inside: mat4x4<f32>, location: Location) -> mat4x4<f32> {
    var map = inside;
    let zero = vec4(0.0);
    let columns = location.wanted.x + vec4(0, 1, 2, 3);
    let left = columns < vec4(location.first.x);
    let right = columns > vec4(location.last.x);
    let rows = location.wanted.y + vec4(0, 1, 2, 3);
    let above = rows < vec4(location.first.y);
    let below = rows > vec4(location.last.y);
    if PADDING == PADDING_REPLICATE {
        let first = column_of(map, location.first.x % 4);
        let last = column_of(map, location.last.x % 4);
        map = mat4x4(
            replicate(select(select(map[0], last, right.x), first, left.x), above, below, location),
            replicate(select(select(map[1], last, right.y), first, left.y), above, below, location),
            replicate(select(select(map[2], last, right.z), first, left.z), above, below, location),
            replicate(select(select(map[3], last, right.w), first, left.w), above, below, location),
        );
    }
    if PADDING == PADDING_ZERO {
        let outside = above | below;
        map = mat4x4(
            select(map[0], zero, outside | vec4(left.x || right.x)),
            select(map[1], zero, outside | vec4(left.y || right.y)),
            select(map[2], zero, outside | vec4(left.z || right.z)),
            select(map[3], zero, outside | vec4(left.w || right.w)),
        );
    }
    return map;
}

fn replicate(column: vec4<f32>, above: vec4<bool>, below: vec4<bool>, location: Location) -> vec4<f32> {
    let top = vec4(row_of(column, location.first.y % 4));
    let bottom = vec4(row_of(column, location.last.y % 4));
    return select(select(column, bottom, below), top, above);
}

fn column_of(map: mat4x4<f32>, x: i32) -> vec4<f32> {
    return select(select(map[0], map[1], x == 1), select(map[2], map[3], x == 3), x >= 2);
}

fn row_of(column: vec4<f32>, y: i32) -> f32 {
    return select(select(column.x, column.y, y == 1), select(column.z, column.w, y == 3), y >= 2);
}
