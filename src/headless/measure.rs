//! Measures what an adapter reaches, and what the kernels of a network take of it.

mod clock;
mod run;
mod twin;

use std::time::Duration;

pub use clock::{Clock, Timestamps, timed};
pub(super) use run::Run;
pub(super) use twin::Twin;
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

/// The shortest of several times.
pub(crate) fn best(repeats: usize, mut time: impl FnMut() -> Result<Duration>) -> Result<Duration> {
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
    const REPEATS: usize = 4;
    let software = is_software(&gpu.info);
    // Beyond all caches, and long enough to be timed.
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
    // The first run compiles, and touches the memory.
    compute()?;
    copy()?;
    let operations = (groups * 64 * CEILING_OPERATIONS) as f64;
    Ok(Ceilings {
        operations: operations / best(REPEATS, compute)?.as_secs_f64(),
        copied: (2 * copied * REPEATS as u64) as f64 / best(REPEATS, copy)?.as_secs_f64(),
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
/// by `factor`. Of the options shape, precision, winograd and padding count.
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
    let mut run = Run::new(gpu, weights, options)?;
    let (width, height) = run.prepare(size, factor)?;
    // The first run compiles what the driver has not compiled yet.
    run.compute()?;
    let whole = best(repeats, || run.time(clock, None))?;
    let kernels = run.kernels().into_iter().enumerate();
    let kernels = kernels.map(|(i, name)| Ok((name, best(repeats, || run.time(clock, Some(i)))?)));
    let pixels = u64::from(width) * u64::from(height);
    let operations = 2.0 * weights.architecture().multiply_adds() as f64 * pixels as f64;
    Ok(NetworkTimes { pixels, operations, whole, kernels: kernels.collect::<Result<_>>()? })
}

/// A synthetic picture: neither smooth nor noise alone, and the same every time.
///
/// # Errors
/// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for a picture without pixels.
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
/// difference of a value. Of the options shape, precision and winograd count; where that is left to the size of the
/// picture, both ways are checked.
///
/// # Errors
/// [`Error::Gpu`](crate::Error::Gpu) when they differ by more than rounding can; also what the device reports.
pub fn check(gpu: &Gpu, weights: &Weights, options: HeadlessOptions) -> Result<f64> {
    let options = options.with_padding(Some(Twin::PADDING));
    let ways = match options.winograd {
        KernelChoice::Auto => &[KernelChoice::Never, KernelChoice::Always][..],
        way => &[way],
    };
    let twin = Twin::new(weights)?;
    let check = |&winograd| twin.check(&mut Run::new(gpu, weights, options.with_winograd(winograd))?);
    ways.iter().map(check).try_fold(0.0, |all: f64, off| Ok(all.max(off?)))
}
