//! The iterator behind `Upscaler.upscale_frames`.

use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::array::{Samples, result};
use crate::networks::Told;
use crate::upscaler::{How, Upscaler};

/// An iterator over enlarged frames; see `Upscaler.upscale_frames`.
#[pyclass(frozen, module = "srcnn_gpu")]
pub struct Frames {
    upscaler: Py<Upscaler>,
    frames: Py<PyIterator>,
    how: How,
}

impl Frames {
    pub fn new(upscaler: Py<Upscaler>, frames: Py<PyIterator>, how: How) -> Self {
        Self { upscaler, frames, how }
    }
}

#[pymethods]
impl Frames {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let mut frames = self.frames.bind(py).clone();
        let Some(frame) = frames.next().transpose()? else { return Ok(None) };
        let samples = Samples::read(&frame, 4, false)?;
        let (channels, has_axis) = (samples.channels, samples.has_axis);
        let picture = self.upscaler.get().enlarge(py, samples, self.how, Told::default())?;
        result(py, picture, channels, has_axis).map(Some)
    }
}
