//! The kinds of picture files that can be written, and what each can hold.

use std::path::Path;

use crate::{Error, Result};
use image::ColorType;

use super::memory::{available_memory, bytes};
use super::read::Header;

/// A file format that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
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

/// What a written kind of picture file can hold.
#[derive(Debug, PartialEq)]
pub struct Kind {
    pub extension: &'static str,
    pub format: Format,
    colour: bool,
    grey: bool,
    pub alpha: bool,
    grey_alpha: bool,
    /// More than one frame.
    pub animation: bool,
    /// Bits a channel; 32 are floats.
    pub depth: u16,
    /// Most pixels on one side.
    side: u32,
    /// Most bytes of pixels.
    bytes: u64,
}

const FULL: Kind = Kind {
    extension: "png",
    format: Format::Png,
    colour: true,
    grey: true,
    alpha: true,
    grey_alpha: true,
    animation: false,
    depth: 16,
    side: i32::MAX as u32,
    bytes: u64::MAX,
};

/// Offsets in these files have 32 bits; some room is left for headers.
const OFFSETS: u64 = u32::MAX as u64 - (1 << 20);

const PNG: Kind = Kind { animation: true, ..FULL };
const JPEG: Kind = Kind {
    extension: "jpg",
    format: Format::Jpeg,
    alpha: false,
    grey_alpha: false,
    depth: 8,
    side: 65535,
    ..FULL
};
const TIFF: Kind =
    Kind { extension: "tiff", format: Format::Tiff, depth: 32, side: u32::MAX, bytes: OFFSETS, ..FULL };
const PNM: Kind = Kind { extension: "pnm", format: Format::Pnm, side: u32::MAX, ..FULL };

/// All kinds that can be written; the first is the one for pictures whose own kind cannot.
static KINDS: &[Kind] = &[
    PNG,
    Kind { extension: "apng", ..PNG },
    JPEG,
    Kind { extension: "jpeg", ..JPEG },
    Kind { extension: "jpe", ..JPEG },
    Kind { extension: "jfif", ..JPEG },
    Kind { extension: "webp", format: Format::WebP, depth: 8, side: 16383, animation: true, ..FULL },
    TIFF,
    Kind { extension: "tif", ..TIFF },
    Kind { extension: "bmp", format: Format::Bmp, depth: 8, grey_alpha: false, bytes: OFFSETS, ..FULL },
    PNM,
    Kind { extension: "pam", ..PNM },
    Kind { extension: "ppm", grey: false, alpha: false, ..PNM },
    Kind { extension: "pgm", colour: false, alpha: false, ..PNM },
    // The format's own limit is 400 million pixels.
    Kind { extension: "qoi", format: Format::Qoi, grey: false, depth: 8, bytes: 1_200_000_000, ..FULL },
    Kind { extension: "tga", format: Format::Tga, depth: 8, side: 65535, ..FULL },
    Kind {
        extension: "gif",
        format: Format::Gif,
        grey: false,
        depth: 8,
        side: 65535,
        animation: true,
        ..FULL
    },
    #[cfg(feature = "avif")]
    Kind { extension: "avif", format: Format::Avif, grey: false, depth: 8, side: 65536, ..FULL },
];

impl Kind {
    /// The kind of file that a name's extension means.
    pub fn of(path: &Path) -> Option<&'static Self> {
        Self::named(path.extension()?.to_str()?)
    }

    /// The kind with this extension.
    pub fn named(extension: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.extension.eq_ignore_ascii_case(extension))
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
        let grey = !color.has_color() && self.grey && (!color.has_alpha() || self.grey_alpha);
        Ok(color_type(!grey, color.has_alpha(), depth(color).min(self.depth)))
    }

    /// Whether a result of this colour type and size is written while it is computed, and is never in memory as a
    /// whole: a large one in a format that is written from top to bottom.
    pub fn in_bands(&self, color: ColorType, width: u64, height: u64) -> bool {
        let streams = [Format::Png, Format::Tiff, Format::Pnm].contains(&self.format);
        streams && LARGE.contains(&size(color, width, height))
    }

    /// Bytes of memory that a picture and its result of a colour type and size take.
    pub fn memory(&self, header: &Header, color: ColorType, width: u64, height: u64) -> u128 {
        let pixels = u128::from(width) * u128::from(height);
        let size = |color: ColorType| size(color, width, height);
        let stored = self.stored(color).unwrap_or(color);
        // The decoded picture, the result, and the result as it is stored, or the encoder's own copy.
        let in_memory = [Format::WebP, Format::Qoi, Format::Gif].contains(&self.format);
        let copy = stored != color || in_memory;
        let needed = if self.in_bands(color, width, height) {
            let bands = u128::from(width) * u128::from(BAND_ROWS) * u128::from(color.bytes_per_pixel());
            [
                header.bytes.into(),
                bands,
                if color.has_alpha() { pixels * u128::from(depth(color) / 8) } else { 0 },
            ]
        } else {
            [header.bytes.into(), size(color), if copy { size(stored) } else { 0 }]
        };
        needed.iter().fold(0, |sum: u128, &part| sum.saturating_add(part))
    }

    /// Refuses results that this kind cannot hold or that do not fit in memory, before any work is done. `color` is
    /// the result's colour type.
    pub fn check(&self, header: &Header, color: ColorType, width: u64, height: u64) -> Result<()> {
        let refuse = |why: String| Err(Error::Picture(format!("{}: {why}", header.path.display())));
        let stored = match self.stored(color) {
            Ok(stored) => stored,
            Err(what) => {
                let instead = match what {
                    "colours" => "write ppm or png",
                    _ => "write png, webp or tiff, or choose a --background",
                };
                return refuse(format!(
                    "has {what}, which a .{} file cannot hold; {instead}",
                    self.extension
                ));
            }
        };
        let needed = self.memory(header, color, width, height);
        let available = available_memory();
        if needed > u128::from(available) {
            return refuse(format!(
                "the result of {width}x{height} pixels needs {} of memory, {} are available; use a smaller scale",
                bytes(needed),
                bytes(available.into())
            ));
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

/// Bytes of results that are written in bands. Larger ones than that are nobody's intention.
const LARGE: std::ops::Range<u128> = 1 << 26..1 << 40;
/// Rows in memory at a time, about: those that are computed, wait, and are written.
const BAND_ROWS: u32 = 4 * 1024;

fn size(color: ColorType, width: u64, height: u64) -> u128 {
    let pixels = u128::from(width) * u128::from(height);
    pixels.saturating_mul(color.bytes_per_pixel().into())
}

/// Bits of a channel: 8, 16, or 32 for floats.
pub fn depth(color: ColorType) -> u16 {
    color.bytes_per_pixel() as u16 / u16::from(color.channel_count()) * 8
}

/// The colour type with these properties; floats are never grey.
pub fn color_type(colour: bool, alpha: bool, depth: u16) -> ColorType {
    match (colour, alpha, depth) {
        (false, false, 8) => ColorType::L8,
        (false, true, 8) => ColorType::La8,
        (true, false, 8) => ColorType::Rgb8,
        (true, true, 8) => ColorType::Rgba8,
        (false, false, _) => ColorType::L16,
        (false, true, _) => ColorType::La16,
        (true, false, 16) => ColorType::Rgb16,
        (true, true, 16) => ColorType::Rgba16,
        (true, false, _) => ColorType::Rgb32F,
        (true, true, _) => ColorType::Rgba32F,
    }
}

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
        assert_eq!(kind("pgm").stored(ColorType::Rgb8), Err("colours"));
        assert!(Kind::named("doc").is_none());
    }
}
