//! Bicubic resampling that equals MATLAB's `imresize(..., 'bicubic')`: the taps of one axis, and whole planes.
//!
//! The cubic kernel has a = -0.5 (Keys); when an axis shrinks, the kernel is widened by the factor (antialiasing);
//! taps beyond an edge read the picture mirrored there. Tables are computed in f64 on the host. The shaders
//! `resample_columns.wgsl` and `resample_rows.wgsl` apply them in f32, [`degrade`](crate::degrade) on the CPU in f64.

use crate::error::{Error, Result};

/// Which input samples each output sample of one axis reads, and with which weights.
#[derive(Debug, Clone, PartialEq)]
pub struct ResampleTable {
    /// Input samples on this axis.
    pub input_len: usize,
    /// Output samples on this axis.
    pub output_len: usize,
    /// Taps of one output sample: 4 when enlarging, more when shrinking.
    pub taps: usize,
    /// Input index of each tap, `[output_len][taps]`, mirrored into 0..input_len.
    pub indices: Vec<u32>,
    /// Weight of each tap, `[output_len][taps]`; each row sums to 1.
    pub weights: Vec<f64>,
}

/// The cubic convolution kernel with a = -0.5; zero from 2 on.
fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x <= 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

impl ResampleTable {
    /// The table from `input_len` to `output_len` samples with the factor `scale`.
    ///
    /// MATLAB derives the missing one of size and factor from the other: from a factor the size is
    /// [`output_len`] and the factor stays as given; from a size the factor is the lengths' quotient.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for empty axes or a factor that is not a positive number.
    pub fn bicubic(input_len: usize, output_len: usize, scale: f64) -> Result<Self> {
        Self::bicubic_sited(input_len, output_len, scale, 0.5)
    }

    /// The same for samples that are not centered in their pixels, before and after: `site` is their position, from 0 to 1.
    /// A video's chroma that coincides with every second luma sample has a site of 1/4.
    ///
    /// # Errors
    /// As [`ResampleTable::bicubic`].
    pub fn bicubic_sited(input_len: usize, output_len: usize, scale: f64, site: f64) -> Result<Self> {
        if input_len == 0 || output_len == 0 {
            return Err(Error::invalid("a picture has at least one pixel on each axis"));
        }
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Error::invalid(format!("scale {scale}: a positive number is needed")));
        }
        // Widened kernel: h(x) = s k(s x) for s < 1.
        let shrink = scale.min(1.0);
        let support = 4.0 / shrink;
        let candidates = support.ceil() as usize + 2;
        let period = 2 * input_len as i64;
        let mut indices = Vec::with_capacity(output_len * candidates);
        let mut weights = Vec::with_capacity(output_len * candidates);
        for x in 0..output_len {
            // Center of the output sample in 1-based input coordinates, as MATLAB counts.
            let center = (x + 1) as f64 / scale + (1.0 - site) * (1.0 - 1.0 / scale);
            let left = (center - support / 2.0).floor() as i64;
            let row = weights.len();
            for tap in 0..candidates as i64 {
                let at = left + tap;
                weights.push(shrink * cubic(shrink * (center - at as f64)));
                let mirrored = (at - 1).rem_euclid(period);
                indices.push(mirrored.min(period - 1 - mirrored) as u32);
            }
            let sum: f64 = weights[row..].iter().sum();
            weights[row..].iter_mut().for_each(|w| *w /= sum);
        }
        Ok(Self { input_len, output_len, taps: candidates, indices, weights }.without_empty_taps())
    }

    /// Drops the tap columns that are zero for every output sample.
    fn without_empty_taps(self) -> Self {
        let used: Vec<usize> = (0..self.taps)
            .filter(|&tap| self.weights.iter().skip(tap).step_by(self.taps).any(|&w| w != 0.0))
            .collect();
        let rows = 0..self.output_len;
        let pick = |row: usize, tap: &usize| row * self.taps + tap;
        let indices = rows.clone().flat_map(|row| used.iter().map(move |tap| pick(row, tap)));
        let weights = rows.flat_map(|row| used.iter().map(move |tap| pick(row, tap)));
        Self {
            indices: indices.map(|i| self.indices[i]).collect(),
            weights: weights.map(|i| self.weights[i]).collect(),
            taps: used.len(),
            ..self
        }
    }

    /// The table of some of the output samples.
    #[cfg(feature = "dictionary")]
    pub(crate) fn part(&self, range: std::ops::Range<usize>) -> Self {
        let taps = range.start * self.taps..range.end * self.taps;
        Self {
            output_len: range.len(),
            indices: self.indices[taps.clone()].to_vec(),
            weights: self.weights[taps].to_vec(),
            ..*self
        }
    }

    /// First and last input sample that the output samples `first..last` read.
    pub fn input_range(&self, first: usize, last: usize) -> std::ops::RangeInclusive<usize> {
        let read = &self.indices[first * self.taps..last * self.taps];
        let low = read.iter().min().copied().unwrap_or(0) as usize;
        let high = read.iter().max().copied().unwrap_or(0) as usize;
        low..=high
    }
}

