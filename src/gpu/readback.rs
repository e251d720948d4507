//! Results on their way to the host: the one place that maps buffers and waits for the device.

use std::sync::mpsc;
use std::time::Duration;

use super::scope::scoped;
use crate::error::{Error, Reason, Result};

/// All work is cut into submissions that take a fraction of a second; one that takes longer than this has hung.
const TIMEOUT: Duration = Duration::from_secs(900);

/// Waits until the device is done with a submission. `what` names it in errors: "a tile".
///
/// # Errors
/// [`Error::Gpu`] when the device does not get done with it.
pub(crate) fn wait(device: &wgpu::Device, submission: wgpu::SubmissionIndex, what: &str) -> Result<()> {
    let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(TIMEOUT) };
    device
        .poll(wait)
        .map(drop)
        .map_err(|e| Error::Gpu(Reason::of(e).within(format_args!("waiting for {what}"))))
}

/// Submissions under way, and the staging buffer that the last of them copies to.
#[derive(Debug)]
pub(crate) struct Readback {
    what: &'static str,
    submissions: Vec<wgpu::SubmissionIndex>,
    staging: wgpu::Buffer,
    bytes: u64,
    mapped: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Readback {
    /// Asks for the first `bytes` of a staging buffer once the submissions, in their order, are done. `what` names them
    /// in errors.
    ///
    /// # Errors
    /// What the device reports.
    pub fn new(
        device: &wgpu::Device,
        what: &'static str,
        submissions: Vec<wgpu::SubmissionIndex>,
        staging: &wgpu::Buffer,
        bytes: u64,
    ) -> Result<Self> {
        let (sender, mapped) = mpsc::channel();
        scoped(device, || {
            // The receiver is gone only when the result was given up.
            staging.slice(..bytes).map_async(wgpu::MapMode::Read, move |result| drop(sender.send(result)));
        })?;
        Ok(Self { what, submissions, staging: staging.clone(), bytes, mapped })
    }

    /// Submits what `record` records, which copies to the first `bytes` of the staging buffer, and asks for them.
    ///
    /// # Errors
    /// What the device reports.
    pub fn submit(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        what: &'static str,
        staging: &wgpu::Buffer,
        bytes: u64,
        record: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> Result<Self> {
        let submission = scoped(device, || {
            let label = Some("srcnn");
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
            record(&mut encoder);
            queue.submit([encoder.finish()])
        })?;
        Self::new(device, what, vec![submission], staging, bytes)
    }

    /// Waits until the submissions are done, without taking the result.
    ///
    /// # Errors
    /// [`Error::Gpu`] when the device does not get done with them, or is lost.
    pub fn wait(&mut self, device: &wgpu::Device) -> Result<()> {
        // One after another: some drivers put a limit on a single wait.
        for submission in self.submissions.drain(..) {
            wait(device, submission, self.what)?;
        }
        Ok(())
    }

    /// Waits for the result, hands it to `take`, and gives the staging buffer back.
    ///
    /// # Errors
    /// As [`Readback::wait`], and those of `take`.
    pub fn finish<T>(mut self, device: &wgpu::Device, take: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        self.wait(device)?;
        let Self { what, staging, bytes, mapped, .. } = self;
        // Another thread that polls the device may be the one that runs the callback.
        let Ok(Ok(())) = mapped.recv_timeout(TIMEOUT) else {
            return Err(Error::Gpu(format!("the device was lost while it computed {what}").into()));
        };
        let taken = match staging.get_mapped_range(..bytes) {
            Ok(range) => take(&range),
            Err(error) => Err(Error::Gpu(Reason::of(error).within(format_args!("reading {what} back")))),
        };
        staging.unmap();
        taken
    }
}
