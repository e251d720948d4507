//! CPU twins of the shaders, in f64 and in plain loops: what each kernel is tested against.
//!
//! Planes are `[channel][row][column]`, values nominally in 0..1.

mod backward;
mod conv_forward;
mod conv_grad_input;
mod conv_grad_weight;
mod loss;
mod network;
mod pad;
pub mod resample;
mod spectrum;
mod update;

pub use backward::{LayerGradient, backward, by_valid_pixels};
pub use conv_forward::conv_forward;
pub use conv_grad_input::conv_grad_input;
pub use conv_grad_weight::conv_grad_weight;
pub use loss::loss;
pub use network::forward;
pub use pad::pad;
pub use spectrum::{spectrum, taps};
pub use update::{adam, sgd};

/// Planes in f64: `[channels][height][width]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Maps {
    /// Number of planes.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `[channel][row][column]`.
    pub data: Vec<f64>,
}

impl Maps {
    /// Planes from a function of channel, row and column.
    pub fn from_fn(
        [channels, height, width]: [usize; 3],
        mut value: impl FnMut(usize, usize, usize) -> f64,
    ) -> Self {
        let mut data = Vec::with_capacity(channels * height * width);
        for c in 0..channels {
            for y in 0..height {
                data.extend((0..width).map(|x| value(c, y, x)));
            }
        }
        Self { channels, height, width, data }
    }

    /// The value at channel `c`, row `y`, column `x`.
    pub fn at(&self, c: usize, y: usize, x: usize) -> f64 {
        self.data[(c * self.height + y) * self.width + x]
    }
}
