//! Writing a picture as one of the kinds.

use std::io::{self, Write};

use image::codecs::{bmp, qoi, tga};
use image::{ColorType, DynamicImage, ImageEncoder, ImageError};

use super::animation::Delay;
use super::kind::{Format, Kind, depth};
use super::metadata::Metadata;
use super::{gif, jpeg, png, tiff, webp};

/// JPEG quality: high, so that what the network restored is not lost again.
const JPEG_QUALITY: u8 = 95;

/// How to write.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// 1 to 100, for the formats that leave something out; their own when `None`.
    pub quality: Option<u8>,
}

/// Encodes a picture as `kind`, with what of its metadata the kind can hold.
pub fn encode(
    mut out: &mut dyn Write,
    picture: DynamicImage,
    kind: &Kind,
    mut metadata: Metadata,
    settings: &Settings,
) -> io::Result<()> {
    let picture = store(picture, kind, &mut metadata)?;
    let (size, color) = ((picture.width(), picture.height()), picture.color());
    match kind.format {
        Format::Png | Format::Tiff | Format::Pnm => {
            encode_rows(out, size, color, kind, &metadata, |out| out.write_all(picture.as_bytes()))
        }
        Format::Jpeg => jpeg::write(out, &picture, settings.quality.unwrap_or(JPEG_QUALITY), &metadata),
        Format::WebP => {
            let mut frames = webp::Frames::new(*settings);
            frames.add(&picture, Delay::NONE)?;
            frames.finish_still(out, &metadata)
        }
        Format::Gif => {
            let mut frames = gif::Frames::new(out, size, &metadata, 1)?;
            frames.write(&picture, Delay::NONE)?;
            frames.finish()
        }
        Format::Bmp => write(bmp::BmpEncoder::new(&mut out), &picture),
        Format::Qoi => write(qoi::QoiEncoder::new(out), &picture),
        Format::Tga => write(tga::TgaEncoder::new(out), &picture),
        #[cfg(feature = "avif")]
        Format::Avif => {
            let quality = settings.quality.unwrap_or(AVIF_QUALITY);
            let mut encoder =
                image::codecs::avif::AvifEncoder::new_with_speed_quality(out, AVIF_SPEED, quality);
            if let Some(exif) = metadata.exif {
                let _ = encoder.set_exif_metadata(exif);
            }
            write(encoder, &picture)
        }
    }
}

/// Encodes a picture of a colour type that the kind stores, as `fill` writes its samples from top to bottom; for PNG,
/// TIFF and PNM.
pub fn encode_rows(
    out: &mut dyn Write,
    size: (u32, u32),
    color: ColorType,
    kind: &Kind,
    metadata: &Metadata,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match kind.format {
        Format::Png => png::write(out, size, color, metadata, fill),
        Format::Tiff => tiff::write(out, size, color, metadata, fill),
        _ => write_pnm(out, size, color, kind.extension == "pam", fill),
    }
}

#[cfg(feature = "avif")]
const AVIF_QUALITY: u8 = 85;
/// 1 to 10: the encoder's own default is 4, which takes minutes for a large picture.
#[cfg(feature = "avif")]
const AVIF_SPEED: u8 = 6;

/// Brings a picture into the form that a kind stores, and its metadata with it.
pub fn store(picture: DynamicImage, kind: &Kind, metadata: &mut Metadata) -> io::Result<DynamicImage> {
    let stored = stored(picture.color(), kind, metadata)?;
    Ok(convert(picture, stored))
}

/// The colour type that a kind stores a picture as; brings its metadata into line.
pub fn stored(color: ColorType, kind: &Kind, metadata: &mut Metadata) -> io::Result<ColorType> {
    let stored = kind.stored(color).map_err(|what| io::Error::other(format!("it has {what}")))?;
    // WebP has no grey of its own.
    let colour = stored.has_color() || kind.format == Format::WebP;
    metadata.keep_profile_of(if colour { b"RGB " } else { b"GRAY" });
    Ok(stored)
}

fn write(encoder: impl ImageEncoder, picture: &DynamicImage) -> io::Result<()> {
    let (width, height) = (picture.width(), picture.height());
    encoder.write_image(picture.as_bytes(), width, height, picture.color().into()).map_err(to_io)
}

/// An encoder's error as one of the output.
pub fn to_io(error: ImageError) -> io::Error {
    match error {
        ImageError::IoError(error) => error,
        error => io::Error::other(error),
    }
}

/// Binary PGM, PPM, or PAM (asked for, or needed for alpha). The `image` crate's encoder has no
/// 16-bit PPM and no 16-bit grey with alpha.
fn write_pnm(
    out: &mut dyn Write,
    (width, height): (u32, u32),
    color: ColorType,
    pam: bool,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let channels = color.channel_count();
    let top = if depth(color) == 8 { 255 } else { 65535 };
    if pam || color.has_alpha() {
        let model = if color.has_color() { "RGB" } else { "GRAYSCALE" };
        let alpha = if color.has_alpha() { "_ALPHA" } else { "" };
        write!(out, "P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\n")?;
        write!(out, "MAXVAL {top}\nTUPLTYPE {model}{alpha}\nENDHDR\n")?;
    } else {
        let magic = if color.has_color() { "P6" } else { "P5" };
        write!(out, "{magic}\n{width} {height}\n{top}\n")?;
    }
    if top == 65535 { fill(&mut Reordered::big_endian(out)) } else { fill(out) }
}

/// 16-bit samples with the high byte first, as numbers.
pub fn native_endian(samples: &[u8]) -> Vec<u16> {
    samples.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

/// Takes samples in the machine's byte order, and passes them on in that of a file. What is written has to be whole
/// samples.
pub struct Reordered<W: Write> {
    out: W,
    /// Bytes of a sample; 1 where there is nothing to do.
    sample: usize,
}

impl<W: Write> Reordered<W> {
    /// For samples of 16 bits, the high byte first: PNG and PNM.
    pub fn big_endian(out: W) -> Self {
        Self { out, sample: if cfg!(target_endian = "big") { 1 } else { 2 } }
    }

    /// For samples of `sample` bytes, the low one first: TIFF as it is written here.
    pub fn little_endian(out: W, sample: usize) -> Self {
        Self { out, sample: if cfg!(target_endian = "little") { 1 } else { sample } }
    }
}

impl<W: Write> Write for Reordered<W> {
    fn write(&mut self, samples: &[u8]) -> io::Result<usize> {
        if self.sample == 1 {
            return self.out.write(samples);
        }
        let part = &samples[..samples.len().min(1 << 16)];
        let swapped: Vec<u8> = part.chunks_exact(self.sample).flat_map(|s| s.iter().rev().copied()).collect();
        self.out.write_all(&swapped)?;
        Ok(swapped.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The same picture as another colour type.
pub fn convert(picture: DynamicImage, color: ColorType) -> DynamicImage {
    if picture.color() == color {
        return picture;
    }
    match color {
        ColorType::L8 => picture.into_luma8().into(),
        ColorType::La8 => picture.into_luma_alpha8().into(),
        ColorType::Rgb8 => picture.into_rgb8().into(),
        ColorType::Rgba8 => picture.into_rgba8().into(),
        ColorType::L16 => picture.into_luma16().into(),
        ColorType::La16 => picture.into_luma_alpha16().into(),
        ColorType::Rgb16 => picture.into_rgb16().into(),
        ColorType::Rgba16 => picture.into_rgba16().into(),
        ColorType::Rgb32F => picture.into_rgb32f().into(),
        _ => picture.into_rgba32f().into(),
    }
}
