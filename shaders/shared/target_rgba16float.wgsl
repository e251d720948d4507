// The host's target texture as rgba16float.
@group(0) @binding(3) var target_texture: texture_storage_2d<rgba16float, write>;
