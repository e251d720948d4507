//! Video as YUV4MPEG2 streams, which is what pipes between video programs carry: reading, enlarging, writing.
//!
//! The network enlarges luma, in the stream's own bit depth and without a trip through red, green and blue; chroma is
//! bicubic, and stays where the format puts it ([`mod@format`]). Interlaced frames are enlarged field by field.
//!
//! **Range.** Networks on luminance are trained on MATLAB's Y, which is luma in limited range over 255: black is
//! 16/255, white 235/255. Luma in limited range therefore goes to the network as it is, divided by 255 times the
//! step of its depth; luma in full range is mapped to that and back ([`format::Range`]). Results are rounded once,
//! half up, and clamped to what the depth holds; in limited range that keeps what is blacker than black.

pub mod format;
mod plane;
mod stream;
mod upscaler;
pub mod y4m;

pub use stream::{Outcome, upscale};
pub use upscaler::VideoUpscaler;
