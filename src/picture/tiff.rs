//! TIFF files: their directories, and writing with metadata and grey with alpha.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Write};
use std::path::Path;

use image::ColorType;

use super::density::Density;
use super::exif::{Directories, Entry, tag};
use super::metadata::Metadata;
use super::photoshop;
use super::samples::{Reordered, depth};
use super::tiff_tags::{ICC, IPTC, PHOTOSHOP, XMP};

const BITS_PER_SAMPLE: u16 = 0x0102;
const COMPRESSION: u16 = 0x0103;
const PHOTOMETRIC: u16 = 0x0106;
const STRIP_OFFSETS: u16 = 0x0111;
const SAMPLES_PER_PIXEL: u16 = 0x0115;
const ROWS_PER_STRIP: u16 = 0x0116;
const STRIP_BYTE_COUNTS: u16 = 0x0117;
const PLANAR_CONFIGURATION: u16 = 0x011c;
const EXTRA_SAMPLES: u16 = 0x0152;
const SAMPLE_FORMAT: u16 = 0x0153;
const X_RESOLUTION: u16 = 0x011a;
const Y_RESOLUTION: u16 = 0x011b;
const RESOLUTION_UNIT: u16 = 0x0128;
/// Values of the photometric interpretation.
const BLACK_IS_ZERO: u32 = 1;
const RGB: u32 = 2;
const PALETTE: u32 = 3;

/// The first directory of a file and those that it points to.
pub fn directories(path: &Path) -> Option<Directories> {
    Directories::read(&mut BufReader::new(File::open(path).ok()?))
}

/// Whether the pixels are indices into a palette.
pub fn has_palette(directories: &Directories) -> bool {
    let photometric = directories.main.iter().find(|entry| entry.tag == PHOTOMETRIC);
    photometric.and_then(Entry::number) == Some(PALETTE)
}

/// About the bytes in a strip.
const STRIP: usize = 1 << 18;

/// Bytes of the file header. Header and pixels have to leave the directory within reach of a 32-bit offset, which
/// `Kind::check` makes sure of.
const HEADER: u64 = 8;

/// Writes a picture from top to bottom; `fill` writes its samples in the machine's byte order. The directory comes
/// last, at a position that is known beforehand.
pub fn write(
    out: &mut dyn Write,
    (width, height): (u32, u32),
    color: ColorType,
    metadata: &Metadata,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let (channels, bits) = (usize::from(color.channel_count()), depth(color));
    let row = u64::from(width) * u64::from(color.bytes_per_pixel());
    let len = row * u64::from(height);
    let start = u32::try_from((HEADER + len).next_multiple_of(2));
    let start = start.map_err(|_| io::Error::other("more than 4 GiB in a TIFF file"))?;

    let rows = (STRIP as u64 / row).clamp(1, height.into());
    let strips = 0..u64::from(height).div_ceil(rows);
    let first = |strip: u64| strip * rows * row;
    let offsets: Vec<u32> = strips.clone().map(|strip| (HEADER + first(strip)) as u32).collect();
    let counts: Vec<u32> = strips.map(|strip| ((rows * row).min(len - first(strip))) as u32).collect();
    let photometric = if color.has_color() { RGB } else { BLACK_IS_ZERO };
    let format = if bits == 32 { 3 } else { 1 };
    let described = metadata.exif.as_ref().and_then(|exif| Directories::read(&mut Cursor::new(exif)));
    let mut directories = described.map(|all| all.descriptive()).unwrap_or_default();
    directories.main.extend([
        Entry::longs(tag::IMAGE_WIDTH, &[width]),
        Entry::longs(tag::IMAGE_LENGTH, &[height]),
        Entry::shorts(BITS_PER_SAMPLE, &vec![bits; channels]),
        Entry::shorts(COMPRESSION, &[1]),
        Entry::shorts(PHOTOMETRIC, &[photometric as u16]),
        Entry::longs(STRIP_OFFSETS, &offsets),
        Entry::shorts(SAMPLES_PER_PIXEL, &[channels as u16]),
        Entry::longs(ROWS_PER_STRIP, &[rows as u32]),
        Entry::longs(STRIP_BYTE_COUNTS, &counts),
        Entry::shorts(PLANAR_CONFIGURATION, &[1]),
        Entry::shorts(SAMPLE_FORMAT, &vec![format; channels]),
    ]);
    // XMP alone may say that the picture is not upright; it then stays the only one to say something.
    if metadata.orientation.is_some() || metadata.xmp.is_none() {
        directories.main.push(Entry::shorts(tag::ORIENTATION, &[1]));
    }
    if color.has_alpha() {
        // Straight alpha: the colors are not premultiplied.
        directories.main.push(Entry::shorts(EXTRA_SAMPLES, &[2]));
    }
    directories.main.extend(metadata.iptc.clone().map(|iptc| Entry::bytes(IPTC, 7, iptc)));
    if photoshop::matters(&metadata.resources) {
        directories.main.push(Entry::bytes(PHOTOSHOP, 1, metadata.resources.clone()));
    }
    let resolution = metadata.density.and_then(Density::per_inch);
    if let Some([x, y]) = resolution
        && directories.main.iter().all(|entry| entry.tag != X_RESOLUTION)
    {
        directories.main.extend([
            Entry::ratio(X_RESOLUTION, x),
            Entry::ratio(Y_RESOLUTION, y),
            Entry::shorts(RESOLUTION_UNIT, &[2]),
        ]);
    }
    directories.main.extend(metadata.xmp.clone().map(|xmp| Entry::bytes(XMP, 1, xmp)));
    directories.main.extend(metadata.icc.clone().map(|icc| Entry::bytes(ICC, 7, icc)));

    out.write_all(b"II*\0")?;
    out.write_all(&start.to_le_bytes())?;
    fill(&mut Reordered::little_endian(&mut *out, usize::from(bits / 8)))?;
    if len % 2 == 1 {
        out.write_all(&[0])?;
    }
    out.write_all(&directories.to_bytes(start))
}
