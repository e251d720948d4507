//! What differs from step to step: an element of a buffer that is chosen by dynamic offset.

use crate::train::config::Optimizer;

/// Mirrors `Slot` in `shaders/shared/slot.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct Slot {
    index: u32,
    factor: f32,
    decay: [f32; 2],
    correction: [f32; 2],
    epsilon: f32,
    padding: f32,
}

impl Slot {
    /// For the step that follows `done` steps, whose number in its block is `index`.
    pub fn new(optimizer: &Optimizer, index: usize, done: u64, factor: f32) -> Self {
        let (decay, epsilon) = match optimizer {
            Optimizer::Sgd { momentum, .. } => ([*momentum as f32, 0.0], 0.0),
            Optimizer::Adam { betas, epsilon, .. } => (betas.map(|beta| beta as f32), *epsilon as f32),
        };
        // The decays as the shader has them, rounded; the exponent is exact up to 2^31 and the power long 0 there.
        let step = i32::try_from(done + 1).unwrap_or(i32::MAX);
        let correction = decay.map(|decay| (1.0 / (1.0 - f64::from(decay).powi(step))) as f32);
        Self { index: index as u32, factor, decay, correction, epsilon, padding: 0.0 }
    }
}
