// Appended to conv_first.wgsl and conv_wide.wgsl: what the padding of the next layer makes of maps in registers, and the
// rows of a last layer of one filter over them. See conv_first.wgsl for P.
// A texel of the region, and the nearest one that holds pixels of the picture: that one is computed.
struct Place {
    // Column and row of the texel, and of the one that is computed.
    wanted: vec2<i32>,
    start: vec2<i32>,
    inside_region: bool,
    // The picture's first and last column and row, in the region.
    first: vec2<i32>,
    last: vec2<i32>,
}

fn place(lane: u32, workgroup: vec3<u32>) -> Place {
    let tile = workgroup.xy * vec2(WORKGROUP_X, WORKGROUP_Y) + vec2(lane % WORKGROUP_X, lane / WORKGROUP_X);
    let position = vec2<i32>(tile * vec2(4u, 1u));
    let first = -region.origin;
    let last = first + region.picture - 1;
    // No invocation returns early: they exchange weights.
    let wanted = min(position, (region.size - 1) / vec2(4, 1) * vec2(4, 1));
    var start = wanted;
    if PADDING == PADDING_REPLICATE {
        start = clamp(start, vec2(first.x / 4 * 4, first.y), vec2(last.x / 4 * 4, last.y));
    }
    return Place(wanted, start, all(position < region.size), first, last);
}

// Output maps of sums: max(0, m sum + B), the biases at `at`; outside the picture what the next layer's padding needs.
fn finish(sums: Maps, place: Place, m: vec4<f32>, at: u32) -> Maps {
    let border = border(place, m);
    var maps = Maps();
    maps.a = finish_eight(sums.a, border, at, 0u);
    if EIGHTS > 1u {
        maps.b = finish_eight(sums.b, border, at, 2u);
    }
    if EIGHTS > 2u {
        maps.c = finish_eight(sums.c, border, at, 4u);
    }
    if EIGHTS > 3u {
        maps.d = finish_eight(sums.d, border, at, 6u);
    }
    return maps;
}

// Which of a texel's pixels lie outside the picture, and which pixels of a texel are the picture's first and last.
struct Border {
    left: vec4<bool>,
    right: vec4<bool>,
    first: i32,
    last: i32,
    m: vec4<f32>,
}

fn border(place: Place, m: vec4<f32>) -> Border {
    let columns = place.wanted.x + vec4(0, 1, 2, 3);
    var left = columns < vec4(place.first.x);
    let right = columns > vec4(place.last.x);
    if PADDING == PADDING_ZERO && (place.wanted.y < place.first.y || place.wanted.y > place.last.y) {
        left = vec4(true);
    }
    return Border(left, right, place.first.x % 4, place.last.x % 4, m);
}

fn finish_eight(sums: Eight, border: Border, base: u32, at: u32) -> Eight {
    let b0 = weight(base, at);
    let b1 = weight(base, at + 1u);
    return Eight(
        finish_one(border.m * sums.s0 + b0.x, border),
        finish_one(border.m * sums.s1 + b0.y, border),
        finish_one(border.m * sums.s2 + b0.z, border),
        finish_one(border.m * sums.s3 + b0.w, border),
        finish_one(border.m * sums.s4 + b1.x, border),
        finish_one(border.m * sums.s5 + b1.y, border),
        finish_one(border.m * sums.s6 + b1.z, border),
        finish_one(border.m * sums.s7 + b1.w, border),
    );
}

fn finish_one(sum: vec4<f32>, border: Border) -> vec4<f32> {
    let value = max(sum, vec4(0.0));
    if PADDING == PADDING_REPLICATE {
        let left = pixel(value, border.first);
        let right = pixel(value, border.last);
        return select(select(value, vec4(right), border.right), vec4(left), border.left);
    }
    if PADDING == PADDING_ZERO {
        return select(value, vec4(0.0), border.left | border.right);
    }
    return value;
}

fn pixel(value: vec4<f32>, index: i32) -> f32 {
    return select(select(value.x, value.y, index == 1), select(value.z, value.w, index == 3), index >= 2);
}

// A row of the last layer's filter over the 4 pixels, its weights at `base`: what they add to columns -2 to 5.
fn store_row(maps: Maps, base: u32, i: u32, place: Place) {
    // The tap that lands on the same column, and those that land on columns to the right and left.
    var main = row_tap(maps, base, FILTER_3 / 2u);
    var sides = vec4(0.0);
    if FILTER_3 > 1u {
        let r1 = row_tap(maps, base, FILTER_3 / 2u - 1u);
        let l1 = row_tap(maps, base, FILTER_3 / 2u + 1u);
        main += vec4(0.0, r1.xyz) + vec4(l1.yzw, 0.0);
        sides += vec4(0.0, l1.x, r1.w, 0.0);
    }
    if FILTER_3 > 3u {
        let r2 = row_tap(maps, base, 0u);
        let l2 = row_tap(maps, base, 4u);
        main += vec4(0.0, 0.0, r2.xy) + vec4(l2.zw, 0.0, 0.0);
        sides += vec4(l2.xy, r2.zw);
    }
    if place.inside_region {
        let texel = vec2(place.wanted.x / 4, place.wanted.y);
        textureStore(output, output_plane(2u * i) + texel, main);
        textureStore(output, output_plane(2u * i + 1u) + texel, sides);
    }
}

// The sum over all maps for tap j of the row.
fn row_tap(maps: Maps, base: u32, j: u32) -> vec4<f32> {
    let at = j * 2u * EIGHTS;
    var sum = over_eight(maps.a, base, at);
    if EIGHTS > 1u {
        sum += over_eight(maps.b, base, at + 2u);
    }
    if EIGHTS > 2u {
        sum += over_eight(maps.c, base, at + 4u);
    }
    if EIGHTS > 3u {
        sum += over_eight(maps.d, base, at + 6u);
    }
    return sum;
}

fn over_eight(maps: Eight, base: u32, at: u32) -> vec4<f32> {
    let sum = add(vec4(0.0), mat4x4(maps.s0, maps.s1, maps.s2, maps.s3), weight(base, at));
    return add(sum, mat4x4(maps.s4, maps.s5, maps.s6, maps.s7), weight(base, at + 1u));
}

// The valid-pixel map's factors for 4 pixels; positions outside the picture take those of the nearest pixel, they are
// not used.
fn valid_factors(at: vec2<i32>) -> vec4<f32> {
    let x = clamp(region.origin.x + at.x + vec4(0, 1, 2, 3), vec4(0), vec4(region.picture.x - 1));
    let columns = vec4(valid_map[x.x], valid_map[x.y], valid_map[x.z], valid_map[x.w]);
    return columns * valid_map[region.picture.x + clamp(region.origin.y + at.y, 0, region.picture.y - 1)];
}
