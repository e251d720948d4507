// Writes the result into a part of the target texture: the network's planes F(Y) replace the first bicubic planes, the
// others stay bicubic; alpha is the fourth plane, or 1.
//
// With YCBCR, planes are converted to red, green and blue by the inverse of resample_columns.wgsl. Float targets get
// the values unclamped.
//
// One invocation owns the 4 pixels of a texel of the network's planes. Grid: x = columns / 4, y = rows.
//#import region
//#import target

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;
override YCBCR: bool = true;
override PLANES: u32 = 4u;
override NETWORK_PLANES: u32 = 1u;

@group(0) @binding(1) var network: texture_2d<f32>;
@group(0) @binding(2) var bicubic: texture_2d<f32>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    // The first texel may begin before the result.
    let position = vec2<i32>(i32(id.x) * 4 - region.input_margin.x % 4, i32(id.y));
    if any(position >= region.size) {
        return;
    }
    let texels = transpose(mat4x4(
        plane(0u, position),
        plane(1u, position),
        plane(2u, position),
        plane(3u, position),
    ));
    store(texels[0], position);
    store(texels[1], position + vec2(1, 0));
    store(texels[2], position + vec2(2, 0));
    store(texels[3], position + vec2(3, 0));
}

// 4 pixels of a plane.
fn plane(plane: u32, position: vec2<i32>) -> vec4<f32> {
    var values = vec4(select(0.0, 1.0, plane == 3u));
    if plane < NETWORK_PLANES {
        let own = position + region.input_margin;
        values = textureLoad(network, input_plane(plane) + vec2(own.x / 4, own.y), 0);
    } else if plane < PLANES {
        let around = position + region.bicubic_margin;
        let at = plane_start(region.bicubic, plane) + vec2(0, around.y);
        let first = around.x >> 2u;
        let a = textureLoad(bicubic, at + vec2(max(first, 0), 0), 0);
        let b = textureLoad(bicubic, at + vec2(first + 1, 0), 0);
        let shift = around.x & 3;
        let odd = select(vec4(a.yzw, b.x), vec4(a.w, b.xyz), shift == 3);
        values = select(select(a, vec4(a.zw, b.xy), shift == 2), odd, (shift & 1) == 1);
    }
    return values;
}

fn store(planes: vec4<f32>, position: vec2<i32>) {
    var texel = planes;
    if YCBCR {
        // The inverse of rgb2ycbcr's matrix, times 255.
        let ycbcr = planes.xyz - vec3(16.0, 128.0, 128.0) / 255.0;
        texel = vec4(
            dot(ycbcr, vec3(1.1643835616438356, 3.0112439743723867e-07, 1.596026887335704)),
            dot(ycbcr, vec3(1.1643835616438356, -0.39176253994145005, -0.8129682921622052)),
            dot(ycbcr, vec3(1.1643835616438356, 2.0172326395564593, 3.054261745434849e-06)),
            planes.a,
        );
    }
    if position.x >= 0 && position.x < region.size.x {
        textureStore(target_texture, region.host_texel + position, texel);
    }
}
