// A square of 4 x 4 pixels of 8 maps: 4 rows of 4 columns of each.
struct Squares8 {
    s0: mat4x4<f32>,
    s1: mat4x4<f32>,
    s2: mat4x4<f32>,
    s3: mat4x4<f32>,
    s4: mat4x4<f32>,
    s5: mat4x4<f32>,
    s6: mat4x4<f32>,
    s7: mat4x4<f32>,
}
