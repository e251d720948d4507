//! Measures what an adapter reaches, and what the kernels of a network take of it.

use std::time::{Duration, Instant};

use wgpu::util::DeviceExt;

use super::Gpu;
use crate::error::{Error, Result};
use crate::gpu::kernel::{Binding, Kernel};
use crate::gpu::scoped;
use crate::gpu::shaders::{self, CEILING_OPERATIONS, ConvShape};
use crate::network::Padding;
use crate::planes::Planes;
use crate::upscaler::{SourceKind, Upscaler, UpscalerOptions};
use crate::weights::Weights;

/// How long to wait for one piece of work.
const TIMEOUT: Duration = Duration::from_secs(300);

/// How times are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// From submission until the device is idle.
    Wall,
    /// Processor time of all threads over the number of processors: the time that a software adapter would take if
    /// nothing else ran. Where the system tells it (Linux).
    Processor,
}

impl Clock {
    /// Processor time for software adapters, where there is such a clock, and the wall's for all others.
    pub fn for_adapter(info: &wgpu::AdapterInfo) -> Self {
        let software = info.device_type == wgpu::DeviceType::Cpu;
        if software && processor_time().is_some() { Self::Processor } else { Self::Wall }
    }

    fn now(self, start: Instant) -> Duration {
        match self {
            Self::Wall => start.elapsed(),
            Self::Processor => {
                let processors = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
                processor_time().unwrap_or_default() / processors
            }
        }
    }
}

/// Time that all threads of this process spent on processors.
fn processor_time() -> Option<Duration> {
    let mut sum = Duration::ZERO;
    for thread in std::fs::read_dir("/proc/self/task").ok()? {
        // A thread may end meanwhile.
        let Ok(text) = std::fs::read_to_string(thread.ok()?.path().join("schedstat")) else { continue };
        sum += Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?);
    }
    Some(sum)
}

/// Submits what `record` records, waits for it, and returns how long that took.
///
/// # Errors
/// What `record` returns, and what the device reports.
pub fn timed(
    gpu: &Gpu,
    clock: Clock,
    record: impl FnOnce(&mut wgpu::CommandEncoder) -> Result<()>,
) -> Result<Duration> {
    let mut encoder =
        gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("srcnn.measure") });
    record(&mut encoder)?;
    let commands = encoder.finish();
    let start = Instant::now();
    let before = clock.now(start);
    let submission = gpu.queue.submit([commands]);
    let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(TIMEOUT) };
    gpu.device.poll(wait).map_err(|e| Error::Gpu(format!("waiting for a measurement: {e}")))?;
    let spent = clock.now(start) - before;
    gpu.faults.check()?;
    Ok(spent)
}

/// The shortest of several times.
fn best(repeats: usize, mut time: impl FnMut() -> Result<Duration>) -> Result<Duration> {
    (0..repeats.max(1)).try_fold(Duration::MAX, |best, _| Ok(best.min(time()?)))
}

/// What an adapter reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceilings {
    /// Multiplications and additions a second, in independent chains of them.
    pub operations: f64,
    /// Bytes a second, read and written, that copies from buffer to buffer move.
    pub copied: f64,
}

impl Ceilings {
    /// The higher ones of two measurements.
    pub fn max(self, other: Self) -> Self {
        Self { operations: self.operations.max(other.operations), copied: self.copied.max(other.copied) }
    }
}

/// Measures an adapter.
///
/// # Errors
/// What the device reports.
pub fn ceilings(gpu: &Gpu, clock: Clock) -> Result<Ceilings> {
    const COPIED: u64 = 32 << 20;
    const REPEATS: usize = 4;
    let software = gpu.info.device_type == wgpu::DeviceType::Cpu;
    let groups = if software { 64 } else { 16384 };
    let kernel = Kernel::new(&gpu.device, &shaders::ceiling(), &[Binding::Uniform, Binding::Write])?;
    use wgpu::BufferUsages as Usage;
    let buffer = |size, usage| {
        let label = Some("srcnn.measure");
        gpu.device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false })
    };
    let (group, copies) = scoped(&gpu.device, || {
        let numbers = gpu.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("srcnn.measure"),
            contents: bytemuck::cast_slice(&[0.9f32, 0.1, 0.0, 0.0]),
            usage: Usage::UNIFORM,
        });
        let output = buffer(groups * 64 * 4, Usage::STORAGE);
        let group = kernel.bind(&gpu.device, &[numbers.as_entire_binding(), output.as_entire_binding()]);
        (group, [buffer(COPIED, Usage::COPY_SRC), buffer(COPIED, Usage::COPY_DST)])
    })?;
    let compute = || {
        timed(gpu, clock, |encoder| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&kernel.pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(groups as u32, 1, 1);
            Ok(())
        })
    };
    let copy = || {
        timed(gpu, clock, |encoder| {
            for _ in 0..REPEATS {
                encoder.copy_buffer_to_buffer(&copies[0], 0, &copies[1], 0, COPIED);
            }
            Ok(())
        })
    };
    // The first run compiles, and touches the memory.
    compute()?;
    copy()?;
    let operations = (groups * 64 * CEILING_OPERATIONS) as f64;
    Ok(Ceilings {
        operations: operations / best(REPEATS, compute)?.as_secs_f64(),
        copied: (2 * COPIED * REPEATS as u64) as f64 / best(REPEATS, copy)?.as_secs_f64(),
    })
}

