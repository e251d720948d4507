// What texture_from_planes.wgsl does, for targets that are rendered to: surfaces of windows, formats with sRGB, and all
// others that a compute kernel cannot store to. The same planes, in a fragment kernel.
//
// A triangle covers the target; the scissor rectangle is the tile. One invocation owns a pixel.
//#import region
//#import target_color

override PLANES: u32 = 4u;
override NETWORK_PLANES: u32 = 1u;

@group(0) @binding(1) var network: texture_2d<f32>;
@group(0) @binding(2) var bicubic: texture_2d<f32>;

@vertex
fn corner(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return vec4(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn main(@builtin(position) center: vec4<f32>) -> @location(0) vec4<f32> {
    let position = vec2<i32>(center.xy) - region.host_texel;
    return target_color(vec4(
        plane(0u, position),
        plane(1u, position),
        plane(2u, position),
        plane(3u, position),
    ));
}

// A pixel of a plane.
fn plane(plane: u32, position: vec2<i32>) -> f32 {
    if plane < NETWORK_PLANES {
        let own = position + region.input_margin;
        return textureLoad(network, input_plane(plane) + vec2(own.x / 4, own.y), 0)[own.x % 4];
    }
    if plane < PLANES {
        let own = position + region.bicubic_margin;
        return textureLoad(bicubic, plane_start(region.bicubic, plane) + vec2(own.x / 4, own.y), 0)[own.x % 4];
    }
    return select(0.0, 1.0, plane == 3u);
}
