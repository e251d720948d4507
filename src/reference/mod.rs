//! CPU twins: what the kernels compute, in f64 and plain loops, for tests to compare them with.
//!
//! Planes are `[channel][row][column]`, values nominally in 0..1. A twin uses none of the code that it judges: it works
//! out resampling weights, valid pixels and cosines from their definitions, and takes only data types from the rest of
//! the crate ([`Layer`](crate::Layer), [`Weights`](crate::Weights), [`Padding`](crate::Padding)). No production code
//! imports a twin, with one exception: what judges an adapter at run time does (the self test, verification of results,
//! and the checks before a measurement).
//!
//! | kernels | twin |
//! |---|---|
//! | `resample_columns`, `resample_rows` | [`resample`] |
//! | `conv_forward`, `conv_batch*`, `conv_pointwise` | [`conv_forward`], after [`pad`] |
//! | `conv_fused_*`, `conv_winograd*` | [`forward`], all layers of a network |
//! | `conv_batch*`, `conv_pointwise` with transposed filters | [`conv_grad_input`] |
//! | `conv_grad_weight*`, `grad_sum` | [`conv_grad_weight`] |
//! | `loss`, `loss_sum` | [`loss`] |
//! | `update` | [`sgd`], [`adam`] |
//! | `average` | [`average`] |
//! | `spectrum`, `spectrum_update` | [`spectrum`], [`taps`], with [`adam`] between them |
//! | `patch_gradients` | [`patch_gradients`] |
//! | `patch_features` | [`patch_features`] |
//! | `nearest_atom`, `nearest_atoms` | [`correlations`], of which they find the largest |
//! | `anchored_regression` | [`anchored_regression`] |
//! | all kernels of a training step together | [`backward`] |
//!
//! Kernels that only move or convert values have no twin: tests know what they must give. These are `gather` and `pack*` of
//! training, `texture_from_planes` (colors back by [`color`](crate::color)), and `samples_from_texture` of video. `ceiling`
//! measures an adapter and computes nothing of use.

mod backward;
mod conv_forward;
mod conv_grad_input;
mod conv_grad_weight;
mod dictionary;
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
pub use dictionary::{anchored_regression, correlations, patch_features, patch_gradients};
pub use loss::loss;
pub use network::forward;
pub use pad::pad;
pub use spectrum::{spectrum, taps};
pub use update::{adam, average, sgd};

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
