//! SRCNN image super-resolution on the GPU.
#[cfg(feature = "headless")]
pub mod atomic;
#[cfg(feature = "headless")]
pub mod chart;
pub mod colour;
pub mod error;
#[cfg(feature = "headless")]
pub mod eval;
pub mod gpu;
#[cfg(feature = "headless")]
pub mod headless;
pub mod metrics;
pub mod network;
pub mod planes;
pub mod precision;
pub mod reference;
pub mod resample;
pub mod train;
pub mod upscaler;
#[cfg(feature = "headless")]
pub mod video;
pub mod weights;

pub use error::{Error, Result};
pub use network::{Architecture, Channels, LayerShape, Padding};
pub use planes::Planes;
pub use precision::Precision;
pub use upscaler::{
    Enlargement, KernelChoice, SourceKind, TileGrid, TileSlot, TileSpan, Upscaler, UpscalerOptions,
};
pub use weights::{Layer, Metadata, Shipped, Weights};
/// The wgpu that this crate is built against; an embedding app uses this very version.
pub use wgpu;

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
