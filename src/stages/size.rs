//! `--scale`, `--width`, `--height`, `--fit`, `--max-pixels`: how large the results become.

use crate::error::{Error, Result};
use crate::upscaler::Enlargement;
use clap::Args;

use crate::jobs::SizeLabel;

/// Far above any use; keeps sizes countable.
const MAX_SCALE: f64 = 1000.0;
/// The enlargement if no size is given.
const DEFAULT_SCALE: f64 = 2.0;

/// The size of the results.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Size")]
pub struct SizeArgs {
    /// Enlargement, any number above 1; 1 keeps the size and removes the traces of JPEG files [default: 2; 4 for a command line of the ncnn programs, without a command]
    #[arg(
        short, long, value_name = "FACTOR", value_parser = scale, allow_negative_numbers = true,
        conflicts_with_all = ["width", "height", "fit"]
    )]
    scale: Option<f64>,
    /// Width of the results in pixels; the height follows from the proportions unless --height is given too
    #[arg(long, value_name = "PIXELS", value_parser = side, conflicts_with = "fit")]
    width: Option<u32>,
    /// Height of the results in pixels; the width follows from the proportions unless --width is given too
    #[arg(long, value_name = "PIXELS", value_parser = side, conflicts_with = "fit")]
    height: Option<u32>,
    /// Largest size with the picture's proportions that fits into this one
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = fit)]
    fit: Option<(u32, u32)>,
    /// Largest size of no more pixels than this; together with another size, a limit on it
    #[arg(long, value_name = "PIXELS", value_parser = pixels)]
    max_pixels: Option<u64>,
}

fn scale(text: &str) -> Result<f64> {
    let number = text.parse::<f64>().ok().filter(|&scale| (1.0..=MAX_SCALE).contains(&scale));
    number.ok_or_else(|| Error::invalid(format!("a number from 1 to {MAX_SCALE} is needed")))
}

fn side(text: &str) -> Result<u32> {
    let number = text.parse::<u32>().ok().filter(|side| (1..=Enlargement::MAX_AXIS).contains(side));
    number.ok_or_else(|| Error::invalid(format!("pixels from 1 to {} are needed", Enlargement::MAX_AXIS)))
}

fn fit(text: &str) -> Result<(u32, u32)> {
    match text.split_once(['x', 'X']) {
        Some((width, height)) => Ok((side(width)?, side(height)?)),
        None => Err(Error::invalid("width and height are needed, such as 1920x1080")),
    }
}

fn pixels(text: &str) -> Result<u64> {
    let number = text.parse::<u64>().ok().filter(|&pixels| pixels > 0);
    number.ok_or_else(|| Error::invalid("a number of pixels, at least 1, is needed"))
}

impl SizeArgs {
    /// The same as `--scale`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a number out of range.
    pub fn of_scale(factor: f64) -> Result<Self> {
        Ok(Self { scale: Some(scale(&factor.to_string())?), ..Self::default() })
    }

    /// The same as `--width` and `--height`, one or both of them.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sides out of range.
    pub fn of_sides(width: Option<u32>, height: Option<u32>) -> Result<Self> {
        let checked = |pixels: Option<u32>| pixels.map(|pixels| side(&pixels.to_string())).transpose();
        Ok(Self { width: checked(width)?, height: checked(height)?, ..Self::default() })
    }

    /// Takes this scale if no size is asked for.
    pub fn or_scale(&mut self, scale: f64) {
        if (self.scale, self.width, self.height, self.fit, self.max_pixels) == (None, None, None, None, None)
        {
            self.scale = Some(scale);
        }
    }

    /// The factor that is asked for; 1 restores pictures at the size that they have.
    pub fn factor(&self) -> Option<f64> {
        self.scale
    }

    /// What is asked for, as a word in the names of results.
    pub fn label(&self) -> SizeLabel {
        match (self.scale, self.width, self.height, self.fit, self.max_pixels) {
            (Some(scale), ..) => SizeLabel::Scale(scale),
            (_, Some(width), Some(height), ..) => SizeLabel::Size(width, height),
            (_, Some(width), ..) => SizeLabel::Width(width),
            (_, _, Some(height), ..) => SizeLabel::Height(height),
            (_, _, _, Some((width, height)), _) => SizeLabel::Fit(width, height),
            (_, _, _, _, Some(pixels)) => SizeLabel::MaxPixels(pixels),
            _ => SizeLabel::Scale(DEFAULT_SCALE),
        }
    }

