// The valid-pixel map (section 4): f * f over the number of a filter's taps that lie inside the picture, as the product
// of one factor for the column and one for the row. Positions are relative to the region; outside the picture they get
// the factor of the nearest pixel, which nothing uses.
//#import region

@group(0) @binding(2) var<storage, read> valid_map: array<f32>; // [picture columns + picture rows]

// Of 4 columns.
fn valid_columns(column: i32) -> vec4<f32> {
    let x = clamp(region.origin.x + column + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
    return vec4(valid_map[x.x], valid_map[x.y], valid_map[x.z], valid_map[x.w]);
}

fn valid_row(row: i32) -> f32 {
    return valid_map[region.picture.x + clamp(region.origin.y + row, 0, region.picture.y - 1)];
}
