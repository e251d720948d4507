//! Two timestamps on the device, around a compute pass or other work.

use std::time::Duration;

use super::memory::buffer;
use super::scope::scoped;
use crate::error::Result;

/// A pair of timestamps and the buffer that they are resolved to.
#[derive(Debug)]
pub struct Timestamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

impl Timestamps {
    /// Bytes that they take in a staging buffer.
    pub(crate) const BYTES: u64 = 16;

    /// `None` if the device lacks [`wgpu::Features::TIMESTAMP_QUERY`].
    ///
    /// # Errors
    /// What the device reports.
    pub(crate) fn new(device: &wgpu::Device) -> Result<Option<Self>> {
        use wgpu::BufferUsages as Usage;
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        let label = "srcnn.timestamps";
        let queries =
            wgpu::QuerySetDescriptor { label: Some(label), ty: wgpu::QueryType::Timestamp, count: 2 };
        let size = wgpu::QUERY_RESOLVE_BUFFER_ALIGNMENT;
        scoped(device, || {
            let queries = device.create_query_set(&queries);
            Some(Self {
                queries,
                resolved: buffer(device, label, size, Usage::QUERY_RESOLVE | Usage::COPY_SRC),
            })
        })
    }

    /// For the descriptor of a compute pass, to time that pass.
    pub fn of_pass(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        }
    }

    /// Marks the beginning (0) or the end (1) of work outside of passes. Needs
    /// [`wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS`].
    #[cfg(feature = "headless")]
    pub(crate) fn mark(&self, encoder: &mut wgpu::CommandEncoder, index: u32) {
        encoder.write_timestamp(&self.queries, index);
    }

    /// Copies both to a staging buffer, starting at byte `offset`.
    pub(crate) fn resolve(&self, encoder: &mut wgpu::CommandEncoder, staging: &wgpu::Buffer, offset: u64) {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, staging, offset, Self::BYTES);
    }

    /// The time between the two, from the [`Timestamps::BYTES`] bytes in the staging buffer.
    pub(crate) fn elapsed(queue: &wgpu::Queue, bytes: &[u8]) -> Duration {
        let stamp = |i: usize| {
            let bytes = bytes.get(8 * i..).unwrap_or_default();
            u64::from_le_bytes(std::array::from_fn(|byte| bytes.get(byte).copied().unwrap_or_default()))
        };
        let ticks = stamp(1).saturating_sub(stamp(0));
        Duration::from_secs_f64(ticks as f64 * f64::from(queue.get_timestamp_period()) * 1e-9)
    }
}
