//! Single and half precision.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::network::names;

/// What the hidden layers of a network are computed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits throughout.
    #[default]
    F32,
    /// Filters, products, their sums over a few input channels, and feature maps in 16 bits. Those sums are added up in 32
    /// bits; biases, the input, and the whole last layer are in 32 bits too. Needs [`wgpu::Features::SHADER_F16`].
    F16,
}
names!(Precision, "precision", Precision::F32 => "f32", Precision::F16 => "f16");

impl Precision {
    /// Features that a device needs beyond [`Upscaler::required_features`](crate::Upscaler::required_features).
    pub fn required_features(self) -> wgpu::Features {
        match self {
            Self::F32 => wgpu::Features::empty(),
            Self::F16 => wgpu::Features::SHADER_F16,
        }
    }

    /// Whether a device was opened with what this precision needs.
    ///
    /// # Errors
    /// [`Error::MissingCapability`] when it was not.
    pub fn check(self, device: &wgpu::Device) -> Result<()> {
        if device.features().contains(self.required_features()) {
            return Ok(());
        }
        Err(Error::MissingCapability(format!(
            "16-bit floats in shaders (SHADER_F16), which {self} needs; {} does without",
            Self::F32
        )))
    }

    /// Bytes of a number.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    /// A generous bound on the error of a network's result relative to its largest value, for maps with values around 1, two
    /// hidden layers, and sums of up to 100 products in a block.
    #[cfg(feature = "headless")]
    pub(crate) fn tolerance(self) -> f64 {
        match self {
            Self::F32 => 1e-4,
            // Rounding errors of products and sums are independent, so they grow as the root of their number.
            Self::F16 => 2.0 * 100f64.sqrt() * 2.0 * self.unit_roundoff(),
        }
    }

    /// Half the distance from 1 to the next number: the largest relative error of rounding.
    pub fn unit_roundoff(self) -> f64 {
        match self {
            Self::F32 => 2f64.powi(-24),
            Self::F16 => 2f64.powi(-11),
        }
    }
}

/// The nearest number of 16 bits, as its bits; infinite from 65520 on.
pub(crate) fn half(value: f32) -> u16 {
    let bits = value.to_bits();
    let magnitude = bits & 0x7fff_ffff;
    let half = if magnitude > f32::INFINITY.to_bits() {
        0x7e00
    } else if magnitude >= 65520f32.to_bits() {
        0x7c00
    } else if magnitude < 2f32.powi(-14).to_bits() {
        // Multiples of 2^-24: half precision's subnormal numbers.
        (value.abs() * 2f32.powi(24)).round_ties_even() as u32
    } else {
        // 13 bits of the fraction go, ties to even; exponents count from 15 instead of 127.
        ((magnitude + 0xfff + (magnitude >> 13 & 1)) >> 13) - ((127 - 15) << 10)
    };
    half as u16 | (bits >> 16) as u16 & 0x8000
}

/// A value rounded to 16 bits.
pub(crate) fn rounded(value: f32) -> f32 {
    let bits = u32::from(half(value));
    let magnitude = match bits & 0x7fff {
        0x7c00.. => return f32::NAN,
        small @ ..0x400 => small as f32 * 2f32.powi(-24),
        normal => f32::from_bits((normal + ((127 - 15) << 10)) << 13),
    };
    magnitude.copysign(value)
}

/// The taps of a filter rounded to 16 bits, each together with the rounding error of those before it. This preserves their
/// sum, and with it the filter's response to a flat part of a picture; rounded one by one, all filters together would shift
/// its brightness.
pub(crate) fn rounded_filter(taps: &[f32]) -> impl Iterator<Item = f32> {
    taps.iter().scan(0.0, |left, &tap| {
        let wanted = tap + *left;
        let nearest = rounded(wanted);
        *left = wanted - nearest;
        Some(nearest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_halves() {
        for (value, bits) in [
            (0.0, 0),
            (-0.0, 0x8000),
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            (65504.0, 0x7bff),
            (65519.9, 0x7bff),
            (65520.0, 0x7c00),
            (f32::NEG_INFINITY, 0xfc00),
            (2f32.powi(-14), 0x0400),
            (2f32.powi(-24), 1),
            (2f32.powi(-25), 0),
            (1.5 * 2f32.powi(-24), 2),
            (1.0 / 3.0, 0x3555),
            // Halfway between two: the even one.
            (1.0 + 2f32.powi(-11), 0x3c00),
            (1.0 + 3.0 * 2f32.powi(-11), 0x3c02),
        ] {
            assert_eq!(half(value), bits, "{value}");
        }
        assert!(half(f32::NAN) & 0x7fff > 0x7c00);
    }

    /// Every number of 16 bits is kept, and numbers near it round to it.
    #[test]
    fn rounding_goes_to_the_nearest() {
        let mut last = 0.0;
        for bits in 0..0x7c00u16 {
            let normal = if bits < 0x400 { 0.0 } else { 1.0 };
            let exponent = i32::from(bits >> 10).max(1) - 25;
            let value = (1024.0 * normal + f32::from(bits & 0x3ff)) * 2f32.powi(exponent);
            assert_eq!((half(value), rounded(-value)), (bits, -value));
            assert!(bits == 0 || value > last);
            assert_eq!(rounded(value + 0.49 * (value - last)), value, "{bits:x}");
            last = value;
        }
    }

    #[test]
    fn the_sum_of_a_filter_stays() {
        let taps: Vec<f32> = (0..81).map(|i| (i * 37 % 64) as f32 / 640.3 - 0.04).collect();
        let sum = |taps: &mut dyn Iterator<Item = f32>| taps.map(f64::from).sum::<f64>();
        let exact = sum(&mut taps.iter().copied());
        let error = |taps: &mut dyn Iterator<Item = f32>| (sum(taps) - exact).abs();
        let alone = error(&mut taps.iter().map(|&tap| rounded(tap)));
        let together = error(&mut rounded_filter(&taps));
        assert!(together < 2f64.powi(-16) && together < alone / 4.0, "{together:e} {alone:e}");
        assert!(
            rounded_filter(&taps).zip(&taps).all(|(nearest, tap)| (nearest - tap).abs() < 2f32.powi(-14))
        );
    }

    #[test]
    fn names_round_trip() {
        for name in Precision::NAMES {
            assert_eq!(name.parse::<Precision>().unwrap().to_string(), *name);
        }
    }
}
