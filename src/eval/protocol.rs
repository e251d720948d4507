//! The protocol `srcnn`: how the authors' released MATLAB code measures a network.
//!
//! The picture's luminance as `uint8` is cropped to multiples of the scale, shrunk and enlarged again by `imresize` with
//! nothing rounded in between; bicubic and network results are rounded to `uint8`, lose a border as wide as the scale, and
//! are compared with the original. Scales that are not whole are ratios, 5/2 for 2.5: pictures are cropped to multiples of
//! the numerator, so that the small ones have whole pixels too, and the border is the scale rounded up.
//!
//! Networks of three channels get all three shrunk. Those of Y, Cb and Cr are measured on luminance too. Those of red, green
//! and blue are measured on what they compute: PSNR is that of the mean square over the three channels, SSIM the mean of
//! theirs, and so for the bicubic figures beside them.

use std::fmt;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::dataset::Picture;
use super::{Bicubic, Enlarge, Score};
use crate::color::{OFFSET, TO_YCBCR, rgb_to_ycbcr};
use crate::degrade::{Degradation, Degrader, Shrink};
use crate::error::{Error, Result};
use crate::metrics::{psnr, shave, ssim};
use crate::network::Channels;
use crate::planes::Planes;
use crate::ratio::Ratio;

/// Settings of the protocol `srcnn`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Protocol {
    /// Enlargement; 1 is restoration in place.
    pub scale: Ratio,
    /// Pixels that are left out on each side; the authors' code takes the scale.
    pub shave: usize,
    /// The network's channels.
    pub channels: Channels,
    /// How pictures lose their quality. What it leaves open is drawn by the picture's content, so that all networks get the
    /// same.
    pub degradation: Degradation,
}

/// What PSNR and SSIM compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compared {
    /// Luminance: networks of Y, and of Y, Cb and Cr.
    #[default]
    Luminance,
    /// Red, green and blue: networks of these.
    Rgb,
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Luminance => "luminance",
            Self::Rgb => "RGB",
        })
    }
}

/// 8-bit luminance, `[row][column]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Luminance {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Rows after each other.
    pub data: Vec<u8>,
}

/// One measured picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Its figures.
    pub score: Score,
    /// Pixels left out on each side: as asked for, or what the network did not compute if that is more.
    pub border: usize,
    /// The bicubic result before the border is cut.
    pub bicubic: Luminance,
    /// The network's result before the border is cut; smaller where the network does not pad.
    pub network: Luminance,
    /// Red, green and blue of the bicubic and of the network's result, pixel after pixel, where these were compared.
    pub colors: Option<[Vec<u8>; 2]>,
    /// All that the network returned, in its channels and not rounded.
    pub output: Planes,
}

impl Protocol {
    /// Name on the command line and in reports.
    pub const NAME: &'static str = "srcnn";

    /// The protocol at a scale with bicubic pictures, leaving out `shave` pixels, or as many as the scale, rounded up; at scale
    /// 1, where nothing is interpolated at the borders, none.
    ///
    /// # Errors
    /// As [`Ratio::of`]: pictures cannot be cut to multiples of other scales.
    pub fn new(scale: f64, shave: Option<usize>, channels: Channels) -> Result<Self> {
        let scale = Ratio::of(scale)?;
        let shave = shave.unwrap_or(if scale.enlarges() { scale.ceil() } else { 0 });
        Ok(Self { scale, shave, channels, degradation: Degradation::BICUBIC })
    }

    /// The same with pictures of another degradation.
    ///
    /// # Errors
    /// As [`Degradation::check`].
    pub fn with_degradation(self, degradation: Degradation) -> Result<Self> {
        degradation.check(self.scale)?;
        Ok(Self { degradation, ..self })
    }

