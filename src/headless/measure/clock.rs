//! Clocks: how times are taken, and how long one submission takes.

use std::fmt;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::gpu::adapter::is_software;
use crate::gpu::memory::staging;
use crate::gpu::readback::{self, Readback};
use crate::gpu::scoped;
pub use crate::gpu::timestamps::Timestamps;
use crate::headless::Gpu;

/// What readbacks wait for, named in errors.
pub(super) const WHAT: &str = "a measurement";

/// How times are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// From submission until the device is idle.
    Wall,
    /// Processor time of all threads divided by the number of processors: what a software adapter would take if
    /// nothing else ran. Linux only.
    Processor,
    /// The device's own clock, from the start to the end of a compute pass, so that submitting and waiting do not
    /// count. Needs [`wgpu::Features::TIMESTAMP_QUERY`].
    Timestamps,
}

impl Clock {
    /// Processor time for software adapters and timestamps for all others; wall time where those are not available.
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

    /// The clock for work outside of compute passes, such as copies: timestamps there need another feature.
    pub(super) fn outside_passes(self, gpu: &Gpu) -> Self {
        let inside_encoders = wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS;
        let lacks = self == Self::Timestamps && !gpu.device.features().contains(inside_encoders);
        if lacks { Self::Wall } else { self }
    }

    /// Starts the clock; the closure returns the time since then. Timestamps fall back to wall time here.
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

/// Processor time that all threads of this process have used.
fn processor_time() -> Option<Duration> {
    let mut sum = Duration::ZERO;
    for thread in std::fs::read_dir("/proc/self/task").ok()? {
        // A thread may have ended in the meantime.
        let Ok(text) = std::fs::read_to_string(thread.ok()?.path().join("schedstat")) else { continue };
        sum += Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?);
    }
    Some(sum)
}

/// Submits what `record` records, waits for it, and returns how long it took. With [`Clock::Timestamps`], `record`
/// gets the [`Timestamps`] to use in its one compute pass.
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
    // Some adapters report no time. Never return zero: rates divide by it.
    let time = if stamped.is_zero() { spent } else { stamped };
    Ok(time.max(Duration::from_nanos(1)))
}
