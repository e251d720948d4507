//! Factors as ratios of whole numbers. Pictures can be cut to sizes that a factor divides, and places in them be found without
//! rounding.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

/// A factor as the ratio `up / down` in lowest terms: 5/2 for 2.5. Whole numbers are ratios too: `3.into()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    up: usize,
    down: usize,
}

impl Ratio {
    /// Nothing is enlarged.
    pub const ONE: Self = Self { up: 1, down: 1 };
    /// The largest denominator of the factors that pictures are shrunk by and measured at.
    pub const MOST_PARTS: usize = 16;
    /// More than any picture's side.
    const LARGEST: f64 = 65536.0;
    /// How far a number may be from the ratio that it stands for. Two ratios with denominators up to 16 are 1/240 apart at least;
    /// the scales of weight files have 24 bits, and factors are printed with six decimals.
    const TOLERANCE: f64 = 1e-6;

    /// The factor that pictures are shrunk by and measured at: the ratio with the smallest denominator, up to 16, that is this
    /// number but for its last digits: 5/2 for 2.5, 9/4 for 2.25, 7/3 for 2.333333.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a number that is not between 1 and 65536, or is no such ratio.
    pub fn of(factor: f64) -> Result<Self> {
        if !(1.0..=Self::LARGEST).contains(&factor) {
            return Err(Error::invalid(format!("a factor from 1 on is needed, not {factor}")));
        }
        Self::within(factor, Self::MOST_PARTS, Self::TOLERANCE).ok_or_else(|| {
            let ratios = (1..=Self::MOST_PARTS).map(|down| Self::near(factor, down));
            let distance = |ratio: &Self| (ratio.value() - factor).abs();
            let nearest = ratios.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(Self::ONE);
            Error::invalid(format!(
                "a factor is a ratio of whole numbers with a denominator up to {}, such as 2.5 or 2.25; the nearest to {factor} \
                 is {nearest}",
                Self::MOST_PARTS
            ))
        })
    }

    /// The ratio with the smallest denominator, up to `most_parts`, that is closer than `tolerance` to a number from 1 on.
    pub(crate) fn within(factor: f64, most_parts: usize, tolerance: f64) -> Option<Self> {
        let mut ratios = (1..=most_parts).map(|down| Self::near(factor, down));
        ratios.find(|ratio| (ratio.value() - factor).abs() < tolerance)
    }

    /// How many times larger it is than another, in lowest terms.
    #[cfg(feature = "onnx")]
    pub(crate) fn over(self, other: Self) -> Self {
        let (up, down) = (self.up * other.down, self.down * other.up);
        let (mut common, mut left) = (up, down);
        while left > 0 {
            (common, left) = (left, common % left);
        }
        Self { up: up / common.max(1), down: down / common.max(1) }
    }

    /// The nearest ratio of this denominator, which may not be in lowest terms.
    fn near(factor: f64, down: usize) -> Self {
        Self { up: (factor * down as f64).round() as usize, down }
    }

    /// The numerator. Sides of large pictures are multiples of it.
    pub fn up(self) -> usize {
        self.up
    }

    /// The denominator, 1 or more. Sides of small pictures are multiples of it.
    pub fn down(self) -> usize {
        self.down
    }

    /// The factor as a number.
    pub fn value(self) -> f64 {
        self.up as f64 / self.down as f64
    }

    /// The factor, if it is a whole number.
    pub fn whole(self) -> Option<usize> {
        (self.down == 1).then_some(self.up)
    }

    /// The factor rounded up.
    pub fn ceil(self) -> usize {
        self.up.div_ceil(self.down)
    }

    /// Whether it is above 1.
    pub fn enlarges(self) -> bool {
        self.up > self.down
    }

    /// Whether f64 holds the factor exactly, so that the sizes that it gives need no rounding.
    pub fn is_exact(self) -> bool {
        self.down.is_power_of_two()
    }

    /// The largest length, up to this one, that the factor divides into a whole length: a multiple of the numerator.
    pub fn cut(self, length: usize) -> usize {
        length - length % self.up.max(1)
    }

    /// The whole length that is this one divided by the factor, or, where that is none, what [`Ratio::cut`] leaves of it.
    pub fn shrunk(self, length: usize) -> usize {
        length / self.up.max(1) * self.down
    }
}

