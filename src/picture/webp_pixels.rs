//! Pixels of WebP files. Which chunks there are decides, not what the header says of them. The `image-webp` crate decodes
//! single pictures; frames are composed here.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use image::codecs::webp::WebPDecoder;
use image::error::{DecodingError, ImageFormatHint};
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageResult};

use super::animation::{self, Animation, Delay};
use super::compose::{Canvas, Composer, Disposal, Placement};
use super::samples::convert;
use crate::limits::Limit;

/// Bytes before the chunks of a frame.
const FRAME: u64 = 16;

/// A chunk's name, and the part of the file that holds its data.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    name: [u8; 4],
    start: u64,
    len: u64,
}

/// The chunks that hold one picture.
#[derive(Debug, Clone, Copy)]
struct Image {
    pixels: Chunk,
    alpha: Option<Chunk>,
    size: (u32, u32),
    /// Whether pixels may be transparent.
    transparent: bool,
}

/// A frame of an animation.
#[derive(Debug, Clone, Copy)]
struct Frame {
    image: Image,
    placement: Placement,
    milliseconds: u32,
}

/// A file whose chunks are known.
pub struct Pixels {
    file: BufReader<File>,
    chunks: Vec<Chunk>,
    /// Columns and rows of the picture or of the canvas.
    size: (u32, u32),
    still: Option<Image>,
    frames: Vec<Frame>,
    plays: u32,
}

impl Pixels {
    /// # Errors
    /// [`ImageError`] for files that cannot be read or hold no picture.
    pub fn open(path: &Path) -> ImageResult<Self> {
        let mut file = BufReader::new(File::open(path)?);
        let end = file.get_ref().metadata()?.len();
        let chunks = read_chunks(&mut file, 12, end)?;
        let named = |name| chunks.iter().find(|chunk| &chunk.name == name);
        let mut header = Vec::new();
        if let Some(chunk) = named(b"VP8X") {
            header = read(&mut file, chunk.start, chunk.len.min(10))?;
        }
        let animated = header.first().is_some_and(|flags| flags & 2 != 0);
        let mut still = read_image(&mut file, &chunks)?;
        let mut frames = Vec::new();
        // Viewers show the still picture of a file that does not call itself animated.
        if animated || still.is_none() {
            for chunk in chunks.iter().filter(|chunk| &chunk.name == b"ANMF") {
                frames.push(read_frame(&mut file, chunk)?);
            }
        }
        let mut size = still.map_or((0, 0), |image| image.size);
        let mut plays = 1;
        if !frames.is_empty() {
            still = None;
            size = match header.as_slice() {
                [_, _, _, _, canvas @ ..] if canvas.len() == 6 => (u24(canvas) + 1, u24(&canvas[3..]) + 1),
                _ => return Err(broken("its canvas has no size")),
            };
            if let Some(control) = named(b"ANIM") {
                let control = read(&mut file, control.start, control.len.min(6))?;
                plays = control.get(4..6).map_or(1, |plays| u16::from_le_bytes([plays[0], plays[1]]).into());
            }
        } else if still.is_none() {
            return Err(broken("it holds no picture"));
        }
        Ok(Self { file, chunks, size, still, frames, plays })
    }

    /// The animation in the file; `None` for a single picture.
    pub fn animation(&self) -> Option<Animation> {
        Animation::new(u32::try_from(self.frames.len()).ok()?, self.plays, self.clears())
    }

    /// Whether frames leave parts of the canvas transparent.
    fn clears(&self) -> bool {
        let whole = |frame: &Frame| frame.placement.at == (0, 0) && frame.image.size == self.size;
        self.frames.first().is_some_and(|first| !whole(first))
            || self.frames.iter().any(|frame| frame.placement.disposal == Disposal::Clear)
    }

    /// In words, why the frames are not composed.
    pub fn refusal(&self) -> Option<String> {
        let pixels = |frame: &Frame| u64::from(frame.image.size.0) * u64::from(frame.image.size.1);
        self.frames.iter().map(pixels).max().and_then(|largest| animation::sparse(self.size, largest))
    }

    /// Bytes that decoding takes besides the picture.
    pub fn overhead(&self) -> u64 {
        let images = self.still.iter().chain(self.frames.iter().map(|frame| &frame.image));
        let image = |image: &Image| {
            let pixels = u64::from(image.size.0) * u64::from(image.size.1);
            4 * pixels + image.pixels.len + image.alpha.map_or(0, |alpha| alpha.len)
        };
        images.map(image).max().unwrap_or(0)
    }

    fn metadata(&mut self, name: &[u8; 4]) -> ImageResult<Option<Vec<u8>>> {
        let chunk =
            self.chunks.iter().find(|chunk| &chunk.name == name && chunk.len <= Limit::Metadata.get());
        Ok(chunk.map(|chunk| read(&mut self.file, chunk.start, chunk.len)).transpose()?)
    }

    /// The composed frames, converted to `color`.
    pub fn into_frames(
        mut self,
        color: ColorType,
    ) -> impl Iterator<Item = ImageResult<(DynamicImage, Delay)>> {
        let mut composer = Composer::<u8>::new(self.size.0, self.size.1);
        let mut frames = std::mem::take(&mut self.frames).into_iter();
        std::iter::from_fn(move || {
            let frame = frames.next()?;
            let decoded = decode(&mut self.file, &frame.image);
            Some(decoded.and_then(|picture| {
                let pixels = picture.to_rgba8().as_chunks::<4>().0.to_vec();
                let picture = Canvas::new(picture.width(), picture.height(), pixels);
                let picture = picture.ok_or_else(|| broken("a frame is cut short"))?;
                let shown = composer.add(&picture, frame.placement).to_picture();
                Ok((convert(shown, color), Delay::new(frame.milliseconds, 1)))
            }))
        })
    }
}