    /// Shrinks a picture, lets the network restore it, and compares.
    ///
    /// # Errors
    /// [`Error::Picture`] when the picture is too small to leave anything to compare, the network's own
    /// errors, and [`Error::InvalidArgument`] for a network whose result does not fit.
    pub fn measure(&self, picture: &Picture, network: &mut dyn Enlarge) -> Result<Measured> {
        let too_small =
            |border: usize| {
                Error::Picture(format!(
                "{}x{} is too small: nothing is left at scale {} without {border} pixels on each side",
                picture.width, picture.height, self.scale
            ).into())
            };
        let cut = picture.modcrop(self.scale);
        let (width, height) = (cut.width, cut.height);
        if width.min(height) <= self.shave.saturating_mul(2) {
            return Err(too_small(self.shave));
        }
        let degrader = Degrader::new(width, height, self.scale, Shrink::Bicubic)?;
        let key = [cut.key()];
        let degraded = |channels| cut.degraded(channels, self.scale, &self.degradation, &key);
        let enlarge = |low: &[f64]| -> Vec<u8> { degrader.enlarge(low).into_iter().map(to_u8).collect() };
        let truth = cut.luminance();
        let low_luminance = degraded(Channels::Y)?.planes.concat();
        let start = Instant::now();
        let bicubic = enlarge(&low_luminance);
        let mut bicubic_time = start.elapsed();

        let low = match self.channels {
            Channels::Y => vec![low_luminance],
            channels => degraded(channels)?.planes,
        };
        let input = Planes::new(
            self.scale.shrunk(width),
            self.scale.shrunk(height),
            self.channels.count(),
            low.iter().flatten().map(|&v| v as f32).collect(),
        )?;
        let (output, timing) = network.enlarge(&input, width, height)?;
        let margin = self.margin(&output, width, height)?;
        if !output.data.iter().all(|v| v.is_finite()) {
            return Err(Error::WrongResult(
                "the network's result holds values that are not finite numbers".into(),
            ));
        }
        let border = self.shave.max(margin);
        let result = self.luminance(&output, cut.is_grey());

        let left = |length: usize| length.saturating_sub(2 * border);
        let (columns, rows) = (left(width), left(height));
        if columns == 0 || rows == 0 {
            return Err(too_small(border));
        }
        // Planes of the truth, of interpolation, and of the network.
        let (truths, bicubics, results) = match self.samples() {
            Compared::Luminance => (vec![truth], vec![bicubic.clone()], vec![result.data.clone()]),
            Compared::Rgb => {
                let start = Instant::now();
                let bicubics = low.iter().map(|plane| enlarge(plane)).collect();
                bicubic_time = start.elapsed();
                let results = output.data.chunks_exact(output.width * output.height);
                let results = results.map(|plane| plane.iter().map(|&v| to_u8(v.into())).collect());
                (cut.planes(Channels::Rgb), bicubics, results.collect())
            }
        };
        let middle = |planes: &[Vec<u8>]| -> Vec<Vec<u8>> {
            planes.iter().map(|plane| shave(plane, width, height, border)).collect()
        };
        let original = middle(&truths);
        let score = |planes: &[Vec<u8>]| {
            let ssim = original.iter().zip(planes).map(|(a, b)| ssim(a, b, columns, rows)).sum::<f64>();
            (psnr(&original.concat(), &planes.concat()), ssim / planes.len() as f64)
        };
        let (psnr_bicubic, ssim_bicubic) = score(&middle(&bicubics));
        let inner = |plane: &Vec<u8>| shave(plane, result.width, result.height, border - margin);
        let (psnr, ssim) = score(&results.iter().map(inner).collect::<Vec<_>>());
        let colors = (self.samples() == Compared::Rgb).then(|| [interleave(&bicubics), interleave(&results)]);
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        let wall = timing.wall.saturating_sub(timing.preparation);
        let [bicubic_ms, gpu_ms, wall_ms] = [bicubic_time, timing.gpu, wall].map(ms);
        Ok(Measured {
            score: Score { psnr_bicubic, psnr, ssim_bicubic, ssim, bicubic_ms, gpu_ms, wall_ms },
            border,
            bicubic: Luminance { width, height, data: bicubic },
            network: result,
            colors,
            output,
        })
    }

    /// Measures bicubic interpolation by itself, as if it were a network.
    ///
    /// # Errors
    /// As [`Protocol::measure`].
    pub fn measure_bicubic(&self, picture: &Picture) -> Result<Measured> {
        let measured = self.measure(picture, &mut Bicubic)?;
        let Score { psnr_bicubic, ssim_bicubic, bicubic_ms, .. } = measured.score;
        let (psnr, ssim, wall_ms, gpu_ms) = (psnr_bicubic, ssim_bicubic, bicubic_ms, f64::NAN);
        let score = Score { psnr, ssim, wall_ms, gpu_ms, ..measured.score };
        Ok(Measured { score, network: measured.bicubic.clone(), ..measured })
    }

