//! TIFF files: their directories, and writing with metadata and grey with alpha.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Write};
use std::path::Path;

use image::ColorType;
use image::metadata::Orientation;

use super::density::Density;
use super::exif::{Directories, Entry, tag};
use super::metadata::Metadata;
use super::photoshop;
use super::samples::{Reordered, depth};

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
const XMP: u16 = 0x02bc;
const ICC: u16 = 0x8773;
const IPTC: u16 = 0x83bb;
const PHOTOSHOP: u16 = 0x8649;
const LAYERS: u16 = 0x935c;
const X_RESOLUTION: u16 = 0x011a;
const Y_RESOLUTION: u16 = 0x011b;
const RESOLUTION_UNIT: u16 = 0x0128;
/// Entries with high numbers that are kept, or that are about how pixels are stored.
const KNOWN: [u16; 24] = [
    IPTC,
    PHOTOSHOP,
    ICC,
    0x8298,
    0x9c9b,
    0x9c9c,
    0x9c9d,
    0x9c9e,
    0x9c9f,
    tag::EXIF,
    tag::GPS,
    tag::INTEROPERABILITY,
    0x80a4,
    0x80e3,
    0x80e4,
    0x80e5,
    0x80e6,
    0x828d,
    0x828e,
    0x84e3,
    0x84e6,
    0xc4a5,
    0xea1c,
    0xea1d,
];

/// Values of the photometric interpretation.
const BLACK_IS_ZERO: u32 = 1;
const RGB: u32 = 2;
const PALETTE: u32 = 3;

/// The first directory of a file and those that it points to.
pub fn directories(path: &Path) -> Option<Directories> {
    Directories::read(&mut BufReader::new(File::open(path).ok()?))
}

/// Takes the profile, XMP, and what would be Exif in another format, from the directories.
pub fn read_metadata(directories: &Directories, metadata: &mut Metadata) {
    let bytes = |tag: u16| {
        let entry = directories.main.iter().find(|entry| entry.tag == tag)?;
        Some(entry.data().to_vec()).filter(|data| !data.is_empty())
    };
    metadata.xmp = bytes(XMP);
    metadata.icc = bytes(ICC);
    metadata.iptc = bytes(IPTC).map(iptc_bytes);
    let (iptc, resources) = photoshop::split(&bytes(PHOTOSHOP).unwrap_or_default());
    metadata.iptc = metadata.iptc.take().or(iptc);
    metadata.resources = resources;
    let described = directories.descriptive();
    metadata.exif = (!described.is_empty()).then(|| described.to_block());
    // Whatever kind of integer it is given as: the values are little-endian.
    let orientation = directories.main.iter().find(|entry| entry.tag == tag::ORIENTATION);
    metadata.orientation = orientation.and_then(|entry| Orientation::from_exif(*entry.data().first()?));
    if directories.exif.iter().any(|entry| entry.tag == tag::MAKER_NOTE) {
        metadata.not_kept("the maker's notes");
    }
    for entry in &directories.main {
        match entry.tag {
            LAYERS => metadata.not_kept("layers"),
            0x830e | 0x8480 | 0x8482 | 0x85d8 | 0x87af..=0x87b1 | 0xa480 | 0xa481 => {
                metadata.not_kept("GeoTIFF's entries");
            }
            0x012d | 0x013e | 0x013f => metadata.not_kept("colors as told by TIFF's own entries"),
            // Numbers given out to companies, but for those above and those of other well-known uses.
            tag @ 0x8000.. if !KNOWN.contains(&tag) => metadata.not_kept(&format!("the entry {tag}")),
            _ => {}
        }
    }
}

/// IPTC records out of an entry that calls them 32-bit numbers, as some programs do: the bytes of each may be in the wrong order.
fn iptc_bytes(mut data: Vec<u8>) -> Vec<u8> {
    if data.first() != Some(&0x1c) && data.get(3) == Some(&0x1c) {
        data.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    }
    data
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
        Entry::shorts(tag::ORIENTATION, &[1]),
        Entry::shorts(SAMPLES_PER_PIXEL, &[channels as u16]),
        Entry::longs(ROWS_PER_STRIP, &[rows as u32]),
        Entry::longs(STRIP_BYTE_COUNTS, &counts),
        Entry::shorts(PLANAR_CONFIGURATION, &[1]),
        Entry::shorts(SAMPLE_FORMAT, &vec![format; channels]),
    ]);
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
