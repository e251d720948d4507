//! A network on planes in GPU memory, to be run again and again.

use std::time::Duration;

use super::super::{Gpu, HeadlessOptions};
use super::clock::{Clock, read, timed};
use super::synthetic;
use crate::error::{Error, Result};
use crate::gpu::scoped;
use crate::precision::Precision;
use crate::upscaler::{SourceKind, Upscaler, UpscalerOptions};
use crate::weights::Weights;

/// A compiled network, and planes for it.
#[derive(Debug)]
pub(in crate::headless) struct Run<'a> {
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

impl<'a> Run<'a> {
    /// Compiles a network: of the options shape, precision, winograd and padding count.
    ///
    /// # Errors
    /// As [`Upscaler::new`].
    pub fn new(gpu: &'a Gpu, weights: &Weights, options: HeadlessOptions) -> Result<Self> {
        let channels = weights.architecture().channels();
        let format =
            if channels == 1 { wgpu::TextureFormat::R32Float } else { wgpu::TextureFormat::Rgba32Float };
        let defaults = UpscalerOptions::for_device(&gpu.device);
        let HeadlessOptions { padding, conv_shape, precision, winograd, .. } = options;
        let options = UpscalerOptions {
            padding,
            target_format: format,
            source: SourceKind::Planes,
            conv_shape: conv_shape.unwrap_or(defaults.conv_shape),
            precision,
            pipeline_cache: gpu.pipelines.cache().cloned(),
            winograd,
            ..defaults
        };
        let upscaler = Upscaler::new(&gpu.device, &gpu.queue, weights, options)?;
        Ok(Self { gpu, upscaler, format, precision, planes: None })
    }

    /// Makes planes of `size` pixels with a synthetic picture, to be enlarged by `factor`; returns the result's size.
    ///
    /// # Errors
    /// As [`Upscaler::prepare`].
    pub fn prepare(&mut self, size: (u32, u32), factor: f64) -> Result<(u32, u32)> {
        let Gpu { device, queue, .. } = self.gpu;
        let result = self.upscaler.prepare(size, factor)?;
        use wgpu::TextureUsages as Usage;
        let texture = |(width, height), usage| {
            device.create_texture(&wgpu::TextureDescriptor {
                label: Some("srcnn.measure"),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: self.format,
                usage,
                view_formats: &[],
            })
        };
        let texels = self.texel_bytes() / 4;
        let values = synthetic(size.0 as usize, size.1 as usize, texels as usize)?.data;
        let planes = scoped(device, || {
            let source = texture(size, Usage::TEXTURE_BINDING | Usage::COPY_DST);
            let layout = wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(size.0 * self.texel_bytes()),
                rows_per_image: None,
            };
            queue.write_texture(source.as_image_copy(), bytemuck::cast_slice(&values), layout, source.size());
            let target = texture(result, Usage::STORAGE_BINDING | Usage::COPY_SRC);
            let view = |texture: wgpu::Texture| texture.create_view(&wgpu::TextureViewDescriptor::default());
            Planes { source: view(source), target: view(target) }
        })?;
        self.planes = Some(planes);
        Ok(result)
    }

    /// Names of the kernels, in the order in which they run.
    pub fn kernels(&self) -> Vec<&'static str> {
        self.upscaler.kernels()
    }

    /// Runs all kernels, for what they leave in the target.
    ///
    /// # Errors
    /// As [`Run::time`].
    pub fn compute(&self) -> Result<()> {
        self.time(Clock::Wall, None).map(drop)
    }

    /// Runs all kernels, from source to target, or one of them alone, and returns how long it took.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] before [`Run::prepare`]; what the device reports.
    pub fn time(&self, clock: Clock, kernel: Option<usize>) -> Result<Duration> {
        let Planes { source, target } = self.planes()?;
        timed(self.gpu, clock, |encoder, stamps| {
            self.upscaler.record_timed(encoder, source, target, kernel, stamps.map(|s| s.of_pass()))
        })
    }

    /// The target's values, texel by texel.
    ///
    /// # Errors
    /// As [`Run::time`].
    pub fn result(&self) -> Result<Vec<f32>> {
        let Gpu { device, queue, .. } = self.gpu;
        let target = self.planes()?.target.texture();
        let size = target.size();
        let row = (size.width * self.texel_bytes()) as usize;
        let stride = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT as usize);
        let buffer = scoped(device, || {
            let buffer = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("srcnn.measure"),
                size: stride as u64 * u64::from(size.height),
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let layout = wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(stride as u32),
                rows_per_image: None,
            };
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let to = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
            encoder.copy_texture_to_buffer(target.as_image_copy(), to, size);
            queue.submit([encoder.finish()]);
            buffer
        })?;
        let bytes = read(self.gpu, &buffer)?;
        Ok(bytes
            .chunks(stride)
            .flat_map(|line| bytemuck::pod_collect_to_vec::<u8, f32>(&line[..row]))
            .collect())
    }

    fn planes(&self) -> Result<&Planes> {
        self.planes.as_ref().ok_or_else(|| Error::invalid("call prepare before anything is timed"))
    }

    fn texel_bytes(&self) -> u32 {
        if self.format == wgpu::TextureFormat::R32Float { 4 } else { 16 }
    }
}
