//! Picture files: reading by content, what each written kind can hold, writing by extension.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use image::codecs::{bmp, jpeg, png, qoi, tga, tiff, webp};
use image::{ColorType, DynamicImage, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader};
use srcnn_gpu::{Error, Result};
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// JPEG quality: high, so that what the network restored is not lost again.
const JPEG_QUALITY: u8 = 95;

/// What a written kind of picture file can hold.
#[derive(Debug, PartialEq)]
pub struct Kind {
    pub extension: &'static str,
    format: ImageFormat,
    colour: bool,
    grey: bool,
    alpha: bool,
    grey_alpha: bool,
    /// Bits a channel; 32 are floats.
    depth: u16,
    /// Most pixels on one side.
    side: u32,
    /// Most bytes of pixels.
    bytes: u64,
}

const FULL: Kind = Kind {
    extension: "png",
    format: ImageFormat::Png,
    colour: true,
    grey: true,
    alpha: true,
    grey_alpha: true,
    depth: 16,
    side: i32::MAX as u32,
    bytes: u64::MAX,
};

/// Offsets in these files have 32 bits; some room is left for headers.
const OFFSETS: u64 = u32::MAX as u64 - (1 << 20);

const JPEG: Kind = Kind {
    extension: "jpg",
    format: ImageFormat::Jpeg,
    alpha: false,
    grey_alpha: false,
    depth: 8,
    side: 65535,
    ..FULL
};
const TIFF: Kind = Kind {
    extension: "tiff",
    format: ImageFormat::Tiff,
    grey_alpha: false,
    depth: 32,
    side: u32::MAX,
    bytes: OFFSETS,
    ..FULL
};
const PNM: Kind = Kind { extension: "pnm", format: ImageFormat::Pnm, side: u32::MAX, ..FULL };

/// All kinds that can be written; the first is the one for pictures whose own kind cannot.
static KINDS: [Kind; 13] = [
    FULL,
    JPEG,
    Kind { extension: "jpeg", ..JPEG },
    Kind { extension: "webp", format: ImageFormat::WebP, depth: 8, side: 16384, ..FULL },
    TIFF,
    Kind { extension: "tif", ..TIFF },
    Kind { extension: "bmp", format: ImageFormat::Bmp, depth: 8, grey_alpha: false, bytes: OFFSETS, ..FULL },
    PNM,
    Kind { extension: "pam", ..PNM },
    Kind { extension: "ppm", grey: false, alpha: false, ..PNM },
    Kind { extension: "pgm", colour: false, alpha: false, ..PNM },
    // The format's own limit is 400 million pixels.
    Kind { extension: "qoi", format: ImageFormat::Qoi, grey: false, depth: 8, bytes: 1_200_000_000, ..FULL },
    Kind { extension: "tga", format: ImageFormat::Tga, depth: 8, side: 65535, ..FULL },
];

