//! How long a large picture will take on this device, found out by a small one before the work begins.

use std::time::Duration;

use crate::enlarge::{Enlarger, Pass, work};
use crate::error::{Error, Result};
use crate::limits::Limit;
use crate::picture::{depth, refuse};
use crate::train::config::TimeSpan;
use image::DynamicImage;

use super::options::PictureOptions;
use crate::jobs::Job;

/// Longer work is announced.
const LONG: Duration = Duration::from_secs(600);
/// Multiply-adds that every adapter does in a second, more or less.
const SLOWEST: f64 = 5e9;
/// Sides of the results to measure with, in pixels.
const SIDES: [u32; 4] = [512, 1024, 2048, 4096];
/// A measurement this long says enough.
const ENOUGH: Duration = Duration::from_millis(300);

/// Announces work on a picture that will take long, on `frames` frames of `source` pixels, width and height.
///
/// # Errors
/// [`Error::Picture`] if it would take longer than the limit for time allows.
pub fn check(
    enlarger: &mut Enlarger,
    job: &Job,
    source: (u32, u32),
    frames: u32,
    options: &PictureOptions,
) -> Result<()> {
    let passes = enlarger.passes(source, &options.enlarging())?;
    let all = work(&passes) * f64::from(frames);
    let limit = Duration::from_millis(Limit::Time.get());
    if all < LONG.min(limit).as_secs_f64() * SLOWEST {
        return Ok(());
    }
    let Some(last) = passes.last() else { return Ok(()) };
    // A device that cannot even do this will say so about the picture itself.
    let Ok(rate) = rate(enlarger, last, source, options) else { return Ok(()) };
    let time = Duration::try_from_secs_f64((all / rate).min(1e12)).unwrap_or(Duration::MAX);
    let (width, height) = options.enlargement.size(source)?;
    let what = match frames {
        1 => format!("the result of {width}x{height} pixels"),
        _ => format!("the result of {frames} frames of {width}x{height} pixels"),
    };
    if time > limit {
        let text =
            format!("{what} would take about {} to compute, {} are allowed", about(time), about(limit));
        return Err(refuse(&job.input, Limit::Time.exceeded(text)));
    }
    if time > LONG {
        log::warn!("{}: {what} will take about {}", job.input.display(), about(time));
    }
    Ok(())
}

/// Multiply-adds a second.
fn rate(enlarger: &mut Enlarger, pass: &Pass, source: (u32, u32), options: &PictureOptions) -> Result<f64> {
    let each = pass.work / pass.pixels as f64;
    let factor = (pass.pixels as f64 / (f64::from(source.0) * f64::from(source.1))).sqrt();
    let (mut fastest, mut warm) = (0.0_f64, false);
    for side in SIDES {
        let cut = |length: u32| length.min((f64::from(side) / factor).ceil() as u32).max(1);
        let (width, height) = (cut(source.0), cut(source.1));
        let picture = match (depth(options.color), options.color.has_alpha()) {
            (8, false) => DynamicImage::new_rgb8(width, height),
            (8, true) => DynamicImage::new_rgba8(width, height),
            (_, false) => DynamicImage::new_rgb16(width, height),
            (_, true) => DynamicImage::new_rgba16(width, height),
        };
        if !warm {
            // Kernels are compiled.
            enlarger.time(pass.network, &picture, factor)?;
            warm = true;
        }
        let (pixels, time) = enlarger.time(pass.network, &picture, factor)?;
        fastest = fastest.max(pixels as f64 * each / time.as_secs_f64().max(1e-9));
        if time >= ENOUGH || (width, height) == source {
            break;
        }
    }
    if fastest > 0.0 { Ok(fastest) } else { Err(Error::invalid("nothing was measured")) }
}

/// A time in its two largest units.
fn about(time: Duration) -> String {
    let seconds = time.as_secs();
    let unit = [86400, 3600, 60].into_iter().find(|unit| seconds >= *unit).unwrap_or(1);
    let finer = match unit {
        86400 => 3600,
        3600 => 60,
        _ => 1,
    };
    TimeSpan(Duration::from_secs(seconds / finer * finer)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_are_enough() {
        let about = |seconds| about(Duration::from_secs(seconds));
        assert_eq!(about(86400 * 12 + 3600 * 3 + 61), "12d3h");
        assert_eq!(about(3600 * 5 + 61), "5h1m");
        assert_eq!(about(61), "1m1s");
        assert_eq!((about(5), about(0)), ("5s".into(), "0s".into()));
    }
}
