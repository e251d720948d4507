// Filters as a storage buffer: for layers whose filters are too large for a uniform buffer.
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
