// The host's target texture as r32float.
@group(0) @binding(3) var target_texture: texture_storage_2d<r32float, write>;
