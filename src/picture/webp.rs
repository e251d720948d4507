//! WebP files: the container, with metadata and animations, around encoded frames.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use image::DynamicImage;

use super::animation::Delay;
use super::chunk::latin_1;
use super::kind::Settings;
use super::metadata::{Metadata, shown};
use crate::limits::Limit;

/// A chunk of the container.
type Chunk = ([u8; 4], Vec<u8>);

/// Adds profile, Exif and XMP to the metadata, whether the header announces them or not.
pub fn read_metadata(path: &Path, metadata: &mut Metadata) {
    // The decoder reports what is wrong with the file.
    let _ = File::open(path).and_then(|file| read_chunks(&mut BufReader::new(file), metadata));
}

fn read_chunks(file: &mut BufReader<File>, metadata: &mut Metadata) -> io::Result<()> {
    let mut head = [0; 12];
    file.read_exact(&mut head)?;
    let mut left = Limit::Metadata.get();
    loop {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let [a, b, c, d, l0, l1, l2, l3] = head;
        let len = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        let part = match &[a, b, c, d] {
            b"ICCP" => &mut metadata.icc,
            b"EXIF" => &mut metadata.exif,
            b"XMP " | b"XMP\0" => &mut metadata.xmp,
            b"VP8X" | b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ANMF" => {
                file.seek_relative(len.next_multiple_of(2) as i64)?;
                continue;
            }
            name => {
                metadata.not_kept(&format!("the chunk {}", shown(&latin_1(name))));
                file.seek_relative(len.next_multiple_of(2) as i64)?;
                continue;
            }
        };
        if part.is_some() || len > left {
            file.seek_relative(len.next_multiple_of(2) as i64)?;
            continue;
        }
        left -= len;
        let mut data = Vec::new();
        file.take(len).read_to_end(&mut data)?;
        *part = Some(data);
        file.seek_relative((len % 2) as i64)?;
    }
}

/// Encoded frames, collected before anything is written: the container begins with its length.
pub struct Frames {
    size: (u32, u32),
    alpha: bool,
    /// The chunks of each frame.
    frames: Vec<(Vec<Chunk>, Delay)>,
    settings: Settings,
}

impl Frames {
    pub fn new(settings: Settings) -> Self {
        Self { size: (1, 1), alpha: false, frames: Vec::new(), settings }
    }

    /// Adds the next frame: 8 bits per channel, all frames of one size.
    pub fn add(&mut self, frame: &DynamicImage, delay: Delay) -> io::Result<()> {
        self.size = (frame.width(), frame.height());
        self.alpha |= frame.color().has_alpha();
        self.frames.push((encode(frame, &self.settings)?, delay));
        Ok(())
    }

    /// Writes a single picture: the first frame.
    pub fn finish_still(self, out: &mut dyn Write, metadata: &Metadata) -> io::Result<()> {
        let chunks = self.frames.into_iter().next().map(|(chunks, _)| chunks).unwrap_or_default();
        write_container(out, metadata, self.size, self.alpha, false, chunks)
    }

    /// Writes an animation; `plays` is 0 for endless.
    pub fn finish(self, out: &mut dyn Write, metadata: &Metadata, plays: u32) -> io::Result<()> {
        let plays = u16::try_from(plays).unwrap_or(u16::MAX);
        // The background is transparent, and every frame covers all of it.
        let mut chunks = vec![(*b"ANIM", [&[0; 4], plays.to_le_bytes().as_slice()].concat())];
        for (frame, delay) in self.frames {
            let mut data = vec![0; 6]; // its position
            data.extend(u24(self.size.0 - 1));
            data.extend(u24(self.size.1 - 1));
            data.extend(u24(delay.milliseconds().min(0xff_ffff)));
            data.push(0b10); // replaces the frame before instead of blending
            frame.iter().for_each(|chunk| push(&mut data, chunk));
            chunks.push((*b"ANMF", data));
        }
        write_container(out, metadata, self.size, self.alpha, true, chunks)
    }
}

fn write_container(
    out: &mut dyn Write,
    metadata: &Metadata,
    (width, height): (u32, u32),
    alpha: bool,
    animation: bool,
    image: Vec<Chunk>,
) -> io::Result<()> {
    let Metadata { icc, exif, xmp, .. } = metadata;
    let extended = animation || image.len() > 1 || icc.is_some() || exif.is_some() || xmp.is_some();
    let mut body = b"WEBP".to_vec();
    if extended {
        let flags = [(0x20, icc.is_some()), (0x10, alpha), (0x08, exif.is_some()), (0x04, xmp.is_some())];
        let flags = flags.iter().filter(|(_, set)| *set).map(|(flag, _)| flag).sum::<u8>();
        let mut header = vec![flags | if animation { 0x02 } else { 0 }, 0, 0, 0];
        header.extend(u24(width - 1));
        header.extend(u24(height - 1));
        push(&mut body, &(*b"VP8X", header));
    }
    let optional = |name: &[u8; 4], data: &Option<Vec<u8>>| data.clone().map(|data| (*name, data));
    let before = optional(b"ICCP", icc);
    let after = optional(b"EXIF", exif).into_iter().chain(optional(b"XMP ", xmp));
    before.into_iter().chain(image).chain(after).for_each(|chunk| push(&mut body, &chunk));
    let len = u32::try_from(body.len()).map_err(|_| io::Error::other("more than 4 GiB in a WebP file"))?;
    out.write_all(b"RIFF")?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(&body)
}

fn u24(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.to_le_bytes();
    [a, b, c]
}

fn push(body: &mut Vec<u8>, (name, data): &Chunk) {
    body.extend(name);
    body.extend((data.len() as u32).to_le_bytes());
    body.extend(data);
    body.resize(body.len().next_multiple_of(2), 0);
}

/// The chunks of one frame: lossy if a quality is asked for and this build supports that, else lossless.
fn encode(frame: &DynamicImage, settings: &Settings) -> io::Result<Vec<Chunk>> {
    #[cfg(feature = "webp-lossy")]
    if let Some(quality) = settings.quality {
        let encoder = ::webp::Encoder::from_image(frame).map_err(io::Error::other)?;
        return Ok(split(&encoder.encode(f32::from(quality))));
    }
    let _ = settings;
    let color = match frame {
        DynamicImage::ImageLuma8(_) => image_webp::ColorType::L8,
        DynamicImage::ImageLumaA8(_) => image_webp::ColorType::La8,
        DynamicImage::ImageRgb8(_) => image_webp::ColorType::Rgb8,
        _ => image_webp::ColorType::Rgba8,
    };
    let mut file = Vec::new();
    let encoder = image_webp::WebPEncoder::new(&mut file);
    encoder.encode(frame.as_bytes(), frame.width(), frame.height(), color).map_err(io::Error::other)?;
    Ok(split(&file))
}

/// The chunks of a file that hold pixels, without the container around them.
fn split(file: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut rest = file.get(12..).unwrap_or_default();
    while let [a, b, c, d, l0, l1, l2, l3, data @ ..] = rest {
        let len = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        let name = [*a, *b, *c, *d];
        if [b"VP8 ", b"VP8L", b"ALPH"].contains(&&name) {
            chunks.push((name, data[..len.min(data.len())].to_vec()));
        }
        rest = data.get(len.next_multiple_of(2)..).unwrap_or_default();
    }
    chunks
}