    /// How to enlarge a picture of `source` pixels, width and height.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if it would not become larger.
    pub fn enlargement(&self, source: (u32, u32)) -> Result<Enlargement> {
        let (width, height) = (f64::from(source.0), f64::from(source.1));
        let by = |factor: f64| Enlargement::Size(rounded(width * factor), rounded(height * factor));
        let asked = match (self.scale, self.width, self.height, self.fit, self.max_pixels) {
            (Some(scale), ..) => Enlargement::Factor(scale),
            (_, Some(width), Some(height), ..) => Enlargement::Size(width, height),
            (_, Some(to), ..) => Enlargement::Size(to, rounded(height * f64::from(to) / width)),
            (_, _, Some(to), ..) => Enlargement::Size(rounded(width * f64::from(to) / height), to),
            (_, _, _, Some((w, h)), _) => by((f64::from(w) / width).min(f64::from(h) / height)),
            (_, _, _, _, Some(_)) => Enlargement::Factor(MAX_SCALE),
            _ => Enlargement::Factor(DEFAULT_SCALE),
        };
        let mut size = asked.size(source)?;
        let mut enlargement = asked;
        if let Some(most) = self.max_pixels
            && u64::from(size.0) * u64::from(size.1) > most
        {
            // With the proportions that were asked for, which need not be the picture's.
            let (w, h) = (f64::from(size.0), f64::from(size.1));
            let factor = (most as f64 / (w * h)).sqrt();
            let cut = |side: f64| ((side * factor).floor() as u32).max(1);
            size = (cut(w), cut(h));
            enlargement = Enlargement::Size(size.0, size.1);
        }
        if size.0 < source.0 || size.1 < source.1 || (size == source && self.scale != Some(1.0)) {
            return Err(Error::invalid(format!(
                "the result would have {}x{} pixels, the picture has {}x{}; this program only enlarges, or restores with --scale 1",
                size.0, size.1, source.0, source.1
            )));
        }
        Ok(enlargement)
    }
}

/// A side in pixels; the casts saturate.
fn rounded(side: f64) -> u32 {
    (side.round() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(args: SizeArgs, source: (u32, u32)) -> Option<(u32, u32)> {
        args.enlargement(source).ok().map(|enlargement| enlargement.size(source).unwrap())
    }

    #[test]
    fn sizes() {
        let none = SizeArgs::default;
        let source = (40, 30);
        assert_eq!(size(none(), source), Some((80, 60)));
        assert_eq!(size(SizeArgs { scale: Some(1.51), ..none() }, source), Some((61, 46)));
        assert_eq!(size(SizeArgs { width: Some(100), ..none() }, source), Some((100, 75)));
        assert_eq!(size(SizeArgs { height: Some(50), ..none() }, source), Some((67, 50)));
        let both = SizeArgs { width: Some(41), height: Some(90), ..none() };
        assert_eq!(size(both, source), Some((41, 90)));
        assert_eq!(size(SizeArgs { fit: Some((200, 75)), ..none() }, source), Some((100, 75)));
        assert_eq!(size(SizeArgs { max_pixels: Some(10_000), ..none() }, source), Some((115, 86)));
        let limited = SizeArgs { scale: Some(3.0), max_pixels: Some(4_800), ..none() };
        assert_eq!(size(limited, source), Some((80, 60)));
        let unlimited = SizeArgs { scale: Some(2.0), max_pixels: Some(1_000_000), ..none() };
        assert_eq!(size(unlimited, source), Some((80, 60)));
    }

    #[test]
    fn only_larger_ones() {
        let none = SizeArgs::default;
        assert_eq!(size(SizeArgs { scale: Some(1.0), ..none() }, (40, 30)), Some((40, 30)));
        assert_eq!(size(SizeArgs { scale: Some(1.001), ..none() }, (40, 30)), Some((41, 31)));
        for args in [
            SizeArgs { width: Some(39), ..none() },
            SizeArgs { width: Some(40), ..none() },
            SizeArgs { width: Some(80), height: Some(29), ..none() },
            SizeArgs { fit: Some((500, 30)), ..none() },
            SizeArgs { max_pixels: Some(1200), ..none() },
        ] {
            assert_eq!(size(args.clone(), (40, 30)), None, "{args:?}");
        }
        let one_axis = SizeArgs { width: Some(80), height: Some(30), ..none() };
        assert_eq!(size(one_axis, (40, 30)), Some((80, 30)));
    }

    #[test]
    fn labels() {
        let none = SizeArgs::default;
        for (args, label) in [
            (none(), "x2"),
            (SizeArgs { scale: Some(1.5), ..none() }, "x1.5"),
            (SizeArgs { width: Some(9), height: Some(8), ..none() }, "9x8"),
            (SizeArgs { height: Some(8), ..none() }, "h8"),
            (SizeArgs { fit: Some((9, 8)), max_pixels: Some(7), ..none() }, "fit9x8"),
            (SizeArgs { max_pixels: Some(7), ..none() }, "max7"),
        ] {
            assert_eq!(args.label().to_string(), label);
        }
    }
}
