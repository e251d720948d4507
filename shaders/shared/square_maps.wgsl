// Maps of a layer with ReLU (equations 1 and 2) from the sums of Winograd's kernels, in squares of 4 x 4 pixels.
//
// Weights of all groups: [group][c], INPUT long, U as [8 filters][p][i][filter].
//
// Prelude: INPUTS, INPUT, BLOCKS8 (of maps in a group, up to 2).
//#import winograd_squares
//#import square_relu

// The maps of a group; without a second block, `b` is zero.
struct GroupMaps {
    a: Squares8,
    b: Squares8,
}

// Sums over all inputs for the square at `start`, and the maps from them, whose biases begin at `biases`.
fn group_maps(group: u32, start: vec2<i32>, m: mat4x4<f32>, biases: u32) -> GroupMaps {
    var a = Sums();
    var b = Sums();
    for (var c = 0u; c < INPUTS; c++) {
        let v = points(input_plane(c) + vec2(start.x / 4, start.y));
        let base = (group * INPUTS + c) * INPUT;
        a = add_input(a, v, base, 0u);
        if BLOCKS8 > 1u {
            b = add_input(b, v, base, BLOCK8_WEIGHTS);
        }
    }
    var maps = GroupMaps(maps8(a, m, biases, 0u), Squares8());
    if BLOCKS8 > 1u {
        maps.b = maps8(b, m, biases, 2u);
    }
    return maps;
}

// 8 maps from their sums, whose biases are at `base + at`.
fn maps8(sums: Sums, m: mat4x4<f32>, base: u32, at: u32) -> Squares8 {
    let b0 = weight(base, at);
    let b1 = weight(base, at + 1u);
    let squares = squares8(sums);
    return Squares8(
        finish_one(squares.s0, m, b0.x),
        finish_one(squares.s1, m, b0.y),
        finish_one(squares.s2, m, b0.z),
        finish_one(squares.s3, m, b0.w),
        finish_one(squares.s4, m, b1.x),
        finish_one(squares.s5, m, b1.y),
        finish_one(squares.s6, m, b1.z),
        finish_one(squares.s7, m, b1.w),
    );
}

fn finish_one(sum: mat4x4<f32>, m: mat4x4<f32>, bias: f32) -> mat4x4<f32> {
    return mat4x4(
        relu(sum[0], m[0], bias),
        relu(sum[1], m[1], bias),
        relu(sum[2], m[2], bias),
        relu(sum[3], m[3], bias),
    );
}
