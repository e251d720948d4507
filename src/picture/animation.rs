//! Animations: frames as whole pictures, whatever parts of them the file holds, and how they are shown.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use crate::{Error, Result};
use image::codecs::{gif, webp};
use image::{AnimationDecoder, ColorType, DynamicImage, Frame, ImageFormat, ImageResult};

use super::kind::{Format, Kind};
use super::metadata::Metadata;
use super::read::explain;
use super::write::{Settings, convert};
use super::{apng, gif as gif_file, png as png_file, webp as webp_file};

/// How long a frame is shown, as a fraction of milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    numerator: u32,
    denominator: u32,
}

impl Delay {
    pub const NONE: Self = Self { numerator: 0, denominator: 1 };

    /// `numerator / denominator` milliseconds.
    pub fn new(numerator: u32, denominator: u32) -> Self {
        Self { numerator, denominator }
    }

    /// Rounded to milliseconds.
    pub fn milliseconds(self) -> u32 {
        let (numerator, denominator) = (u64::from(self.numerator), u64::from(self.denominator.max(1)));
        u32::try_from((numerator + denominator / 2) / denominator).unwrap_or(u32::MAX)
    }

    /// As a fraction of seconds of two 16-bit numbers: exact where there is one, else rounded to milliseconds.
    pub fn as_fraction(self) -> (u16, u16) {
        let (mut a, mut b) = (u64::from(self.numerator), u64::from(self.denominator.max(1)) * 1000);
        let mut divisor = (a, b);
        while divisor.1 > 0 {
            divisor = (divisor.1, divisor.0 % divisor.1);
        }
        (a, b) = (a / divisor.0.max(1), b / divisor.0.max(1));
        match (u16::try_from(a), u16::try_from(b)) {
            (Ok(a), Ok(b)) => (a, b),
            _ => (u16::try_from(self.milliseconds()).unwrap_or(u16::MAX), 1000),
        }
    }
}

/// What is known of an animation before its frames are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Animation {
    pub frames: u32,
    /// 0 is endless.
    pub plays: u32,
    /// Whether frames leave parts of the picture transparent, even when their pixels have no alpha.
    pub clears: bool,
}

impl Animation {
    /// The animation in a file, `None` when it holds one picture.
    pub fn of(path: &Path, format: Option<ImageFormat>) -> Option<Self> {
        let animation = match format? {
            ImageFormat::Gif => gif_file::animation(path)?,
            ImageFormat::Png => png_file::animation(&png_file::chunks(path))?,
            ImageFormat::WebP => {
                let decoder = image_webp::WebPDecoder::new(BufReader::new(File::open(path).ok()?)).ok()?;
                let plays = match decoder.loop_count() {
                    image_webp::LoopCount::Forever => 0,
                    image_webp::LoopCount::Times(times) => times.get().into(),
                };
                Self { frames: decoder.num_frames(), plays, clears: false }
            }
            _ => return None,
        };
        (animation.frames > 1).then_some(animation)
    }
}

/// Frames as they come, each with the time that it is shown.
type Frames = Box<dyn Iterator<Item = Result<(DynamicImage, Delay)>>>;

/// The frames of a file, composed: each is what is seen of it, and of `color`.
pub fn frames(path: &Path, format: ImageFormat, color: ColorType) -> Result<Frames> {
    let refuse = {
        let path = path.to_owned();
        move |why: String| Error::Picture(format!("{}: {why}", path.display()))
    };
    if format == ImageFormat::Png {
        let frames = apng::Frames::open(path, color).map_err(|e| refuse(e.to_string()))?;
        return Ok(Box::new(frames.map(move |frame| frame.map_err(|e| refuse(e.to_string())))));
    }
    let file = BufReader::new(File::open(path).map_err(|e| refuse(e.to_string()))?);
    let decoded: ImageResult<_> = match format {
        ImageFormat::Gif => gif::GifDecoder::new(file).map(AnimationDecoder::into_frames),
        _ => webp::WebPDecoder::new(file).map(AnimationDecoder::into_frames),
    };
    let decoded = decoded.map_err(|e| refuse(explain(&e)))?;
    Ok(Box::new(decoded.map(move |frame| {
        let frame: Frame = frame.map_err(|e| refuse(explain(&e)))?;
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        Ok((convert(frame.into_buffer().into(), color), Delay { numerator, denominator }))
    })))
}

/// Writes an animation frame by frame.
pub enum Writer<'a> {
    Png(png_file::Frames<&'a mut dyn Write>),
    Gif(gif_file::Frames<&'a mut dyn Write>),
    WebP(webp_file::Frames, &'a mut dyn Write, Metadata, u32),
}

impl<'a> Writer<'a> {
    /// For frames of `size` pixels and a colour type that the kind can store.
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
            Format::Gif => Self::Gif(gif_file::Frames::new(out, size, metadata, plays)?),
            Format::WebP => Self::WebP(webp_file::Frames::new(*settings), out, metadata.clone(), plays),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays() {
        let delay = |numerator, denominator| Delay { numerator, denominator };
        assert_eq!(delay(100, 1).as_fraction(), (1, 10));
        assert_eq!(delay(1000, 30).as_fraction(), (1, 30));
        assert_eq!(delay(1000, 30).milliseconds(), 33);
        assert_eq!(delay(70_001, 1).as_fraction(), (65535, 1000));
        assert_eq!(delay(1001 * 1000, 30_000).as_fraction(), (1001, 30_000));
        assert_eq!(Delay::NONE.as_fraction(), (0, 1));
    }
}
