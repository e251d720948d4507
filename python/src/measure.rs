//! PSNR and SSIM by the protocols of the literature.

use image::DynamicImage;
use pyo3::prelude::*;
use srcnn_gpu::eval::compare::{Comparison, Samples as Protocol, Similarity};
use srcnn_gpu::eval::dataset::Picture;
use srcnn_gpu::ratio::Ratio;

use crate::array::{Samples, Values};
use crate::errors::{invalid, raise};

/// A picture with 8 bits, as protocols compare them.
fn picture(array: &Bound<'_, PyAny>) -> PyResult<Picture> {
    let mut samples = Samples::read(array, 4, true)?;
    // The casts saturate. 16 bits are rounded by the picture.
    let to_u8 = |v: f64| (255.0 * v).round() as u8;
    let is_number = match &samples.values {
        Values::F32(values) => values.iter().all(|v| v.is_finite()),
        Values::F64(values) => values.iter().all(|v| v.is_finite()),
        _ => true,
    };
    if !is_number {
        return Err(invalid("a picture has samples that are infinite or not numbers"));
    }
    samples.values = match samples.values {
        Values::F32(values) => Values::U8(values.into_iter().map(|v| to_u8(v.into())).collect()),
        Values::F64(values) => Values::U8(values.into_iter().map(to_u8).collect()),
        values => values,
    };
    let picture: DynamicImage = samples.into_picture()?;
    Ok(Picture::new(&picture, false))
}

fn compare(
    py: Python<'_>,
    [truth, other]: [&Bound<'_, PyAny>; 2],
    protocol: &str,
    scale: Option<f64>,
    shave: Option<usize>,
) -> PyResult<Similarity> {
    let protocol: Protocol = protocol.parse().map_err(raise)?;
    let scale = scale.map(Ratio::of).transpose().map_err(raise)?;
    let rules = Comparison::new(protocol, scale, shave).map_err(raise)?;
    let (truth, other) = (picture(truth)?, picture(other)?);
    py.detach(|| rules.compare(&truth, &other)).map_err(raise)
}

/// PSNR in dB of a picture and the truth, by a protocol of the literature.
///
/// Both are of shape (H, W) or (H, W, C), uint8, uint16 or floats from 0 to 1; they are compared with 8 bits and without alpha.
///
/// protocol : 'srcnn', 'ntire' or 'rgb'
///     'srcnn': luminance as rgb2ycbcr has it (of grey pictures the samples themselves), without a border of `scale` pixels;
///     'ntire': red, green and blue, without a border of `scale` + 6 pixels; 'rgb': these, all of them.
/// scale : int or float, optional
///     The enlargement that made the other one: pictures are cut to multiples of it, except by 'rgb'.
/// shave : int, optional
///     Pixels left out on each side, instead of the protocol's.
///
/// Infinite for pictures that are equal.
#[pyfunction]
#[pyo3(signature = (truth, other, *, protocol="srcnn", scale=None, shave=None))]
pub fn psnr(
    py: Python<'_>,
    truth: &Bound<'_, PyAny>,
    other: &Bound<'_, PyAny>,
    protocol: &str,
    scale: Option<f64>,
    shave: Option<usize>,
) -> PyResult<f64> {
    Ok(compare(py, [truth, other], protocol, scale, shave)?.psnr)
}

/// SSIM (Wang et al. 2004, a Gaussian window of 11x11 pixels) of a picture and the truth; arguments as those of `psnr`.
///
/// NaN for pictures smaller than the window.
#[pyfunction]
#[pyo3(signature = (truth, other, *, protocol="srcnn", scale=None, shave=None))]
pub fn ssim(
    py: Python<'_>,
    truth: &Bound<'_, PyAny>,
    other: &Bound<'_, PyAny>,
    protocol: &str,
    scale: Option<f64>,
    shave: Option<usize>,
) -> PyResult<f64> {
    Ok(compare(py, [truth, other], protocol, scale, shave)?.ssim)
}
