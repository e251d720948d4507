//! Pixels of JPEG files that the decoder of the `image` crate gets wrong: those whose components stand in scans of their own,
//! and those whose brightness is stored more coarsely than their colors. Another decoder reads them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::error::{DecodingError, ImageFormatHint};
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageResult};
use jpeg_decoder::PixelFormat;

use super::segments::{PROGRESSIVE, Summary};

/// What a file says of its picture before the first scan.
#[derive(Debug, Default, PartialEq)]
pub struct Header {
    size: (u16, u16),
    progressive: bool,
    /// How often each component is sampled, across and down, in relation to the others.
    sampling: Vec<(u8, u8)>,
    /// Components in the first scan.
    scanned: usize,
}

impl Header {
    /// `None` for a file that ends before its first scan.
    pub fn of(summary: &Summary) -> Option<Self> {
        let mut header = Self { scanned: summary.scanned?.into(), ..Self::default() };
        if let Some((marker, data)) = &summary.frame
            && let [_, h1, h0, w1, w0, _, components @ ..] = data.as_slice()
        {
            header.progressive = *marker == PROGRESSIVE;
            header.size = (u16::from_be_bytes([*w1, *w0]), u16::from_be_bytes([*h1, *h0]));
            header.sampling =
                components.chunks_exact(3).map(|component| (component[1] >> 4, component[1] & 15)).collect();
        }
        Some(header)
    }

    /// Whether the usual decoder fails on such a file.
    pub fn is_unusual(&self) -> bool {
        let Some(&(across, down)) = self.sampling.first() else { return false };
        let divided = !self.progressive && self.scanned < self.sampling.len();
        divided || self.sampling.iter().any(|&(h, v)| h > across || v > down || h == 3 || v == 3)
    }

    /// Samples in all components, with those that fill whole units of blocks of 8x8.
    fn samples(&self) -> u64 {
        let all = |axis: fn(&(u8, u8)) -> u8| self.sampling.iter().map(axis).max().unwrap_or(1).max(1);
        let (across, down) = (all(|s| s.0), all(|s| s.1));
        let side = |length: u16, factor: u8| u64::from(length).next_multiple_of(8 * u64::from(factor));
        let pixels = side(self.size.0, across) * side(self.size.1, down);
        let samples: u64 = self.sampling.iter().map(|&(h, v)| u64::from(h) * u64::from(v)).sum();
        (pixels * samples).div_ceil(u64::from(across) * u64::from(down))
    }

    /// Whether a file of this many bytes cannot hold the picture: each block takes at least a bit.
    pub fn is_beyond(&self, file: u64) -> bool {
        self.samples() / 64 > file.saturating_mul(8)
    }

    /// Bytes that decoding takes besides the picture: the file, and what all scans add up to before there are pixels.
    pub fn overhead(&self, file: u64) -> u64 {
        let sample = match (self.is_unusual(), self.progressive) {
            (true, _) => 3,
            (false, true) => 2,
            (false, false) => 0,
        };
        file.saturating_add(self.samples() * sample)
    }
}

/// A file for the other decoder.
pub struct Unusual {
    decoder: jpeg_decoder::Decoder<BufReader<File>>,
    width: u32,
    height: u32,
    color: ColorType,
}

impl Unusual {
    /// # Errors
    /// [`ImageError`] for files that are damaged or have samples of more than 8 bits.
    pub fn open(path: &Path) -> ImageResult<Self> {
        let mut decoder = jpeg_decoder::Decoder::new(BufReader::new(File::open(path)?));
        decoder.read_info().map_err(to_image)?;
        let info = decoder.info().ok_or_else(|| broken("it has no picture"))?;
        let color = match info.pixel_format {
            PixelFormat::L8 => ColorType::L8,
            PixelFormat::L16 => return Err(broken("its samples have more than 8 bits")),
            PixelFormat::RGB24 | PixelFormat::CMYK32 => ColorType::Rgb8,
        };
        Ok(Self { decoder, width: info.width.into(), height: info.height.into(), color })
    }
}

fn broken(why: &str) -> ImageError {
    ImageError::Decoding(DecodingError::new(ImageFormatHint::Exact(ImageFormat::Jpeg), why.to_string()))
}