impl ImageDecoder for Pixels {
    fn dimensions(&self) -> (u32, u32) {
        self.size
    }

    fn color_type(&self) -> ColorType {
        let transparent = self.still.iter().any(|image| image.transparent)
            || self.frames.iter().any(|frame| frame.image.transparent)
            || self.frames.len() == 1 && self.clears();
        if transparent { ColorType::Rgba8 } else { ColorType::Rgb8 }
    }

    fn icc_profile(&mut self) -> ImageResult<Option<Vec<u8>>> {
        self.metadata(b"ICCP")
    }

    fn exif_metadata(&mut self) -> ImageResult<Option<Vec<u8>>> {
        self.metadata(b"EXIF")
    }

    fn xmp_metadata(&mut self) -> ImageResult<Option<Vec<u8>>> {
        self.metadata(b"XMP ")
    }

    fn read_image(mut self, buffer: &mut [u8]) -> ImageResult<()> {
        let color = self.color_type();
        let picture = match self.still {
            Some(image) => decode(&mut self.file, &image)?,
            None => self.into_frames(color).next().ok_or_else(|| broken("it has no frames"))??.0,
        };
        let picture = convert(picture, color);
        if picture.as_bytes().len() != buffer.len() {
            return Err(broken("its picture is not of the size that it says"));
        }
        buffer.copy_from_slice(picture.as_bytes());
        Ok(())
    }

    fn read_image_boxed(self: Box<Self>, buffer: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(buffer)
    }
}

fn broken(why: &str) -> ImageError {
    ImageError::Decoding(DecodingError::new(ImageFormatHint::Exact(ImageFormat::WebP), why.to_string()))
}

fn u24(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0])
}

fn read(file: &mut (impl Read + Seek), start: u64, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < len { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}

/// The chunks between two positions. One that is cut off ends them.
fn read_chunks(file: &mut (impl Read + Seek), start: u64, end: u64) -> io::Result<Vec<Chunk>> {
    let mut chunks = Vec::new();
    let mut at = start;
    while at + 8 <= end {
        let head = read(file, at, 8)?;
        let [a, b, c, d, l0, l1, l2, l3] = head[..] else { break };
        let len = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        chunks.push(Chunk { name: [a, b, c, d], start: at + 8, len });
        at += 8 + len.next_multiple_of(2);
    }
    Ok(chunks)
}

/// The first picture among chunks. Alpha of its own stands before it.
fn read_image(file: &mut (impl Read + Seek), chunks: &[Chunk]) -> ImageResult<Option<Image>> {
    let Some(at) = chunks.iter().position(|chunk| [b"VP8 ", b"VP8L"].contains(&&chunk.name)) else {
        return Ok(None);
    };
    let pixels = chunks[at];
    let head = read(file, pixels.start, pixels.len.min(10))?;
    let lossless = &pixels.name == b"VP8L";
    let alpha = chunks[..at].iter().find(|chunk| &chunk.name == b"ALPH" && !lossless).copied();
    let (size, transparent) = match head.as_slice() {
        [0x2f, a, b, c, d, ..] if lossless => {
            let bits = u32::from_le_bytes([*a, *b, *c, *d]);
            (((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1), bits >> 28 & 1 == 1)
        }
        [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] if !lossless => {
            let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
            ((side(*w0, *w1), side(*h0, *h1)), alpha.is_some())
        }
        _ => return Err(broken("its picture does not begin like one")),
    };
    Ok(Some(Image { pixels, alpha, size, transparent }))
}

fn read_frame(file: &mut (impl Read + Seek), chunk: &Chunk) -> ImageResult<Frame> {
    let control = read(file, chunk.start, FRAME.min(chunk.len))?;
    if control.len() < FRAME as usize {
        return Err(broken("a frame is cut short"));
    }
    let parts = read_chunks(file, chunk.start + FRAME, chunk.start + chunk.len)?;
    let image = read_image(file, &parts)?.ok_or_else(|| broken("a frame holds no picture"))?;
    let placement = Placement {
        at: (2 * u24(&control), 2 * u24(&control[3..])),
        over: control[15] & 2 == 0,
        disposal: if control[15] & 1 == 1 { Disposal::Clear } else { Disposal::Keep },
    };
    Ok(Frame { image, placement, milliseconds: u24(&control[12..]) })
}

/// Decodes a picture from a file of its own, whose header says what there is.
fn decode(file: &mut (impl Read + Seek), image: &Image) -> ImageResult<DynamicImage> {
    let mut body = b"WEBP".to_vec();
    if image.alpha.is_some() {
        let side = |length: u32| (length.max(1) - 1).to_le_bytes();
        let ([w0, w1, w2, _], [h0, h1, h2, _]) = (side(image.size.0), side(image.size.1));
        body.extend(b"VP8X\x0a\0\0\0\x10\0\0\0");
        body.extend([w0, w1, w2, h0, h1, h2]);
    }
    for chunk in image.alpha.iter().chain([&image.pixels]) {
        body.extend(chunk.name);
        body.extend((chunk.len as u32).to_le_bytes());
        body.extend(read(file, chunk.start, chunk.len)?);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let len = u32::try_from(body.len()).map_err(|_| broken("its picture is too long"))?;
    let whole = [b"RIFF".as_slice(), &len.to_le_bytes(), &body].concat();
    DynamicImage::from_decoder(WebPDecoder::new(Cursor::new(whole))?)
}
