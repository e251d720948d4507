//! The file kinds that can be written, and what each can hold.

use std::fmt;
use std::path::Path;

use image::ColorType;

use super::error::refuse;
use super::memory::{available_memory, bytes};
use super::samples::{color_type, depth, size, without_alpha};
use crate::Result;
use crate::limits::Limit;

/// A file format that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    Png,
    Jpeg,
    WebP,
    Tiff,
    Bmp,
    Pnm,
    Qoi,
    Tga,
    Gif,
    #[cfg(feature = "avif")]
    Avif,
}

/// What a kind of file can hold.
#[derive(PartialEq)]
pub struct Kind {
    pub extension: &'static str,
    pub format: FileFormat,
    color: bool,
    gray: bool,
    pub alpha: bool,
    gray_alpha: bool,
    /// More than one frame.
    pub animation: bool,
    /// Most bits per channel; 32 are floats.
    pub depth: u16,
    /// Most pixels on one side.
    side: u32,
    /// Most bytes of pixels.
    bytes: u64,
}

/// How to write.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// 1 to 100 for lossy formats; `None` is the format's default.
    pub quality: Option<u8>,
}

const FULL: Kind = Kind {
    extension: "png",
    format: FileFormat::Png,
    color: true,
    gray: true,
    alpha: true,
    gray_alpha: true,
    animation: false,
    depth: 16,
    side: i32::MAX as u32,
    bytes: u64::MAX,
};

/// Offsets in these files have 32 bits; this leaves some room for headers.
const OFFSETS: u64 = u32::MAX as u64 - (1 << 20);

const PNG: Kind = Kind { animation: true, ..FULL };
const JPEG: Kind = Kind {
    extension: "jpg",
    format: FileFormat::Jpeg,
    alpha: false,
    gray_alpha: false,
    depth: 8,
    side: 65535,
    ..FULL
};
const TIFF: Kind =
    Kind { extension: "tiff", format: FileFormat::Tiff, depth: 32, side: u32::MAX, bytes: OFFSETS, ..FULL };
const PNM: Kind = Kind { extension: "pnm", format: FileFormat::Pnm, side: u32::MAX, ..FULL };

/// All kinds that can be written. The first one serves for pictures whose own kind cannot be.
static KINDS: &[Kind] = &[
    PNG,
    Kind { extension: "apng", ..PNG },
    JPEG,
    Kind { extension: "jpeg", ..JPEG },
    Kind { extension: "jpe", ..JPEG },
    Kind { extension: "jfif", ..JPEG },
    Kind { extension: "webp", format: FileFormat::WebP, depth: 8, side: 16383, animation: true, ..FULL },
    TIFF,
    Kind { extension: "tif", ..TIFF },
    Kind { extension: "bmp", format: FileFormat::Bmp, depth: 8, gray_alpha: false, bytes: OFFSETS, ..FULL },
    PNM,
    Kind { extension: "pam", ..PNM },
    Kind { extension: "ppm", gray: false, alpha: false, ..PNM },
    Kind { extension: "pgm", color: false, alpha: false, ..PNM },
    // The format's own limit is 400 million pixels.
    Kind { extension: "qoi", format: FileFormat::Qoi, gray: false, depth: 8, bytes: 1_200_000_000, ..FULL },
    Kind { extension: "tga", format: FileFormat::Tga, depth: 8, side: 65535, ..FULL },
    Kind {
        extension: "gif",
        format: FileFormat::Gif,
        gray: false,
        depth: 8,
        side: 65535,
        animation: true,
        ..FULL
    },
    #[cfg(feature = "avif")]
    Kind { extension: "avif", format: FileFormat::Avif, gray: false, depth: 8, side: 65536, ..FULL },
];

