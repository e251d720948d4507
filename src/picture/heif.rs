//! HEIC files, as iPhones take them, by the C library libheif: the primary picture, upright, with profile, Exif and XMP.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::error::{DecodingError, ImageFormatHint};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, ImageResult};
use libheif_rs::{
    ColorSpace, HeifContext, HeifError, ImageHandle, ImageMetadata, LibHeif, RgbChroma, StreamReader,
};

use super::samples::color_type;

/// A file whose header has been read.
pub struct Decoder {
    handle: ImageHandle,
    color: ColorType,
    // The handle's data; dropped after it.
    _context: HeifContext<'static>,
}

impl Decoder {
    pub fn open(path: &Path) -> ImageResult<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let reader = StreamReader::new(BufReader::new(file), length);
        let context = HeifContext::read_from_reader(Box::new(reader)).map_err(unreadable)?;
        let handle = context.primary_image_handle().map_err(unreadable)?;
        let gray = handle.preferred_decoding_colorspace().map_err(unreadable)? == ColorSpace::Monochrome;
        let bits = if handle.luma_bits_per_pixel() > 8 { 16 } else { 8 };
        let color = color_type(!gray, handle.has_alpha_channel(), bits);
        Ok(Self { handle, color, _context: context })
    }

    /// The first block of metadata that a test accepts.
    fn block(&self, is: impl Fn(&ImageMetadata) -> bool) -> Option<Vec<u8>> {
        self.handle.all_metadata().into_iter().find(is).map(|block| block.raw_data)
    }
}

impl ImageDecoder for Decoder {
    fn dimensions(&self) -> (u32, u32) {
        (self.handle.width(), self.handle.height())
    }

    fn color_type(&self) -> ColorType {
        self.color
    }

    fn icc_profile(&mut self) -> ImageResult<Option<Vec<u8>>> {
        Ok(self.handle.color_profile_raw().map(|profile| profile.data))
    }

    fn exif_metadata(&mut self) -> ImageResult<Option<Vec<u8>>> {
        // Four bytes tell how many more come before the TIFF header.
        let block = self.block(|block| block.item_type.0 == *b"Exif");
        Ok(block.and_then(|block| {
            let (skipped, rest) = block.split_first_chunk::<4>()?;
            Some(rest.get(u32::from_be_bytes(*skipped) as usize..)?.to_vec())
        }))
    }

    fn xmp_metadata(&mut self) -> ImageResult<Option<Vec<u8>>> {
        Ok(self.block(|block| block.content_type == "application/rdf+xml"))
    }

    /// The library turns pictures by what their files say besides the Exif tag, which repeats it.
    fn orientation(&mut self) -> ImageResult<Orientation> {
        Ok(Orientation::NoTransforms)
    }

    fn read_image(self, buffer: &mut [u8]) -> ImageResult<()> {
        let deep = self.color.bytes_per_pixel() > self.color.channel_count();
        let chroma = match (deep, self.color.has_alpha()) {
            (false, false) => RgbChroma::Rgb,
            (false, true) => RgbChroma::Rgba,
            (true, false) => RgbChroma::HdrRgbLe,
            (true, true) => RgbChroma::HdrRgbaLe,
        };
        let picture =
            LibHeif::new().decode(&self.handle, ColorSpace::Rgb(chroma), None).map_err(unreadable)?;
        let plane =
            picture.planes().interleaved.filter(|plane| (plane.width, plane.height) == self.dimensions());
        let plane = plane.ok_or_else(|| broken("the decoded picture is not what the header says"))?;
        let (width, bytes) = (plane.width as usize, if deep { 2 } else { 1 });
        let channels = 3 + usize::from(self.color.has_alpha());
        // Grey pictures come as red, green and blue that are all the same.
        let kept: &[usize] = match self.color.channel_count() {
            1 => &[0],
            2 => &[0, 3],
            3 => &[0, 1, 2],
            _ => &[0, 1, 2, 3],
        };
        let rows = plane.data.chunks(plane.stride).take(plane.height as usize);
        let texels = rows.flat_map(|row| row[..width * channels * bytes].chunks_exact(channels * bytes));
        let samples =
            texels.flat_map(|texel| kept.iter().map(move |&channel| &texel[channel * bytes..][..bytes]));
        for (to, sample) in buffer.chunks_exact_mut(bytes).zip(samples) {
            match *sample {
                [low, high] => {
                    let value = u32::from(u16::from_le_bytes([low, high]));
                    let most = (1 << plane.bits_per_pixel.min(16)) - 1;
                    let value = u16::try_from((value * 65535 + most / 2) / most).unwrap_or(u16::MAX);
                    to.copy_from_slice(&value.to_ne_bytes());
                }
                _ => to.copy_from_slice(sample),
            }
        }
        Ok(())
    }

    fn read_image_boxed(self: Box<Self>, buffer: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(buffer)
    }
}

fn unreadable(error: HeifError) -> ImageError {
    broken(error)
}

fn broken(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ImageError {
    ImageError::Decoding(DecodingError::new(ImageFormatHint::Name("HEIC".into()), why))
}
