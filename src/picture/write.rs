//! Writing a picture as one of the kinds.

use std::io::{self, BufWriter, Write};

use image::codecs::{bmp, qoi, tga};
use image::{ColorType, DynamicImage, ImageEncoder};

use super::animation::Delay;
use super::error::to_io;
use super::kind::{FileFormat, Kind, Settings};
use super::metadata::Metadata;
use super::samples::convert;
use super::{gif, jpeg, png, pnm, tiff, webp};

/// JPEG quality: high, so that the detail which the network restored is not lost again.
const JPEG_QUALITY: u8 = 95;

/// Encodes a picture as `kind`, with as much of its metadata as the kind can hold.
pub fn encode(
    out: &mut dyn Write,
    picture: DynamicImage,
    kind: &Kind,
    metadata: Metadata,
    settings: &Settings,
) -> io::Result<()> {
    // Some encoders write byte by byte.
    let mut out = BufWriter::with_capacity(1 << 16, out);
    encode_to(&mut out, picture, kind, metadata, settings)?;
    out.flush()
}

fn encode_to(
    mut out: &mut dyn Write,
    picture: DynamicImage,
    kind: &Kind,
    mut metadata: Metadata,
    settings: &Settings,
) -> io::Result<()> {
    let picture = store(picture, kind, &mut metadata)?;
    let (size, color) = ((picture.width(), picture.height()), picture.color());
    match kind.format {
        FileFormat::Png | FileFormat::Tiff | FileFormat::Pnm => {
            encode_rows(out, size, color, kind, &metadata, |out| out.write_all(picture.as_bytes()))
        }
        FileFormat::Jpeg => jpeg::write(out, &picture, settings.quality.unwrap_or(JPEG_QUALITY), &metadata),
        FileFormat::WebP => {
            let mut frames = webp::Frames::new(*settings);
            frames.add(&picture, Delay::NONE)?;
            frames.finish_still(out, &metadata)
        }
        FileFormat::Gif => {
            let mut frames = gif::Frames::new(out, size, &metadata, 1)?;
            frames.write(&picture, Delay::NONE)?;
            frames.finish()
        }
        FileFormat::Bmp => write(bmp::BmpEncoder::new(&mut out), &picture),
        FileFormat::Qoi => write(qoi::QoiEncoder::new(out), &picture),
        FileFormat::Tga => write(tga::TgaEncoder::new(out), &picture),
        #[cfg(feature = "avif")]
        FileFormat::Avif => {
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

/// Encodes a picture in a color type that the kind stores, from top to bottom, as `fill` writes its samples; for PNG,
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
        FileFormat::Png => png::write(out, size, color, metadata, fill),
        FileFormat::Tiff => tiff::write(out, size, color, metadata, fill),
        _ => pnm::write(out, size, color, kind.extension == "pam", fill),
    }
}

#[cfg(feature = "avif")]
const AVIF_QUALITY: u8 = 85;
/// 1 to 10. The encoder's default is 4, which takes minutes for a large picture.
#[cfg(feature = "avif")]
const AVIF_SPEED: u8 = 6;

/// Converts a picture to the color type that a kind stores it as, and updates its metadata to match.
pub fn store(picture: DynamicImage, kind: &Kind, metadata: &mut Metadata) -> io::Result<DynamicImage> {
    let stored = stored(picture.color(), kind, metadata)?;
    Ok(convert(picture, stored))
}

/// The color type that a kind stores a picture as; updates the metadata to match.
pub fn stored(color: ColorType, kind: &Kind, metadata: &mut Metadata) -> io::Result<ColorType> {
    let stored = kind.stored(color).map_err(|what| io::Error::other(format!("it has {what}")))?;
    metadata.fit_colors(kind, kind.stores_colors(color));
    Ok(stored)
}

fn write(encoder: impl ImageEncoder, picture: &DynamicImage) -> io::Result<()> {
    let (width, height) = (picture.width(), picture.height());
    encoder.write_image(picture.as_bytes(), width, height, picture.color().into()).map_err(to_io)
}
