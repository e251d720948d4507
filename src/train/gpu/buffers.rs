//! The buffers of a [`Trainer`](super::Trainer).

use super::TrainerOptions;
use crate::error::{Error, Result};
use crate::gpu::memory::{DYNAMIC_SPACING, buffer, staging};
use crate::gpu::scoped;

/// Maximum number of steps per submission.
pub(super) const SLOTS: usize = 64;

/// All in parameter order: each layer's weights as in PyTorch, then its biases.
#[derive(Debug)]
pub(super) struct Buffers {
    pub parameters: wgpu::Buffer,
    /// `[slot][parameter]`.
    pub moments: wgpu::Buffer,
    /// The running mean of the parameters, if there is one.
    pub averages: Option<wgpu::Buffer>,
    pub gradients: wgpu::Buffer,
    /// `[part][parameter]`.
    pub parts: wgpu::Buffer,
    pub rates: wgpu::Buffer,
    /// `[row][sub-image]`.
    pub squares: wgpu::Buffer,
    pub losses: wgpu::Buffer,
    /// Two, because two submissions are in flight at a time.
    pub losses_staging: [wgpu::Buffer; 2],
    pub slots: wgpu::Buffer,
    /// `[step within the submission][sub-image]`.
    pub samples: wgpu::Buffer,
}

impl Buffers {
    /// # Errors
    /// [`Error::MissingCapability`] for buffers larger than the device can bind, and what the device reports.
    pub fn new(
        device: &wgpu::Device,
        options: &TrainerOptions,
        parameters: usize,
        rows: usize,
        parts: usize,
    ) -> Result<Self> {
        use wgpu::BufferUsages as Usage;
        let kept = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let most = device.limits().max_storage_buffer_binding_size;
        let buffer = |name: &str, values: usize, usage: Usage| {
            let size = values as u64 * 4;
            if size > most {
                return Err(Error::MissingCapability(format!("bindings of {size} bytes for {name}")));
            }
            scoped(device, || buffer(device, &format!("srcnn.train.{name}"), size, usage))
        };
        let losses_staging = || scoped(device, || staging(device, "srcnn.train.losses", SLOTS as u64 * 4));
        Ok(Self {
            parameters: buffer("parameters", parameters, kept)?,
            moments: buffer("moments", parameters * options.optimizer.slots(), kept)?,
            averages: (options.average > 0.0).then(|| buffer("averages", parameters, kept)).transpose()?,
            gradients: buffer("gradients", parameters, kept)?,
            parts: buffer("parts", parameters * parts, Usage::STORAGE)?,
            rates: buffer("rates", parameters, kept)?,
            squares: buffer("squares", rows * options.batch, Usage::STORAGE)?,
            losses: buffer("losses", SLOTS, kept)?,
            losses_staging: [losses_staging()?, losses_staging()?],
            slots: buffer("slots", SLOTS * DYNAMIC_SPACING / 4, Usage::UNIFORM | Usage::COPY_DST)?,
            samples: buffer("samples", SLOTS * options.batch * 2, kept)?,
        })
    }
}
