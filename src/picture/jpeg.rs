//! JPEG files: reading segments, writing.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use image::codecs::jpeg::{JpegEncoder, PixelDensity, PixelDensityUnit};
use image::{DynamicImage, ImageEncoder};

use super::error::to_io;
use super::metadata::{Metadata, Segment};

const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP13: u8 = 0xed;
const COMMENT: u8 = 0xfe;
const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const XMP_EXTENSION: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
/// Most bytes in a segment: its length is a 16-bit number and includes itself.
const LONGEST: usize = 65533;

/// Adds IPTC, comments, extended XMP and the resolution to the metadata. A broken segment ends the search.
pub fn read_metadata(path: &Path, metadata: &mut Metadata) {
    // The decoder reports what is wrong with the file.
    let _ = read_segments(path, metadata);
}

fn read_segments(path: &Path, metadata: &mut Metadata) -> io::Result<()> {
    let mut file = BufReader::new(File::open(path)?);
    file.seek(SeekFrom::Start(2))?;
    loop {
        let mut head = [0; 4];
        file.read_exact(&mut head)?;
        let [0xff, marker, high, low] = head else { return Ok(()) };
        // A scan or a marker without a length: metadata ends here.
        if marker == 0xda || marker < 0xc0 {
            return Ok(());
        }
        let mut data = vec![0; usize::from(u16::from_be_bytes([high, low])).saturating_sub(2)];
        file.read_exact(&mut data)?;
        match marker {
            0xe0 => {
                if let Some([_, _, unit, x1, x0, y1, y0, ..]) = data.strip_prefix(b"JFIF\0".as_slice()) {
                    let number = |high, low| u16::from_be_bytes([high, low]);
                    metadata.density = Some((*unit, number(*x1, *x0), number(*y1, *y0)));
                }
            }
            APP13 | COMMENT => metadata.segments.push(Segment { marker, data }),
            APP1 if data.starts_with(XMP_EXTENSION) => metadata.segments.push(Segment { marker, data }),
            _ => {}
        }
    }
}

pub fn write(
    out: &mut dyn Write,
    picture: &DynamicImage,
    quality: u8,
    metadata: &Metadata,
) -> io::Result<()> {
    let mut out = Insert { out, segments: segments(metadata), before: JFIF_LEN };
    let mut encoder = JpegEncoder::new_with_quality(&mut out, quality);
    if let Some((unit, x, y)) = metadata.density {
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
    for (name, start, data) in [("Exif", EXIF, &metadata.exif), ("XMP", XMP, &metadata.xmp)] {
        match data {
            Some(data) if start.len() + data.len() > LONGEST => {
                log::warn!("{name} of {} bytes does not fit into a JPEG file and is left out", data.len());
            }
            Some(data) => add(APP1, &[start, data]),
            None => {}
        }
    }
    if let Some(icc) = &metadata.icc {
        let parts: Vec<&[u8]> = icc.chunks(LONGEST - ICC.len() - 2).collect();
        for (number, part) in parts.iter().enumerate() {
            add(APP2, &[ICC, &[number as u8 + 1, parts.len() as u8], part]);
        }
    }
    for segment in &metadata.segments {
        add(segment.marker, &[&segment.data]);
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
