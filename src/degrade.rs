//! How training and test pictures lose their resolution: whole pictures are shrunk, and enlarged again by the bicubic
//! interpolation that a network starts from. Nothing is rounded in between.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::resample::{ResampleTable, apply};

/// How a picture loses its resolution.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Degradation {
    /// MATLAB's bicubic with antialiasing: the authors' released code and the evaluation's protocol.
    #[default]
    Bicubic,
    /// The paper's text: a Gaussian blur, sampled once for each pixel of the small picture, at that pixel's center. The
    /// kernel ends three standard deviations from there; edges are repeated.
    Gaussian {
        /// Standard deviation in pixels of the large picture.
        sigma: f64,
    },
}

impl fmt::Display for Degradation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bicubic => f.pad("bicubic"),
            Self::Gaussian { sigma } => write!(f, "gaussian:{sigma}"),
        }
    }
}

impl FromStr for Degradation {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let sigma = |text: &str| text.parse().ok().filter(|&sigma: &f64| sigma > 0.0 && sigma <= 64.0);
        match text.split_once(':') {
            None if text == "bicubic" => Ok(Self::Bicubic),
            Some(("gaussian", number)) if sigma(number).is_some() => {
                Ok(Self::Gaussian { sigma: sigma(number).unwrap_or_default() })
            }
            _ => Err(Error::invalid(format!(
                "degradation '{text}': bicubic, or gaussian:SIGMA with a SIGMA above 0 and at most 64"
            ))),
        }
    }
}

impl TryFrom<String> for Degradation {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Degradation> for String {
    fn from(degradation: Degradation) -> Self {
        degradation.to_string()
    }
}

/// Shrinks and enlarges pictures of one size.
#[derive(Debug, Clone)]
pub struct Degrader {
    down: [ResampleTable; 2],
    up: [ResampleTable; 2],
}

impl Degrader {
    /// For pictures of `width` x `height`, both multiples of `scale`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sizes that are not multiples of the scale, or empty.
    pub fn new(width: usize, height: usize, scale: usize, degradation: Degradation) -> Result<Self> {
        if scale == 0 || !width.is_multiple_of(scale) || !height.is_multiple_of(scale) {
            return Err(Error::invalid(format!("{width}x{height} are not multiples of the scale {scale}")));
        }
        let factor = scale as f64;
        let down = |length: usize| match degradation {
            Degradation::Bicubic => ResampleTable::bicubic(length, length / scale, 1.0 / factor),
            Degradation::Gaussian { sigma } => gaussian(length, scale, sigma),
        };
        let up = |length: usize| ResampleTable::bicubic(length / scale, length, factor);
        Ok(Self { down: [down(height)?, down(width)?], up: [up(height)?, up(width)?] })
    }

    /// `[height][width]` to `[height / scale][width / scale]`.
    pub fn shrink(&self, plane: &[f64]) -> Vec<f64> {
        apply(plane, &self.down[0], &self.down[1])
    }

    /// `[height / scale][width / scale]` to `[height][width]`, by bicubic.
    pub fn enlarge(&self, plane: &[f64]) -> Vec<f64> {
        apply(plane, &self.up[0], &self.up[1])
    }
}

/// Blur and subsampling of one axis. Output sample i is centered on its `scale` input samples, where bicubic enlargement
/// puts it, so that even scales do not shift the picture.
fn gaussian(input_len: usize, scale: usize, sigma: f64) -> Result<ResampleTable> {
    if input_len == 0 {
        return Err(Error::invalid("a picture has at least one pixel on each axis"));
    }
    let output_len = input_len / scale;
    let offset = (scale - 1) as f64 / 2.0;
    let reach = (3.0 * sigma).max(0.5).floor() as i64 + 1;
    let taps = (2 * reach + 1) as usize;
    let mut table = ResampleTable { input_len, output_len, taps, indices: Vec::new(), weights: Vec::new() };
    for i in 0..output_len {
        let center = (i * scale) as f64 + offset;
        let first = center.floor() as i64 - reach;
        let row = table.weights.len();
        for at in first..first + taps as i64 {
            let distance = (at as f64 - center) / sigma;
            // The two middle samples of even scales count for any sigma.
            let inside = distance.abs() <= 3.0 || (at as f64 - center).abs() <= 0.5;
            table.weights.push(if inside { (-0.5 * distance * distance).exp() } else { 0.0 });
            table.indices.push(at.clamp(0, input_len as i64 - 1) as u32);
        }
        let sum: f64 = table.weights[row..].iter().sum();
        table.weights[row..].iter_mut().for_each(|w| *w /= sum);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["bicubic", "gaussian:1.6"] {
            assert_eq!(name.parse::<Degradation>().unwrap().to_string(), name);
        }
        for name in ["gaussian", "gaussian:", "gaussian:0", "gaussian:nan", "gaussian:99", "box", "bicubic:2"]
        {
            assert!(name.parse::<Degradation>().is_err(), "{name}");
        }
    }

    /// A constant stays what it is, and a ramp is sampled at the centers: interpolation restores it.
    #[test]
    fn neither_brightens_nor_shifts() {
        for degradation in [Degradation::Bicubic, Degradation::Gaussian { sigma: 1.3 }] {
            for scale in 2..=5 {
                let (width, height) = (20 * scale, 12 * scale);
                let degrader = Degrader::new(width, height, scale, degradation).unwrap();
                let low = degrader.shrink(&vec![0.25; width * height]);
                assert_eq!(low.len(), 240);
                assert!(low.iter().all(|v| (v - 0.25).abs() < 1e-12));
                let ramp: Vec<f64> =
                    (0..width * height).map(|i| (i % width) as f64 + 0.5 * (i / width) as f64).collect();
                let back = degrader.enlarge(&degrader.shrink(&ramp));
                let at = height / 2 * width + width / 2;
                assert!(
                    (back[at] - ramp[at]).abs() < 1e-9,
                    "{degradation} x{scale}: {} {}",
                    back[at],
                    ramp[at]
                );
            }
        }
    }

    /// Each weight equals the Gaussian by its definition.
    #[test]
    fn gaussian_weights() {
        let table = gaussian(30, 3, 1.0).unwrap();
        let row = 5 * table.taps..6 * table.taps;
        let center = 16.0; // 3 * 5 + 1
        let exact = |at: f64| {
            let sum: f64 = (-3..=3).map(|d| (-0.5 * f64::from(d * d)).exp()).sum();
            (-0.5 * (at - center) * (at - center)).exp() / sum
        };
        for (index, weight) in table.indices[row.clone()].iter().zip(&table.weights[row]) {
            let at = f64::from(*index);
            let expected = if (at - center).abs() <= 3.0 { exact(at) } else { 0.0 };
            assert!((weight - expected).abs() < 1e-15, "{at}: {weight} {expected}");
        }
    }

    #[test]
    fn sizes_are_multiples() {
        assert!(Degrader::new(10, 9, 3, Degradation::Bicubic).is_err());
        assert!(Degrader::new(0, 9, 3, Degradation::Bicubic).is_err());
        assert!(Degrader::new(9, 9, 0, Degradation::Gaussian { sigma: 1.0 }).is_err());
    }
}
