//! GIF files: up to 256 colors per frame, one of which may be transparent.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use gif::{ColorOutput, DecodeOptions, DecodingError, DisposalMethod, Encoder, EncodingError, Frame, Repeat};
use image::{DynamicImage, ImageError};

use super::animation::{self, Animation, Delay};
use super::memory;
use super::metadata::Metadata;

/// Speed of the search for a palette, 1 to 30: the encoder's default, good and not slow.
const SPEED: i32 = 10;

/// The end mark.
const END: &[u8] = b";";
/// What extensions begin with, and the labels of two kinds.
const EXTENSION: u8 = 0x21;
const COMMENT: u8 = 0xfe;
const APPLICATION: u8 = 0xff;
/// Bytes of comments that are read.
const MOST_COMMENTS: usize = 1 << 20;
/// Bytes of a frame that may be decoded whatever the size of the picture.
const FRAME: u64 = 1 << 26;

/// What is known of a file before its frames are decoded.
pub struct Summary {
    /// `None` for a single picture.
    pub animation: Option<Animation>,
    /// Columns and rows of the largest frame, which need not lie within the picture.
    pub largest: (u16, u16),
    /// Whether the last frame is followed by the end mark, or by the end of the file in its place.
    pub complete: bool,
}

impl Summary {
    /// In words, why the frames of a picture of `size` pixels are not decoded: they exceed it by far, or it exceeds them.
    pub fn refusal(&self, size: (u32, u32)) -> Option<String> {
        let (width, height) = self.largest;
        let largest = u64::from(width) * u64::from(height);
        let (needed, pixels) = (4 * largest, u64::from(size.0) * u64::from(size.1));
        let exceeding = needed > FRAME.max(4 * 4 * pixels);
        let exceeding = exceeding.then(|| {
            format!(
                "a frame of {width}x{height} pixels, which needs {} of memory, exceeds the picture by far",
                memory::bytes(needed.into())
            )
        });
        exceeding.or_else(|| animation::sparse(size, largest))
    }
}

/// Looks through the frames of a file; `None` for another kind of file.
pub fn summary(path: &Path) -> Option<Summary> {
    let mut options = DecodeOptions::new();
    options.skip_frame_decoding(true);
    options.set_color_output(ColorOutput::Indexed);
    let mut decoder = options.read_info(BufReader::new(File::open(path).ok()?.chain(END))).ok()?;
    let (mut frames, mut largest) = (0, (0, 0));
    // A broken frame ends the count here, and is reported when it is decoded.
    let complete = loop {
        let frame = match decoder.next_frame_info() {
            Ok(Some(frame)) => frame,
            end => break end.is_ok(),
        };
        frames += 1;
        let area = |(width, height): (u16, u16)| u32::from(width) * u32::from(height);
        if area((frame.width, frame.height)) > area(largest) {
            largest = (frame.width, frame.height);
        }
    };
    // The file counts the repetitions after the first showing; without a count there are none.
    let plays = match decoder.repeat() {
        Repeat::Infinite => 0,
        Repeat::Finite(0) => 1,
        Repeat::Finite(times) => u32::from(times) + 1,
    };
    Some(Summary { animation: Animation::new(frames, plays, false), largest, complete })
}

/// The comments in a file, as far as it can be read.
pub fn comments(path: &Path) -> Vec<Vec<u8>> {
    let mut comments = Vec::new();
    if let Ok(file) = File::open(path) {
        let _ = read_comments(&mut BufReader::new(file), &mut comments);
    }
    comments
}

fn read_comments(file: &mut BufReader<File>, comments: &mut Vec<Vec<u8>>) -> io::Result<()> {
    // Bytes of the palette, by the flags in a header.
    let palette = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut screen = [0; 13];
    file.read_exact(&mut screen)?;
    file.seek_relative(palette(screen[10]))?;
    let mut total = 0;
    loop {
        let mut begin = [0; 2];
        file.read_exact(&mut begin[..1])?;
        match begin[0] {
            EXTENSION => file.read_exact(&mut begin[1..])?,
            b',' => {
                let mut frame = [0; 9];
                file.read_exact(&mut frame)?;
                file.seek_relative(palette(frame[8]) + 1)?;
            }
            _ => return Ok(()),
        }
        let is_comment = begin == [EXTENSION, COMMENT];
        let mut comment = Vec::new();
        loop {
            let mut length = [0];
            file.read_exact(&mut length)?;
            match usize::from(length[0]) {
                0 => break,
                length if is_comment && total + length <= MOST_COMMENTS => {
                    total += length;
                    file.take(length as u64).read_to_end(&mut comment)?;
                }
                length => file.seek_relative(length as i64)?,
            }
        }
        if !comment.is_empty() {
            comments.push(comment);
        }
    }
}

