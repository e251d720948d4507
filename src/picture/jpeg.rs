//! JPEG files: writing.

use std::io::{self, Write};

use image::codecs::jpeg::{JpegEncoder, PixelDensity, PixelDensityUnit};
use image::{DynamicImage, ImageEncoder};

use super::density::Density;
use super::error::to_io;
use super::metadata::Metadata;
use super::photoshop;
use super::segments::{ICC, XMP};

const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP13: u8 = 0xed;
const COMMENT: u8 = 0xfe;
const EXIF: &[u8] = b"Exif\0\0";
/// Most bytes in a segment: its length is a 16-bit number and includes itself.
pub const LONGEST: usize = 65533;

/// Writes a picture with the metadata that fits: [`Metadata::losses`] tells what does not.
pub fn write(
    out: &mut dyn Write,
    picture: &DynamicImage,
    quality: u8,
    metadata: &Metadata,
) -> io::Result<()> {
    let mut out = Insert { out, segments: segments(metadata), before: JFIF_LEN };
    let mut encoder = JpegEncoder::new_with_quality(&mut out, quality);
    if let Some((unit, x, y)) = metadata.density.and_then(Density::as_jfif) {
        let unit = match unit {
            1 => PixelDensityUnit::Inches,
            2 => PixelDensityUnit::Centimeters,
            _ => PixelDensityUnit::PixelAspectRatio,
        };
        encoder.set_pixel_density(PixelDensity { density: (x, y), unit });
    }
    let (width, height) = (picture.width(), picture.height());
    encoder.write_image(picture.as_bytes(), width, height, picture.color().into()).map_err(to_io)
}

/// The metadata as segments, each with its marker and length.
fn segments(metadata: &Metadata) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut add = |marker: u8, parts: &[&[u8]]| {
        let data = parts.concat();
        bytes.extend([0xff, marker]);
        bytes.extend((data.len() as u16 + 2).to_be_bytes());
        bytes.extend(data);
    };
    for (start, data) in [(EXIF, &metadata.exif), (XMP, &metadata.xmp)] {
        if let Some(data) = data.as_ref().filter(|data| start.len() + data.len() <= LONGEST) {
            add(APP1, &[start, data]);
        }
    }
    for extension in metadata.extended_xmp.iter().filter(|extension| extension.len() <= LONGEST) {
        add(APP1, &[extension]);
    }
    if let Some(icc) = &metadata.icc {
        let parts: Vec<&[u8]> = icc.chunks(LONGEST - ICC.len() - 2).collect();
        if let Ok(total) = u8::try_from(parts.len()) {
            for (number, part) in parts.iter().enumerate() {
                add(APP2, &[ICC, &[number as u8 + 1, total], part]);
            }
        }
    }
    let resources = photoshop::join(metadata.iptc.as_deref(), &metadata.resources);
    for part in resources.chunks(LONGEST - photoshop::HEADER.len()) {
        add(APP13, &[photoshop::HEADER, part]);
    }
    for comment in metadata.comments.iter().filter(|comment| comment.len() <= LONGEST) {
        add(COMMENT, &[comment]);
    }
    bytes
}

/// Bytes that the encoder writes first: the start marker and the JFIF segment, which has to come before all others.
const JFIF_LEN: usize = 2 + 18;

/// Passes a JPEG file on, and inserts segments behind its first one.
struct Insert<'a> {
    out: &'a mut dyn Write,
    segments: Vec<u8>,
    /// Bytes still to pass on before the segments.
    before: usize,
}

impl Write for Insert<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.before == 0 {
            if !self.segments.is_empty() {
                self.out.write_all(&std::mem::take(&mut self.segments))?;
            }
            return self.out.write(bytes);
        }
        let written = self.out.write(&bytes[..bytes.len().min(self.before)])?;
        self.before -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
