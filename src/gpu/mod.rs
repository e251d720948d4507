//! The plumbing between kernels and wgpu, shared by inference, training, video and measurement.
//!
//! `adapter` tells what kind of adapter a device is on; `compose` puts the kernels' WGSL together, `kernels` lists their
//! variants; `compile` makes pipelines; `dispatch` records them; `memory` makes buffers and textures; `readback` is
//! the only place that waits for the device and maps what it has computed; `scope` and `faults` turn its errors into
//! [`Error`](crate::Error).

pub(crate) mod adapter;
pub(crate) mod compile;
pub(crate) mod compose;
pub(crate) mod dispatch;
#[cfg(feature = "headless")]
pub(crate) mod faults;
pub mod kernels;
pub(crate) mod memory;
#[cfg(any(feature = "headless", feature = "train"))]
pub(crate) mod readback;
mod scope;
#[cfg(feature = "headless")]
pub(crate) mod timestamps;
#[cfg(feature = "translate")]
pub mod translate;

pub use compile::compiled;
pub(crate) use scope::scoped;
