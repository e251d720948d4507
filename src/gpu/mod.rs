//! The plumbing between kernels and wgpu, once for inference, training, video and measurement.
//!
//! [`adapter`] tells what kind of adapter a device is on; [`shaders`] puts the kernels' WGSL together and lists their
//! variants; [`compile`] makes pipelines; [`dispatch`] records them; [`memory`] makes buffers and textures; [`readback`] is
//! the only place that waits for the device and maps what it has computed; [`scope`] and [`faults`] turn its errors into
//! [`Error`](crate::Error).

pub(crate) mod adapter;
pub(crate) mod compile;
pub(crate) mod compose;
pub(crate) mod dispatch;
pub(crate) mod faults;
pub mod kernels;
pub(crate) mod memory;
pub(crate) mod readback;
mod scope;
pub(crate) mod timestamps;
#[cfg(feature = "cli")]
pub mod translate;

pub(crate) use scope::scoped;
