//! Twin of `resample_columns.wgsl` and `resample_rows.wgsl`: MATLAB's `imresize(..., 'bicubic')` from its definition,
//! one sample at a time, without any table.

use crate::error::{Error, Result};

/// How one axis is resampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// Samples before.
    pub input: usize,
    /// Samples after.
    pub output: usize,
    /// The factor: MATLAB keeps the one it is given, even where `output` is rounded.
    pub scale: f64,
    /// Where a sample sits in its pixel, from 0 to 1, before and after: 0.5 for all but some videos' chroma.
    pub site: f64,
}

impl Axis {
    /// The samples that output sample `x` is made of, and their weights, which sum to 1.
    fn taps(&self, x: usize) -> Vec<(usize, f64)> {
        // When an axis shrinks, the kernel is as many input samples wider (antialiasing).
        let width = (1.0 / self.scale).max(1.0);
        let at = (x as f64 + self.site) / self.scale - self.site;
        let (first, last) = ((at - 2.0 * width).ceil() as i64, (at + 2.0 * width).floor() as i64);
        let weights = (first..=last).map(|k| (k, keys((at - k as f64) / width)));
        let sum: f64 = weights.clone().map(|(_, weight)| weight).sum();
        weights.map(|(k, weight)| (self.mirrored(k), weight / sum)).collect()
    }

    /// The sample that stands for number `k`: beyond its edges, a picture is mirrored with its edge samples doubled.
    fn mirrored(&self, mut k: i64) -> usize {
        let len = self.input as i64;
        while !(0..len).contains(&k) {
            k = if k < 0 { -1 - k } else { 2 * len - 1 - k };
        }
        k as usize
    }
}

/// Keys's cubic convolution kernel with a = -0.5 (Keys 1981, equation 15).
fn keys(x: f64) -> f64 {
    match x.abs() {
        x if x <= 1.0 => 1.5 * x.powi(3) - 2.5 * x.powi(2) + 1.0,
        x if x <= 2.0 => -0.5 * x.powi(3) + 2.5 * x.powi(2) - 4.0 * x + 2.0,
        _ => 0.0,
    }
}

/// Resamples one plane, `[rows.input][columns.input]` to `[rows.output][columns.output]`; the rows' axis first.
///
/// # Errors
/// [`Error::InvalidArgument`] for a plane of another size, an empty axis, or a scale that is not a positive number.
pub fn resample(input: &[f64], rows: Axis, columns: Axis) -> Result<Vec<f64>> {
    let usable = |axis: Axis| axis.input * axis.output > 0 && axis.scale.is_finite() && axis.scale > 0.0;
    if !usable(rows) || !usable(columns) || input.len() != rows.input * columns.input {
        return Err(Error::invalid(format!(
            "{} values cannot be resampled by {rows:?}, {columns:?}",
            input.len()
        )));
    }
    let mut tall = Vec::with_capacity(rows.output * columns.input);
    for y in 0..rows.output {
        let taps = rows.taps(y);
        for x in 0..columns.input {
            tall.push(taps.iter().map(|&(row, weight)| weight * input[row * columns.input + x]).sum::<f64>());
        }
    }
    let across: Vec<_> = (0..columns.output).map(|x| columns.taps(x)).collect();
    let mut output = Vec::with_capacity(rows.output * columns.output);
    for row in tall.chunks_exact(columns.input) {
        output.extend(across.iter().map(|taps| taps.iter().map(|&(x, weight)| weight * row[x]).sum::<f64>()));
    }
    Ok(output)
}

/// `imresize(input, scale)` for `input` of `[height][width]`: the result with its height and width, each rounded up.
///
/// # Errors
/// As [`resample`].
pub fn imresize(input: &[f64], height: usize, width: usize, scale: f64) -> Result<(Vec<f64>, usize, usize)> {
    let axis =
        |input: usize| Axis { input, output: (input as f64 * scale).ceil() as usize, scale, site: 0.5 };
    let (rows, columns) = (axis(height), axis(width));
    Ok((resample(input, rows, columns)?, rows.output, columns.output))
}

/// `imresize(input, [out_height out_width])`: each axis has its own factor, the quotient of its lengths.
///
/// # Errors
/// As [`resample`].
pub fn imresize_to(
    input: &[f64],
    (height, width): (usize, usize),
    (out_height, out_width): (usize, usize),
) -> Result<Vec<f64>> {
    let axis =
        |input: usize, output: usize| Axis { input, output, scale: output as f64 / input as f64, site: 0.5 };
    resample(input, axis(height, out_height), axis(width, out_width))
}
