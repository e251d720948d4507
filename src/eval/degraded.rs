//! Test pictures of lower quality.

use image::{DynamicImage, ImageBuffer, Pixel};

use super::dataset::Picture;
use crate::color::rgb_to_ycbcr;
use crate::degrade::{Degradation, Degraded, Degrader, Shrink};
use crate::error::{Error, Result};
use crate::network::Channels;
use crate::ratio::Ratio;

/// The value of Cb and Cr in grey pictures.
const NEUTRAL: f64 = 128.0 / 255.0;

impl Picture {
    /// Takes the picture through a chain of steps and returns it in a network's channels, 0..1 and not rounded. The picture's
    /// sides are multiples of `scale`, or of its numerator; the key decides on what is drawn.
    ///
    /// Chains of filters alone work on these channels, as the protocol has it. Noise and files have the picture's own
    /// channels, so other chains work on red, green and blue, or on grey, and are converted afterwards.
    ///
    /// # Errors
    /// As [`Drawn::apply`](crate::degrade::Drawn::apply).
    pub fn degraded(
        &self,
        channels: Channels,
        scale: impl Into<Ratio>,
        degradation: &Degradation,
        key: &[u64],
    ) -> Result<Degraded> {
        let own = if self.is_grey() { Channels::Y } else { Channels::Rgb };
        let taken = if degradation.is_linear() { channels } else { own };
        let plane = |plane: Vec<u8>| plane.into_iter().map(|v| f64::from(v) / 255.0).collect();
        let planes = self.planes(taken).into_iter().map(plane).collect();
        let whole = Degraded { width: self.width, height: self.height, planes };
        let low = degradation.draw(key).apply(whole, scale)?;
        Ok(if degradation.is_linear() { low } else { converted(low, channels) })
    }
}

/// Degrades a picture at its own depth and in its own color type: crops it to multiples of `scale` (for 2.5, which is 5/2, of 5),
/// takes it through the chain, and rounds integers once, at the end. Filters work on each channel by itself; noise and files on colors, or on grey, while
/// alpha is only shrunk. The key decides on what is drawn; without one it is what evaluation draws for the same picture,
/// whose `palette` is as in [`Picture::new`].
///
/// # Errors
/// [`Error::Picture`] for a picture smaller than the scale and for color types that are not known;
/// [`Error::InvalidArgument`] as [`Degradation::check`], and as [`Drawn::apply`](crate::degrade::Drawn::apply).
pub fn degrade(
    picture: &DynamicImage,
    palette: bool,
    degradation: &Degradation,
    scale: impl Into<Ratio>,
    key: Option<&[u64]>,
) -> Result<DynamicImage> {
    // The casts saturate.
    let (to_u8, to_u16, to_f32) = (|v: f64| v.round() as u8, |v: f64| v.round() as u16, |v: f64| v as f32);
    let scale = scale.into();
    degradation.check(scale)?;
    let content = [Picture::new(picture, palette).modcrop(scale).key()];
    let chain = Chain { degradation, scale, key: key.unwrap_or(&content) };
    match picture {
        DynamicImage::ImageLuma8(buffer) => chain.apply(buffer, 255.0, to_u8).map(Into::into),
        DynamicImage::ImageLumaA8(buffer) => chain.apply(buffer, 255.0, to_u8).map(Into::into),
        DynamicImage::ImageRgb8(buffer) => chain.apply(buffer, 255.0, to_u8).map(Into::into),
        DynamicImage::ImageRgba8(buffer) => chain.apply(buffer, 255.0, to_u8).map(Into::into),
        DynamicImage::ImageLuma16(buffer) => chain.apply(buffer, 65535.0, to_u16).map(Into::into),
        DynamicImage::ImageLumaA16(buffer) => chain.apply(buffer, 65535.0, to_u16).map(Into::into),
        DynamicImage::ImageRgb16(buffer) => chain.apply(buffer, 65535.0, to_u16).map(Into::into),
        DynamicImage::ImageRgba16(buffer) => chain.apply(buffer, 65535.0, to_u16).map(Into::into),
        DynamicImage::ImageRgb32F(buffer) => chain.apply(buffer, 1.0, to_f32).map(Into::into),
        DynamicImage::ImageRgba32F(buffer) => chain.apply(buffer, 1.0, to_f32).map(Into::into),
        other => Err(Error::Picture(format!("color type {:?} is not supported", other.color()).into())),
    }
}

