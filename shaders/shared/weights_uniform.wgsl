// Filters as a uniform buffer: the fast place, where they fit.
@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, WEIGHTS>;