    /// What is compared for networks of these channels.
    pub fn samples(&self) -> Compared {
        match self.channels {
            Channels::Y | Channels::YCbCr => Compared::Luminance,
            Channels::Rgb => Compared::Rgb,
        }
    }

    /// Pixels by which the network's result is smaller on each side.
    fn margin(&self, result: &Planes, width: usize, height: usize) -> Result<usize> {
        let margin = width.saturating_sub(result.width) / 2;
        let fits = result.width + 2 * margin == width && result.height + 2 * margin == height;
        if !fits || result.channels != self.channels.count() {
            return Err(Error::invalid(format!(
                "the network returned {} planes of {}x{} for {} of {width}x{height}",
                result.channels,
                result.width,
                result.height,
                self.channels.count()
            )));
        }
        Ok(margin)
    }

    /// The luminance of a network's result in the truth's range: 0..255 for grey, 16..235 for color.
    fn luminance(&self, result: &Planes, grey: bool) -> Luminance {
        let pixels = result.width * result.height;
        let value = |channel: usize, i: usize| f64::from(result.data[channel * pixels + i]);
        // Grey as R = G = B: the share of luminance in 16..235, spread over 0..255 again.
        let range: f64 = TO_YCBCR[0].iter().sum();
        let data = (0..pixels).map(|i| match self.channels {
            Channels::Y | Channels::YCbCr => value(0, i),
            Channels::Rgb => {
                let [y, ..] = rgb_to_ycbcr([value(0, i), value(1, i), value(2, i)]);
                if grey { (y - OFFSET[0]) / range } else { y }
            }
        });
        Luminance { width: result.width, height: result.height, data: data.map(to_u8).collect() }
    }
}

/// Planes as pixels, one after another.
fn interleave(planes: &[Vec<u8>]) -> Vec<u8> {
    let pixels = planes.first().map_or(0, Vec::len);
    (0..pixels).flat_map(|i| planes.iter().map(move |plane| plane[i])).collect()
}

