// Appended to the kernels of training that differ from step to step. Mirrors `Slot` in src/train/gpu/steps.rs.
struct Slot {
    // The step's number in its block: where its samples and its loss are.
    index: u32,
    // Multiplies the learning rates.
    factor: f32,
    // SGD: the momentum, in x. Adam: decay of the first and second moment.
    decay: vec2<f32>,
    // Adam: 1 / (1 - decay^t), and what is added to the root of the second moment.
    correction: vec2<f32>,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> slot: Slot;
