// What changes from one training step to the next. Mirrors `Slot` in src/train/gpu/slot.rs.
struct Slot {
    // Number of the step in its block: where its samples and its loss are.
    index: u32,
    // Multiplies the learning rates.
    factor: f32,
    // SGD: the momentum, in x. Adam: decay of the first and second moment.
    decay: vec2<f32>,
    // Adam: 1 / (1 - decay^t) for both moments.
    correction: vec2<f32>,
    // Adam: added to the root of the second moment.
    epsilon: f32,
    // Share of the parameters in their running mean.
    average: f32,
}

@group(0) @binding(0) var<uniform> slot: Slot;
