//! Opening a picture file: the header first, metadata and pixels when they are wanted.

use std::path::{Path, PathBuf};

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::animation::Animation;
use super::chunk::Chunk;
use super::error::{refuse, undecodable};
use super::exif::Directories;
use super::memory::{self, available_memory};
use super::metadata::Metadata;
use super::samples::{color_type, depth};
use super::unread::{is_heic, unread};
use super::{
    alpha, floats, gif, jpeg_pixels, palette, png, png_tags, segments, tiff, tiff_pixels, tiff_tags,
    webp_pixels, webp_tags,
};
use crate::limits::Limit;
use crate::{Reason, Result, guard};

/// A picture file whose header has been read: kind, size and color type are known. It then gives its metadata and,
/// last, its pixels.
pub struct PictureFile {
    pub path: PathBuf,
    /// Columns of the upright picture.
    pub width: u32,
    /// Rows of the upright picture.
    pub height: u32,
    pub color: ColorType,
    pub format: Option<ImageFormat>,
    /// `None` for a single picture.
    pub animation: Option<Animation>,
    /// Bytes of the decoded picture, with what it takes to compose the frames of an animation.
    pub bytes: u64,
    /// How the stored pixels have to be turned.
    orientation: Orientation,
    /// Whether the stored colors are premultiplied with alpha.
    premultiplied: bool,
    remark: Option<String>,
    metadata: Metadata,
    structure: Structure,
    decoder: Box<dyn ImageDecoder>,
}

/// The parts of a file that the decoder does not give out, parsed once.
enum Structure {
    Png(Vec<Chunk>),
    Tiff(Directories),
    Gif(gif::Summary),
    Jpeg(segments::Summary, Option<jpeg_pixels::Header>),
    Other,
}

impl Structure {
    fn read(path: &Path, format: Option<ImageFormat>) -> Self {
        match format {
            Some(ImageFormat::Png) => Self::Png(png::chunks(path)),
            Some(ImageFormat::Tiff) => tiff::directories(path).map_or(Self::Other, Self::Tiff),
            Some(ImageFormat::Gif) => gif::summary(path).map_or(Self::Other, Self::Gif),
            Some(ImageFormat::Jpeg) => {
                let summary = segments::summary(path);
                let header = jpeg_pixels::Header::of(&summary);
                Self::Jpeg(summary, header)
            }
            _ => Self::Other,
        }
    }

    /// In words, what is not read of the file.
    fn remark(&self) -> Option<String> {
        match self {
            Self::Tiff(directories) if directories.more => {
                Some("the file has more pages, only the first is read".into())
            }
            Self::Png(chunks) if png::is_broken_animation(chunks) => {
                Some("its animation is broken, only the still picture is read".into())
            }
            _ => None,
        }
    }

    /// The animation in the file, `None` if it holds one picture.
    fn animation(&self) -> Option<Animation> {
        match self {
            Self::Png(chunks) => png::animation(chunks),
            Self::Gif(summary) => summary.animation,
            _ => None,
        }
    }
}

impl PictureFile {
    /// Opens a picture file. Its content decides on its kind; its extension counts only if the content does not.
    ///
    /// # Errors
    /// [`crate::Error::Picture`] for a file that is missing, empty, or not a picture.
    pub fn open(path: &Path) -> Result<Self> {
        guard::picture(path, || Self::open_unguarded(path))
    }

