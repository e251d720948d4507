//! The shape of an SRCNN (section 3.1): a stack of convolution layers with a ReLU after each but the last, and how they
//! treat a picture's edges.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::limits::Limit;

/// How a layer sees pixels outside of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// Each layer repeats the edge values of its own input, as the authors' released code does.
    #[default]
    Replicate,
    /// The paper's text (section 4, implementation details): zeros outside, and the sum at a pixel is
    /// divided by the fraction of the filter's taps that are valid input pixels, before bias and ReLU.
    Normalized,
    /// Zeros outside, nothing else.
    Zero,
    /// No padding: each layer's output is smaller than its input by the filter size less one.
    Valid,
}

/// What the channels of a network's input and output are; values are gamma-encoded, in 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Luminance of BT.601 as MATLAB's `rgb2ycbcr`, 16/255 to 235/255 (c = 1).
    #[default]
    Y,
    /// Luminance and both chrominances, as `rgb2ycbcr` (c = 3).
    YCbCr,
    /// Red, green, blue (c = 3).
    Rgb,
}

impl Channels {
    /// The paper's c: channels of the network's input and output.
    pub fn count(self) -> usize {
        match self {
            Channels::Y => 1,
            Channels::YCbCr | Channels::Rgb => 3,
        }
    }
}

macro_rules! names {
    ($type:ty, $what:literal, $($variant:path => $name:literal),+) => {
        impl $type {
            /// The names in weight files and on the command line.
            pub const NAMES: &'static [&'static str] = &[$($name),+];
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $($variant => $name),+ })
            }
        }
        impl FromStr for $type {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                match text.to_ascii_lowercase().as_str() {
                    $($name => Ok($variant),)+
                    _ => Err(Error::invalid(format!(
                        concat!("unknown ", $what, " '{}'; one of: {}"), text, Self::NAMES.join(", ")
                    ))),
                }
            }
        }
    };
}
pub(crate) use names;

names!(Padding, "padding", Padding::Replicate => "replicate", Padding::Normalized => "normalized",
    Padding::Zero => "zero", Padding::Valid => "valid");
names!(Channels, "channels", Channels::Y => "y", Channels::YCbCr => "ycbcr", Channels::Rgb => "rgb");

/// The shape of one layer: `filters` filters of size `inputs` x `size` x `size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LayerShape {
    /// Feature maps that the layer reads.
    pub inputs: usize,
    /// Feature maps that the layer writes: n in the paper.
    pub filters: usize,
    /// Width and height of a filter: f in the paper, odd.
    pub size: usize,
}

impl LayerShape {
    /// Pixels that a filter reaches to each side: (f - 1) / 2.
    pub fn radius(&self) -> usize {
        self.size / 2
    }

    /// Products that are summed for one output value.
    pub fn products(&self) -> usize {
        self.inputs * self.size * self.size
    }

    /// Number of weights, without biases.
    pub fn weights(&self) -> usize {
        self.products() * self.filters
    }
}

/// Factors of the valid-pixel map on one axis (section 4, [`Padding::Normalized`]): f over the number of the filter's taps
/// that fall inside a picture of `len` pixels. The map at a pixel is the product of its column's and row's factor.
pub(crate) fn valid_factors(len: usize, filter_size: usize) -> impl Iterator<Item = f32> {
    let radius = filter_size / 2;
    (0..len).map(move |x| {
        let inside = (x + radius + 1).min(len) - x.saturating_sub(radius);
        filter_size as f32 / inside as f32
    })
}

/// A network's shape: filter sizes `9-1-5`, filter counts `64-32`, and c.
///
/// The last layer has as many filters as the first one has input channels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Architecture {
    layers: Vec<LayerShape>,
}

impl Architecture {
    /// Largest filter size and count that are accepted, far above any use: a guard against absurd files.
    const MAX_SIZE: usize = 63;
    const MAX_FILTERS: usize = 4096;