/// Resamples a plane of `[rows.input_len][columns.input_len]` in f64, its rows first.
pub(crate) fn apply(input: &[f64], rows: &ResampleTable, columns: &ResampleTable) -> Vec<f64> {
    apply_columns(&apply_rows(input, rows, columns.input_len), columns)
}

/// Resamples the rows of a plane of `[rows.input_len][width]`.
fn apply_rows(input: &[f64], rows: &ResampleTable, width: usize) -> Vec<f64> {
    let mut output = vec![0.0; rows.output_len * width];
    for y in 0..rows.output_len {
        for tap in y * rows.taps..(y + 1) * rows.taps {
            let (source, weight) = (rows.indices[tap] as usize * width, rows.weights[tap]);
            for x in 0..width {
                output[y * width + x] += weight * input[source + x];
            }
        }
    }
    output
}

/// Resamples the columns of a plane of any number of rows of `columns.input_len` samples.
fn apply_columns(input: &[f64], columns: &ResampleTable) -> Vec<f64> {
    let sample = |row: &[f64], x: usize| {
        let taps = x * columns.taps..(x + 1) * columns.taps;
        taps.map(|tap| columns.weights[tap] * row[columns.indices[tap] as usize]).sum()
    };
    let rows = input.chunks_exact(columns.input_len);
    rows.flat_map(|row| (0..columns.output_len).map(move |x| sample(row, x))).collect()
}

/// MATLAB's `imresize(picture, ..)` with its default, bicubic interpolation with antialiasing, on planes of one size, in f64.
#[derive(Debug, Clone, PartialEq)]
pub struct Imresize {
    rows: ResampleTable,
    columns: ResampleTable,
    columns_first: bool,
}

impl Imresize {
    /// `imresize(picture, factor)`, for planes of `height` rows and `width` columns: sizes are rounded up.
    ///
    /// # Errors
    /// As [`ResampleTable::bicubic`].
    pub fn by(height: usize, width: usize, factor: f64) -> Result<Self> {
        let table = |length: usize| ResampleTable::bicubic(length, output_len(length, factor), factor);
        Ok(Self { rows: table(height)?, columns: table(width)?, columns_first: false })
    }

    /// `imresize(picture, [rows columns])`: each axis has a factor of its own.
    ///
    /// # Errors
    /// As [`ResampleTable::bicubic`].
    pub fn to(height: usize, width: usize, rows: usize, columns: usize) -> Result<Self> {
        let factor = |from: usize, to: usize| to as f64 / from as f64;
        let (down, across) = (factor(height, rows), factor(width, columns));
        Ok(Self {
            rows: ResampleTable::bicubic(height, rows, down)?,
            columns: ResampleTable::bicubic(width, columns, across)?,
            columns_first: across < down,
        })
    }

    /// Rows and columns of the result.
    pub fn size(&self) -> (usize, usize) {
        (self.rows.output_len, self.columns.output_len)
    }

    /// Resamples a plane `[row][column]`, the axis with the smaller factor first, as MATLAB does. `round` is what becomes of a
    /// value after each axis: MATLAB rounds and saturates twice where the picture has integers, and never for floats.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a plane of another size.
    pub fn apply(&self, plane: &[f64], round: impl Fn(f64) -> f64) -> Result<Vec<f64>> {
        let Self { rows, columns, columns_first } = self;
        if plane.len() != rows.input_len * columns.input_len {
            return Err(Error::invalid(format!(
                "{} values are not a plane of {} rows and {} columns",
                plane.len(),
                rows.input_len,
                columns.input_len
            )));
        }
        let rounded = |mut values: Vec<f64>| {
            values.iter_mut().for_each(|value| *value = round(*value));
            values
        };
        Ok(match columns_first {
            true => {
                let across = rounded(apply_columns(plane, columns));
                rounded(apply_rows(&across, rows, columns.output_len))
            }
            false => {
                let down = rounded(apply_rows(plane, rows, columns.input_len));
                rounded(apply_columns(&down, columns))
            }
        })
    }
}