impl Kind {
    /// The kind of file that a name's extension means.
    pub fn of(path: &Path) -> Option<&'static Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        KINDS.iter().find(|kind| kind.extension == extension)
    }

    /// The kind for pictures that cannot be written as what they were read: PNG.
    pub fn fallback() -> &'static Self {
        &KINDS[0]
    }

    /// All extensions, for messages.
    pub fn extensions() -> String {
        KINDS.iter().map(|kind| kind.extension).collect::<Vec<_>>().join(", ")
    }

    /// How a picture of this colour type is stored: the same, or one that holds the same at no more
    /// than the kind's depth. The error says what cannot be stored.
    pub fn stored(&self, color: ColorType) -> Result<ColorType, &'static str> {
        if color.has_alpha() && !self.alpha {
            return Err("an alpha channel");
        }
        if color.has_color() && !self.colour {
            return Err("colours");
        }
        let bits = color.bytes_per_pixel() as u16 / u16::from(color.channel_count()) * 8;
        let alpha = color.has_alpha();
        let grey = !color.has_color() && self.grey && (!alpha || self.grey_alpha);
        Ok(match (grey, alpha, bits.min(self.depth)) {
            (true, false, 8) => ColorType::L8,
            (true, true, 8) => ColorType::La8,
            (false, false, 8) => ColorType::Rgb8,
            (false, true, 8) => ColorType::Rgba8,
            (true, false, _) => ColorType::L16,
            (true, true, _) => ColorType::La16,
            (false, false, 16) => ColorType::Rgb16,
            (false, true, 16) => ColorType::Rgba16,
            (false, false, _) => ColorType::Rgb32F,
            (false, true, _) => ColorType::Rgba32F,
        })
    }

    /// Refuses results that this kind cannot hold or that do not fit in memory, before any work is done.
    pub fn check(&self, header: &Header, width: u64, height: u64) -> Result<()> {
        let refuse = |why: String| Err(Error::Picture(format!("{}: {why}", header.path.display())));
        let stored = match self.stored(header.color) {
            Ok(stored) => stored,
            Err(what) => {
                let other = if what == "colours" { "ppm or png" } else { "png, webp or tiff" };
                return refuse(format!(
                    "has {what}, which a .{} file cannot hold; write {other}",
                    self.extension
                ));
            }
        };
        let pixels = u128::from(width) * u128::from(height);
        let size = |color: ColorType| pixels.saturating_mul(color.bytes_per_pixel().into());
        // The decoded picture, the result, and the result as it is stored, or the encoder's own copy.
        let in_memory = [ImageFormat::WebP, ImageFormat::Qoi, ImageFormat::Tiff].contains(&self.format);
        let copy = stored != header.color || in_memory;
        let needed = [u128::from(header.bytes), size(header.color), if copy { size(stored) } else { 0 }];
        let needed = needed.iter().fold(0u128, |sum, &part| sum.saturating_add(part));
        let available = available_memory();
        if needed > u128::from(available) {
            return refuse(format!(
                "the result of {width}x{height} pixels needs {} of memory, {} are available; use a smaller scale",
                bytes(needed),
                bytes(available.into())
            ));
        }
        if width.max(height) > self.side.into() || size(stored) > self.bytes.into() {
            return refuse(format!(
                "the result of {width}x{height} pixels is too large for a .{} file; write png or use a smaller scale",
                self.extension
            ));
        }
        Ok(())
    }
}

/// Bytes in the largest unit of which there is at least one: `128.0 MiB`.
pub fn bytes(count: u128) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.*} {}", usize::from(unit > 0), UNITS[unit])
}

/// Bytes of memory that this process can still get, within its control group too; all where unknown.
fn available_memory() -> u64 {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let Ok(system) = System::new_with_specifics(memory) else { return u64::MAX };
    match (system.available_memory(), system.cgroup_limits()) {
        (0, _) => u64::MAX,
        (available, Some(group)) => available.min(group.total_memory.saturating_sub(group.rss)),
        (available, None) => available,
    }
}

