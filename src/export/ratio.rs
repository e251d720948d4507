//! Scales as ratios of whole numbers, so that exported files find each pixel's place without rounding.

use crate::error::{Error, Result};
use crate::ratio::Ratio;

/// Largest denominator. Places in pictures stay below 2^31 with it, which some runtimes count in.
const MOST_PARTS: usize = 1000;
/// Largest scale.
const LARGEST: f64 = 64.0;

/// The ratio of a scale above 1 for exported files: 3/2 for 1.5, 17/10 for 1.7.
///
/// # Errors
/// [`Error::InvalidArgument`] for a scale that is not between 1 and 64, or has no denominator up to 1000.
pub fn ratio(scale: f64) -> Result<Ratio> {
    if !(scale > 1.0 && scale <= LARGEST) {
        return Err(Error::invalid(format!("scale {scale}: a number above 1 and up to {LARGEST}")));
    }
    Ratio::within(scale, MOST_PARTS, 1e-12 * scale).filter(|ratio| ratio.enlarges()).ok_or_else(|| {
        Error::invalid(format!(
            "scale {scale}: exported files take fractions with a denominator up to {MOST_PARTS}, such as 1.5 or 2.25"
        ))
    })
}

/// The same of a scale that a network was trained for: weight files hold it with 24 bits, and it may be any number above 1.
///
/// # Errors
/// [`Error::InvalidArgument`] for one that is not near such a fraction.
#[cfg(feature = "onnx")]
pub fn trained_ratio(scale: f64) -> Result<Ratio> {
    Ratio::within(scale, MOST_PARTS, 1e-6).map_or_else(|| ratio(scale), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_as_ratios() {
        for (scale, up, down) in
            [(2.0, 2, 1), (1.5, 3, 2), (1.7, 17, 10), (2.25, 9, 4), (4.0 / 3.0, 4, 3), (1.001, 1001, 1000)]
        {
            let ratio = ratio(scale).unwrap();
            assert_eq!((ratio.up(), ratio.down()), (up, down), "{scale}");
            assert_eq!(ratio.value(), scale);
        }
        assert!(ratio(2.25).unwrap().is_exact() && !ratio(1.7).unwrap().is_exact());
        for scale in [1.0, 0.5, f64::NAN, f64::INFINITY, 65.0, std::f64::consts::PI, 1.00001] {
            assert!(ratio(scale).is_err(), "{scale}");
        }
    }
}
