//! Results on their way to the host: the one place that maps buffers and waits for the device.

use std::sync::mpsc;
use std::time::Duration;

use super::scope::scoped;
use crate::error::{Error, Reason, Result};

/// Work is cut into submissions that take a fraction of a second each; one that takes longer than this has hung.
const TIMEOUT: Duration = Duration::from_secs(900);

/// Waits until the device has finished a submission. `what` names it in errors, for example "a tile".
///
/// # Errors
/// [`Error::Gpu`] if the device does not finish.
pub(crate) fn wait(device: &wgpu::Device, submission: wgpu::SubmissionIndex, what: &str) -> Result<()> {
    let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(TIMEOUT) };
    device
        .poll(wait)
        .map(drop)
        .map_err(|e| Error::Gpu(Reason::of(e).within(format_args!("waiting for {what}"))))
}

/// Submissions in flight, and the staging buffer that the last of them copies to.
#[derive(Debug)]
pub(crate) struct Readback {
    what: &'static str,
    submissions: Vec<wgpu::SubmissionIndex>,
    staging: wgpu::Buffer,
    bytes: u64,
    mapped: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Readback {
    /// Requests the first `bytes` of a staging buffer for when `submissions`, listed in order, are done. `what` names
    /// them in errors.
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
            // The receiver is only gone if the result was given up.
            staging.slice(..bytes).map_async(wgpu::MapMode::Read, move |result| drop(sender.send(result)));
        })?;
        Ok(Self { what, submissions, staging: staging.clone(), bytes, mapped })
    }

    /// Submits what `record` records, which must copy to the first `bytes` of the staging buffer, and requests these.
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

    /// Waits until the submissions are done, but leaves the result for `finish`.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device does not finish, or is lost.
    pub fn wait(&mut self, device: &wgpu::Device) -> Result<()> {
        // One at a time: some drivers limit the length of a single wait.
        for submission in self.submissions.drain(..) {
            wait(device, submission, self.what)?;
        }
        Ok(())
    }

    /// Waits for the result, passes it to `take`, and unmaps the staging buffer.
    ///
    /// # Errors
    /// Those of [`Readback::wait`] and of `take`.
    pub fn finish<T>(mut self, device: &wgpu::Device, take: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        self.wait(device)?;
        let Self { what, staging, bytes, mapped, .. } = self;
        // If another thread polls the device, that thread may run the callback.
        let Ok(Ok(())) = mapped.recv_timeout(TIMEOUT) else {
            return Err(Error::Gpu(format!("the device was lost while computing {what}").into()));
        };
        let taken = match staging.get_mapped_range(..bytes) {
            Ok(range) => take(&range),
            Err(error) => Err(Error::Gpu(Reason::of(error).within(format_args!("reading {what} back")))),
        };
        staging.unmap();
        taken
    }
}
