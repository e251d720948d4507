//! Resolutions: how many pixels lie on an inch of paper, as formats write it down.

/// A resolution as it was read, so that it comes back unchanged in the same format.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Density {
    /// JPEG: 1 for inches or 2 for centimeters, 0 for proportions alone; numbers on both axes.
    Jfif(u8, u16, u16),
    /// PNG: numbers on both axes, and whether they are for a meter or proportions alone.
    Phys(u32, u32, bool),
}

/// Inches in a meter.
const INCHES: f64 = 1.0 / 0.0254;

impl Density {
    /// From a JFIF segment; `None` from another one, and where it says nothing.
    pub fn of_jfif(data: &[u8]) -> Option<Self> {
        let [_, _, unit, x1, x0, y1, y0, ..] = data.strip_prefix(b"JFIF\0".as_slice())? else { return None };
        let (x, y) = (u16::from_be_bytes([*x1, *x0]), u16::from_be_bytes([*y1, *y0]));
        (x > 0 && y > 0 && *unit <= 2).then_some(Self::Jfif(*unit, x, y))
    }

    /// From a `pHYs` chunk.
    pub fn of_phys(data: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?));
        let (x, y, unit) = (number(0)?, number(4)?, data.get(8)?);
        (x > 0 && y > 0).then_some(Self::Phys(x, y, *unit == 1))
    }

    /// Unit and numbers of a JFIF segment.
    pub fn as_jfif(self) -> Option<(u8, u16, u16)> {
        match self {
            Self::Jfif(unit, x, y) => Some((unit, x, y)),
            Self::Phys(x, y, true) => {
                let inch = |count: u32| (f64::from(count) / INCHES).round() as u16;
                Some((1, inch(x).max(1), inch(y).max(1)))
            }
            Self::Phys(x, y, false) => Some((0, u16::try_from(x).ok()?, u16::try_from(y).ok()?)),
        }
    }

    /// Data of a `pHYs` chunk; `None` where it would say nothing.
    pub fn as_phys(self) -> Option<[u8; 9]> {
        let (x, y, meter) = match self {
            Self::Phys(x, y, meter) => (x, y, meter),
            Self::Jfif(0, x, y) if x == y => return None,
            Self::Jfif(0, x, y) => (x.into(), y.into(), false),
            Self::Jfif(unit, x, y) => {
                let scale = if unit == 1 { INCHES } else { 100.0 };
                let meter = |count: u16| (f64::from(count) * scale).round() as u32;
                (meter(x), meter(y), true)
            }
        };
        let mut data = [0; 9];
        data[..4].copy_from_slice(&x.to_be_bytes());
        data[4..8].copy_from_slice(&y.to_be_bytes());
        data[8] = meter.into();
        Some(data)
    }

    /// Pixels on an inch, on both axes; `None` for proportions alone.
    pub fn per_inch(self) -> Option<[u32; 2]> {
        match self.as_jfif()? {
            (1, x, y) => Some([x.into(), y.into()]),
            (2, x, y) => Some([x, y].map(|count| (f64::from(count) * 2.54).round() as u32)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_format_to_format() {
        let jfif = Density::of_jfif(b"JFIF\0\x01\x02\x01\0\x96\0\x96\0\0").unwrap();
        assert_eq!(jfif, Density::Jfif(1, 150, 150));
        let phys = Density::of_phys(&jfif.as_phys().unwrap()).unwrap();
        assert_eq!(phys, Density::Phys(5906, 5906, true));
        assert_eq!((phys.as_jfif(), phys.per_inch()), (Some((1, 150, 150)), Some([150, 150])));
        assert_eq!(Density::Jfif(2, 59, 59).per_inch(), Some([150, 150]));
        assert_eq!(Density::Jfif(0, 1, 1).as_phys(), None);
        assert_eq!(
            Density::Jfif(0, 4, 3).as_phys().and_then(|data| Density::of_phys(&data)?.as_jfif()),
            Some((0, 4, 3))
        );
        assert_eq!(Density::of_phys(&[0; 8]), None);
    }
}
