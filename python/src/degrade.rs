//! Pictures of lower quality.

use image::{Luma, LumaA};
use pyo3::prelude::*;
use srcnn_gpu::degrade::Degradation;
use srcnn_gpu::eval::dataset::Picture;
use srcnn_gpu::eval::{self, Chain};
use srcnn_gpu::ratio::Ratio;

use crate::array::{Samples, Values, buffer, result, shape};
use crate::errors::{invalid, raise};

/// Shrinks and degrades a picture as evaluation and training do.
///
/// Parameters
/// ----------
/// array : array of shape (H, W) or (H, W, C), uint8, uint16 or float32 (0 to 1); C from 1 to 4
///     It is cropped to multiples of the scale; of a scale that is not whole, such as 2.5 = 5/2, to those of the numerator.
/// scale : int or float
///     How many times smaller, 1 to 16: a ratio of whole numbers with a denominator up to 16; 1 keeps the size.
/// degradation : str
///     A chain of blur:SIGMA, bicubic, subsample, gaussian:SIGMA, noise:SIGMA (in steps of 8 bits), jpeg:QUALITY[:444] and
///     webp:QUALITY, such as 'blur:0..1,bicubic,noise:0..5,jpeg:30..95@0.8': of ranges a number is drawn, @ is the share of
///     pictures that a step happens to.
/// seed : int, optional
///     What is drawn follows from it; by default from the picture, as in the program `srcnn-gpu degrade`, whose results these
///     are.
///
/// Returns an array of the same type; integers are rounded once, at the end.
#[pyfunction]
#[pyo3(signature = (array, scale, degradation="bicubic", *, seed=None))]
pub fn degrade(
    py: Python<'_>,
    array: &Bound<'_, PyAny>,
    scale: f64,
    degradation: &str,
    seed: Option<u64>,
) -> PyResult<Py<PyAny>> {
    if !(1.0..=16.0).contains(&scale) {
        return Err(invalid(format!("scale {scale}: a number from 1 to 16")));
    }
    let scale = Ratio::of(scale).map_err(raise)?;
    let degradation: Degradation = degradation.parse().map_err(raise)?;
    let seed = seed.map(|seed| [seed]);
    let samples = Samples::read(array, 4, false)?;
    let (channels, has_axis) = (samples.channels, samples.has_axis);
    let size = [samples.width as u32, samples.height as u32];
    match samples.values {
        // There are no grey pictures of floats but these.
        Values::F32(values) if channels <= 2 => {
            let low = py.detach(|| {
                let grey = values.iter().step_by(channels).map(|&v| (255.0 * v).round() as u8);
                let grey = buffer::<Luma<u8>>(size, grey.collect())?;
                let key = seed.unwrap_or([Picture::new(&grey.into(), false).modcrop(scale).key()]);
                let chain = Chain { degradation: &degradation, scale, key: &key };
                let to_f32 = |v: f64| v as f32;
                let (width, height, values) = match channels {
                    1 => {
                        let low =
                            chain.apply(&buffer::<Luma<f32>>(size, values)?, 1.0, to_f32).map_err(raise)?;
                        (low.width(), low.height(), low.into_raw())
                    }
                    _ => {
                        let low =
                            chain.apply(&buffer::<LumaA<f32>>(size, values)?, 1.0, to_f32).map_err(raise)?;
                        (low.width(), low.height(), low.into_raw())
                    }
                };
                Ok::<_, PyErr>((shape(height as usize, width as usize, channels, has_axis), values))
            });
            let (shape, values) = low?;
            Values::F32(values).into_array(py, &shape)
        }
        _ => {
            let picture = samples.into_picture()?;
            let key = seed.as_ref().map(|seed| &seed[..]);
            let low =
                py.detach(|| eval::degrade(&picture, false, &degradation, scale, key)).map_err(raise)?;
            result(py, low, channels, has_axis)
        }
    }
}
