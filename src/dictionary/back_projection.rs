//! Back-projection: makes a picture agree with the low resolution that it comes from.

use std::ops::Range;

use crate::error::Result;
use crate::resample::{ResampleTable, apply};

/// A plane of low resolution and how it is enlarged.
pub struct Low<'a> {
    pub plane: &'a [f64],
    pub columns: &'a ResampleTable,
    pub rows: &'a ResampleTable,
}

impl Low<'_> {
    /// Rows of the bicubic picture.
    pub fn bicubic(&self, rows: Range<usize>) -> Vec<f64> {
        apply(self.plane, &self.rows.part(rows), self.columns)
    }
}

/// Back-projection (Irani and Peleg 1991; Yang et al. 2010, section III-B): adds what the picture, made small again, lacks
/// of the low resolution, enlarged and blurred as in their code.
pub fn back_project(low: &Low<'_>, picture: &mut [f64], rounds: usize) -> Result<()> {
    let down = |axis: &ResampleTable| {
        let factor = axis.input_len as f64 / axis.output_len as f64;
        ResampleTable::bicubic(axis.output_len, axis.input_len, factor)
    };
    let (columns, rows) = (down(low.columns)?, down(low.rows)?);
    for _ in 0..rounds {
        let small = apply(picture, &rows, &columns);
        let lacking: Vec<f64> = low.plane.iter().zip(&small).map(|(low, small)| low - small).collect();
        let more = blurred(&apply(&lacking, low.rows, low.columns), low.columns.output_len);
        picture.iter_mut().zip(&more).for_each(|(value, more)| *value += more);
    }
    Ok(())
}

/// A plane of rows `width` long, blurred by the square of a Gaussian of 5 x 5 taps with deviation 1, scaled to a sum of 1;
/// outside the plane is zero.
fn blurred(plane: &[f64], width: usize) -> Vec<f64> {
    let taps = [-2.0f64, -1.0, 0.0, 1.0, 2.0].map(|x| (-x * x).exp());
    let sum: f64 = taps.iter().sum();
    let along = |plane: &[f64], step: usize, place: &dyn Fn(usize) -> (usize, usize)| -> Vec<f64> {
        let value = |i: usize| {
            let (at, length) = place(i);
            let tap = |(t, tap): (usize, &f64)| match (at + t).checked_sub(2) {
                Some(there) if there < length => tap * plane[i + t * step - 2 * step],
                _ => 0.0,
            };
            taps.iter().enumerate().map(tap).sum::<f64>() / sum
        };
        (0..plane.len()).map(value).collect()
    };
    let height = plane.len() / width;
    let rows = along(plane, 1, &|i| (i % width, width));
    along(&rows, width, &|i| (i / width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the 25 taps of the filter itself.
    #[test]
    fn differences_are_blurred() {
        let (width, height) = (7, 4);
        let plane: Vec<f64> = (0..width * height).map(|i| f64::from((i * 29 % 17) as u32)).collect();
        let gaussian = |x: i32, y: i32| (-f64::from(x * x + y * y) / 2.0).exp().powi(2);
        let square = || (-2..=2).flat_map(|y| (-2..=2).map(move |x| (x, y)));
        let sum: f64 = square().map(|(x, y)| gaussian(x, y)).sum();
        for (i, value) in blurred(&plane, width).into_iter().enumerate() {
            let (column, row) = ((i % width) as i32, (i / width) as i32);
            let at = |x: i32, y: i32| {
                let inside = (0..width as i32).contains(&x) && (0..height as i32).contains(&y);
                if inside { plane[y as usize * width + x as usize] } else { 0.0 }
            };
            let expected: f64 = square().map(|(x, y)| gaussian(x, y) / sum * at(column + x, row + y)).sum();
            assert!((value - expected).abs() < 1e-12, "{column}, {row}: {value} and {expected}");
        }
    }

    /// Back-projection comes nearer to the low resolution in each round.
    #[test]
    fn back_projection_restores_the_low_resolution() {
        let plane: Vec<f64> = (0..20 * 16).map(|i| f64::from((i * 37 % 101) as u32) / 100.0).collect();
        let (columns, rows) =
            (ResampleTable::bicubic(20, 60, 3.0).unwrap(), ResampleTable::bicubic(16, 48, 3.0).unwrap());
        let low = Low { plane: &plane, columns: &columns, rows: &rows };
        let error = |rounds| {
            let mut picture = low.bicubic(0..48);
            back_project(&low, &mut picture, rounds).unwrap();
            let down = |from, to| ResampleTable::bicubic(from, to, 1.0 / 3.0).unwrap();
            let small = apply(&picture, &down(48, 16), &down(60, 20));
            small.iter().zip(&plane).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        let errors = [0, 1, 5, 20].map(error);
        assert!(
            errors[0] > 0.01 && errors.is_sorted_by(|a, b| a > b) && errors[3] < 0.1 * errors[0],
            "{errors:?}"
        );
    }
}
