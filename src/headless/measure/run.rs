//! A network on planes in GPU memory, for repeated runs.

use std::time::Duration;

use super::clock::{Clock, WHAT, timed};
use super::synthetic;
use crate::error::{Error, Result};
use crate::gpu::memory::{copy_texture, row_stride, staging, texture, upload, view};
use crate::gpu::readback::Readback;
use crate::gpu::scoped;
use crate::headless::{Gpu, HeadlessOptions};
use crate::precision::Precision;
use crate::upscaler::{SourceKind, Upscaler};
use crate::weights::Weights;

/// A compiled network with planes to run on.
#[derive(Debug)]
pub(in crate::headless) struct NetworkRun<'a> {
    gpu: &'a Gpu,
    upscaler: Upscaler,
    format: wgpu::TextureFormat,
    /// Precision of the hidden layers.
    pub precision: Precision,
    planes: Option<Planes>,
}

#[derive(Debug)]
struct Planes {
    source: wgpu::TextureView,
    target: wgpu::TextureView,
}

impl<'a> NetworkRun<'a> {
    /// Compiles a network. Only the options' shape, precision, winograd and padding are used.
    ///
    /// # Errors
    /// As [`Upscaler::new`].
    pub fn new(gpu: &'a Gpu, weights: &Weights, options: HeadlessOptions) -> Result<Self> {
        let channels = weights.architecture().channels();
        let format =
            if channels == 1 { wgpu::TextureFormat::R32Float } else { wgpu::TextureFormat::Rgba32Float };
        let precision = options.precision;
        let options = options.upscaler(gpu, SourceKind::Planes, format);
        let upscaler = Upscaler::new(&gpu.device, &gpu.queue, weights, options)?;
        Ok(Self { gpu, upscaler, format, precision, planes: None })
    }

    /// Creates planes of `size` pixels with a synthetic picture, to be enlarged by `factor`; returns the result's
    /// size.
    ///
    /// # Errors
    /// As [`Upscaler::prepare`].
    pub fn prepare(&mut self, size: (u32, u32), factor: f64) -> Result<(u32, u32)> {
        let Gpu { device, queue, .. } = self.gpu;
        let result = self.upscaler.prepare(size, factor)?;
        use wgpu::TextureUsages as Usage;
        let texture =
            |(width, height), usage| texture(device, "srcnn.measure", [width, height], self.format, usage);
        let texels = self.texel_bytes() / 4;
        let values = synthetic(size.0 as usize, size.1 as usize, texels as usize)?.data;
        let planes = scoped(device, || {
            let source = texture(size, Usage::TEXTURE_BINDING | Usage::COPY_DST);
            upload(queue, &source, [size.0, size.1], bytemuck::cast_slice(&values));
            let target = texture(result, Usage::STORAGE_BINDING | Usage::COPY_SRC);
            Planes { source: view(&source), target: view(&target) }
        })?;
        self.planes = Some(planes);
        Ok(result)
    }

    /// Names of the kernels, in execution order.
    pub fn kernels(&self) -> Vec<&'static str> {
        self.upscaler.kernels()
    }

    /// Runs all kernels, for their result in the target.
    ///
    /// # Errors
    /// As [`NetworkRun::time`].
    pub fn compute(&self) -> Result<()> {
        self.time(Clock::Wall, None).map(drop)
    }

    /// Runs all kernels, from source to target, or only the given one, and returns how long it took.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] before [`NetworkRun::prepare`]; what the device reports.
    pub fn time(&self, clock: Clock, kernel: Option<usize>) -> Result<Duration> {
        let planes = self.planes()?;
        let (source, target) = (planes.source.texture(), planes.target.texture());
        timed(self.gpu, clock, |encoder, stamps| {
            self.upscaler.record_timed(encoder, source, target, kernel, stamps.map(|s| s.of_pass()))
        })
    }

    /// The target's values, texel by texel.
    ///
    /// # Errors
    /// As [`NetworkRun::time`].
    pub fn result(&self) -> Result<Vec<f32>> {
        let Gpu { device, queue, .. } = self.gpu;
        let target = self.planes()?.target.texture();
        let size = [target.width(), target.height()];
        let row = (size[0] * self.texel_bytes()) as usize;
        let stride = row_stride(size[0], self.texel_bytes());
        let bytes = u64::from(stride) * u64::from(size[1]);
        let staging = scoped(device, || staging(device, "srcnn.measure", bytes))?;
        let readback = Readback::submit(device, queue, WHAT, &staging, bytes, |encoder| {
            copy_texture(encoder, target, size, &staging, stride);
        })?;
        readback.finish(device, |bytes| {
            let lines = bytes.chunks(stride as usize);
            let result = lines.flat_map(|line| bytemuck::pod_collect_to_vec::<u8, f32>(&line[..row]));
            Ok(result.collect())
        })
    }

    fn planes(&self) -> Result<&Planes> {
        self.planes.as_ref().ok_or_else(|| Error::invalid("call prepare before timing or reading a result"))
    }

    fn texel_bytes(&self) -> u32 {
        if self.format == wgpu::TextureFormat::R32Float { 4 } else { 16 }
    }
}