/// MATLAB's `uint8(x * 255)`: halves away from zero, saturated.
pub(super) fn to_u8(value: f64) -> u8 {
    (value * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::compare::{self, Comparison};
    use crate::headless::Timing;
    use crate::reference::resample::imresize_to;
    use image::DynamicImage;

    /// A network that only interpolates, and leaves `margin` pixels out on each side.
    struct Interpolation {
        margin: usize,
    }

    impl Enlarge for Interpolation {
        fn enlarge(&mut self, low: &Planes, width: usize, height: usize) -> Result<(Planes, Timing)> {
            let mut data = Vec::new();
            for plane in low.data.chunks_exact(low.width * low.height) {
                let plane: Vec<f64> = plane.iter().map(|&v| f64::from(v)).collect();
                let high = imresize_to(&plane, (low.height, low.width), (height, width))?;
                for row in high.chunks_exact(width).skip(self.margin).take(height - 2 * self.margin) {
                    data.extend(row[self.margin..width - self.margin].iter().map(|&v| v as f32));
                }
            }
            let (width, height) = (width - 2 * self.margin, height - 2 * self.margin);
            Ok((Planes::new(width, height, low.channels, data)?, Timing::default()))
        }
    }

    fn picture(grey: bool) -> Picture {
        let colors = image::RgbImage::from_fn(50, 41, |x, y| {
            let v = |a: u32, b: u32| ((x * a + y * b + x * y / 7) % 200) as u8;
            image::Rgb([v(3, 5), v(7, 1), v(2, 9)])
        });
        let colors = DynamicImage::from(colors);
        Picture::new(&if grey { colors.to_luma8().into() } else { colors }, false)
    }

    /// With interpolation as the network, both results are the same luminance: in every channel layout,
    /// for grey and color, and over the same pixels where the network leaves a border out; between whole scales too.
    #[test]
    fn interpolation_equals_the_baseline() {
        for channels in [Channels::Y, Channels::YCbCr, Channels::Rgb] {
            for (grey, margin, scale) in [
                (false, 0, 3.0),
                (true, 0, 3.0),
                (false, 6, 3.0),
                (true, 1, 3.0),
                (false, 0, 2.5),
                (true, 4, 2.5),
            ] {
                let protocol = Protocol::new(scale, None, channels).unwrap();
                let measured = protocol.measure(&picture(grey), &mut Interpolation { margin }).unwrap();
                let Score { psnr, psnr_bicubic, ssim, ssim_bicubic, .. } = measured.score;
                // Chroma and RGB are rounded to 8 bits before they shrink: hundredths of a dB.
                let tolerance = if channels == Channels::Rgb { 0.05 } else { 1e-9 };
                assert!(
                    (psnr - psnr_bicubic).abs() < tolerance,
                    "{channels} {grey} {margin}: {psnr} {psnr_bicubic}"
                );
                assert!((ssim - ssim_bicubic).abs() < 1e-3);
                assert_eq!(measured.border, margin.max(3));
                let size = if scale == 3.0 { (48, 39) } else { (50, 40) };
                assert_eq!((measured.bicubic.width, measured.bicubic.height), size);
            }
        }
    }

    /// Red, green and blue as `compare` measures them, and not their luminance.
    #[test]
    fn colors_are_measured_as_colors() {
        let (picture, protocol) = (picture(false), Protocol::new(3.0, None, Channels::Rgb).unwrap());
        let measured = protocol.measure(&picture, &mut Interpolation { margin: 0 }).unwrap();
        let [bicubic, network] = measured.colors.clone().unwrap();
        let (width, height) = (measured.network.width as u32, measured.network.height as u32);
        let rules = Comparison::new(compare::Samples::Rgb, None, Some(3)).unwrap();
        for (pixels, psnr, ssim) in [
            (bicubic, measured.score.psnr_bicubic, measured.score.ssim_bicubic),
            (network, measured.score.psnr, measured.score.ssim),
        ] {
            let colors = image::RgbImage::from_raw(width, height, pixels).unwrap();
            let other = Picture::new(&colors.into(), false);
            let found = rules.compare(&picture.modcrop(3), &other).unwrap();
            assert!((found.psnr - psnr).abs() < 1e-9 && (found.ssim - ssim).abs() < 1e-9, "{found:?}");
        }
        let luminance = Protocol::new(3.0, None, Channels::Y).unwrap();
        let luminance = luminance.measure(&picture, &mut Interpolation { margin: 0 }).unwrap();
        assert!((luminance.score.psnr_bicubic - measured.score.psnr_bicubic).abs() > 0.1);
        assert!(luminance.colors.is_none());
    }

    #[test]
    fn bicubic_alone() {
        for channels in [Channels::Y, Channels::Rgb] {
            for scale in [2.0, 2.5] {
                let protocol = Protocol::new(scale, None, channels).unwrap();
                let measured = protocol.measure_bicubic(&picture(false)).unwrap();
                assert_eq!(measured.score.psnr, measured.score.psnr_bicubic);
                assert_eq!(measured.network, measured.bicubic);
            }
        }
    }

    #[test]
    fn shave_is_the_scale_rounded_up_unless_given() {
        for (scale, shave) in [(1.0, 0), (1.5, 2), (2.25, 3), (2.5, 3), (3.0, 3), (4.0, 4)] {
            assert_eq!(Protocol::new(scale, None, Channels::Y).unwrap().shave, shave, "{scale}");
        }
        assert_eq!(Protocol::new(4.0, Some(0), Channels::Y).unwrap().shave, 0);
    }

    #[test]
    fn refuses_scales_that_are_no_ratios() {
        for scale in [0.0, 2.71, -2.0, f64::NAN, f64::INFINITY] {
            assert!(Protocol::new(scale, None, Channels::Y).is_err(), "{scale}");
        }
    }

    #[test]
    fn refuses_small_pictures() {
        let small = Picture::new(&DynamicImage::new_rgb8(7, 30), false);
        let protocol = Protocol::new(3.0, None, Channels::Y).unwrap();
        let error = protocol.measure(&small, &mut Interpolation { margin: 0 }).unwrap_err();
        assert!(error.to_string().contains("7x30 is too small"), "{error}");
        let dot = Picture::new(&DynamicImage::new_luma8(1, 1), false);
        assert!(protocol.measure(&dot, &mut Interpolation { margin: 0 }).is_err());
        let plain = Picture::new(&DynamicImage::new_rgb8(12, 12), false);
        assert!(protocol.measure(&plain, &mut Interpolation { margin: 6 }).is_err());
    }

    #[test]
    fn rounds_as_matlab() {
        assert_eq!([-0.1, 0.0, 0.5 / 255.0, 127.4 / 255.0, 1.0, 1.7].map(to_u8), [0, 0, 1, 127, 255, 255]);
    }
}
