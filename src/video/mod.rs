//! Video as YUV4MPEG2 streams, the usual format of pipes between video programs: reading, enlarging, writing.
//!
//! The network enlarges luma at the stream's own bit depth, without conversion to RGB; chroma is enlarged bicubically
//! and keeps the format's siting ([`mod@format`]). Interlaced frames are enlarged field by field.
//!
//! **Range.** Luminance networks are trained on MATLAB's Y, which is limited-range luma divided by 255: black is
//! 16/255, white 235/255. Limited-range luma is therefore only divided by 255 times the step of its bit depth;
//! full-range luma is mapped to that range and back ([`format::Range`]). Results are rounded once, half up, and
//! clamped to the bit depth; limited range thus keeps values below black and above white.

pub mod format;
mod plane;
mod stream;
mod upscaler;
pub mod y4m;

pub use stream::{FrameSink, Outcome, upscale, upscale_to};
pub use upscaler::VideoUpscaler;
