//! Pictures inside of a page, in base64 (RFC 4648): PNG, or JPEG where a page would become too large.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageResult};

use crate::error::{Error, Reason, Result};

/// Bytes that the large views of a page take together, as they stand in it. With tables, charts and crops, a page of 14
/// pictures at three scales then has less than 10 MB.
const PAGE: f64 = 8e6;
/// Bytes per pixel below which PNG is not worth trying.
const HOPELESS: f64 = 0.5;
/// Qualities of JPEG, the best that fits first; the last one is taken even if it does not fit.
const QUALITIES: [u8; 9] = [95, 92, 88, 84, 80, 75, 70, 60, 50];

/// How pictures are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Exact.
    Png,
    /// With this quality.
    Jpeg(u8),
}

/// What a page has left for large views.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Bytes in the page for each pixel.
    share: f64,
    /// What earlier pictures left over.
    left: f64,
}

impl Room {
    /// For a page with about so many pixels in all its large views.
    pub fn new(pixels: u64) -> Self {
        Self { share: PAGE / pixels.max(1) as f64, left: 0.0 }
    }

    /// The views of one picture as addresses of `img` elements, all in the same format, so that they differ in nothing else.
    ///
    /// # Errors
    /// As [`Pixels::png`].
    pub fn encode(&mut self, views: &[Pixels]) -> Result<(Format, Vec<String>)> {
        let pixels: usize = views.iter().map(|view| view.width * view.height).sum();
        let room = self.share * pixels as f64 + self.left;
        let worth = room >= HOPELESS * pixels as f64;
        let formats = worth.then_some(Format::Png).into_iter().chain(QUALITIES.map(Format::Jpeg));
        let mut best = (Format::Png, Vec::new());
        for format in formats {
            let addresses = views.iter().map(|view| view.address(format)).collect::<Result<Vec<_>>>()?;
            let length = addresses.iter().map(String::len).sum::<usize>() as f64;
            best = (format, addresses);
            if length <= room {
                break;
            }
        }
        let used = best.1.iter().map(String::len).sum::<usize>() as f64;
        self.left = room - used;
        Ok(best)
    }
}

/// Samples of a picture, 8 bits each: one a pixel, or three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Grey, or red, green and blue; rows after each other.
    pub samples: Vec<u8>,
}

impl Pixels {
    /// The exact picture as the address of an `img` element.
    ///
    /// # Errors
    /// [`Error::Picture`] for a number of samples that is no picture of this size.
    pub fn png(&self) -> Result<String> {
        self.address(Format::Png)
    }

    fn address(&self, format: Format) -> Result<String> {
        let color = match self.width * self.height {
            0 => None,
            pixels if self.samples.len() == pixels => Some(ExtendedColorType::L8),
            pixels if self.samples.len() == 3 * pixels => Some(ExtendedColorType::Rgb8),
            _ => None,
        };
        let color = color.ok_or_else(|| {
            let (samples, width, height) = (self.samples.len(), self.width, self.height);
            Error::Picture(format!("{samples} samples are no picture of {width}x{height}").into())
        })?;
        let mut file = Vec::new();
        let failed = |e| Error::Picture(Reason::of(e).within("a picture of the report"));
        let name = self.write(format, color, &mut file).map_err(failed)?;
        Ok(format!("data:image/{name};base64,{}", base64(&file)))
    }

    fn write(
        &self,
        format: Format,
        color: ExtendedColorType,
        file: &mut Vec<u8>,
    ) -> ImageResult<&'static str> {
        let (width, height) = (self.width as u32, self.height as u32);
        match format {
            Format::Png => {
                let (compression, filter) = (CompressionType::Best, FilterType::Adaptive);
                let png = PngEncoder::new_with_quality(file, compression, filter);
                png.write_image(&self.samples, width, height, color).map(|()| "png")
            }
            Format::Jpeg(quality) => {
                let jpeg = JpegEncoder::new_with_quality(file, quality);
                jpeg.write_image(&self.samples, width, height, color).map(|()| "jpeg")
            }
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            // Two bytes make three letters, one byte two.
            let letter = LETTERS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 4648, section 10.
    #[test]
    fn encodes_as_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn refuses_what_is_no_picture() {
        assert!(Pixels { width: 2, height: 2, samples: vec![0; 5] }.png().is_err());
        assert!(Pixels { width: 2, height: 2, samples: vec![0; 12] }.png().is_ok());
    }

    /// Noise, which no format makes small: exact where there is room, else JPEG that fits, and what a picture leaves over
    /// goes to the next.
    #[test]
    fn views_fit_their_room() {
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let samples: Vec<u8> = (0..3 * 64 * 64).map(|_| noise()).collect();
        let views = [Pixels { width: 64, height: 64, samples }];
        let encode = |share: f64, left: f64| {
            let mut room = Room { share, left };
            let (format, addresses) = room.encode(&views).unwrap();
            (format, addresses[0].len() as f64, room.left)
        };
        let (exact, length, left) = encode(5.0, 0.0);
        assert_eq!((exact, left), (Format::Png, 5.0 * 4096.0 - length));
        let (format, length, _) = encode(2.5, 0.0);
        assert!(matches!(format, Format::Jpeg(_)) && length <= 2.5 * 4096.0, "{format:?} {length}");
        assert_eq!(encode(2.5, 3.0 * 4096.0).0, Format::Png);
        let (format, _, left) = encode(0.01, 0.0);
        assert!(format == Format::Jpeg(50) && left < 0.0);
    }
}
