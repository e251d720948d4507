// Loads 4 rows of 4 columns of a plane: a vec4 of the result is a column.
//#import read_input

fn load_square(at: vec2<i32>) -> mat4x4<f32> {
    return transpose(mat4x4(
        read_input(at),
        read_input(at + vec2(0, 1)),
        read_input(at + vec2(0, 2)),
        read_input(at + vec2(0, 3)),
    ));
}
