// Weights in a uniform buffer, the fastest place where they fit. Prelude: WEIGHTS, their length in vec4s.
@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, WEIGHTS>;