    fn open_unguarded(path: &Path) -> Result<Self> {
        let refuse = |why: Reason| refuse(path, why);
        let length = std::fs::metadata(path).map_err(|e| refuse(e.into()))?.len();
        if length == 0 {
            return Err(refuse("the file is empty".into()));
        }
        if let Some(why) = unread(path) {
            return Err(refuse(why.into()));
        }
        let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
        let mut reader = reader.map_err(|e| refuse(e.into()))?;
        let heic = is_heic(path);
        let format = reader.format().filter(|_| !heic);
        let available = available_memory();
        let mut limits = image::Limits::no_limits();
        let structure = Structure::read(path, format);
        // The decoder of PNG files takes this as the limit for metadata alone.
        limits.max_alloc = Some(match &structure {
            Structure::Png(chunks) => png::overhead(chunks).min(available),
            _ => available,
        });
        reader.limits(limits);
        let found = structure.animation();
        let mut premultiplied = false;
        let mut remark = structure.remark();
        let (mut decoder, overhead, animation): (Box<dyn ImageDecoder>, u64, _) = match &structure {
            #[cfg(feature = "heic")]
            _ if heic => {
                (Box::new(super::heif::Decoder::open(path).map_err(|e| undecodable(path, e))?), 0, None)
            }
            Structure::Tiff(directories) => {
                let pixels = tiff_pixels::Pixels::new(path, directories).map_err(|why| refuse(why.into()))?;
                premultiplied = pixels.is_premultiplied();
                remark =
                    remark.into_iter().chain(pixels.remark()).reduce(|all, next| format!("{all}; {next}"));
                let overhead = pixels.overhead();
                (Box::new(pixels), overhead, None)
            }
            _ if format == Some(ImageFormat::WebP) => {
                let pixels = webp_pixels::Pixels::open(path).map_err(|e| undecodable(path, e))?;
                if let Some(why) = pixels.refusal() {
                    return Err(refuse(why.into()));
                }
                let (overhead, animation) = (pixels.overhead(), pixels.animation());
                (Box::new(pixels), overhead, animation)
            }
            Structure::Jpeg(_, Some(header)) if header.is_beyond(length) => {
                return Err(refuse("the file ends too early, it is truncated".into()));
            }
            Structure::Jpeg(_, Some(header)) => {
                let decoder: Box<dyn ImageDecoder> = if header.is_unusual() {
                    Box::new(jpeg_pixels::Unusual::open(path).map_err(|e| undecodable(path, e))?)
                } else {
                    Box::new(reader.into_decoder().map_err(|e| undecodable(path, e))?)
                };
                (decoder, header.overhead(length), None)
            }
            _ => match (reader.into_decoder(), &structure) {
                (Ok(decoder), _) => (Box::new(decoder), 0, found),
                (Err(ImageError::Limits(_)), Structure::Png(_)) => {
                    let limit = memory::bytes(Limit::Metadata.get().into());
                    let text = format!("its color profile and texts take more than {limit} of memory");
                    return Err(refuse(Limit::Metadata.exceeded(text)));
                }
                (Err(error), _) => return Err(undecodable(path, error)),
            },
        };
        let (width, height) = decoder.dimensions();
        let (mut bytes, mut color) = (decoder.total_bytes().saturating_add(overhead), decoder.color_type());
        if width == 0 || height == 0 {
            return Err(refuse("the picture has no pixels".into()));
        }
        let pixels = u64::from(width) * u64::from(height);
        if let Structure::Gif(summary) = &structure
            && let Some(why) = summary.refusal((width, height))
        {
            return Err(refuse(why.into()));
        }
        if animation.is_some() {
            let wide = format == Some(ImageFormat::Png) && depth(color) == 16;
            // The canvas, a copy of it to go back to, and a frame.
            bytes = bytes.saturating_add(pixels.saturating_mul(3 * if wide { 8 } else { 4 }));
        }
        if animation.is_some_and(|animation| animation.clears) {
            color = color_type(color.has_color(), true, depth(color));
        }
        // Frames of animations are never turned.
        let metadata = read_metadata(path, format, &structure, &mut *decoder);
        let orientation = metadata.orientation.filter(|_| animation.is_none());
        let orientation = orientation.unwrap_or(Orientation::NoTransforms);
        let sideways = is_sideways(orientation);
        // A picture on its side is copied to turn it.
        bytes = bytes.saturating_add(if sideways { decoder.total_bytes() } else { 0 });
        if bytes > available {
            let (needed, available) = (memory::bytes(bytes.into()), memory::bytes(available.into()));
            return Err(refuse(Limit::Memory.exceeded(format!(
                "the picture of {width}x{height} pixels needs {needed} of memory, {available} are available"
            ))));
        }
        let (width, height) = if sideways { (height, width) } else { (width, height) };
        let path = path.into();
        Ok(Self {
            path,
            width,
            height,
            color,
            format,
            animation,
            bytes,
            orientation,
            premultiplied,
            remark,
            metadata,
            structure,
            decoder,
        })
    }

    /// Columns and rows of the upright picture.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// What comes with the picture. Unreadable parts are left out.
    pub fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    /// Whether the pixels are stored as indices into a palette.
    pub fn has_palette(&self) -> bool {
        if let Structure::Tiff(directories) = &self.structure {
            return tiff::has_palette(directories);
        }
        palette::is_used_in(&self.path)
    }

    /// Whether the stored pixels are not upright.
    pub fn is_turned(&self) -> bool {
        self.orientation != Orientation::NoTransforms
    }

    /// In words, what [`PictureFile::decode`] does not read of the file.
    fn remark(&self) -> Option<String> {
        if let Some(animation) = self.animation {
            return Some(format!("the file has {} frames, only the first is read", animation.frames));
        }
        self.remark.clone()
    }

    /// Decodes the picture, of an animation the first frame, and turns it upright. Warns of what else is in the file.
    ///
    /// # Errors
    /// [`crate::Error::Picture`] for broken files.
    pub fn decode(self) -> Result<DynamicImage> {
        if matches!(&self.structure, Structure::Jpeg(summary, _) if !summary.complete) {
            log::warn!(
                "{}: the file ends too early, the lower part of the picture may be missing",
                self.path.display()
            );
        }
        if let Some(remark) = self.remark() {
            log::warn!("{}: {remark}", self.path.display());
        }
        let path = self.path.clone();
        guard::picture(&path, || self.decode_unguarded())
    }

