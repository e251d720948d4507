//! Clocks: what a time is taken with, and how long one submission takes by it.

use std::fmt;
use std::time::{Duration, Instant};

use super::super::Gpu;
use crate::error::{Error, Result};
use crate::gpu::scoped;

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
    /// The device's own, at the beginning and the end of a compute pass: no submission and no waiting in it. Needs
    /// [`wgpu::Features::TIMESTAMP_QUERY`].
    Timestamps,
}

impl Clock {
    /// Processor time for software adapters, timestamps for all others; the wall's clock where there are none.
    pub fn for_gpu(gpu: &Gpu) -> Self {
        let software = gpu.info.device_type == wgpu::DeviceType::Cpu;
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

/// Two timestamps on the device, and where the host reads them.
#[derive(Debug)]
pub struct Stamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readback: wgpu::Buffer,
}

impl Stamps {
    const BYTES: u64 = 16;

    fn new(gpu: &Gpu) -> Result<Self> {
        use wgpu::BufferUsages as Usage;
        let label = Some("srcnn.timestamps");
        let buffer = |usage| wgpu::BufferDescriptor {
            label,
            size: Self::BYTES,
            usage: Usage::COPY_DST | usage,
            mapped_at_creation: false,
        };
        scoped(&gpu.device, || Self {
            queries: gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
                label,
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: gpu.device.create_buffer(&wgpu::BufferDescriptor {
                usage: Usage::QUERY_RESOLVE | Usage::COPY_SRC,
                ..buffer(Usage::empty())
            }),
            readback: gpu.device.create_buffer(&buffer(Usage::MAP_READ)),
        })
    }

    /// What a compute pass begins with, to be timed.
    pub fn of_pass(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        }
    }

    /// Marks the beginning (0) or the end (1) of work outside of passes.
    pub(super) fn mark(&self, encoder: &mut wgpu::CommandEncoder, index: u32) {
        encoder.write_timestamp(&self.queries, index);
    }

    fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.readback, 0, Self::BYTES);
    }

    /// The time between the two, once they are on the host; `None` for adapters that do not count.
    fn between(&self, gpu: &Gpu) -> Result<Option<Duration>> {
        let bytes = read(gpu, &self.readback)?;
        let stamps: Vec<u64> = bytemuck::pod_collect_to_vec(&bytes);
        let ticks = stamps[1].saturating_sub(stamps[0]);
        let nanoseconds = ticks as f64 * f64::from(gpu.queue.get_timestamp_period());
        Ok((ticks > 0).then(|| Duration::from_secs_f64(nanoseconds * 1e-9)))
    }
}

/// Submits what `record` records, waits for it, and returns how long that took. With [`Clock::Timestamps`], `record`
/// gets the [`Stamps`] to put into its one compute pass.
///
/// # Errors
/// What `record` returns, and what the device reports.
pub fn timed(
    gpu: &Gpu,
    clock: Clock,
    record: impl FnOnce(&mut wgpu::CommandEncoder, Option<&Stamps>) -> Result<()>,
) -> Result<Duration> {
    let stamps = (clock == Clock::Timestamps).then(|| Stamps::new(gpu)).transpose()?;
    let mut encoder =
        gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("srcnn.measure") });
    record(&mut encoder, stamps.as_ref())?;
    let commands = scoped(&gpu.device, || {
        stamps.iter().for_each(|stamps| stamps.resolve(&mut encoder));
        encoder.finish()
    })?;
    let elapsed = clock.start();
    let submission = gpu.queue.submit([commands]);
    let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(TIMEOUT) };
    gpu.device.poll(wait).map_err(|e| Error::Gpu(format!("waiting for a measurement: {e}")))?;
    let spent = elapsed();
    gpu.faults.check()?;
    let stamped = stamps.map(|stamps| stamps.between(gpu)).transpose()?.flatten();
    // Never nothing at all: rates are made of it.
    Ok(stamped.unwrap_or(spent).max(Duration::from_nanos(1)))
}

/// The bytes of a buffer that can be mapped, once the device is done with it.
///
/// # Errors
/// What the device reports.
pub(super) fn read(gpu: &Gpu, buffer: &wgpu::Buffer) -> Result<Vec<u8>> {
    let (sender, answer) = std::sync::mpsc::channel();
    scoped(&gpu.device, || {
        // The receiver is there until the answer has come.
        buffer.slice(..).map_async(wgpu::MapMode::Read, move |result| drop(sender.send(result)));
    })?;
    let failed = |why: String| Error::Gpu(format!("reading a measurement back: {why}"));
    let wait = wgpu::PollType::Wait { submission_index: None, timeout: Some(TIMEOUT) };
    gpu.device.poll(wait).map_err(|e| failed(e.to_string()))?;
    gpu.faults.check()?;
    let answer = answer.recv_timeout(TIMEOUT).map_err(|e| failed(e.to_string()))?;
    answer.map_err(|e| failed(e.to_string()))?;
    let bytes = buffer.get_mapped_range(..).map_err(|e| failed(e.to_string()))?.to_vec();
    buffer.unmap();
    Ok(bytes)
}
