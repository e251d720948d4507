//! Trained networks for other programs: as ONNX files ([`onnx`]), as user shaders of mpv and libplacebo ([`mpv`]), and for
//! browsers ([`web`]).
//!
//! All can begin with the bicubic enlargement that the network was trained on, so that they take a small picture and return a
//! large one. It equals MATLAB's up to the rounding of f32, at the borders too.

pub mod mpv;
#[cfg(feature = "onnx")]
pub mod onnx;
mod ratio;
pub mod web;

pub use ratio::ratio;
#[cfg(feature = "onnx")]
use ratio::trained_ratio;

/// What an exported file says of its network, besides the network's own metadata.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct About {
    /// Where it comes from: a name, a file, an address.
    pub source: String,
    /// Under which terms it may be used, such as an SPDX expression; empty if unknown.
    pub license: String,
    /// The enlargement that it is for, if one is known; a file that enlarges by itself says so in any case.
    pub scale: Option<f64>,
}