type Buffer<P> = ImageBuffer<P, Vec<<P as Pixel>::Subpixel>>;

/// A chain for one picture.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a> {
    /// The steps.
    pub degradation: &'a Degradation,
    /// How many times smaller the result is.
    pub scale: Ratio,
    /// Decides on what is drawn.
    pub key: &'a [u64],
}

impl Chain<'_> {
    /// As [`degrade`], for pixels of any type whose white is `white`, also those that [`DynamicImage`] has not.
    ///
    /// # Errors
    /// As [`degrade`].
    pub fn apply<P: Pixel<Subpixel: Into<f64>>>(
        self,
        buffer: &Buffer<P>,
        white: f64,
        round: impl Fn(f64) -> P::Subpixel,
    ) -> Result<Buffer<P>> {
        self.degradation.check(self.scale)?;
        let cut = |length: u32| self.scale.cut(length as usize);
        let (width, height) = (cut(buffer.width()), cut(buffer.height()));
        if width == 0 || height == 0 {
            let (width, height) = buffer.dimensions();
            let (scale, least) = (self.scale, self.scale.up());
            let text =
                format!("{width}x{height} is smaller than the scale {scale} needs: {least} pixels a side");
            return Err(Error::Picture(text.into()));
        }
        let channels = usize::from(P::CHANNEL_COUNT);
        let row = buffer.width() as usize * channels;
        // Filters keep the unit of the samples, and so what they round to.
        let unit = if self.degradation.is_linear() { 1.0 } else { white };
        let plane = |channel: usize| {
            let rows = buffer.as_raw().chunks_exact(row).take(height);
            let samples = rows.flat_map(|row| row.iter().skip(channel).step_by(channels).take(width));
            samples.map(|&sample| sample.into() / unit).collect()
        };
        let has_alpha = channels.is_multiple_of(2) && !self.degradation.is_linear();
        let colors = channels - usize::from(has_alpha);
        let picture = Degraded { width, height, planes: (0..colors).map(plane).collect() };
        let mut low = self.degradation.draw(self.key).apply(picture, self.scale)?;
        if has_alpha {
            let degrader = Degrader::new(width, height, self.scale, Shrink::Bicubic)?;
            low.planes.push(degrader.shrink(&plane(colors)));
        }
        let mut result = Buffer::<P>::new(low.width as u32, low.height as u32);
        for (channel, plane) in low.planes.iter().enumerate() {
            let targets = result.iter_mut().skip(channel).step_by(channels);
            targets.zip(plane).for_each(|(sample, value)| *sample = round(value * unit));
        }
        Ok(result)
    }
}

