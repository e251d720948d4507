//! Test pictures of lower quality.

use super::dataset::Picture;
use crate::color::rgb_to_ycbcr;
use crate::degrade::{Degradation, Degraded};
use crate::error::Result;
use crate::network::Channels;

/// The value of Cb and Cr in grey pictures.
const NEUTRAL: f64 = 128.0 / 255.0;

impl Picture {
    /// Takes the picture through a chain of steps and returns it in a network's channels, 0..1 and not rounded. The picture's
    /// sides are multiples of `scale`; the key decides on what is drawn.
    ///
    /// Chains of filters alone work on these channels, as the protocol has it. Noise and files have the picture's own
    /// channels, so other chains work on red, green and blue, or on grey, and are converted afterwards.
    ///
    /// # Errors
    /// As [`Drawn::apply`](crate::degrade::Drawn::apply).
    pub fn degraded(
        &self,
        channels: Channels,
        scale: usize,
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
    use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};

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
}
