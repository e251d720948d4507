//! Pictures as planes of floats, as networks see them.

use crate::error::{Error, Result};

/// Float planes of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Planes {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Number of planes.
    pub channels: usize,
    /// `[channel][row][column]`, nominally 0..1.
    pub data: Vec<f32>,
}

impl Planes {
    /// Planes of `width` x `height` pixels; `data` is `[channel][row][column]`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when `data` has another length, or a size is zero.
    pub fn new(width: usize, height: usize, channels: usize, data: Vec<f32>) -> Result<Self> {
        if width == 0 || height == 0 || channels == 0 || data.len() != width * height * channels {
            return Err(Error::invalid(format!(
                "{channels} planes of {width}x{height} do not hold {} values",
                data.len()
            )));
        }
        Ok(Self { width, height, channels, data })
    }
}