/// Colors, or grey, in a network's channels.
fn converted(picture: Degraded, channels: Channels) -> Degraded {
    let planes = match (picture.planes.as_slice(), channels) {
        ([grey], Channels::Y) => vec![grey.clone()],
        ([grey], Channels::YCbCr) => vec![grey.clone(), vec![NEUTRAL; grey.len()], vec![NEUTRAL; grey.len()]],
        ([grey], Channels::Rgb) => vec![grey.clone(); 3],
        ([red, green, blue], Channels::Y | Channels::YCbCr) => {
            let mut planes = vec![Vec::with_capacity(red.len()); channels.count()];
            for ((&red, &green), &blue) in red.iter().zip(green).zip(blue) {
                let color = rgb_to_ycbcr([red, green, blue]);
                planes.iter_mut().zip(color).for_each(|(plane, value)| plane.push(value));
            }
            planes
        }
        (planes, _) => planes.to_vec(),
    };
    Degraded { planes, ..picture }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma, LumaA, Rgb, RgbImage};

    fn color() -> Picture {
        let pixel = |x: u32, y: u32| Rgb([(x * 9) as u8, (y * 11) as u8, (x * y % 251) as u8]);
        Picture::new(&DynamicImage::from(RgbImage::from_fn(24, 18, pixel)), false)
    }

    #[test]
    fn filters_work_on_luminance_and_files_on_colors() {
        let picture = color();
        let chain = |text: &str| text.parse::<Degradation>().unwrap();
        let low = |text: &str| picture.degraded(Channels::Y, 3, &chain(text), &[1]).unwrap();
        // Luminance is rounded before it is shrunk, as in the protocol; a chain with a file begins with colors.
        let linear = low("bicubic");
        assert_eq!((linear.width, linear.height, linear.planes.len()), (8, 6, 1));
        let coded = low("bicubic,jpeg:100:444");
        let worst =
            linear.planes[0].iter().zip(&coded.planes[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst > 0.0 && worst < 4.0 / 255.0, "{worst}");
        for channels in [Channels::Rgb, Channels::YCbCr] {
            let all = picture.degraded(channels, 3, &chain("bicubic,jpeg:50"), &[1]).unwrap();
            assert_eq!(all.planes.len(), 3);
            if channels == Channels::YCbCr {
                assert_eq!(all.planes[0], low("bicubic,jpeg:50").planes[0]);
            }
        }
    }

    #[test]
    fn grey_stays_grey() {
        let grey = GrayImage::from_fn(24, 18, |x, y| Luma([(x * 9 + y) as u8]));
        let picture = Picture::new(&DynamicImage::from(grey), false);
        let chain: Degradation = "noise:5,jpeg:40".parse().unwrap();
        let luminance = picture.degraded(Channels::Y, 1, &chain, &[]).unwrap();
        let colors = picture.degraded(Channels::Rgb, 1, &chain, &[]).unwrap();
        assert!(colors.planes.iter().all(|plane| *plane == luminance.planes[0]));
        let parts = picture.degraded(Channels::YCbCr, 1, &chain, &[]).unwrap();
        assert!(parts.planes[0] == luminance.planes[0] && parts.planes[1].iter().all(|&v| v == NEUTRAL));
    }

    #[test]
    fn pictures_keep_their_type() {
        let bicubic = Degradation::BICUBIC;
        let picture =
            DynamicImage::from(RgbImage::from_fn(25, 18, |x, y| Rgb([(x * 9) as u8, (y * 11) as u8, 7])));
        let low = degrade(&picture, false, &bicubic, 3, None).unwrap();
        assert_eq!((low.width(), low.height(), low.color()), (8, 6, picture.color()));
        // Floats that have no type among dynamic pictures; noise leaves alpha alone.
        let grey = ImageBuffer::from_fn(12, 9, |x, _| LumaA([x as f32 / 12.0, 0.5]));
        let noisy: Degradation = "bicubic,noise:9".parse().unwrap();
        let chain = Chain { degradation: &noisy, scale: 3.into(), key: &[1] };
        let low = chain.apply(&grey, 1.0, |v| v as f32).unwrap();
        assert_eq!(low.dimensions(), (4, 3));
        assert!(low.pixels().all(|pixel| (pixel[1] - 0.5).abs() < 1e-6));
        assert_ne!(low, Chain { key: &[2], ..chain }.apply(&grey, 1.0, |v| v as f32).unwrap());
        assert!(degrade(&DynamicImage::new_luma8(2, 9), false, &bicubic, 3, None).is_err());
        assert!(degrade(&picture, false, &bicubic, 1, None).is_err());
        let between = Ratio::of(2.5).unwrap();
        let low = degrade(&picture, false, &bicubic, between, None).unwrap();
        assert_eq!((low.width(), low.height()), (10, 6));
        let told = degrade(&DynamicImage::new_luma8(4, 9), false, &bicubic, between, None).unwrap_err();
        assert!(told.to_string().contains("5 pixels a side"), "{told}");
    }
}
