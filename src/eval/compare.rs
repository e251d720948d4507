//! Comparing two pictures of the same size: a truth, and what some program made of it.
//!
//! Both are read with 8 bits and without alpha. The protocols differ in what they look at:
//!
//! | protocol | samples | cut to multiples of the scale | left out on each side |
//! |---|---|---|---|
//! | `srcnn` | luminance as MATLAB's `rgb2ycbcr` | yes, when a scale is given | the scale, or nothing |
//! | `ntire` | red, green and blue | yes | the scale and 6 more |
//! | `rgb` | red, green and blue | no | nothing |
//!
//! Of scales that are not whole, such as 2.5 = 5/2, pictures are cut to multiples of the numerator, and the scale rounded up is
//! left out.
//!
//! PSNR is that of the mean square over all samples, SSIM the mean over the channels.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::dataset::Picture;
use crate::error::{Error, Result};
use crate::metrics::{psnr, shave, ssim};
use crate::network::Channels;
use crate::ratio::Ratio;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Samples {
    /// Luminance, as in the SRCNN authors' code: the figures of most tables in papers.
    #[default]
    Srcnn,
    /// Colors, without a border of the scale plus 6 pixels, as in the NTIRE challenges.
    Ntire,
    /// Colors, all of them.
    Rgb,
}

impl Samples {
    /// All protocols.
    pub const ALL: [Self; 3] = [Self::Srcnn, Self::Ntire, Self::Rgb];

    /// Its name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Srcnn => "srcnn",
            Self::Ntire => "ntire",
            Self::Rgb => "rgb",
        }
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Samples {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|samples| samples.name() == text)
            .ok_or_else(|| Error::invalid(format!("protocol '{text}': srcnn, ntire or rgb")))
    }
}

/// How pictures are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Which samples.
    pub protocol: Samples,
    /// The enlargement that made the second one; pictures are cut to multiples of it, except by `rgb`.
    pub scale: Option<Ratio>,
    /// Pixels left out on each side.
    pub shave: usize,
}

/// The figures of two pictures. In JSON, infinities and NaN become null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Similarity {
    /// PSNR in dB; infinite for pictures that are equal.
    pub psnr: f64,
    /// SSIM; NaN for pictures smaller than its window.
    pub ssim: f64,
}

impl Comparison {
    /// A protocol with its own border, or that of `shave`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a scale of 0, and for `ntire` without a scale or a border.
    pub fn new(protocol: Samples, scale: Option<Ratio>, shave: Option<usize>) -> Result<Self> {
        if scale.is_some_and(|scale| scale == 0) {
            return Err(Error::invalid("scale 0: a number from 1 on"));
        }
        let shave = match (shave, protocol) {
            (Some(shave), _) => shave,
            (None, Samples::Srcnn) => scale.map_or(0, Ratio::ceil),
            (None, Samples::Rgb) => 0,
            (None, Samples::Ntire) => match scale {
                Some(scale) => scale.ceil() + 6,
                None => {
                    return Err(Error::invalid(
                        "the protocol 'ntire' needs a scale, or a border to leave out",
                    ));
                }
            },
        };
        Ok(Self { protocol, scale, shave })
    }

    /// Compares a picture with the truth.
    ///
    /// # Errors
    /// [`Error::Picture`] when the sizes differ after cutting, or when the border leaves nothing.
    pub fn compare(&self, truth: &Picture, other: &Picture) -> Result<Similarity> {
        let cut = |picture| match self.scale {
            Some(scale) if self.protocol != Samples::Rgb => Cow::Owned(Picture::modcrop(picture, scale)),
            _ => Cow::Borrowed(picture),
        };
        let (a, b) = (cut(truth), cut(other));
        let (width, height) = (a.width, a.height);
        if (width, height) != (b.width, b.height) {
            return Err(Error::Picture(
                format!(
                    "sizes differ: {}x{} and {}x{}{}",
                    truth.width,
                    truth.height,
                    other.width,
                    other.height,
                    match self.scale {
                        None if self.protocol != Samples::Rgb =>
                            "; with a scale, both are cut to multiples of it",
                        _ => "",
                    }
                )
                .into(),
            ));
        }
        let left = |length: usize| length.saturating_sub(self.shave.saturating_mul(2));
        let (columns, rows) = (left(width), left(height));
        if columns == 0 || rows == 0 {
            return Err(Error::Picture(
                format!(
                    "{width}x{height} is too small: nothing is left without {} pixels on each side",
                    self.shave
                )
                .into(),
            ));
        }
        let middle = |planes: Vec<Vec<u8>>| -> Vec<Vec<u8>> {
            planes.iter().map(|plane| shave(plane, width, height, self.shave)).collect()
        };
        let (a, b) = self.planes(&a, &b);
        let (a, b) = (middle(a), middle(b));
        let pairs = || a.iter().zip(&b);
        let ssim = pairs().map(|(a, b)| ssim(a, b, columns, rows)).sum::<f64>() / a.len() as f64;
        Ok(Similarity { psnr: psnr(&a.concat(), &b.concat()), ssim })
    }