/// What a network takes on an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkTimes {
    /// Pixels of the result.
    pub pixels: u64,
    /// Multiplications and additions of the network, as its layers define them.
    pub operations: f64,
    /// All kernels, from source texture to target texture.
    pub whole: Duration,
    /// Each kernel by itself: its name and its time.
    pub kernels: Vec<(&'static str, Duration)>,
}

impl NetworkTimes {
    /// The kernels of the network alone: from planes of the result's size, without resampling and conversion.
    pub fn network(&self) -> Duration {
        let outer = ["resample_columns", "resample_rows", "texture_from_planes"];
        self.kernels.iter().filter(|(name, _)| !outer.contains(name)).map(|(_, time)| *time).sum()
    }
}

/// Times a network on its own planes in GPU memory, each time the best of `repeats`: planes of `size` pixels, enlarged
/// by `factor`.
///
/// # Errors
/// As [`Upscaler::new`] and [`Upscaler::prepare`].
pub fn network(
    gpu: &Gpu,
    clock: Clock,
    weights: &Weights,
    shape: Option<ConvShape>,
    size: (u32, u32),
    factor: f64,
    repeats: usize,
) -> Result<NetworkTimes> {
    let channels = weights.architecture().channels();
    let format = if channels == 1 { wgpu::TextureFormat::R32Float } else { wgpu::TextureFormat::Rgba32Float };
    let defaults = UpscalerOptions::for_device(&gpu.device);
    let options = UpscalerOptions {
        target_format: format,
        source: SourceKind::Planes,
        conv_shape: shape.unwrap_or(defaults.conv_shape),
        ..defaults
    };
    let mut upscaler = Upscaler::new(&gpu.device, &gpu.queue, weights, options)?;
    let (width, height) = upscaler.prepare(size, factor)?;
    use wgpu::TextureUsages as Usage;
    let texture = |(width, height), usage| {
        gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("srcnn.measure"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage,
            view_formats: &[],
        })
    };
    let texels = if channels == 1 { 1 } else { 4 };
    let values = synthetic(size.0 as usize, size.1 as usize, texels)?.data;
    let (source, target) = scoped(&gpu.device, || {
        let source = texture(size, Usage::TEXTURE_BINDING | Usage::COPY_DST);
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(size.0 * 4 * texels as u32),
            rows_per_image: None,
        };
        gpu.queue.write_texture(source.as_image_copy(), bytemuck::cast_slice(&values), layout, source.size());
        let target = texture((width, height), Usage::STORAGE_BINDING);
        let view = |texture: wgpu::Texture| texture.create_view(&wgpu::TextureViewDescriptor::default());
        (view(source), view(target))
    })?;
    let whole = || timed(gpu, clock, |encoder| upscaler.record(encoder, &source, &target));
    whole()?;
    let whole = best(repeats, whole)?;
    let kernels = upscaler.kernels().into_iter().enumerate().map(|(i, name)| {
        let one = || timed(gpu, clock, |encoder| upscaler.record_kernel(encoder, &source, &target, i));
        Ok((name, best(repeats, one)?))
    });
    let pixels = u64::from(width) * u64::from(height);
    let operations = 2.0 * weights.architecture().multiply_adds() as f64 * pixels as f64;
    Ok(NetworkTimes { pixels, operations, whole, kernels: kernels.collect::<Result<_>>()? })
}

/// A synthetic picture: neither smooth nor noise alone, and the same every time.
///
/// # Errors
/// [`Error::InvalidArgument`] for a picture without pixels.
pub fn synthetic(width: usize, height: usize, channels: usize) -> Result<Planes> {
    let mut state = 1u32;
    let data = (0..width * height * channels).map(|i| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        let noise = (state >> 8) as f32 / (1 << 24) as f32;
        let (x, y) = (i % width, i / width);
        0.5 + 0.3 * (x as f32 * 0.11).sin() * (y as f32 * 0.07).cos() + 0.2 * (noise - 0.5)
    });
    Planes::new(width, height, channels, data.collect())
}

/// Compares the network's result for a small synthetic picture with that of its CPU twin; returns the largest
/// difference of a value.
///
/// # Errors
/// [`Error::Gpu`] when they differ by more than rounding can; also what the device reports.
pub fn check(gpu: &Gpu, weights: &Weights, shape: Option<ConvShape>) -> Result<f64> {
    let channels = weights.architecture().channels();
    let small = synthetic(43, 37, channels)?;
    let options = super::HeadlessOptions {
        padding: Some(Padding::Replicate),
        conv_shape: shape,
        ..super::HeadlessOptions::default()
    };
    let actual = super::Headless::new(gpu.clone(), weights, options)?.upscale_planes(&small, 1.0)?;
    let data = small.data.iter().map(|&v| f64::from(v)).collect();
    let maps = crate::reference::Maps { channels, height: small.height, width: small.width, data };
    let expected = crate::reference::forward(weights, &maps, Padding::Replicate).data;
    let differences = actual.data.iter().zip(&expected).map(|(&a, e)| (f64::from(a) - e).abs());
    let largest = differences.fold(0.0, f64::max);
    let range = expected.iter().fold(1.0, |range: f64, value| range.max(value.abs()));
    if largest > 1e-4 * range {
        return Err(Error::Gpu(format!(
            "the adapter's result differs from the processor's by {largest:.1e}: its times mean nothing"
        )));
    }
    Ok(largest)
}
