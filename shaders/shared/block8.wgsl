// Up to 32 maps in registers, in blocks of 8: 4 pixels, a texel, of each.
struct Maps {
    a: Block8,
    b: Block8,
    c: Block8,
    d: Block8,
}

struct Block8 {
    s0: vec4<f32>,
    s1: vec4<f32>,
    s2: vec4<f32>,
    s3: vec4<f32>,
    s4: vec4<f32>,
    s5: vec4<f32>,
    s6: vec4<f32>,
    s7: vec4<f32>,
}

// Adds 4 maps, each times its weight.
fn add(sum: vec4<f32>, maps: mat4x4<f32>, weights: vec4<f32>) -> vec4<f32> {
    return sum + maps[0] * weights.x + maps[1] * weights.y + maps[2] * weights.z + maps[3] * weights.w;
}
