//! Device errors as [`Error`]: everything that may fail on the device happens inside [`scoped`].

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::error::{Error, Reason, Result};

/// Runs `create` and returns what the device reported meanwhile: out of memory, a validation error, or an internal
/// one.
///
/// On the web, the scopes answer only after this has returned, so errors go to the device's own handler.
pub(crate) fn scoped<T>(device: &wgpu::Device, create: impl FnOnce() -> T) -> Result<T> {
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let value = create();
    // Innermost first. Whatever is created from a texture that did not fit is invalid too, so out of memory goes
    // first.
    let [internal, validation, memory] = [now(internal.pop()), now(validation.pop()), now(memory.pop())];
    match memory.or(validation).or(internal) {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

/// The answer of a scope, if it is already there.
fn now(answer: impl Future<Output = Option<wgpu::Error>>) -> Option<Error> {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(error) => error.map(Error::from),
        Poll::Pending => None,
    }
}

impl From<wgpu::Error> for Error {
    fn from(error: wgpu::Error) -> Self {
        let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match &error {
            wgpu::Error::OutOfMemory { source } => {
                let text = one_line(&with_causes(source.as_ref()));
                Error::OutOfMemory(reason(text, error))
            }
            wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
                let text = one_line(description);
                Error::Gpu(reason(text, error))
            }
        }
    }
}

/// Keeps wgpu's error as the source, except on the web, where it must not leave its thread.
#[cfg(not(target_arch = "wasm32"))]
fn reason(text: String, error: wgpu::Error) -> Reason {
    Reason::new(text, error)
}
#[cfg(target_arch = "wasm32")]
fn reason(text: String, _: wgpu::Error) -> Reason {
    text.into()
}

/// An error's message followed by those of its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