/// Whether a decoder's error is that the file has ended.
pub fn is_end(error: &ImageError) -> bool {
    match error {
        ImageError::IoError(error) => error.kind() == io::ErrorKind::UnexpectedEof,
        error => {
            let cause = error.source().and_then(|cause| cause.downcast_ref::<DecodingError>());
            matches!(cause, Some(DecodingError::UnexpectedEof))
        }
    }
}

/// Writes the frames of an animation, or one picture.
pub struct Frames<W: Write> {
    encoder: Encoder<W>,
    /// The last frame: its disposal depends on the frame after it.
    pending: Option<Frame<'static>>,
}

impl<W: Write> Frames<W> {
    /// `plays` is 0 for endless.
    pub fn new(out: W, (width, height): (u32, u32), metadata: &Metadata, plays: u32) -> io::Result<Self> {
        let too_large = |_| io::Error::other("more than 65535 pixels on a side of a GIF file");
        let width = u16::try_from(width).map_err(too_large)?;
        let height = u16::try_from(height).map_err(too_large)?;
        let mut encoder = Encoder::new(out, width, height, &[]).map_err(to_io)?;
        match plays {
            1 => {}
            0 => encoder.set_repeat(Repeat::Infinite).map_err(to_io)?,
            plays => {
                let times = u16::try_from(plays - 1).unwrap_or(u16::MAX);
                encoder.set_repeat(Repeat::Finite(times)).map_err(to_io)?;
            }
        }
        if let Some(icc) = &metadata.icc {
            let parts: Vec<&[u8]> = [b"ICCRGBG1012".as_slice()].into_iter().chain(icc.chunks(255)).collect();
            write_blocks(encoder.get_mut(), APPLICATION, &parts)?;
        }
        if let Some(xmp) = &metadata.xmp {
            write_xmp(encoder.get_mut(), xmp)?;
        }
        for comment in &metadata.comments {
            let parts: Vec<&[u8]> = comment.chunks(255).collect();
            write_blocks(encoder.get_mut(), COMMENT, &parts)?;
        }
        Ok(Self { encoder, pending: None })
    }

    /// Writes the next frame, a whole picture. Half-transparent pixels become opaque or transparent, whichever is nearer.
    pub fn write(&mut self, frame: &DynamicImage, delay: Delay) -> io::Result<()> {
        let (width, height) = (frame.width() as u16, frame.height() as u16);
        let mut pixels = frame.to_rgba8().into_raw();
        let mut clear = false;
        for pixel in pixels.chunks_exact_mut(4) {
            // Transparent pixels share one color, so that they take one of the 256.
            let visible = pixel[3] >= 128;
            pixel.copy_from_slice(&if visible { [pixel[0], pixel[1], pixel[2], 255] } else { [0; 4] });
            clear |= !visible;
        }
        let mut frame = Frame::from_rgba_speed(width, height, &mut pixels, SPEED);
        frame.delay = u16::try_from((delay.milliseconds() + 5) / 10).unwrap_or(u16::MAX);
        // The frame before must not show through this frame's transparent pixels.
        let before = if clear { DisposalMethod::Background } else { DisposalMethod::Keep };
        let last = self.pending.replace(frame);
        self.write_pending(last, before)
    }

    pub fn finish(mut self) -> io::Result<()> {
        let last = self.pending.take();
        self.write_pending(last, DisposalMethod::Keep)
    }

    fn write_pending(&mut self, frame: Option<Frame<'_>>, dispose: DisposalMethod) -> io::Result<()> {
        match frame {
            Some(frame) => self.encoder.write_frame(&Frame { dispose, ..frame }).map_err(to_io),
            None => Ok(()),
        }
    }
}

/// An extension: blocks of up to 255 bytes.
fn write_blocks(out: &mut impl Write, label: u8, blocks: &[&[u8]]) -> io::Result<()> {
    out.write_all(&[EXTENSION, label])?;
    for block in blocks {
        out.write_all(&[block.len() as u8])?;
        out.write_all(block)?;
    }
    out.write_all(&[0])
}

/// XMP is not divided into blocks. The bytes 255 to 0 at its end bring readers that take it for blocks to a zero
/// (XMP specification, part 3, section 1.1.2).
fn write_xmp(out: &mut impl Write, xmp: &[u8]) -> io::Result<()> {
    out.write_all(&[0x21, 0xff, 11])?;
    out.write_all(b"XMP DataXMP")?;
    out.write_all(xmp)?;
    out.write_all(&[1])?;
    let trailer: Vec<u8> = (0..=255).rev().collect();
    out.write_all(&trailer)?;
    out.write_all(&[0])
}

fn to_io(error: EncodingError) -> io::Error {
    match error {
        EncodingError::Io(error) => error,
        error => io::Error::other(error),
    }
}
