//! Animations frame by frame: read as whole pictures, whatever parts of them the file holds, and written.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use image::codecs::gif;
use image::{AnimationDecoder, ColorType, DynamicImage, Frame, ImageFormat};

use super::animation::{Animation, Delay};
use super::error::{refuse, undecodable};
use super::kind::{FileFormat, Kind, Settings};
use super::metadata::Metadata;
use super::samples::convert;
use super::{apng, gif as gif_file, png as png_file, webp as webp_file, webp_pixels};
use crate::{Reason, Result, guard};

/// Frames in order, each with the time that it is shown for.
type Frames = Box<dyn Iterator<Item = Result<(DynamicImage, Delay)>>>;

/// The composed frames of a file, converted to `color`; `count` of them are known to begin in the file.
///
/// # Errors
/// [`crate::Error::Picture`] for a file that cannot be opened; each frame may fail by itself.
pub fn read_frames(path: &Path, format: ImageFormat, color: ColorType, count: u32) -> Result<Frames> {
    let frames = guard::picture(path, || read_unguarded(path, format, color, count))?;
    Ok(Box::new(Guarded { frames: Some(frames), path: path.to_owned() }))
}

/// Frames of a decoder that may panic, which ends them with an error.
struct Guarded {
    frames: Option<Frames>,
    path: PathBuf,
}

impl Iterator for Guarded {
    type Item = Result<(DynamicImage, Delay)>;

    fn next(&mut self) -> Option<Self::Item> {
        let frames = self.frames.as_mut()?;
        let next = guard::picture(&self.path, || frames.next().transpose());
        if next.is_err() {
            self.frames = None;
        }
        next.transpose()
    }
}

fn read_unguarded(path: &Path, format: ImageFormat, color: ColorType, count: u32) -> Result<Frames> {
    let owned = path.to_owned();
    if format == ImageFormat::Png {
        let frames = apng::frames(path, color).map_err(|e| refuse(path, Reason::of(e)))?;
        return Ok(Box::new(frames.map(move |frame| frame.map_err(|e| refuse(&owned, Reason::of(e))))));
    }
    if format == ImageFormat::WebP {
        let frames = webp_pixels::Pixels::open(path).map_err(|e| undecodable(path, e))?.into_frames(color);
        return Ok(Box::new(frames.map(move |frame| frame.map_err(|e| undecodable(&owned, e)))));
    }
    let file = BufReader::new(File::open(path).map_err(|e| refuse(path, Reason::of(e)))?);
    let decoded = gif::GifDecoder::new(file).map_err(|e| undecodable(path, e))?.into_frames();
    let mut left = u64::from(count);
    let told = owned.clone();
    let decoded = decoded.take_while(move |frame| {
        // A GIF file may lack its end mark behind the last frame.
        let ends = left == 0
            && frame.as_ref().is_err_and(gif_file::is_end)
            && gif_file::summary(&told).is_some_and(|summary| summary.complete);
        if ends {
            log::warn!("{}: the file has no end mark, frames may be missing", told.display());
        }
        left = left.saturating_sub(1);
        !ends
    });
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
    WebP(webp_file::Frames, &'a mut dyn Write, Box<Metadata>, u32),
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
        guarded(|| {
            Ok(match kind.format {
                FileFormat::Gif => Self::Gif(gif_file::Frames::new(out, size, metadata, plays)?),
                FileFormat::WebP => {
                    Self::WebP(webp_file::Frames::new(*settings), out, Box::new(metadata.clone()), plays)
                }
                _ => Self::Png(png_file::Frames::new(out, size, color, metadata, frames, plays)?),
            })
        })
    }

    pub fn write(&mut self, frame: &DynamicImage, delay: Delay) -> io::Result<()> {
        guarded(|| match self {
            Self::Png(frames) => frames.write(frame, delay),
            Self::Gif(frames) => frames.write(frame, delay),
            Self::WebP(frames, ..) => frames.add(frame, delay),
        })
    }

    pub fn finish(self) -> io::Result<()> {
        guarded(|| match self {
            Self::Png(frames) => frames.finish(),
            Self::Gif(frames) => frames.finish(),
            Self::WebP(frames, out, metadata, plays) => frames.finish(out, &metadata, plays),
        })
    }
}

/// Turns a panic in an encoder into an error. Nothing is written by it any more then.
fn guarded<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    guard::guarded(work).unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_panics_is_the_last() {
        let mut count = 0;
        let broken = std::iter::from_fn(move || {
            count += 1;
            assert!(count < 2, "as decoders do on damaged input");
            Some(Ok((DynamicImage::new_luma8(1, 1), Delay::NONE)))
        });
        let mut frames = Guarded { frames: Some(Box::new(broken)), path: "a.webp".into() };
        assert!(frames.next().is_some_and(|frame| frame.is_ok()));
        let error = frames.next().map(|frame| frame.unwrap_err().to_string()).unwrap_or_default();
        assert!(error.starts_with("a.webp: internal error"), "{error}");
        assert!(frames.next().is_none());
    }
}
