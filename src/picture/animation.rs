//! What an animation is, whatever its file format: frames, repetitions, delays.

use super::memory;

/// How long a frame is shown, as a fraction of milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    numerator: u32,
    denominator: u32,
}

impl Delay {
    pub const NONE: Self = Self { numerator: 0, denominator: 1 };

    /// `numerator / denominator` milliseconds.
    pub fn new(numerator: u32, denominator: u32) -> Self {
        Self { numerator, denominator }
    }

    /// Rounded to whole milliseconds.
    pub fn milliseconds(self) -> u32 {
        let (numerator, denominator) = (u64::from(self.numerator), u64::from(self.denominator.max(1)));
        u32::try_from((numerator + denominator / 2) / denominator).unwrap_or(u32::MAX)
    }

    /// A fraction of seconds in two 16-bit numbers: exact if possible, else rounded to milliseconds.
    pub fn as_fraction(self) -> (u16, u16) {
        let (mut a, mut b) = (u64::from(self.numerator), u64::from(self.denominator.max(1)) * 1000);
        let mut divisor = (a, b);
        while divisor.1 > 0 {
            divisor = (divisor.1, divisor.0 % divisor.1);
        }
        (a, b) = (a / divisor.0.max(1), b / divisor.0.max(1));
        match (u16::try_from(a), u16::try_from(b)) {
            (Ok(a), Ok(b)) => (a, b),
            _ => (u16::try_from(self.milliseconds()).unwrap_or(u16::MAX), 1000),
        }
    }
}

/// What is known about an animation before its frames are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Animation {
    pub frames: u32,
    /// 0 is endless.
    pub plays: u32,
    /// Whether frames leave parts of the picture transparent, even if their pixels have no alpha.
    pub clears: bool,
}

impl Animation {
    /// `None` for a single picture.
    pub fn new(frames: u32, plays: u32, clears: bool) -> Option<Self> {
        (frames > 1).then_some(Self { frames, plays, clears })
    }
}

/// Bytes that pixels may take although little is stored of them.
const SPARSE: u64 = 1 << 26;

/// In words, why a picture of `size` pixels is not composed: its largest frame, of `largest` pixels, covers hardly any of it,
/// so that a tiny file would take a lot of memory. `None` for any other picture.
pub fn sparse(size: (u32, u32), largest: u64) -> Option<String> {
    let needed = 4 * u64::from(size.0) * u64::from(size.1);
    (needed > SPARSE.max(64 * 4 * largest)).then(|| {
        let needed = memory::bytes(needed.into());
        format!(
            "its picture of {}x{} pixels, which needs {needed} of memory, exceeds its frames by far",
            size.0, size.1
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays() {
        assert_eq!(Delay::new(100, 1).as_fraction(), (1, 10));
        assert_eq!(Delay::new(1000, 30).as_fraction(), (1, 30));
        assert_eq!(Delay::new(1000, 30).milliseconds(), 33);
        assert_eq!(Delay::new(70_001, 1).as_fraction(), (65535, 1000));
        assert_eq!(Delay::new(1001 * 1000, 30_000).as_fraction(), (1001, 30_000));
        assert_eq!(Delay::NONE.as_fraction(), (0, 1));
    }

    #[test]
    fn pictures_that_are_hardly_there() {
        assert_eq!(sparse((4000, 4000), 1), None);
        assert_eq!(sparse((30_000, 30_000), 30_000 * 500), None);
        let why = sparse((30_000, 30_000), 100).unwrap();
        assert!(why.contains("30000x30000") && why.contains("3.4 GiB"), "{why}");
    }
}