fn to_image(error: jpeg_decoder::Error) -> ImageError {
    match error {
        jpeg_decoder::Error::Io(error) => ImageError::IoError(error),
        error => ImageError::Decoding(DecodingError::new(ImageFormatHint::Exact(ImageFormat::Jpeg), error)),
    }
}

impl ImageDecoder for Unusual {
    fn dimensions(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn color_type(&self) -> ColorType {
        self.color
    }

    fn icc_profile(&mut self) -> ImageResult<Option<Vec<u8>>> {
        Ok(self.decoder.icc_profile())
    }

    fn exif_metadata(&mut self) -> ImageResult<Option<Vec<u8>>> {
        Ok(self.decoder.exif_data().map(<[u8]>::to_vec))
    }

    fn xmp_metadata(&mut self) -> ImageResult<Option<Vec<u8>>> {
        Ok(self.decoder.xmp_data().map(<[u8]>::to_vec))
    }

    fn read_image(self, buffer: &mut [u8]) -> ImageResult<()> {
        let mut decoder = self.decoder;
        let mut pixels = decoder.decode().map_err(to_image)?;
        if decoder.info().is_some_and(|info| info.pixel_format == PixelFormat::CMYK32) {
            let inks = pixels.chunks_exact(4);
            pixels = inks.flat_map(|ink| [0, 1, 2].map(|i| light(ink[i], ink[3]))).collect();
        }
        if pixels.len() != buffer.len() {
            return Err(broken("its scans do not agree with its header"));
        }
        buffer.copy_from_slice(&pixels);
        Ok(())
    }

    fn read_image_boxed(self: Box<Self>, buffer: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(buffer)
    }
}

/// The light that an ink and black leave.
fn light(ink: u8, black: u8) -> u8 {
    let product = u32::from(255 - ink) * u32::from(255 - black);
    ((product + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::super::segments::summary_of;
    use super::*;
    use std::io::Cursor;

    fn header(file: impl AsRef<[u8]>) -> Option<Header> {
        Header::of(&summary_of(&mut Cursor::new(file)))
    }

    fn file(marker: u8, sampling: &[u8], scanned: u8) -> Vec<u8> {
        // A comment behind fill bytes.
        let mut file = b"\xff\xd8\xff\xff\xff\xfe\0\x04\xff\xc0\xff".to_vec();
        let components = sampling.len() as u8;
        file.extend([marker, 0, 8 + 3 * components, 8, 0, 100, 0, 200, components]);
        sampling.iter().for_each(|factors| file.extend([1, *factors, 0]));
        file.extend([0xff, 0xda, 0, 3, scanned]);
        file
    }

    #[test]
    fn what_the_usual_decoder_cannot_read() {
        for (marker, sampling, scanned, unusual) in [
            (0xc0, [0x22, 0x11, 0x11], 3, false),
            (0xc2, [0x22, 0x11, 0x11], 1, false),
            (0xc1, [0x41, 0x11, 0x11], 3, false),
            (0xc0, [0x22, 0x11, 0x11], 1, true),
            (0xc0, [0x11, 0x11, 0x11], 2, true),
            (0xc2, [0x11, 0x22, 0x22], 3, true),
            (0xc0, [0x31, 0x11, 0x11], 3, true),
        ] {
            let header = header(file(marker, &sampling, scanned)).unwrap();
            assert_eq!(header.size, (200, 100));
            assert_eq!(header.is_unusual(), unusual, "{header:?}");
        }
        assert!(header(b"\xff\xd8\xff\xd9").is_none());
    }

    #[test]
    fn memory_for_all_scans() {
        let overhead = |marker, sampling: &[u8], scanned| {
            header(file(marker, sampling, scanned)).unwrap().overhead(1000)
        };
        assert_eq!(overhead(0xc0, &[0x22, 0x11, 0x11], 3), 1000);
        // 208x112 pixels in blocks.
        assert_eq!(overhead(0xc2, &[0x22, 0x11, 0x11], 3), 1000 + 208 * 112 * 3 / 2 * 2);
        assert_eq!(overhead(0xc0, &[0x22, 0x11, 0x11], 1), 1000 + 208 * 112 * 3 / 2 * 3);
        let header = header(file(0xc0, &[0x22, 0x11, 0x11], 3)).unwrap();
        let blocks = 208 * 112 * 3 / 2 / 64;
        assert!(header.is_beyond(blocks / 8 - 1) && !header.is_beyond(blocks / 8 + 1));
    }
}