impl Kind {
    /// The kind that a file name's extension stands for.
    pub fn of(path: &Path) -> Option<&'static Self> {
        Self::named(path.extension()?.to_str()?)
    }

    /// The kind with this extension.
    pub fn named(extension: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.extension.eq_ignore_ascii_case(extension))
    }

    /// Whether pictures are written with a loss that a quality decides on, if one is given.
    pub fn has_quality(&self) -> bool {
        match self.format {
            FileFormat::Jpeg | FileFormat::WebP => true,
            #[cfg(feature = "avif")]
            FileFormat::Avif => true,
            _ => false,
        }
    }

    /// The kind for pictures that cannot be written as what they were read from: PNG.
    pub fn fallback() -> &'static Self {
        &KINDS[0]
    }

    /// All extensions, for messages.
    pub fn extensions() -> String {
        KINDS.iter().map(|kind| kind.extension).collect::<Vec<_>>().join(", ")
    }

    /// The color type to store a picture of this color type as: the same, or one that holds the same at a depth of
    /// no more than the kind's. The error says what cannot be stored.
    pub fn stored(&self, color: ColorType) -> Result<ColorType, &'static str> {
        if color.has_alpha() && !self.alpha {
            return Err("an alpha channel");
        }
        if color.has_color() && !self.color {
            return Err("colors");
        }
        let gray = !color.has_color() && self.gray && (!color.has_alpha() || self.gray_alpha);
        Ok(color_type(!gray, color.has_alpha(), depth(color).min(self.depth)))
    }

    /// Whether a picture of this color type is stored in colors, perhaps with equal ones for grey; the profile has to match.
    pub fn stores_colors(&self, color: ColorType) -> bool {
        let stored = self.stored(color).or_else(|_| self.stored(without_alpha(color))).unwrap_or(color);
        // WebP has no grey of its own.
        stored.has_color() || self.format == FileFormat::WebP
    }

    /// Whether to write a result of this color type and size while it is computed, so that it is never in memory as
    /// a whole: a large one, in a format that is written from top to bottom.
    pub fn in_bands(&self, color: ColorType, width: u64, height: u64) -> bool {
        let streams = [FileFormat::Png, FileFormat::Tiff, FileFormat::Pnm].contains(&self.format);
        streams && LARGE.contains(&size(color, width, height))
    }

    /// Bytes of memory for a picture of `decoded` bytes and its result of this color type and size.
    pub fn memory(&self, decoded: u64, color: ColorType, width: u64, height: u64) -> u128 {
        let pixels = u128::from(width) * u128::from(height);
        let size = |color: ColorType| size(color, width, height);
        let stored = self.stored(color).unwrap_or(color);
        // The decoded picture, the result, and the result as it is stored or the encoder's own copy.
        let in_memory = [FileFormat::WebP, FileFormat::Qoi, FileFormat::Gif].contains(&self.format);
        let copy = stored != color || in_memory;
        let needed = if self.in_bands(color, width, height) {
            let bands = u128::from(width) * u128::from(BAND_ROWS) * u128::from(color.bytes_per_pixel());
            [decoded.into(), bands, if color.has_alpha() { pixels * u128::from(depth(color) / 8) } else { 0 }]
        } else {
            [decoded.into(), size(color), if copy { size(stored) } else { 0 }]
        };
        needed.iter().fold(0, |sum: u128, &part| sum.saturating_add(part))
    }

    /// Refuses a result that this kind cannot hold or that does not fit in memory, before any work is done. `path` is
    /// the picture, of `decoded` bytes in memory; `color` is the result's color type.
    ///
    /// # Errors
    /// [`crate::Error::Picture`] that names the picture and says what to do.
    pub fn check(&self, path: &Path, decoded: u64, color: ColorType, width: u64, height: u64) -> Result<()> {
        let refuse = |why: String| Err(refuse(path, why));
        let stored = match self.stored(color) {
            Ok(stored) => stored,
            Err(what) => {
                let instead = match what {
                    "colors" => "write ppm or png",
                    _ => "write png, webp or tiff",
                };
                return refuse(format!(
                    "has {what}, which a .{} file cannot hold; {instead}",
                    self.extension
                ));
            }
        };
        let needed = self.memory(decoded, color, width, height);
        let available = available_memory();
        if needed > u128::from(available) {
            let text = format!(
                "the result of {width}x{height} pixels needs {} of memory, {} are available; use a smaller scale",
                bytes(needed),
                bytes(available.into())
            );
            return Err(self::refuse(path, Limit::Memory.exceeded(text)));
        }
        if width.max(height) > self.side.into() || size(stored, width, height) > self.bytes.into() {
            return refuse(format!(
                "the result of {width}x{height} pixels is too large for a .{} file; write png or use a smaller scale",
                self.extension
            ));
        }
        Ok(())
    }
}

/// Part of the text that an output folder's index keeps a fingerprint of (`settings` of the `upscale` command): while
/// this stays the same, results of older versions count as up to date.
impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind")
            .field("extension", &self.extension)
            .field("format", &self.format)
            .field("colour", &self.color)
            .field("grey", &self.gray)
            .field("alpha", &self.alpha)
            .field("grey_alpha", &self.gray_alpha)
            .field("animation", &self.animation)
            .field("depth", &self.depth)
            .field("side", &self.side)
            .field("bytes", &self.bytes)
            .finish()
    }
}

/// Sizes in bytes of results that are written in bands. Nobody means to ask for larger ones.
const LARGE: std::ops::Range<u128> = 1 << 26..1 << 40;
/// About the rows in memory at a time: being computed, waiting, and being written.
pub(crate) const BAND_ROWS: u32 = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored() {
        let kind = |extension| Kind::named(extension).unwrap();
        assert_eq!(kind("png").stored(ColorType::Rgba32F), Ok(ColorType::Rgba16));
        assert_eq!(kind("TIF").stored(ColorType::La16), Ok(ColorType::La16));
        assert_eq!(kind("bmp").stored(ColorType::La8), Ok(ColorType::Rgba8));
        assert_eq!(kind("jpg").stored(ColorType::L16), Ok(ColorType::L8));
        assert_eq!(kind("ppm").stored(ColorType::L8), Ok(ColorType::Rgb8));
        assert_eq!(kind("jpg").stored(ColorType::La8), Err("an alpha channel"));
        assert_eq!(kind("pgm").stored(ColorType::Rgb8), Err("colors"));
        assert!(Kind::named("doc").is_none());
        assert!(kind("webp").stores_colors(ColorType::La8) && kind("bmp").stores_colors(ColorType::La8));
        assert!(!kind("jpg").stores_colors(ColorType::La8) && kind("png").stores_colors(ColorType::Rgba16));
    }

    #[test]
    fn the_text_for_fingerprints_stays() {
        let text = format!("{:?}", Kind::named("gif"));
        assert_eq!(
            text,
            "Some(Kind { extension: \"gif\", format: Gif, colour: true, grey: false, alpha: true, grey_alpha: true, \
             animation: true, depth: 8, side: 65535, bytes: 18446744073709551615 })"
        );
    }
}