impl From<usize> for Ratio {
    fn from(factor: usize) -> Self {
        Self { up: factor, down: 1 }
    }
}

impl PartialEq<usize> for Ratio {
    fn eq(&self, factor: &usize) -> bool {
        self.whole() == Some(*factor)
    }
}

/// `3` and `2.5`; six decimals at most, which [`Ratio::of`] reads back.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.6}", self.value());
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl FromStr for Ratio {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::of(text.trim().parse().map_err(|_| Error::invalid("a number is needed"))?)
    }
}

/// A number: a whole one where the factor is whole.
impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.whole() {
            Some(factor) => factor.serialize(serializer),
            None => self.value().serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_ratios() {
        for (factor, up, down, text) in [
            (1.0, 1, 1, "1"),
            (3.0, 3, 1, "3"),
            (10.0, 10, 1, "10"),
            (1.5, 3, 2, "1.5"),
            (2.5, 5, 2, "2.5"),
            (2.25, 9, 4, "2.25"),
            (7.0 / 3.0, 7, 3, "2.333333"),
            (f64::from(7.0_f32 / 3.0), 7, 3, "2.333333"),
            (1.1, 11, 10, "1.1"),
            (3.0625, 49, 16, "3.0625"),
        ] {
            let ratio = Ratio::of(factor).unwrap();
            assert_eq!((ratio.up(), ratio.down()), (up, down), "{factor}");
            assert_eq!((ratio.to_string().as_str(), text.parse::<Ratio>().unwrap()), (text, ratio));
            assert!((ratio.value() - factor).abs() < 1e-6);
        }
        assert_eq!(format!("{:>5}", Ratio::of(2.5).unwrap()), "  2.5");
    }

    /// Every ratio with a denominator up to 16 is found again in lowest terms, from its number and from its text.
    #[test]
    fn all_ratios_come_back() {
        for down in 1..=Ratio::MOST_PARTS {
            for up in down..=4 * down {
                let ratio = Ratio::of(up as f64 / down as f64).unwrap();
                assert!(ratio.up() * down == up * ratio.down() && ratio.down() <= down, "{up}/{down}");
                assert_eq!(ratio.to_string().parse::<Ratio>().unwrap(), ratio);
            }
        }
    }

    #[test]
    fn other_numbers_are_refused() {
        let told = Ratio::of(2.71).unwrap_err().to_string();
        assert!(told.contains("denominator up to 16") && told.contains("2.71 is 2.714286"), "{told}");
        for factor in [0.0, 0.5, 0.999_999_9, -2.0, f64::NAN, f64::INFINITY, 65537.0] {
            assert!(Ratio::of(factor).unwrap_err().to_string().contains("from 1 on"), "{factor}");
        }
        for factor in [1.001, 2.5001, 1.0 + 1.0 / 17.0] {
            assert!(Ratio::of(factor).is_err(), "{factor}");
        }
        assert!("two".parse::<Ratio>().unwrap_err().to_string().contains("a number is needed"));
    }

    #[test]
    fn lengths() {
        let ratio = Ratio::of(2.5).unwrap();
        assert_eq!((ratio.cut(64), ratio.cut(4), ratio.shrunk(60), ratio.shrunk(64)), (60, 0, 24, 24));
        assert_eq!((ratio.ceil(), ratio.whole(), ratio.enlarges()), (3, None, true));
        let whole = Ratio::from(3);
        assert!(whole == 3 && whole != 2 && ratio != 2 && !Ratio::ONE.enlarges());
        assert_eq!((whole.cut(64), whole.shrunk(64), whole.ceil(), whole.whole()), (63, 21, 3, Some(3)));
        // Nothing is divided by a factor that is none.
        assert_eq!((Ratio::from(0).cut(7), Ratio::from(0).shrunk(7)), (7, 7));
    }

    #[test]
    fn numbers_in_json() {
        let json = |ratio: Ratio| serde_json::to_string(&ratio).unwrap();
        assert_eq!((json(3.into()), json(Ratio::of(2.5).unwrap())), ("3".into(), "2.5".into()));
    }
}
