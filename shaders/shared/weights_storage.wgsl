// Weights in a storage buffer, for layers too large for a uniform buffer.
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
