//! Pictures inside of a page: PNG in base64 (RFC 4648).

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::error::{Error, Reason, Result};

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
    /// The picture as the address of an `img` element.
    ///
    /// # Errors
    /// [`Error::Picture`] for a number of samples that is no picture of this size.
    pub fn data_uri(&self) -> Result<String> {
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
        let mut png = Vec::new();
        PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive)
            .write_image(&self.samples, self.width as u32, self.height as u32, color)
            .map_err(|e| Error::Picture(Reason::of(e).within("a picture of the report")))?;
        Ok(format!("data:image/png;base64,{}", base64(&png)))
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
        assert!(Pixels { width: 2, height: 2, samples: vec![0; 5] }.data_uri().is_err());
        assert!(Pixels { width: 2, height: 2, samples: vec![0; 12] }.data_uri().is_ok());
    }
}
