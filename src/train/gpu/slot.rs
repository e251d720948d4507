//! What differs from step to step: a buffer element chosen by dynamic offset.

use super::TrainerOptions;
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
    average: f32,
}

impl Slot {
    /// For the step after `done` steps, with number `index` within its submission; `factor` multiplies the learning
    /// rates.
    pub fn new(options: &TrainerOptions, index: usize, done: u64, factor: f32) -> Self {
        let (decay, epsilon) = match &options.optimizer {
            Optimizer::Sgd { momentum, .. } => ([*momentum as f32, 0.0], 0.0),
            Optimizer::Adam { betas, epsilon, .. } => (betas.map(|beta| beta as f32), *epsilon as f32),
        };
        // Use the decays as the shader has them, rounded. Clamping the exponent is harmless: the power is 0 long
        // before 2^31.
        let step = i32::try_from(done + 1).unwrap_or(i32::MAX);
        let correction = decay.map(|decay| (1.0 / (1.0 - f64::from(decay).powi(step))) as f32);
        let average = options.average_weight(done) as f32;
        Self { index: index as u32, factor, decay, correction, epsilon, average }
    }
}
