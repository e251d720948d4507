//! Clocks: what a time is taken with, and how long one submission takes by it.

use std::fmt;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::gpu::adapter::is_software;
use crate::gpu::memory::staging;
use crate::gpu::readback::{self, Readback};
use crate::gpu::scoped;
pub use crate::gpu::timestamps::Timestamps;
use crate::headless::Gpu;

/// What is waited for.
pub(super) const WHAT: &str = "a measurement";

/// How times are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// From submission until the device is idle.
    Wall,
    /// Processor time of all threads over the number of processors: the time that a software adapter would take if
    /// nothing else ran. Where the system tells it (Linux).
    Processor,
    /// The device's own, at the beginning and the end of a compute pass: no submission and no waiting in it. Needs
    /// [`wgpu::Features::TIMESTAMP_QUERY`].
    Timestamps,
}

impl Clock {
    /// Processor time for software adapters, timestamps for all others; the wall's clock where there are none.
    pub fn for_gpu(gpu: &Gpu) -> Self {
        let software = is_software(&gpu.info);
        if software && processor_time().is_some() {
            Self::Processor
        } else if !software && gpu.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            Self::Timestamps
        } else {
            Self::Wall
        }
    }

    /// The one for work outside of compute passes, such as copies: timestamps there are another feature.
    pub(super) fn outside_passes(self, gpu: &Gpu) -> Self {
        let inside_encoders = wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS;
        let lacks = self == Self::Timestamps && !gpu.device.features().contains(inside_encoders);
        if lacks { Self::Wall } else { self }
    }

    /// The time since this was called, by this clock; for timestamps, the wall's.
    pub(crate) fn start(self) -> impl Fn() -> Duration {
        let start = Instant::now();
        let before = self.now(start);
        move || self.now(start).saturating_sub(before)
    }

    fn now(self, start: Instant) -> Duration {
        match self {
            Self::Wall | Self::Timestamps => start.elapsed(),
            Self::Processor => {
                let processors = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
                processor_time().unwrap_or_default() / processors
            }
        }
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Wall => "wall",
            Self::Processor => "processor",
            Self::Timestamps => "timestamps",
        })
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

/// Submits what `record` records, waits for it, and returns how long that took. With [`Clock::Timestamps`], `record`
/// gets the [`Timestamps`] to put into its one compute pass.
///
/// # Errors
/// What `record` returns, and what the device reports.
pub fn timed(
    gpu: &Gpu,
    clock: Clock,
    record: impl FnOnce(&mut wgpu::CommandEncoder, Option<&Timestamps>) -> Result<()>,
) -> Result<Duration> {
    let Gpu { device, queue, .. } = gpu;
    let timestamps = match clock {
        Clock::Timestamps => Timestamps::new(device)?,
        Clock::Wall | Clock::Processor => None,
    };
    let mut encoder =
        device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("srcnn.measure") });
    record(&mut encoder, timestamps.as_ref())?;
    let (commands, staging) = scoped(device, || {
        let staging = timestamps.as_ref().map(|timestamps| {
            let staging = staging(device, "srcnn.measure", Timestamps::BYTES);
            timestamps.resolve(&mut encoder, &staging, 0);
            staging
        });
        (encoder.finish(), staging)
    })?;
    let elapsed = clock.start();
    let submission = queue.submit([commands]);
    let readback = staging
        .map(|staging| Readback::new(device, WHAT, vec![submission.clone()], &staging, Timestamps::BYTES))
        .transpose()?;
    readback::wait(device, submission, WHAT)?;
    let spent = elapsed();
    gpu.faults.check()?;
    let stamped = match readback {
        Some(readback) => readback.finish(device, |bytes| Ok(Timestamps::elapsed(queue, bytes)))?,
        None => Duration::ZERO,
    };
    // Some adapters do not count. Never nothing at all: rates are made of it.
    let time = if stamped.is_zero() { spent } else { stamped };
    Ok(time.max(Duration::from_nanos(1)))
}
