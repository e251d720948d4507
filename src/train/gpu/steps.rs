//! What is recorded for a step: dispatches made beforehand, and the slots of what differs from step to step.

use std::num::NonZeroU64;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::gpu::kernel::Kernel;
use crate::gpu::kernels::Shader;
use crate::train::config::Optimizer;

/// One dispatch, ready to be recorded any number of times.
#[derive(Debug, Clone)]
pub(super) struct Dispatch {
    /// The kernel's text.
    pub shader: Arc<Shader>,
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    workgroups: [u32; 3],
    /// Whether it reads the step's slot.
    slot: bool,
}

impl Dispatch {
    /// # Errors
    /// [`Error::MissingCapability`] for more workgroups than any device takes.
    pub fn new(kernel: &Kernel, group: wgpu::BindGroup, workgroups: [usize; 3]) -> Result<Self> {
        if workgroups.iter().any(|&count| count > 65535) {
            let name = kernel.shader.name;
            return Err(Error::MissingCapability(format!(
                "dispatches of {workgroups:?} workgroups for {name}"
            )));
        }
        let workgroups = workgroups.map(|count| count as u32);
        Ok(Self {
            shader: kernel.shader.clone(),
            pipeline: kernel.pipeline.clone(),
            group,
            workgroups,
            slot: false,
        })
    }

    /// For a kernel that goes over `count` elements in strides, whatever the number of its invocations.
    pub fn elements(kernel: &Kernel, group: wgpu::BindGroup, count: usize) -> Self {
        let workgroups = count.div_ceil(super::ELEMENTS as usize).clamp(1, 4096) as u32;
        let (shader, pipeline) = (kernel.shader.clone(), kernel.pipeline.clone());
        Self { shader, pipeline, group, workgroups: [workgroups, 1, 1], slot: false }
    }

    /// The same for a kernel that reads the step's slot.
    pub fn with_slot(self) -> Self {
        Self { slot: true, ..self }
    }

    /// Records it for the step in slot `index`.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, index: usize) {
        let offset = [(index * Slot::SPACING) as u32];
        let offsets = if self.slot { &offset[..] } else { &[] };
        let [x, y, z] = self.workgroups;
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, offsets);
        pass.dispatch_workgroups(x, y, z);
    }
}

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
    /// Distance of two slots in their buffer: the largest alignment that dynamic offsets may need.
    pub const SPACING: usize = 256;
    /// Size of a binding of one slot.
    pub const SIZE: Option<NonZeroU64> = NonZeroU64::new(size_of::<Self>() as u64);

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
