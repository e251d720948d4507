//! MATLAB's `imresize` and `rgb2ycbcr` on arrays, in f64 on the CPU.

use pyo3::prelude::*;
use srcnn_gpu::color::rgb_to_ycbcr;
use srcnn_gpu::resample::{Imresize, output_len};

use crate::array::{Samples, Values, shape};
use crate::errors::{invalid, raise};
use crate::options::{Size, check_memory, sides};

/// MATLAB's imresize: bicubic interpolation, with antialiasing where the picture becomes smaller.
///
/// `array` is of shape (H, W) or (H, W, C), any C; uint8, uint16, float32 or float64. Give a `scale`, by which both sides are
/// multiplied and rounded up, or `size=(height, width)`. The result has the same type. Integers are rounded and saturate after
/// each axis, as in MATLAB; floats are neither rounded nor clamped, and float64 differs from MATLAB by rounding alone.
#[pyfunction]
#[pyo3(signature = (array, scale=None, *, size=None))]
pub fn imresize(
    py: Python<'_>,
    array: &Bound<'_, PyAny>,
    scale: Option<f64>,
    size: Option<Size>,
) -> PyResult<Py<PyAny>> {
    let samples = Samples::read(array, usize::MAX, true)?;
    let Samples { height, width, channels, has_axis, values } = samples;
    // The cast saturates.
    let side = |length: usize, scale: f64| output_len(length, scale).min(i64::MAX as usize) as i64;
    let asked = match (scale, size) {
        (Some(scale), None) if scale.is_finite() && scale > 0.0 => (side(height, scale), side(width, scale)),
        (Some(scale), None) => return Err(invalid(format!("scale {scale}: a positive number is needed"))),
        (None, Some(size)) => size,
        _ => return Err(invalid("give either a scale, or size=(height, width)")),
    };
    let [rows, columns] = sides(asked)?.map(|side| side as usize);
    // One plane in f64 between the axes and one after them, and the result.
    let pixels = rows as u128 * columns as u128;
    check_memory(pixels * (16 + 8 * channels as u128) + 8 * rows as u128 * width as u128)?;
    let values = py.detach(|| {
        let resize = match scale {
            Some(scale) => Imresize::by(height, width, scale)?,
            None => Imresize::to(height, width, rows, columns)?,
        };
        // The casts saturate.
        Ok(match values {
            Values::U8(v) => {
                Values::U8(each(&resize, &v, channels, |v| v as u8, |v| v.round().clamp(0.0, 255.0))?)
            }
            Values::U16(v) => {
                Values::U16(each(&resize, &v, channels, |v| v as u16, |v| v.round().clamp(0.0, 65535.0))?)
            }
            Values::F32(v) => Values::F32(each(&resize, &v, channels, |v| v as f32, |v| v)?),
            Values::F64(v) => Values::F64(each(&resize, &v, channels, |v| v, |v| v)?),
        })
    });
    values.map_err(raise)?.into_array(py, &shape(rows, columns, channels, has_axis))
}

/// Resizes all channels.
fn each<T: Copy + Into<f64> + Default>(
    resize: &Imresize,
    samples: &[T],
    channels: usize,
    from: impl Fn(f64) -> T,
    round: impl Fn(f64) -> f64,
) -> srcnn_gpu::Result<Vec<T>> {
    let (rows, columns) = resize.size();
    let mut result = vec![T::default(); rows * columns * channels];
    for channel in 0..channels {
        let plane: Vec<f64> = samples.iter().skip(channel).step_by(channels).map(|&v| v.into()).collect();
        let plane = resize.apply(&plane, &round)?;
        let targets = result.iter_mut().skip(channel).step_by(channels);
        targets.zip(plane).for_each(|(target, value)| *target = from(value));
    }
    Ok(result)
}

/// MATLAB's rgb2ycbcr: BT.601 in the range of video.
///
/// `array` is of shape (H, W, 3), uint8, uint16, float32 or float64 (0 to 1). The result has the same type: Y in 16 to 235, Cb and
/// Cr in 16 to 240, of 255 where white is 255, and the like for other types. Integers are rounded.
#[pyfunction]
pub fn rgb2ycbcr(py: Python<'_>, array: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let Samples { height, width, channels, has_axis, values } = Samples::read(array, usize::MAX, true)?;
    if channels != 3 {
        return Err(invalid(format!("rgb2ycbcr takes HxWx3, and this array has {channels} channels")));
    }
    fn all<T: Copy + Into<f64>>(values: &mut [T], white: f64, from: impl Fn(f64) -> T) {
        for pixel in values.chunks_exact_mut(3) {
            let color = rgb_to_ycbcr([pixel[0], pixel[1], pixel[2]].map(|v| v.into() / white));
            pixel.iter_mut().zip(color).for_each(|(sample, value)| *sample = from(value * white));
        }
    }
    let values = py.detach(|| {
        let mut values = values;
        match &mut values {
            Values::U8(values) => {
                for pixel in values.chunks_exact_mut(3) {
                    let color = srcnn_gpu::color::rgb_to_ycbcr_u8([pixel[0], pixel[1], pixel[2]]);
                    pixel.copy_from_slice(&color);
                }
            }
            Values::U16(values) => all(values, 65535.0, |v| v.round() as u16),
            Values::F32(values) => all(values, 1.0, |v| v as f32),
            Values::F64(values) => all(values, 1.0, |v| v),
        }
        values
    });
    values.into_array(py, &shape(height, width, channels, has_axis))
}
