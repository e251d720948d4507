//! Twin of `resample.wgsl`: MATLAB's `imresize(..., 'bicubic')`.

use crate::error::Result;
use crate::resample::{ResampleTable, output_len};

/// `imresize(input, scale)`: `input` is `[height][width]`; returns the output with its height and width.
///
/// # Errors
/// As [`ResampleTable::bicubic`].
pub fn imresize(input: &[f64], height: usize, width: usize, scale: f64) -> Result<(Vec<f64>, usize, usize)> {
    let (out_h, out_w) = (output_len(height, scale), output_len(width, scale));
    let rows = ResampleTable::bicubic(height, out_h, scale)?;
    let columns = ResampleTable::bicubic(width, out_w, scale)?;
    Ok((apply(input, &rows, &columns), out_h, out_w))
}

/// `imresize(input, [out_h out_w])`: each axis has its own factor, the quotient of its lengths.
///
/// # Errors
/// As [`ResampleTable::bicubic`].
pub fn imresize_to(
    input: &[f64],
    (height, width): (usize, usize),
    (out_h, out_w): (usize, usize),
) -> Result<Vec<f64>> {
    let rows = ResampleTable::bicubic(height, out_h, out_h as f64 / height as f64)?;
    let columns = ResampleTable::bicubic(width, out_w, out_w as f64 / width as f64)?;
    Ok(apply(input, &rows, &columns))
}

/// Both axes, rows (vertical) first. `input` is `[rows.input_len][columns.input_len]`.
pub fn apply(input: &[f64], rows: &ResampleTable, columns: &ResampleTable) -> Vec<f64> {
    let width = columns.input_len;
    let mut vertical = vec![0.0; rows.output_len * width];
    for y in 0..rows.output_len {
        for tap in y * rows.taps..(y + 1) * rows.taps {
            let (source, weight) = (rows.indices[tap] as usize * width, rows.weights[tap]);
            for x in 0..width {
                vertical[y * width + x] += weight * input[source + x];
            }
        }
    }
    let mut output = vec![0.0; rows.output_len * columns.output_len];
    for y in 0..rows.output_len {
        for x in 0..columns.output_len {
            output[y * columns.output_len + x] = (x * columns.taps..(x + 1) * columns.taps)
                .map(|tap| columns.weights[tap] * vertical[y * width + columns.indices[tap] as usize])
                .sum();
        }
    }
    output
}
