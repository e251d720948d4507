//! Errors that a device reports outside error scopes, including its loss.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// Errors that a device reported outside any error scope, including its loss. Only the first is kept, since it causes
/// the others. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Option<Error>>>);

impl Faults {
    /// Replaces wgpu's own handlers, which panic.
    pub(crate) fn watch(device: &wgpu::Device) -> Self {
        let faults = Self::default();
        let uncaptured = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error| uncaptured.keep(error.into())));
        let lost = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost.keep(Error::Gpu(format!("the device was lost: {message}").into()));
            }
        });
        faults
    }

    fn slot(&self) -> MutexGuard<'_, Option<Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, error: Error) {
        log::debug!("device: {error}");
        self.slot().get_or_insert(error);
    }

    /// Returns the error reported since the last call, if any, and clears it.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] or [`Error::Gpu`].
    pub fn check(&self) -> Result<()> {
        self.slot().take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_kept_and_reported_once() {
        let faults = Faults::default();
        assert!(faults.check().is_ok());
        faults.clone().keep(Error::Gpu("first".into()));
        faults.keep(Error::Gpu("second".into()));
        assert!(faults.check().unwrap_err().to_string().contains("first"));
        assert!(faults.check().is_ok());
    }
}
