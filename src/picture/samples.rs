//! Samples in memory and in files: color types, their conversion, and byte orders.

use std::io::{self, Write};

use image::{ColorType, DynamicImage};

/// Bits per channel: 8, 16, or 32 for floats.
pub fn depth(color: ColorType) -> u16 {
    color.bytes_per_pixel() as u16 / u16::from(color.channel_count()) * 8
}

/// The color type with these properties. There are no grey floats: they come out as RGB.
pub fn color_type(color: bool, alpha: bool, depth: u16) -> ColorType {
    match (color, alpha, depth) {
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

/// The same color type without alpha.
pub fn without_alpha(color: ColorType) -> ColorType {
    color_type(color.has_color(), false, depth(color))
}

/// Bytes of a picture in memory.
pub fn size(color: ColorType, width: u64, height: u64) -> u128 {
    let pixels = u128::from(width) * u128::from(height);
    pixels.saturating_mul(color.bytes_per_pixel().into())
}

/// Converts a picture to another color type.
pub fn convert(picture: DynamicImage, color: ColorType) -> DynamicImage {
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

/// The numbers in big-endian 16-bit samples.
pub fn from_big_endian(samples: &[u8]) -> Vec<u16> {
    samples.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

/// A writer that takes samples in the machine's byte order and passes them on in the file's. Each write has to
/// consist of whole samples.
pub struct Reordered<W: Write> {
    out: W,
    /// Bytes per sample; 1 when the orders agree.
    sample: usize,
}

impl<W: Write> Reordered<W> {
    /// For files of big-endian 16-bit samples: PNG and PNM.
    pub fn big_endian(out: W) -> Self {
        Self { out, sample: if cfg!(target_endian = "big") { 1 } else { 2 } }
    }

    /// For files of little-endian samples of `sample` bytes: the TIFF files written here.
    pub fn little_endian(out: W, sample: usize) -> Self {
        Self { out, sample: if cfg!(target_endian = "little") { 1 } else { sample } }
    }
}

impl<W: Write> Write for Reordered<W> {
    fn write(&mut self, samples: &[u8]) -> io::Result<usize> {
        if self.sample == 1 {
            return self.out.write(samples);
        }
        let part = &samples[..samples.len().min(1 << 16)];
        let swapped: Vec<u8> = part.chunks_exact(self.sample).flat_map(|s| s.iter().rev().copied()).collect();
        self.out.write_all(&swapped)?;
        Ok(swapped.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
