//! Animations frame by frame: read as whole pictures, whatever parts of them the file holds, and written.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use image::codecs::{gif, webp};
use image::{AnimationDecoder, ColorType, DynamicImage, Frame, ImageFormat, ImageResult};

use super::animation::{Animation, Delay};
use super::error::{refuse, undecodable};
use super::kind::{FileFormat, Kind, Settings};
use super::metadata::Metadata;
use super::samples::convert;
use super::{apng, gif as gif_file, png as png_file, webp as webp_file};
use crate::{Reason, Result};

/// Frames in order, each with the time that it is shown for.
type Frames = Box<dyn Iterator<Item = Result<(DynamicImage, Delay)>>>;

/// The composed frames of a file, converted to `color`.
///
/// # Errors
/// [`crate::Error::Picture`] for a file that cannot be opened; each frame may fail by itself.
pub fn read_frames(path: &Path, format: ImageFormat, color: ColorType) -> Result<Frames> {
    let owned = path.to_owned();
    if format == ImageFormat::Png {
        let frames = apng::Frames::open(path, color).map_err(|e| refuse(path, Reason::of(e)))?;
        return Ok(Box::new(frames.map(move |frame| frame.map_err(|e| refuse(&owned, Reason::of(e))))));
    }
    let file = BufReader::new(File::open(path).map_err(|e| refuse(path, Reason::of(e)))?);
    let decoded: ImageResult<_> = match format {
        ImageFormat::Gif => gif::GifDecoder::new(file).map(AnimationDecoder::into_frames),
        _ => webp::WebPDecoder::new(file).map(AnimationDecoder::into_frames),
    };
    let decoded = decoded.map_err(|e| undecodable(path, e))?;
    Ok(Box::new(decoded.map(move |frame| {
        let frame: Frame = frame.map_err(|e| undecodable(&owned, e))?;
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        Ok((convert(frame.into_buffer().into(), color), Delay::new(numerator, denominator)))
    })))
}

/// Writes an animation frame by frame.
pub enum FrameWriter<'a> {
    Png(png_file::Frames<&'a mut dyn Write>),
    Gif(gif_file::Frames<&'a mut dyn Write>),
    WebP(webp_file::Frames, &'a mut dyn Write, Metadata, u32),
}

impl<'a> FrameWriter<'a> {
    /// For frames of `size` pixels, width and height, in a color type that the kind can store.
    pub fn new(
        out: &'a mut dyn Write,
        kind: &Kind,
        size: (u32, u32),
        color: ColorType,
        metadata: &Metadata,
        animation: Animation,
        settings: &Settings,
    ) -> io::Result<Self> {
        let Animation { frames, plays, .. } = animation;
        Ok(match kind.format {
            FileFormat::Gif => Self::Gif(gif_file::Frames::new(out, size, metadata, plays)?),
            FileFormat::WebP => Self::WebP(webp_file::Frames::new(*settings), out, metadata.clone(), plays),
            _ => Self::Png(png_file::Frames::new(out, size, color, metadata, frames, plays)?),
        })
    }

    pub fn write(&mut self, frame: &DynamicImage, delay: Delay) -> io::Result<()> {
        match self {
            Self::Png(frames) => frames.write(frame, delay),
            Self::Gif(frames) => frames.write(frame, delay),
            Self::WebP(frames, ..) => frames.add(frame, delay),
        }
    }

    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Png(frames) => frames.finish(),
            Self::Gif(frames) => frames.finish(),
            Self::WebP(frames, out, metadata, plays) => frames.finish(out, &metadata, plays),
        }
    }
}
