// Appended to the kernels whose invocations own 4 pixels, a texel, of up to 32 maps: these maps, all in registers.
struct Maps {
    a: Eight,
    b: Eight,
    c: Eight,
    d: Eight,
}

struct Eight {
    s0: vec4<f32>,
    s1: vec4<f32>,
    s2: vec4<f32>,
    s3: vec4<f32>,
    s4: vec4<f32>,
    s5: vec4<f32>,
    s6: vec4<f32>,
    s7: vec4<f32>,
}

fn add(sum: vec4<f32>, maps: mat4x4<f32>, weights: vec4<f32>) -> vec4<f32> {
    return sum + maps[0] * weights.x + maps[1] * weights.y + maps[2] * weights.z + maps[3] * weights.w;
}
