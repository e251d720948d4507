// Writes the result into a part of the target texture: the network's planes F(Y) replace the first bicubic planes, the
// others stay bicubic; alpha is the fourth plane, or 1.
//
// Float targets get the values unclamped. Targets that are rendered to take render_from_planes.wgsl.
//
// One invocation owns the 4 pixels of a texel of the network's planes. Grid: x = columns / 4, y = rows.
//#import region
//#import target
//#import target_color

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;
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
    let texel = target_color(planes);
    if position.x >= 0 && position.x < region.size.x {
        textureStore(target_texture, region.host_texel + position, texel);
    }
}