    fn decode_unguarded(self) -> Result<DynamicImage> {
        let picture = DynamicImage::from_decoder(self.decoder);
        let mut picture = picture.map_err(|e| undecodable(&self.path, e))?;
        if let Some(remark) = floats::check(&picture).map_err(|why| refuse(&self.path, why))? {
            log::warn!("{}: {remark}", self.path.display());
        }
        if self.premultiplied {
            alpha::divide(&mut picture);
        }
        picture.apply_orientation(self.orientation);
        Ok(picture)
    }
}

/// Everything that a file says of its picture: the one reader, by which pixels are turned and results are described. What
/// cannot be read is no reason to refuse the picture.
fn read_metadata(
    path: &Path,
    format: Option<ImageFormat>,
    structure: &Structure,
    decoder: &mut dyn ImageDecoder,
) -> Metadata {
    guard::guarded(|| metadata_unguarded(path, format, structure, decoder)).unwrap_or_else(|_| {
        log::warn!("{}: its metadata cannot be read and are left out", path.display());
        Metadata::default()
    })
}

fn metadata_unguarded(
    path: &Path,
    format: Option<ImageFormat>,
    structure: &Structure,
    decoder: &mut dyn ImageDecoder,
) -> Metadata {
    let mut metadata = Metadata::default();
    match structure {
        Structure::Png(chunks) => {
            metadata.icc = decoder.icc_profile().ok().flatten();
            if metadata.icc.is_none() && chunks.iter().any(|chunk| &chunk.name == b"iCCP") {
                let limit = memory::bytes(Limit::Metadata.get().into());
                metadata.not_kept(&format!("its color profile, which is damaged or takes more than {limit}"));
            }
            png_tags::read(chunks, &mut metadata);
        }
        Structure::Tiff(directories) => tiff_tags::read(directories, &mut metadata),
        Structure::Jpeg(summary, _) => metadata = summary.metadata(),
        Structure::Gif(_) => {
            metadata.icc = decoder.icc_profile().ok().flatten();
            metadata.xmp = decoder.xmp_metadata().ok().flatten();
            metadata.comments = gif::comments(path);
        }
        Structure::Other if format == Some(ImageFormat::WebP) => webp_tags::read(path, &mut metadata),
        Structure::Other => {
            metadata.icc = decoder.icc_profile().ok().flatten();
            metadata.exif = decoder.exif_metadata().ok().flatten();
            metadata.xmp = decoder.xmp_metadata().ok().flatten();
            metadata.orientation = decoder.orientation().ok();
        }
    }
    metadata.settle()
}

/// Whether a GIF file holds more than one picture.
pub fn is_animated_gif(path: &Path) -> bool {
    let summary = guard::guarded(|| gif::summary(path));
    summary.is_ok_and(|summary| summary.is_some_and(|summary| summary.animation.is_some()))
}

/// Whether columns become rows.
fn is_sideways(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    [Rotate90, Rotate270, Rotate90FlipH, Rotate270FlipH].contains(&orientation)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the crates of several formats do on damaged input.
    struct Panics;

    impl ImageDecoder for Panics {
        fn dimensions(&self) -> (u32, u32) {
            (1, 1)
        }

        fn color_type(&self) -> ColorType {
            ColorType::L8
        }

        fn exif_metadata(&mut self) -> image::ImageResult<Option<Vec<u8>>> {
            panic!("range end index 9 out of range")
        }

        fn read_image(self, _: &mut [u8]) -> image::ImageResult<()> {
            panic!("attempt to subtract with overflow")
        }

        fn read_image_boxed(self: Box<Self>, buffer: &mut [u8]) -> image::ImageResult<()> {
            (*self).read_image(buffer)
        }
    }

    #[test]
    fn a_decoder_that_panics_is_one_failed_picture() {
        let metadata = read_metadata(Path::new("a.png"), None, &Structure::Other, &mut Panics);
        assert!(metadata.exif.is_none());
        let file = PictureFile {
            path: "a.png".into(),
            width: 1,
            height: 1,
            color: ColorType::L8,
            format: None,
            animation: None,
            bytes: 1,
            orientation: Orientation::NoTransforms,
            premultiplied: false,
            remark: None,
            metadata: Metadata::default(),
            structure: Structure::Other,
            decoder: Box::new(Panics),
        };
        let error = file.decode().unwrap_err().to_string();
        assert!(error.starts_with("a.png: internal error"), "{error}");
    }
}