    /// `sizes` are the filter sizes of all layers (f1, f2, ..), `filters` the filter counts of all but
    /// the last (n1, n2, ..), `channels` is c.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for fewer than two layers, even or huge sizes, counts of zero, more than
    /// 16777216 parameters in all, or lists that do not match.
    pub fn new(sizes: &[usize], filters: &[usize], channels: usize) -> Result<Self> {
        if sizes.len() < 2 {
            return Err(Error::invalid("a network has two layers or more, such as 9-1-5"));
        }
        if filters.len() + 1 != sizes.len() {
            return Err(Error::invalid(format!(
                "{} layers need {} filter counts (the last layer has as many filters as the picture has channels), got {}",
                sizes.len(),
                sizes.len() - 1,
                filters.len()
            )));
        }
        if let Some(size) = sizes.iter().find(|&&s| s % 2 == 0 || s > Self::MAX_SIZE) {
            return Err(Error::invalid(format!(
                "filter size {size}: sizes are odd and at most {}",
                Self::MAX_SIZE
            )));
        }
        if let Some(count) = filters.iter().find(|&&n| n == 0 || n > Self::MAX_FILTERS) {
            return Err(Error::invalid(format!("{count} filters: 1 to {}", Self::MAX_FILTERS)));
        }
        if channels != 1 && channels != 3 {
            return Err(Error::invalid(format!("{channels} channels: a network has 1 or 3")));
        }
        let mut inputs = channels;
        let layers: Vec<LayerShape> = sizes
            .iter()
            .zip(filters.iter().chain([&channels]))
            .map(|(&size, &filters)| {
                let shape = LayerShape { inputs, filters, size };
                inputs = filters;
                shape
            })
            .collect();
        let parameters = layers.iter().map(|layer| layer.weights() + layer.filters);
        let parameters = parameters.fold(0, usize::saturating_add);
        let most = Self::max_parameters();
        if parameters > most {
            return Err(Error::invalid(Limit::Weights.exceeded(format!(
                "{parameters} parameters in all layers: at most {most}; use fewer or smaller filters"
            ))));
        }
        Ok(Self { layers })
    }

    /// Most parameters of a network, weights and biases of all layers: in double precision, twice as many fill the largest
    /// weight file. 16 million, unless the limit is another; 9-1-5 64-32 has 8129.
    pub(crate) fn max_parameters() -> usize {
        usize::try_from(Limit::Weights.get() / 16).unwrap_or(usize::MAX)
    }

    /// From text: `parse("9-1-5", "64-32", 1)`.
    ///
    /// # Errors
    /// As [`Architecture::new`], and for words that are not numbers between dashes.
    pub fn parse(sizes: &str, filters: &str, channels: usize) -> Result<Self> {
        let numbers = |text: &str| -> Result<Vec<usize>> {
            text.split('-')
                .map(|part| {
                    part.trim().parse().map_err(|_| {
                        Error::invalid(format!("'{text}' is not a list of numbers such as 9-1-5"))
                    })
                })
                .collect()
        };
        Self::new(&numbers(sizes)?, &numbers(filters)?, channels)
    }

    /// The layers, first to last; two or more.
    pub fn layers(&self) -> &[LayerShape] {
        &self.layers
    }

    /// c: channels of input and output.
    pub fn channels(&self) -> usize {
        self.layers[0].inputs
    }

    /// Pixels of context that an output pixel needs on each side: 6 for 9-1-5, 8 for 9-5-5.
    pub fn radius(&self) -> usize {
        self.layers.iter().map(LayerShape::radius).sum()
    }

    /// Filter sizes as written: `9-1-5`.
    pub fn sizes(&self) -> String {
        join(self.layers.iter().map(|l| l.size))
    }

    /// Filter counts as written: `64-32`.
    pub fn filters(&self) -> String {
        join(self.layers[..self.layers.len() - 1].iter().map(|l| l.filters))
    }

    /// Multiply-adds for one output pixel: 8032 for 9-1-5 64-32.
    pub fn multiply_adds(&self) -> usize {
        self.layers.iter().map(LayerShape::weights).sum()
    }
}

fn join(numbers: impl Iterator<Item = usize>) -> String {
    numbers.map(|n| n.to_string()).collect::<Vec<_>>().join("-")
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sizes(), self.filters())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paper_default() {
        let a = Architecture::parse("9-1-5", "64-32", 1).unwrap();
        assert_eq!((a.radius(), a.multiply_adds()), (6, 8032));
        assert_eq!(a.to_string(), "9-1-5 64-32");
        assert_eq!(a.layers()[2], LayerShape { inputs: 32, filters: 1, size: 5 });
    }

    #[test]
    fn valid_factors_count_taps() {
        let factors: Vec<f32> = valid_factors(4, 5).collect();
        assert_eq!(factors, [5.0 / 3.0, 5.0 / 4.0, 5.0 / 4.0, 5.0 / 3.0]);
        assert_eq!(valid_factors(1, 9).collect::<Vec<_>>(), [9.0]);
    }

    #[test]
    fn refuses_nonsense() {
        for (sizes, filters, channels) in [
            ("9", "", 1),
            ("9-1-5", "64", 1),
            ("8-1-5", "64-32", 1),
            ("9-1-5", "0-32", 1),
            ("9-1-5", "64-32", 2),
            ("9-x-5", "64-32", 1),
            ("9-1-65", "64-32", 1),
            ("63-63-63", "4096-4096", 1),
        ] {
            assert!(Architecture::parse(sizes, filters, channels).is_err(), "{sizes} {filters} {channels}");
        }
    }

    #[test]
    fn names_round_trip() {
        for name in Padding::NAMES {
            assert_eq!(name.parse::<Padding>().unwrap().to_string(), *name);
        }
        assert!("mirror".parse::<Padding>().unwrap_err().to_string().contains("replicate, normalized"));
    }
}
