//! Scales as ratios of whole numbers, so that exported files find each pixel's place without rounding.

use crate::error::{Error, Result};

/// A scale as the ratio `up / down` in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// So many pixels after the enlargement ..
    pub up: u32,
    /// .. for so many before.
    pub down: u32,
}

impl Ratio {
    /// Largest denominator. Places in pictures stay below 2^31 with it, which some runtimes count in.
    const MOST_PARTS: u32 = 1000;
    /// Largest scale.
    const LARGEST: f64 = 64.0;

    /// The ratio of a scale above 1: 3/2 for 1.5, 17/10 for 1.7.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a scale that is not between 1 and 64, or has no denominator up to 1000.
    pub fn of(scale: f64) -> Result<Self> {
        if !(scale > 1.0 && scale <= Self::LARGEST) {
            return Err(Error::invalid(format!(
                "scale {scale}: a number above 1 and up to {}",
                Self::LARGEST
            )));
        }
        let parts = |down: &u32| {
            let up = (scale * f64::from(*down)).round();
            (up / f64::from(*down) - scale).abs() < 1e-12 * scale && up > f64::from(*down)
        };
        match (1..=Self::MOST_PARTS).find(parts) {
            Some(down) => Ok(Self { up: (scale * f64::from(down)).round() as u32, down }),
            None => Err(Error::invalid(format!(
                "scale {scale}: exported files take fractions with a denominator up to {}, such as 1.5 or 2.25",
                Self::MOST_PARTS
            ))),
        }
    }

    /// Whether f64 holds the scale exactly, so that the sizes that it gives need no rounding.
    pub fn is_exact(self) -> bool {
        self.down.is_power_of_two()
    }

    /// The scale.
    pub fn value(self) -> f64 {
        f64::from(self.up) / f64::from(self.down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_as_ratios() {
        for (scale, up, down) in
            [(2.0, 2, 1), (1.5, 3, 2), (1.7, 17, 10), (2.25, 9, 4), (4.0 / 3.0, 4, 3), (1.001, 1001, 1000)]
        {
            let ratio = Ratio::of(scale).unwrap();
            assert_eq!((ratio.up, ratio.down), (up, down), "{scale}");
            assert_eq!(ratio.value(), scale);
        }
        assert!(Ratio::of(2.25).unwrap().is_exact() && !Ratio::of(1.7).unwrap().is_exact());
        for scale in [1.0, 0.5, f64::NAN, f64::INFINITY, 65.0, std::f64::consts::PI, 1.00001] {
            assert!(Ratio::of(scale).is_err(), "{scale}");
        }
    }
}