/// Length of an axis of `input_len` samples after scaling by `scale`, rounded up as `imresize` does.
pub fn output_len(input_len: usize, scale: f64) -> usize {
    (input_len as f64 * scale).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::resample::{Axis, resample};

    #[test]
    fn tables_agree_with_the_twin() {
        let plane: Vec<f64> = (0..23 * 31).map(|i| ((i * i % 101) as f64 * 0.37).sin()).collect();
        for (scale, site) in
            [(2.0, 0.5), (3.0, 0.25), (1.0 / 3.0, 0.5), (0.9, 0.5), (1.7, 0.125), (0.04, 0.5)]
        {
            let [rows, columns] =
                [23, 31].map(|input| Axis { input, output: output_len(input, scale), scale, site });
            let [down, across] = [rows, columns]
                .map(|axis| ResampleTable::bicubic_sited(axis.input, axis.output, scale, site).unwrap());
            let (actual, expected) =
                (apply(&plane, &down, &across), resample(&plane, rows, columns).unwrap());
            assert_eq!(actual.len(), expected.len());
            let worst = actual.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-13, "x{scale} at {site}: {worst:e}");
        }
    }

    #[test]
    fn imresize_goes_as_matlab_does() {
        let plane: Vec<f64> = (0..12 * 20).map(|i| f64::from(i * 37 % 256)).collect();
        let twice = Imresize::by(12, 20, 1.5).unwrap();
        let [rows, columns] = [12, 20].map(|n| ResampleTable::bicubic(n, output_len(n, 1.5), 1.5).unwrap());
        assert_eq!(twice.size(), (18, 30));
        assert_eq!(twice.apply(&plane, |v| v).unwrap(), apply(&plane, &rows, &columns));
        // Integers are rounded and saturate between the axes too, which changes some by a step.
        let to_u8 = |v: f64| v.round().clamp(0.0, 255.0);
        let (between, once) = (twice.apply(&plane, to_u8).unwrap(), apply(&plane, &rows, &columns));
        let off = between.iter().zip(&once).filter(|(a, b)| **a != to_u8(**b)).count();
        assert!(between.iter().all(|v| v.fract() == 0.0) && off > 0 && off < 200, "{off}");
        // The axis that shrinks more comes first: with the columns last, the sum in f64 is another one.
        let wide = Imresize::to(12, 20, 30, 10).unwrap();
        let (down, across) =
            (ResampleTable::bicubic(12, 30, 2.5).unwrap(), ResampleTable::bicubic(20, 10, 0.5).unwrap());
        let expected = apply_rows(&apply_columns(&plane, &across), &down, 10);
        assert_eq!(wide.apply(&plane, |v| v).unwrap(), expected);
        assert!(wide.apply(&plane[1..], |v| v).is_err() && Imresize::by(0, 3, 2.0).is_err());
    }

    /// A ramp of luma coordinates, seen by samples at `step j + offset`, is that ramp at the same places of the larger
    /// picture, where the kernel does not reach the edges.
    #[test]
    fn sited_samples_stay_where_they_sit() {
        for (step, offset) in [(1.0, 0.0), (2.0, 0.5), (2.0, 0.0), (4.0, 0.0), (2.0, 1.0), (4.0, 2.5)] {
            for scale in [1.5, 2.0, 3.0] {
                let input: Vec<f64> = (0..40).map(|j| step * f64::from(j) + offset).collect();
                let table =
                    ResampleTable::bicubic_sited(40, output_len(40, scale), scale, (offset + 0.5) / step)
                        .unwrap();
                for x in 20..table.output_len - 20 {
                    let taps = x * table.taps..(x + 1) * table.taps;
                    let value: f64 =
                        taps.map(|tap| table.weights[tap] * input[table.indices[tap] as usize]).sum();
                    // imresize moves luma coordinate u to scale (u + 1/2) - 1/2.
                    let expected = (step * x as f64 + offset + 0.5) / scale - 0.5;
                    assert!((value - expected).abs() < 1e-9, "{step} {offset} {scale}: {value}, {expected}");
                }
            }
        }
    }
}
