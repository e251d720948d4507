// The host's target texture as rgba32float.
@group(0) @binding(3) var target_texture: texture_storage_2d<rgba32float, write>;
