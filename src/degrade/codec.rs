//! Pictures through lossy files and back.

use image::ImageFormat;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::error::{Error, Reason, Result};

/// A JPEG file and what decoders make of it. `samples` are pixels of 1 or 3 channels.
pub(super) fn jpeg(
    samples: &[u8],
    width: usize,
    height: usize,
    channels: usize,
    quality: u8,
    full_chroma: bool,
) -> Result<Vec<u8>> {
    let failed = |e| Error::invalid(Reason::of(e).within("a picture as JPEG"));
    let too_large =
        |_| Error::invalid(format!("{width}x{height}: a JPEG file has at most 65535 pixels on a side"));
    let sides = [width, height].map(u16::try_from);
    let (columns, rows) = (sides[0].map_err(too_large)?, sides[1].map_err(too_large)?);
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, quality);
    encoder.set_sampling_factor(if full_chroma { SamplingFactor::R_4_4_4 } else { SamplingFactor::R_4_2_0 });
    let color = if channels == 1 { ColorType::Luma } else { ColorType::Rgb };
    encoder.encode(samples, columns, rows, color).map_err(failed)?;
    decode(&file, ImageFormat::Jpeg, channels)
}

/// A lossy WebP file and what decoders make of it.
#[cfg(feature = "webp-lossy")]
pub(super) fn webp(
    samples: &[u8],
    width: usize,
    height: usize,
    channels: usize,
    quality: u8,
) -> Result<Vec<u8>> {
    const LONGEST: usize = 16383;
    if width.max(height) > LONGEST {
        let size = format!("{width}x{height}: a WebP file has at most {LONGEST} pixels on a side");
        return Err(Error::invalid(size));
    }
    // The format knows colors only.
    let colors =
        if channels == 1 { samples.iter().flat_map(|&v| [v; 3]).collect() } else { samples.to_vec() };
    let encoder = webp::Encoder::from_rgb(&colors, width as u32, height as u32);
    let file = encoder
        .encode_simple(false, f32::from(quality))
        .map_err(|e| Error::invalid(format!("a picture as WebP: {e:?}")))?;
    decode(&file, ImageFormat::WebP, channels)
}

#[cfg(not(feature = "webp-lossy"))]
pub(super) fn webp(_: &[u8], _: usize, _: usize, _: usize, _: u8) -> Result<Vec<u8>> {
    Err(Error::invalid(
        "degradation webp: this build cannot write lossy WebP; a build with the feature webp-lossy can",
    ))
}

fn decode(file: &[u8], format: ImageFormat, channels: usize) -> Result<Vec<u8>> {
    let failed = |e| Error::invalid(Reason::of(e).within("a picture that was just encoded"));
    let picture = image::load_from_memory_with_format(file, format).map_err(failed)?;
    Ok(if channels == 1 { picture.to_luma8().into_raw() } else { picture.to_rgb8().into_raw() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Smooth in luminance, with red and blue that alternate from pixel to pixel.
    fn picture(width: usize, height: usize) -> Vec<u8> {
        let pixel = |i: usize| {
            let (x, y) = (i % width, i / width);
            [(90 + x + 60 * (x % 2)) as u8, (100 + y) as u8, (150 - x) as u8]
        };
        (0..width * height).flat_map(pixel).collect()
    }

    fn error(a: &[u8], b: &[u8]) -> f64 {
        let squares = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
        squares.sum::<f64>() / a.len() as f64
    }

    /// Quality orders errors, odd sizes and grey work, and full chroma keeps what subsampling loses.
    #[test]
    fn files_lose_what_they_should() {
        let (width, height) = (37, 29);
        let original = picture(width, height);
        let coded = |quality, full| jpeg(&original, width, height, 3, quality, full).unwrap();
        let errors = [10, 40, 90].map(|quality| error(&original, &coded(quality, true)));
        assert!(errors[0] > errors[1] && errors[1] > errors[2] && errors[2] > 0.0, "{errors:?}");
        assert!(error(&original, &coded(100, true)) * 20.0 < error(&original, &coded(100, false)));
        let grey: Vec<u8> = original.iter().step_by(3).copied().collect();
        assert!(error(&grey, &jpeg(&grey, width, height, 1, 95, false).unwrap()) < 10.0);
        assert!(jpeg(&[0; 70000], 70000, 1, 1, 50, false).is_err());
    }

    #[cfg(feature = "webp-lossy")]
    #[test]
    fn webp_files() {
        let (width, height) = (37, 29);
        let original = picture(width, height);
        let errors = [5, 95].map(|q| error(&original, &webp(&original, width, height, 3, q).unwrap()));
        assert!(errors[0] > errors[1] && errors[1] > 0.0, "{errors:?}");
        let grey: Vec<u8> = original.iter().step_by(3).copied().collect();
        assert!(error(&grey, &webp(&grey, width, height, 1, 95).unwrap()) < 30.0);
    }
}
