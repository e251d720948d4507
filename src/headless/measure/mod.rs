//! Measures what an adapter can reach and how much of it a network's kernels use.

mod clock;
mod run;
mod twin;

use std::time::Duration;

pub use clock::{Clock, Timestamps, timed};
pub(super) use run::NetworkRun;
pub(super) use twin::CpuTwin;
pub(crate) use twin::compare;

use super::{Gpu, HeadlessOptions};
use crate::error::Result;
use crate::gpu::adapter::is_software;
use crate::gpu::compile::{Binding, Kernel};
use crate::gpu::dispatch::record;
use crate::gpu::kernels::{self, CEILING_OPERATIONS};
use crate::gpu::memory::{buffer, constant};
use crate::gpu::scoped;
use crate::planes::Planes;
use crate::upscaler::KernelChoice;
use crate::weights::Weights;

/// The shortest of several runs.
pub(crate) fn best(repeats: usize, mut time: impl FnMut() -> Result<Duration>) -> Result<Duration> {
    (0..repeats.max(1)).try_fold(Duration::MAX, |best, _| Ok(best.min(time()?)))
}

/// The peak rates that an adapter reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceilings {
    /// Multiplications and additions per second, in independent chains.
    pub operations: f64,
    /// Bytes per second, read plus written, in copies from buffer to buffer.
    pub copied: f64,
}

impl Ceilings {
    /// The higher rates of two measurements.
    pub fn max(self, other: Self) -> Self {
        Self { operations: self.operations.max(other.operations), copied: self.copied.max(other.copied) }
    }
}

/// Measures the peak rates of an adapter.
///
/// # Errors
/// What the device reports.
pub fn ceilings(gpu: &Gpu, clock: Clock) -> Result<Ceilings> {
    const REPEATS: usize = 4;
    let software = is_software(&gpu.info);
    // Larger than any cache, and long enough to be timed.
    let (groups, copied) = if software { (64, 32 << 20) } else { (16384, 256 << 20) };
    let copied = gpu.device.limits().max_buffer_size.min(copied);
    let kernel = Kernel::new(gpu.compiler(), &kernels::ceiling(), &[Binding::Uniform, Binding::Write])?;
    use wgpu::BufferUsages as Usage;
    let device = &gpu.device;
    let (group, copies) = scoped(device, || {
        let label = "srcnn.measure";
        let numbers = bytemuck::cast_slice(&[0.9f32, 0.1, 0.0, 0.0]);
        let numbers = constant(device, label, numbers, Usage::UNIFORM);
        let output = buffer(device, label, groups * 64 * 4, Usage::STORAGE);
        let group = kernel.bind(device, &[numbers.as_entire_binding(), output.as_entire_binding()]);
        let copies = [Usage::COPY_SRC, Usage::COPY_DST].map(|usage| buffer(device, label, copied, usage));
        (group, copies)
    })?;
    let compute = || {
        timed(gpu, clock, |encoder, timestamps| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("srcnn.ceiling"),
                timestamp_writes: timestamps.map(Timestamps::of_pass),
            });
            record(&mut pass, &kernel, &group, None, [groups as u32, 1, 1]);
            Ok(())
        })
    };
    let copy = || {
        timed(gpu, clock.outside_passes(gpu), |encoder, timestamps| {
            timestamps.iter().for_each(|timestamps| timestamps.mark(encoder, 0));
            for _ in 0..REPEATS {
                encoder.copy_buffer_to_buffer(&copies[0], 0, &copies[1], 0, copied);
            }
            timestamps.iter().for_each(|timestamps| timestamps.mark(encoder, 1));
            Ok(())
        })
    };
    // The first run compiles, and touches the memory for the first time.
    compute()?;
    copy()?;
    let operations = (groups * 64 * CEILING_OPERATIONS) as f64;
    Ok(Ceilings {
        operations: operations / best(REPEATS, compute)?.as_secs_f64(),
        copied: (2 * copied * REPEATS as u64) as f64 / best(REPEATS, copy)?.as_secs_f64(),
    })
}

/// How long a network takes on an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkTimes {
    /// Pixels of the result.
    pub pixels: u64,
    /// Multiplications and additions of the network, as its layers define them, for all pixels.
    pub operations: f64,
    /// All kernels together, from source texture to target texture.
    pub whole: Duration,
    /// Each kernel by itself: name and time.
    pub kernels: Vec<(&'static str, Duration)>,
}

impl NetworkTimes {
    /// The network's own kernels: planes of the result's size in and out, without resampling and conversion.
    pub fn network(&self) -> Duration {
        let outer = ["resample_columns", "resample_rows", "texture_from_planes"];
        self.kernels.iter().filter(|(name, _)| !outer.contains(name)).map(|(_, time)| *time).sum()
    }
}

/// Times a network on its own planes in GPU memory, the best of `repeats` runs each: planes of `size` pixels, enlarged
/// by `factor`. Only the options' shape, precision, winograd and padding are used.
///
/// # Errors
/// As [`Upscaler::new`](crate::Upscaler::new) and [`Upscaler::prepare`](crate::Upscaler::prepare).
pub fn network(
    gpu: &Gpu,
    clock: Clock,
    weights: &Weights,
    options: HeadlessOptions,
    size: (u32, u32),
    factor: f64,
    repeats: usize,
) -> Result<NetworkTimes> {
    let mut run = NetworkRun::new(gpu, weights, options)?;
    let (width, height) = run.prepare(size, factor)?;
    // The first run compiles whatever the driver has left to compile.
    run.compute()?;
    let whole = best(repeats, || run.time(clock, None))?;
    let kernels = run.kernels().into_iter().enumerate();
    let kernels = kernels.map(|(i, name)| Ok((name, best(repeats, || run.time(clock, Some(i)))?)));
    let pixels = u64::from(width) * u64::from(height);
    let operations = 2.0 * weights.architecture().multiply_adds() as f64 * pixels as f64;
    Ok(NetworkTimes { pixels, operations, whole, kernels: kernels.collect::<Result<_>>()? })
}

/// A synthetic picture: a smooth pattern plus noise, the same every time.
///
/// # Errors
/// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for an empty picture.
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

/// Compares the network's result for a small synthetic picture with its CPU twin's and returns the largest difference
/// of any value. Only the options' shape, precision and winograd are used; with [`KernelChoice::Auto`] both paths are
/// checked.
///
/// # Errors
/// [`Error::WrongResult`](crate::Error::WrongResult) when they differ by more than rounding; also what the device reports.
pub fn check(gpu: &Gpu, weights: &Weights, options: HeadlessOptions) -> Result<f64> {
    let options = options.with_padding(Some(CpuTwin::PADDING));
    let choices = match options.winograd {
        KernelChoice::Auto => &[KernelChoice::Never, KernelChoice::Always][..],
        choice => &[choice],
    };
    let twin = CpuTwin::new(weights)?;
    let check = |&winograd| twin.check(&mut NetworkRun::new(gpu, weights, options.with_winograd(winograd))?);
    choices.iter().map(check).try_fold(0.0, |worst: f64, difference| Ok(worst.max(difference?)))
}
