//! Reading: the header first, the pixels when they are wanted.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::{Error, Result};
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::animation::Animation;
use super::kind::{color_type, depth};
use super::memory::{self, available_memory};
use super::metadata::Metadata;
use super::{alpha, jpeg, png, tiff};

/// A picture file whose header has been read.
pub struct Header {
    pub path: PathBuf,
    /// Columns of the upright picture.
    pub width: u32,
    /// Rows of the upright picture.
    pub height: u32,
    pub color: ColorType,
    pub format: Option<ImageFormat>,
    /// `None` for a single picture.
    pub animation: Option<Animation>,
    /// Bytes of the decoded picture.
    pub bytes: u64,
    /// How the stored pixels are turned.
    orientation: Orientation,
    decoder: Box<dyn ImageDecoder>,
}

impl Header {
    /// Opens a picture file; its kind is told by content, by extension only where content does not tell.
    ///
    /// # Errors
    /// [`Error::Picture`] for a file that is missing, empty, or not a picture.
    pub fn open(path: &Path) -> Result<Self> {
        let refuse = |why: String| Error::Picture(format!("{}: {why}", path.display()));
        let length = std::fs::metadata(path).map_err(|e| refuse(e.to_string()))?.len();
        if length == 0 {
            return Err(refuse("the file is empty".into()));
        }
        let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
        let mut reader = reader.map_err(|e| refuse(e.to_string()))?;
        let format = reader.format();
        if format == Some(ImageFormat::Jpeg) && lacks_jpeg_end(path, length) {
            log::warn!(
                "{}: the file ends too early, the lower part of the picture may be missing",
                path.display()
            );
        }
        let available = available_memory();
        let mut limits = image::Limits::no_limits();
        limits.max_alloc = Some(available);
        reader.limits(limits);
        let mut decoder: Box<dyn ImageDecoder> = match reader.into_decoder() {
            Ok(decoder) => Box::new(decoder),
            Err(error) => match tiff::Unusual::open(path).filter(|_| format == Some(ImageFormat::Tiff)) {
                Some(decoder) => Box::new(decoder),
                None => return Err(refuse(explain(&error))),
            },
        };
        let (width, height) = decoder.dimensions();
        let (bytes, mut color) = (decoder.total_bytes(), decoder.color_type());
        if width == 0 || height == 0 {
            return Err(refuse("the picture has no pixels".into()));
        }
        if bytes > available {
            let (needed, available) = (memory::bytes(bytes.into()), memory::bytes(available.into()));
            return Err(refuse(format!(
                "the picture of {width}x{height} pixels needs {needed} of memory, {available} are available"
            )));
        }
        let animation = Animation::of(path, format);
        if animation.is_some_and(|animation| animation.clears) {
            color = color_type(color.has_color(), true, depth(color));
        }
        // An orientation that cannot be read is no reason to refuse the picture; frames are never turned.
        let orientation = match animation {
            None => decoder.orientation().unwrap_or(Orientation::NoTransforms),
            Some(_) => Orientation::NoTransforms,
        };
        let (width, height) = if is_sideways(orientation) { (height, width) } else { (width, height) };
        let path = path.into();
        Ok(Self { path, width, height, color, format, animation, bytes, orientation, decoder })
    }

    /// What comes with the picture.
    pub fn metadata(&mut self) -> Metadata {
        let decoder = &mut self.decoder;
        // What cannot be read of it is no reason to refuse the picture.
        let mut metadata = Metadata {
            icc: decoder.icc_profile().ok().flatten().filter(|profile| !profile.is_empty()),
            exif: decoder.exif_metadata().ok().flatten(),
            xmp: decoder.xmp_metadata().ok().flatten().filter(|packet| !packet.is_empty()),
            ..Metadata::default()
        };
        match self.format {
            Some(ImageFormat::Png) => png::read_metadata(png::chunks(&self.path), &mut metadata),
            Some(ImageFormat::Jpeg) => jpeg::read_metadata(&self.path, &mut metadata),
            Some(ImageFormat::Tiff) => tiff::read_metadata(&self.path, &mut metadata),
            _ => {}
        }
        // Some programs write the header of a JPEG segment where there is none.
        if let Some(block) = metadata.exif.as_ref().and_then(|exif| exif.strip_prefix(b"Exif\0\0")) {
            metadata.exif = Some(block.to_vec());
        }
        metadata
    }

    /// Whether the stored pixels are not upright.
    pub fn is_turned(&self) -> bool {
        self.orientation != Orientation::NoTransforms
    }

    /// What of the file is not read, in words.
    pub fn remark(&self) -> Option<String> {
        let pages = match self.format {
            Some(ImageFormat::Tiff) => tiff::directories(&self.path).is_some_and(|all| all.more),
            _ => false,
        };
        pages.then(|| "the file has more pages, only the first is read".into())
    }

    /// Decodes the picture and turns it upright.
    ///
    /// # Errors
    /// [`Error::Picture`] for broken files.
    pub fn decode(self) -> Result<DynamicImage> {
        let refuse =
            |error: ImageError| Error::Picture(format!("{}: {}", self.path.display(), explain(&error)));
        let mut picture = DynamicImage::from_decoder(self.decoder).map_err(refuse)?;
        if self.format == Some(ImageFormat::Tiff) && tiff::is_premultiplied(&self.path) {
            alpha::divide(&mut picture);
        }
        picture.apply_orientation(self.orientation);
        Ok(picture)
    }
}

/// Whether columns become rows.
fn is_sideways(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    [Rotate90, Rotate270, Rotate90FlipH, Rotate270FlipH].contains(&orientation)
}

/// Whether a JPEG file has no end marker: its decoder makes up the rest of a truncated picture in silence.
/// The marker is looked for near the end, as some cameras put data behind it.
fn lacks_jpeg_end(path: &Path, length: u64) -> bool {
    let mut end = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(length.saturating_sub(1 << 16)))?;
        file.read_to_end(&mut end)
    });
    read.is_ok() && !end.windows(2).any(|pair| pair == [0xff, 0xd9])
}

/// A decoder's error in words of the user.
pub fn explain(error: &ImageError) -> String {
    match error {
        ImageError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            "the file ends too early, it is truncated".into()
        }
        ImageError::IoError(e) => e.to_string(),
        ImageError::Unsupported(_) => format!("not a kind of picture that can be read ({error})"),
        ImageError::Limits(_) => format!("the picture does not fit in memory ({error})"),
        _ => format!("not a readable picture ({error})"),
    }
}
