// The host's target texture as rgba8unorm.
@group(0) @binding(3) var target_texture: texture_storage_2d<rgba8unorm, write>;
