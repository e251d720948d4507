//! PNG and APNG files: reading chunks, writing row by row and frame by frame.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use image::{ColorType, DynamicImage};
use png::{BitDepth, Compression, Encoder, EncodingError, Info, Writer};

use super::animation::{Animation, Delay};
use super::chunk::Chunk;
use super::metadata::Metadata;
use super::png_tags;
use super::samples::{Reordered, depth};
use crate::limits::Limit;

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
/// Where a frame's control chunk, `fcTL`, says what happens to the frame before the next, and the value for clearing it.
const DISPOSAL: usize = 24;
const TO_BACKGROUND: u8 = 1;
/// Chunks of more bytes than this are left out: no useful one is, and it would take up memory.
const LONGEST_CHUNK: u32 = 1 << 24;

/// The chunks of a file up to the first broken one, without pixels and palette. Of the profile, `iCCP`, and of the pixels of
/// the still picture, one `IDAT`, they hold the name alone.
pub fn chunks(path: &Path) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    // The decoder reports what is wrong with the file.
    let _ = read_chunks(path, &mut chunks);
    chunks
}

fn read_chunks(path: &Path, chunks: &mut Vec<Chunk>) -> io::Result<()> {
    let mut file = BufReader::new(File::open(path)?);
    let mut signature = [0; 8];
    file.read_exact(&mut signature)?;
    if &signature != SIGNATURE {
        return Ok(());
    }
    loop {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let [a, b, c, d, name @ ..] = head;
        let len = u32::from_be_bytes([a, b, c, d]);
        if len > LONGEST_CHUNK || [b"IDAT", b"fdAT", b"PLTE", b"iCCP"].contains(&&name) {
            let pixels = &name == b"IDAT" && chunks.last().is_none_or(|last| last.name != name);
            if pixels || &name == b"iCCP" {
                chunks.push(Chunk { name, data: Vec::new() });
            }
            file.seek(SeekFrom::Current(i64::from(len) + 4))?;
        } else {
            let mut data = vec![0; len as usize];
            file.read_exact(&mut data)?;
            file.seek(SeekFrom::Current(4))?;
            chunks.push(Chunk { name, data });
        }
        if &name == b"IEND" {
            return Ok(());
        }
    }
}

/// Bytes that decoding needs besides the pixels: profile and texts, and two rows of up to 4 channels of 16 bits.
pub fn overhead(chunks: &[Chunk]) -> u64 {
    let header = chunks.iter().find(|chunk| &chunk.name == b"IHDR");
    let width = header.and_then(|header| header.number(0)).unwrap_or(0);
    Limit::Metadata.get().saturating_add(2 * 8 * u64::from(width))
}

/// Whether a file that is complete describes an animation that cannot be shown: its control chunk comes too late, frames
/// are missing, or one does not lie within the picture. Its still picture is what viewers show.
pub fn is_broken_animation(chunks: &[Chunk]) -> bool {
    let position = |name| chunks.iter().position(|chunk| &chunk.name == name);
    let (Some(control), Some(pixels), Some(_)) = (position(b"acTL"), position(b"IDAT"), position(b"IEND"))
    else {
        return false;
    };
    let size = chunks.iter().find(|chunk| &chunk.name == b"IHDR");
    let size = size.and_then(|header| Some([header.number(0)?, header.number(4)?]));
    let lies_within = |frame: &Chunk| {
        let side = |axis: usize| {
            let (length, first) = (frame.number(4 + 4 * axis)?, frame.number(12 + 4 * axis)?);
            Some(length > 0 && u64::from(length) + u64::from(first) <= size?[axis].into())
        };
        side(0) == Some(true) && side(1) == Some(true)
    };
    let mut frames = chunks.iter().filter(|chunk| &chunk.name == b"fcTL");
    let count = u32::try_from(frames.clone().count()).ok();
    control > pixels || chunks[control].number(0) != count || !frames.all(lies_within)
}