    fn planes(&self, a: &Picture, b: &Picture) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        if self.protocol != Samples::Srcnn {
            return (a.planes(Channels::Rgb), b.planes(Channels::Rgb));
        }
        // Programs store grey pictures as colors: luminance is spread over 0..255 in the one and over 16..235 in
        // the other. A grey picture beside true colors is what `eval --save` writes, luminance in 16..235.
        let plane = |picture: &Picture, other: &Picture| match picture.to_grey() {
            Some(grey) if other.is_grey() => grey.luminance(),
            _ => picture.luminance(),
        };
        (vec![plane(a, b)], vec![plane(b, a)])
    }
}

impl Similarity {
    /// The mean of both figures; `None` without any.
    pub fn mean<'a>(figures: impl IntoIterator<Item = &'a Similarity>) -> Option<Self> {
        let (mut psnr, mut ssim, mut count) = (0.0, 0.0, 0.0);
        for one in figures {
            psnr += one.psnr;
            ssim += one.ssim;
            count += 1.0;
        }
        (count > 0.0).then(|| Self { psnr: psnr / count, ssim: ssim / count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::DynamicImage;

    fn colors(width: u32, height: u32, shift: u32) -> DynamicImage {
        image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([x * 5 + shift, y * 3, x * y].map(|v| (v % 256) as u8))
        })
        .into()
    }

    fn picture(image: &DynamicImage) -> Picture {
        Picture::new(image, false)
    }

    fn rules(protocol: Samples, scale: Option<usize>, shave: Option<usize>) -> Comparison {
        Comparison::new(protocol, scale.map(Ratio::from), shave).unwrap()
    }

    #[test]
    fn borders_follow_the_protocol() {
        for (protocol, scale, shave, border) in [
            (Samples::Srcnn, None, None, 0),
            (Samples::Srcnn, Some(3), None, 3),
            (Samples::Srcnn, Some(3), Some(1), 1),
            (Samples::Ntire, Some(4), None, 10),
            (Samples::Ntire, None, Some(0), 0),
            (Samples::Rgb, Some(4), None, 0),
        ] {
            assert_eq!(rules(protocol, scale, shave).shave, border, "{protocol} {scale:?} {shave:?}");
        }
        assert!(Comparison::new(Samples::Ntire, None, None).is_err());
        assert!(Comparison::new(Samples::Srcnn, Some(0.into()), None).is_err());
        let between = Comparison::new(Samples::Srcnn, Some(Ratio::of(2.5).unwrap()), None).unwrap();
        assert_eq!(between.shave, 3);
        let (a, b) = (picture(&colors(23, 18, 0)), picture(&colors(20, 17, 0)));
        assert_eq!(between.compare(&a, &b).unwrap().psnr, f64::INFINITY);
    }

    /// One shifted channel: the mean square over all three is a third of that over the one.
    #[test]
    fn colors_count_all_samples() {
        let (a, b) = (colors(20, 15, 0), colors(20, 15, 2));
        let found = rules(Samples::Rgb, None, None).compare(&picture(&a), &picture(&b)).unwrap();
        let mse = f64::from(2 * 2) / 3.0;
        assert!((found.psnr - 10.0 * (255.0f64.powi(2) / mse).log10()).abs() < 1e-9, "{found:?}");
        let luminance = rules(Samples::Srcnn, None, None).compare(&picture(&a), &picture(&b)).unwrap();
        assert!(luminance.psnr > found.psnr && luminance.psnr.is_finite());
        assert!(found.ssim < 1.0 && found.ssim > 0.9);
    }

    #[test]
    fn sizes() {
        let (a, b) = (picture(&colors(20, 16, 0)), picture(&colors(18, 15, 0)));
        let text = |result: Result<Similarity>| result.unwrap_err().to_string();
        let told = text(rules(Samples::Srcnn, None, None).compare(&a, &b));
        assert!(told.contains("20x16 and 18x15") && told.contains("with a scale"), "{told}");
        assert_eq!(rules(Samples::Srcnn, Some(3), None).compare(&a, &b).unwrap().psnr, f64::INFINITY);
        assert!(!text(rules(Samples::Rgb, Some(3), None).compare(&a, &b)).contains("with a scale"));
        assert!(text(rules(Samples::Srcnn, Some(4), None).compare(&a, &b)).contains("differ"));
        assert!(text(rules(Samples::Srcnn, None, Some(8)).compare(&a, &a)).contains("too small"));
        assert!(rules(Samples::Srcnn, None, Some(usize::MAX)).compare(&a, &a).is_err());
    }

    /// A grey picture equals itself stored as colors, and the luminance of a colored one equals what `eval --save`
    /// writes of it.
    #[test]
    fn grey_beside_color() {
        let compare = |a: &DynamicImage, b: &DynamicImage| {
            rules(Samples::Srcnn, None, None).compare(&picture(a), &picture(b)).unwrap().psnr
        };
        let grey = DynamicImage::from(colors(20, 15, 0).to_luma8());
        let stored = DynamicImage::from(grey.to_rgb8());
        assert_eq!(compare(&grey, &stored), f64::INFINITY);
        assert_eq!(compare(&stored, &grey), f64::INFINITY);
        let color = colors(20, 15, 0);
        let saved = image::GrayImage::from_raw(20, 15, picture(&color).luminance()).unwrap().into();
        assert_eq!(compare(&color, &saved), f64::INFINITY);
        assert!(compare(&color, &grey) < 40.0);
    }

    #[test]
    fn names_round_trip() {
        for samples in Samples::ALL {
            assert_eq!(samples.to_string().parse::<Samples>().unwrap(), samples);
        }
        assert!("y".parse::<Samples>().is_err());
    }
}
