//! A chain of steps on a picture.

use rand::Rng;

use super::shrink::{Degrader, blur};
use super::{Degradation, Kind, Shrink, Span, codec};
use crate::error::{Error, Result};
use crate::random::{keyed, normal, uniform};
use crate::ratio::Ratio;

/// A chain with everything drawn: the same for the same key.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    steps: Vec<DrawnStep>,
    key: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum DrawnStep {
    Blur(f64),
    Shrink(Shrink),
    Noise(f64),
    Jpeg { quality: u8, full_chroma: bool },
    Webp(u8),
}

/// A picture's planes.
#[derive(Debug, Clone, PartialEq)]
pub struct Degraded {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[channel][row][column]` in 0..1, where noise and filters may lead out of that range.
    pub planes: Vec<Vec<f64>>,
}

impl Degradation {
    /// Draws all that is left open, by a generator of its own for each key.
    pub fn draw(&self, key: &[u64]) -> Drawn {
        let mut random = keyed(key);
        // Every step takes two numbers, whatever becomes of them.
        let steps = self.steps().filter_map(|step| {
            let (happens, share) = (uniform(&mut random) < step.share, uniform(&mut random));
            let number = |span: Span| span.low + share * (span.high - span.low);
            // Whole numbers, both ends included.
            let whole =
                |span: Span| (span.low + share * (span.high - span.low + 1.0)).floor().min(span.high) as u8;
            happens.then(|| match step.kind {
                Kind::Blur(sigma) => DrawnStep::Blur(number(sigma)),
                Kind::Shrink(shrink) => DrawnStep::Shrink(shrink),
                Kind::Noise(sigma) => DrawnStep::Noise(number(sigma)),
                Kind::Jpeg { quality, full_chroma } => {
                    DrawnStep::Jpeg { quality: whole(quality), full_chroma }
                }
                Kind::Webp(quality) => DrawnStep::Webp(whole(quality)),
            })
        });
        Drawn { steps: steps.collect(), key: key.to_vec() }
    }
}

impl Drawn {
    /// Takes a picture through all steps. Its sides are multiples of `scale`, or of its numerator; the result is smaller by that.
    /// One plane is grey, three are colors; encoders take them as red, green and blue.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sizes that do not fit, and for what an encoder cannot hold.
    pub fn apply(&self, picture: Degraded, scale: impl Into<Ratio>) -> Result<Degraded> {
        let (mut picture, scale) = (picture, scale.into());
        for (number, step) in self.steps.iter().enumerate() {
            let (width, height) = (picture.width, picture.height);
            match *step {
                DrawnStep::Blur(sigma) => picture.each(|plane| blur(plane, width, height, sigma))?,
                DrawnStep::Shrink(shrink) if scale.enlarges() => {
                    let degrader = Degrader::new(width, height, scale, shrink)?;
                    picture.each(|plane| Ok(degrader.shrink(plane)))?;
                    (picture.width, picture.height) = (scale.shrunk(width), scale.shrunk(height));
                }
                DrawnStep::Shrink(_) => {}
                DrawnStep::Noise(sigma) => {
                    let key: Vec<u64> = self.key.iter().copied().chain([number as u64 + 1]).collect();
                    picture.add_noise(sigma / 255.0, &mut keyed(&key));
                }
                DrawnStep::Jpeg { quality, full_chroma } => {
                    picture.coded(|samples, channels| {
                        codec::jpeg(samples, width, height, channels, quality, full_chroma)
                    })?;
                }
                DrawnStep::Webp(quality) => {
                    picture
                        .coded(|samples, channels| codec::webp(samples, width, height, channels, quality))?;
                }
            }
        }
        Ok(picture)
    }
}

impl Degraded {
    fn each(&mut self, work: impl Fn(&[f64]) -> Result<Vec<f64>>) -> Result<()> {
        for plane in &mut self.planes {
            *plane = work(plane)?;
        }
        Ok(())
    }

    fn add_noise(&mut self, deviation: f64, random: &mut impl Rng) {
        for value in self.planes.iter_mut().flatten() {
            *value += deviation * normal(random);
        }
    }

    /// Rounds to 8 bits, as a file has them, and replaces the samples by what the codec makes of them.
    fn coded(&mut self, codec: impl FnOnce(&[u8], usize) -> Result<Vec<u8>>) -> Result<()> {
        let channels = self.planes.len();
        let mut samples = vec![0; self.width * self.height * channels];
        for (channel, plane) in self.planes.iter().enumerate() {
            let targets = samples.iter_mut().skip(channel).step_by(channels);
            // The cast saturates.
            targets.zip(plane).for_each(|(sample, value)| *sample = (value * 255.0).round() as u8);
        }
        let samples = codec(&samples, channels)?;
        if samples.len() != self.width * self.height * channels {
            return Err(Error::invalid("an encoder returned a picture of another size"));
        }
        for (channel, plane) in self.planes.iter_mut().enumerate() {
            let sources = samples.iter().skip(channel).step_by(channels);
            plane.iter_mut().zip(sources).for_each(|(value, &sample)| *value = f64::from(sample) / 255.0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, channels: usize) -> Degraded {
        let plane = |c: usize| {
            let at = move |i: usize| ((i % width * 5 + i / width * 3 + c * 40) % 256) as f64 / 255.0;
            (0..width * height).map(at).collect()
        };
        Degraded { width, height, planes: (0..channels).map(plane).collect() }
    }

    fn chain(text: &str) -> Degradation {
        text.parse().unwrap()
    }

    #[test]
    fn draws_cover_their_range_and_follow_the_key() {
        let chain = chain("bicubic,noise:2..4,jpeg:30..33@0.5");
        let drawn: Vec<Drawn> = (0..400).map(|key| chain.draw(&[7, key])).collect();
        assert_eq!(drawn[3], chain.draw(&[7, 3]));
        let mut qualities = [0; 4];
        for Drawn { steps, .. } in &drawn {
            let DrawnStep::Noise(sigma) = steps[1] else { panic!("{steps:?}") };
            assert!((2.0..4.0).contains(&sigma));
            if let Some(DrawnStep::Jpeg { quality, full_chroma: false }) = steps.get(2) {
                qualities[usize::from(*quality) - 30] += 1;
            }
        }
        // 50 each are expected, with a deviation of 7.
        assert!(qualities.iter().all(|count| (20..80).contains(count)), "{qualities:?}");
        let coded: i32 = qualities.iter().sum();
        assert!((150..250).contains(&coded), "{coded}");
    }

    #[test]
    fn noise_has_the_deviation_it_says() {
        let before = picture(60, 50, 3);
        let after = chain("noise:10").draw(&[1]).apply(before.clone(), 1).unwrap();
        let differences: Vec<f64> = before
            .planes
            .iter()
            .flatten()
            .zip(after.planes.iter().flatten())
            .map(|(a, b)| (b - a) * 255.0)
            .collect();
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let variance = differences.iter().map(|d| d * d).sum::<f64>() / n;
        assert!(mean.abs() < 5.0 * 10.0 / n.sqrt(), "{mean}");
        assert!((variance / 100.0 - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{variance}");
        let other = chain("noise:10").draw(&[2]).apply(before.clone(), 1).unwrap();
        assert_ne!(after, other);
        assert_eq!(after, chain("noise:10").draw(&[1]).apply(before, 1).unwrap());
    }

    #[test]
    fn the_order_of_steps_is_kept() {
        let before = picture(48, 36, 1);
        let run = |text: &str| chain(text).draw(&[0]).apply(before.clone(), 3).unwrap();
        let (first, last) = (run("jpeg:20,bicubic"), run("bicubic,jpeg:20"));
        assert_eq!((first.width, first.height, last.planes[0].len()), (16, 12, 16 * 12));
        assert_ne!(first, last);
        // What is coded last has 8 bits.
        assert!(last.planes[0].iter().all(|v| (v * 255.0 - (v * 255.0).round()).abs() < 1e-9));
        assert!(first.planes[0].iter().any(|v| (v * 255.0 - (v * 255.0).round()).abs() > 1e-3));
    }
}
