//! The crate's errors as the package's exceptions.

use pyo3::prelude::*;
use pyo3::types::PyType;
use srcnn_gpu::Error;

/// An exception of `package/srcnn_gpu/_errors.py`.
fn exception(name: &str, text: String) -> PyErr {
    Python::attach(|py| {
        let class = py.import("srcnn_gpu._errors").and_then(|module| module.getattr(name));
        match class.and_then(|class| Ok(class.cast_into::<PyType>()?)) {
            Ok(class) => PyErr::from_type(class, text),
            Err(error) => error,
        }
    })
}

/// The exception for an error.
pub fn raise(error: Error) -> PyErr {
    let name = match &error {
        Error::InvalidArgument(_) => "InvalidArgumentError",
        Error::Model { .. } => "ModelError",
        Error::Picture(_) => "PictureError",
        Error::Output { .. } => "OutputError",
        Error::NoAdapter(_) => "NoAdapterError",
        Error::MissingCapability(_) => "MissingCapabilityError",
        Error::OutOfMemory(_) => "OutOfMemoryError",
        Error::Gpu(_) => "GpuError",
        Error::WrongResult(_) => "WrongResultError",
        Error::SelfTest(_) => "SelfTestError",
        Error::Diverged(_) => "DivergedError",
        _ => "Error",
    };
    exception(name, error.to_string())
}

/// The exception for an argument that is out of its range.
pub fn invalid(text: impl Into<String>) -> PyErr {
    exception("InvalidArgumentError", text.into())
}

/// The exception for an object of another process.
pub fn forked(text: impl Into<String>) -> PyErr {
    exception("ForkError", text.into())
}
