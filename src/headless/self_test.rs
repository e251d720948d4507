//! A known-answer test of an adapter: drivers exist that compute black or nonsense without a word.

use super::{Gpu, Headless, HeadlessOptions};
use crate::error::{Error, Result};
use crate::network::{Architecture, Padding};
use crate::planes::Planes;
use crate::reference::{self, Maps};
use crate::weights::{Layer, Metadata, Weights};

/// Runs a small network in two tiles on the device and compares the result with the CPU's.
///
/// # Errors
/// [`Error::SelfTest`] when they differ, or what the device reports.
pub fn self_test(gpu: &Gpu) -> Result<()> {
    const SIZE: [usize; 2] = [21, 13];
    const SCALE: f64 = 2.0;
    let [width, height] = SIZE;
    // Not smooth and not symmetric, so that misplaced pixels show.
    let value = |i: usize, modulus: usize| (i * 7919 % modulus) as f32 / modulus as f32;
    let architecture = Architecture::parse("5-1-3", "6-5", 1)?;
    let layers = architecture.layers().iter().map(|&shape| Layer {
        shape,
        weight: (0..shape.weights())
            .map(|i| (value(i, 101) - 0.4) / (shape.products() as f32).sqrt())
            .collect(),
        bias: (0..shape.filters).map(|i| value(i, 11) * 0.1).collect(),
    });
    let weights = Weights::new(layers.collect(), Metadata::default())?;
    let picture = Planes::new(width, height, 1, (0..width * height).map(|i| value(i, 251)).collect())?;

    let low: Vec<f64> = picture.data.iter().map(|&v| f64::from(v)).collect();
    let (data, height, width) = reference::resample::imresize(&low, height, width, SCALE)?;
    let expected =
        reference::forward(&weights, &Maps { channels: 1, height, width, data }, Padding::Replicate);

    let options = HeadlessOptions { tile: Some(32), ..HeadlessOptions::default() };
    let actual = Headless::new(gpu.clone(), &weights, options)?.upscale_planes(&picture, SCALE)?;
    let pairs = actual.data.iter().zip(&expected.data);
    let worst = pairs.map(|(&a, &e)| (f64::from(a) - e).abs()).fold(0.0, f64::max);
    // Sums of at most 54 products of values below 1, in three layers, with a wide margin for rounding.
    if worst < 1e-4 && actual.data.len() == expected.data.len() {
        return Ok(());
    }
    Err(Error::SelfTest(format!("a known network's result is off by {worst:.1e}")))
}