/// The animation that the chunks describe, `None` for a single picture.
pub fn animation(chunks: &[Chunk]) -> Option<Animation> {
    let named = |name| chunks.iter().filter(move |chunk| &chunk.name == name);
    let control = named(b"acTL").next()?;
    if is_broken_animation(chunks) {
        return None;
    }
    let size = |frame: &Chunk| Some([frame.number(4)?, frame.number(8)?]);
    let largest = named(b"fcTL").filter_map(size).max();
    // The first frame may leave parts of the picture out, and any frame may be cleared again.
    let clears = named(b"fcTL").next().and_then(size) != largest
        || named(b"fcTL").any(|frame| frame.data.get(DISPOSAL) == Some(&TO_BACKGROUND));
    Animation::new(control.number(0)?, control.number(4)?, clears)
}

/// Writes a picture from top to bottom; `fill` writes its samples in the machine's byte order.
pub fn write(
    out: &mut dyn Write,
    (width, height): (u32, u32),
    color: ColorType,
    metadata: &Metadata,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let encoder = encoder(out, width, height, color, metadata)?;
    let mut writer = with_chunks(encoder, metadata).map_err(to_io)?;
    let mut rows = writer.stream_writer_with_size(1 << 16).map_err(to_io)?;
    if depth(color) == 16 {
        fill(&mut Reordered::big_endian(&mut rows))?
    } else {
        fill(&mut rows)?
    }
    rows.finish().map_err(to_io)?;
    writer.finish().map_err(to_io)
}

/// Writes the frames of an animation.
pub struct Frames<W: Write> {
    writer: Writer<W>,
    wide: bool,
}

impl<W: Write> Frames<W> {
    /// `plays` is 0 for endless.
    pub fn new(
        out: W,
        (width, height): (u32, u32),
        color: ColorType,
        metadata: &Metadata,
        frames: u32,
        plays: u32,
    ) -> io::Result<Self> {
        let mut encoder = encoder(out, width, height, color, metadata)?;
        encoder.set_animated(frames, plays).map_err(to_io)?;
        let writer = with_chunks(encoder, metadata).map_err(to_io)?;
        Ok(Self { writer, wide: depth(color) == 16 })
    }

    /// Writes the next frame: a whole picture that replaces the one before.
    pub fn write(&mut self, frame: &DynamicImage, delay: Delay) -> io::Result<()> {
        let (numerator, denominator) = delay.as_fraction();
        self.writer.set_frame_delay(numerator, denominator).map_err(to_io)?;
        let samples = if self.wide {
            let mut swapped = Vec::with_capacity(frame.as_bytes().len());
            Reordered::big_endian(&mut swapped).write_all(frame.as_bytes())?;
            Cow::Owned(swapped)
        } else {
            Cow::Borrowed(frame.as_bytes())
        };
        self.writer.write_image_data(&samples).map_err(to_io)
    }

    pub fn finish(self) -> io::Result<()> {
        self.writer.finish().map_err(to_io)
    }
}

fn encoder<W: Write>(
    out: W,
    width: u32,
    height: u32,
    color: ColorType,
    metadata: &Metadata,
) -> io::Result<Encoder<'static, W>> {
    let mut info = Info::with_size(width, height);
    info.icc_profile = metadata.icc.clone().map(Cow::Owned);
    info.exif_metadata = metadata.exif.clone().map(Cow::Owned);
    let mut encoder = Encoder::with_info(out, info).map_err(to_io)?;
    encoder.set_color(match (color.has_color(), color.has_alpha()) {
        (false, false) => png::ColorType::Grayscale,
        (false, true) => png::ColorType::GrayscaleAlpha,
        (true, false) => png::ColorType::Rgb,
        (true, true) => png::ColorType::Rgba,
    });
    encoder.set_depth(if depth(color) == 8 { BitDepth::Eight } else { BitDepth::Sixteen });
    encoder.set_compression(Compression::Fast);
    Ok(encoder)
}

fn with_chunks<W: Write>(
    encoder: Encoder<'static, W>,
    metadata: &Metadata,
) -> Result<Writer<W>, EncodingError> {
    let mut writer = encoder.write_header()?;
    png_tags::write(&mut writer, metadata)?;
    Ok(writer)
}

fn to_io(error: EncodingError) -> io::Error {
    match error {
        EncodingError::IoError(error) => error,
        error => io::Error::other(error),
    }
}
