//! Checks that what is timed computes the right result: a small picture against the CPU twin.

use super::NetworkRun;
use super::synthetic;
use crate::error::{Error, Result};
use crate::network::Padding;
use crate::precision::Precision;
use crate::reference::{Maps, forward};
use crate::weights::Weights;

/// Neither square nor a multiple of the workgroup size.
const SIZE: (u32, u32) = (43, 37);

/// The CPU's result for a small picture, in f64.
#[derive(Debug)]
pub(in crate::headless) struct CpuTwin {
    expected: Maps,
}

impl CpuTwin {
    pub const PADDING: Padding = Padding::Replicate;

    /// # Errors
    /// None: the picture has pixels.
    pub fn new(weights: &Weights) -> Result<Self> {
        let channels = weights.architecture().channels();
        let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
        let texels = texels(channels);
        let picture = synthetic(width, height, texels)?.data;
        let value = |c, y, x| f64::from(picture[(y * width + x) * texels + c]);
        let picture = Maps::from_fn([channels, height, width], value);
        Ok(Self { expected: forward(weights, &picture, Self::PADDING) })
    }

    /// Runs the same picture on the device and returns the largest difference. The run must use [`CpuTwin::PADDING`].
    ///
    /// # Errors
    /// [`Error::WrongResult`] when they differ by more than rounding; also what the device reports.
    pub fn check(&self, run: &mut NetworkRun<'_>) -> Result<f64> {
        run.prepare(SIZE, 1.0)?;
        run.compute()?;
        let Maps { channels, .. } = self.expected;
        let actual = run.result()?;
        let texels = actual.chunks_exact(texels(channels));
        let plane = |c: usize| texels.clone().map(move |texel| texel[c]);
        let actual: Vec<f32> = (0..channels).flat_map(plane).collect();
        compare(&actual, self.expected.data.iter().copied(), run.precision)
    }
}

/// Samples per texel of the textures that hold this many channels.
fn texels(channels: usize) -> usize {
    if channels == 1 { 1 } else { 4 }
}

/// The largest difference between two sequences of values.
///
/// # Errors
/// [`Error::WrongResult`] when it is more than rounding in this precision can cause over a few layers.
pub(crate) fn compare(
    actual: &[f32],
    expected: impl Iterator<Item = f64> + Clone,
    precision: Precision,
) -> Result<f64> {
    let range = expected.clone().fold(1.0, |range: f64, value| range.max(value.abs()));
    let differences = actual.iter().zip(expected).map(|(&a, e)| (f64::from(a) - e).abs());
    // NaN counts as infinitely far off.
    let largest = differences.fold(0.0, |all: f64, d| if d.is_nan() { f64::INFINITY } else { all.max(d) });
    if largest > precision.tolerance() * range {
        return Err(Error::WrongResult(
            format!("results are off by {largest:.1e}, so the time means nothing").into(),
        ));
    }
    Ok(largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_rounding_is_noticed() {
        let expected = || [0.5, 10.0, -0.25].into_iter();
        let compare = |actual: &[f32], precision| compare(actual, expected(), precision);
        assert_eq!(compare(&[0.5, 10.0, -0.25], Precision::F32).unwrap(), 0.0);
        assert!(compare(&[0.5005, 10.0, -0.25], Precision::F32).unwrap() > 4e-4);
        assert!(compare(&[0.55, 10.0, -0.25], Precision::F16).unwrap() > 0.04);
        assert!(compare(&[0.9, 10.0, -0.25], Precision::F16).is_err());
        for wrong in [[0.502, 10.0, -0.25], [0.5, 10.0, f32::NAN], [f32::INFINITY, 10.0, -0.25], [0.0; 3]] {
            assert!(compare(&wrong, Precision::F32).is_err(), "{wrong:?}");
        }
    }
}