/// A picture file whose header has been read.
pub struct Header {
    pub path: PathBuf,
    pub width: u32,
    pub height: u32,
    pub color: ColorType,
    /// Bytes of the decoded picture.
    bytes: u64,
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
        if reader.format() == Some(ImageFormat::Jpeg) && lacks_jpeg_end(path, length) {
            log::warn!(
                "{}: the file ends too early, the lower part of the picture may be missing",
                path.display()
            );
        }
        let available = available_memory();
        let mut limits = image::Limits::no_limits();
        limits.max_alloc = Some(available);
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(|e| refuse(explain(&e)))?;
        let (width, height) = decoder.dimensions();
        let (bytes, color) = (decoder.total_bytes(), decoder.color_type());
        if width == 0 || height == 0 {
            return Err(refuse("the picture has no pixels".into()));
        }
        if bytes > available {
            let (needed, available) = (self::bytes(bytes.into()), self::bytes(available.into()));
            return Err(refuse(format!(
                "the picture of {width}x{height} pixels needs {needed} of memory, {available} are available"
            )));
        }
        Ok(Self { path: path.into(), width, height, color, bytes, decoder: Box::new(decoder) })
    }

    /// Decodes the picture and the ICC profile that comes with it.
    ///
    /// # Errors
    /// [`Error::Picture`] for broken files.
    pub fn decode(mut self) -> Result<(DynamicImage, Option<Vec<u8>>)> {
        // A profile that cannot be read is no reason to refuse the picture.
        let icc = self.decoder.icc_profile().ok().flatten();
        match DynamicImage::from_decoder(self.decoder) {
            Ok(picture) => Ok((picture, icc)),
            Err(error) => Err(Error::Picture(format!("{}: {}", self.path.display(), explain(&error)))),
        }
    }
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
fn explain(error: &ImageError) -> String {
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

/// Encodes a picture as `kind`, with its ICC profile where both have one.
pub fn encode(
    mut out: &mut dyn Write,
    picture: DynamicImage,
    kind: &Kind,
    icc: Option<Vec<u8>>,
) -> io::Result<()> {
    let stored = kind.stored(picture.color()).map_err(|what| io::Error::other(format!("it has {what}")))?;
    let picture = convert(picture, stored);
    // A profile of another colour model (a CMYK file's, or grey made RGB) would be wrong in the result.
    let space: &[u8] = if stored.has_color() { b"RGB " } else { b"GRAY" };
    let icc = icc.filter(|profile| profile.get(16..20) == Some(space));
    match kind.format {
        ImageFormat::Png => write(png::PngEncoder::new(out), &picture, icc),
        ImageFormat::Jpeg => write(jpeg::JpegEncoder::new_with_quality(out, JPEG_QUALITY), &picture, icc),
        ImageFormat::WebP => write(webp::WebPEncoder::new_lossless(out), &picture, icc),
        ImageFormat::Tiff => {
            // This encoder goes back to fill in offsets, the output may be a pipe.
            let mut whole = Cursor::new(Vec::new());
            write(tiff::TiffEncoder::new(&mut whole), &picture, icc)?;
            out.write_all(whole.get_ref())
        }
        ImageFormat::Bmp => write(bmp::BmpEncoder::new(&mut out), &picture, icc),
        ImageFormat::Qoi => write(qoi::QoiEncoder::new(out), &picture, icc),
        ImageFormat::Tga => write(tga::TgaEncoder::new(out), &picture, icc),
        _ => write_pnm(out, &picture, kind.extension == "pam"),
    }
}

fn write(mut encoder: impl ImageEncoder, picture: &DynamicImage, icc: Option<Vec<u8>>) -> io::Result<()> {
    if let Some(Err(error)) = icc.map(|profile| encoder.set_icc_profile(profile)) {
        log::info!("the colour profile is dropped: {error}");
    }
    let (width, height) = (picture.width(), picture.height());
    encoder.write_image(picture.as_bytes(), width, height, picture.color().into()).map_err(|e| match e {
        ImageError::IoError(e) => e,
        e => io::Error::other(e),
    })
}

/// Binary PGM, PPM, or PAM (asked for, or needed for alpha). The `image` crate's encoder has no
/// 16-bit PPM and no 16-bit grey with alpha.
fn write_pnm(out: &mut dyn Write, picture: &DynamicImage, pam: bool) -> io::Result<()> {
    let (width, height, color) = (picture.width(), picture.height(), picture.color());
    let channels = color.channel_count();
    let wide = color.bytes_per_pixel() > channels;
    let top = if wide { 65535 } else { 255 };
    if pam || color.has_alpha() {
        let model = if color.has_color() { "RGB" } else { "GRAYSCALE" };
        let alpha = if color.has_alpha() { "_ALPHA" } else { "" };
        write!(out, "P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\n")?;
        write!(out, "MAXVAL {top}\nTUPLTYPE {model}{alpha}\nENDHDR\n")?;
    } else {
        let magic = if color.has_color() { "P6" } else { "P5" };
        write!(out, "{magic}\n{width} {height}\n{top}\n")?;
    }
    if !wide {
        return out.write_all(picture.as_bytes());
    }
    let mut samples = picture.as_bytes().chunks_exact(2);
    samples.try_for_each(|s| out.write_all(&u16::from_ne_bytes([s[0], s[1]]).to_be_bytes()))
}

fn convert(picture: DynamicImage, color: ColorType) -> DynamicImage {
    if picture.color() == color {
        return picture;
    }
    match color {
        ColorType::L8 => picture.into_luma8().into(),
        ColorType::La8 => picture.into_luma_alpha8().into(),
        ColorType::Rgb8 => picture.into_rgb8().into(),
        ColorType::Rgba8 => picture.into_rgba8().into(),
        ColorType::L16 => picture.into_luma16().into(),
        ColorType::La16 => picture.into_luma_alpha16().into(),
        ColorType::Rgb16 => picture.into_rgb16().into(),
        ColorType::Rgba16 => picture.into_rgba16().into(),
        ColorType::Rgb32F => picture.into_rgb32f().into(),
        _ => picture.into_rgba32f().into(),
    }
}
