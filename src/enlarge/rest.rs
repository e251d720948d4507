//! What bicubic interpolation does to the last network's result, band by band, so that this result is never in memory as a whole.
//!
//! The same as `imresize` of floats, columns before rows.

use std::collections::VecDeque;

use image::{ColorType, DynamicImage};

use super::passes::Rest;
use crate::error::Result;
use crate::headless::convert::{Sink, Source, Texel, empty};
use crate::parallel;
use crate::resample::ResampleTable;

/// Rows that a thread takes at a time.
const ROWS: usize = 16;

/// Takes bands of rows and hands over those of the picture's result.
pub struct Bands<'a> {
    columns: ResampleTable,
    rows: ResampleTable,
    color: ColorType,
    take: &'a mut dyn FnMut(DynamicImage) -> Result<()>,
    /// Rows whose columns are resampled, and the number of the first.
    across: VecDeque<Vec<Texel>>,
    first: usize,
    /// For each row of the result, the first row that it or one after it reads.
    needed: Vec<usize>,
    /// Rows handed over.
    done: usize,
}

impl<'a> Bands<'a> {
    /// The result has the given color type; integers are rounded once.
    ///
    /// # Errors
    /// As [`ResampleTable::bicubic`].
    pub fn new(
        rest: Rest,
        color: ColorType,
        take: &'a mut dyn FnMut(DynamicImage) -> Result<()>,
    ) -> Result<Self> {
        let table = |from: u32, to: u32, factor| ResampleTable::bicubic(from as usize, to as usize, factor);
        let columns = table(rest.from.0, rest.size.0, rest.factors[0])?;
        let rows = table(rest.from.1, rest.size.1, rest.factors[1])?;
        let mut needed: Vec<usize> =
            (0..rows.output_len).map(|row| *rows.input_range(row, row + 1).start()).collect();
        for row in (1..needed.len()).rev() {
            needed[row - 1] = needed[row - 1].min(needed[row]);
        }
        Ok(Self { columns, rows, color, take, across: VecDeque::new(), first: 0, needed, done: 0 })
    }

    /// Takes the next rows, of floats.
    ///
    /// # Errors
    /// Those of the taker, and [`Error::Picture`](crate::Error::Picture) where memory is short.
    pub fn push(&mut self, band: &DynamicImage) -> Result<()> {
        let Self { columns, rows, across, first, .. } = self;
        let (width, height) = (band.width() as usize, band.height() as usize);
        let resampled = parallel::chunks(height, ROWS, |part| {
            let mut texels = Vec::new();
            band.read(0..width, part, &mut texels);
            texels.chunks_exact(width).map(|row| resample_row(columns, row)).collect::<Vec<_>>()
        });
        across.extend(resampled.into_iter().flatten());
        let there = *first + across.len();
        let ready = (self.done..rows.output_len)
            .take_while(|&row| *rows.input_range(row, row + 1).end() < there)
            .count();
        if ready == 0 {
            return Ok(());
        }
        let start = self.done;
        let row_of = |y: usize| {
            let taps = y * rows.taps..(y + 1) * rows.taps;
            let read = taps.map(|tap| (rows.weights[tap], &across[rows.indices[tap] as usize - *first]));
            blend(columns.output_len, read)
        };
        let lines =
            parallel::chunks(ready, ROWS, |part| part.map(|row| row_of(start + row)).collect::<Vec<_>>());
        let mut result = empty(self.color, columns.output_len as u32, ready as u32)?;
        for (y, line) in lines.into_iter().flatten().enumerate() {
            result.write(0, y, &line);
        }
        self.done += ready;
        let keep = self.needed.get(self.done).map_or(there, |&row| row.min(there));
        across.drain(..keep - *first);
        *first = keep;
        (self.take)(result)
    }
}

/// A row with its columns resampled.
fn resample_row(columns: &ResampleTable, row: &[Texel]) -> Vec<Texel> {
    let texel = |x: usize| {
        let taps = x * columns.taps..(x + 1) * columns.taps;
        taps.fold([0.0; 4], |sum, tap| add(sum, columns.weights[tap], &row[columns.indices[tap] as usize]))
    };
    (0..columns.output_len).map(|x| texel(x).map(|value| value as f32)).collect()
}

/// The weighted sum of rows.
fn blend<'r>(width: usize, rows: impl Iterator<Item = (f64, &'r Vec<Texel>)>) -> Vec<Texel> {
    let mut sums = vec![[0.0; 4]; width];
    for (weight, row) in rows {
        for (sum, texel) in sums.iter_mut().zip(row) {
            *sum = add(*sum, weight, texel);
        }
    }
    sums.into_iter().map(|sum| sum.map(|value| value as f32)).collect()
}

fn add(sum: [f64; 4], weight: f64, texel: &Texel) -> [f64; 4] {
    std::array::from_fn(|channel| sum[channel] + weight * f64::from(texel[channel]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{keyed, uniform};
    use crate::resample::Imresize;
    use image::{ImageBuffer, Rgba};

    /// The result in bands of `height` rows, and how many came.
    fn in_bands(picture: &DynamicImage, rest: Rest, color: ColorType, height: u32) -> (DynamicImage, usize) {
        let (mut rows, mut count) = (Vec::new(), 0);
        let mut take = |band: DynamicImage| {
            assert_eq!((band.width(), band.color()), (rest.size.0, color));
            rows.extend_from_slice(band.as_bytes());
            count += 1;
            Ok(())
        };
        let mut bands = Bands::new(rest, color, &mut take).unwrap();
        for top in (0..picture.height()).step_by(height as usize) {
            bands
                .push(&picture.crop_imm(0, top, picture.width(), height.min(picture.height() - top)))
                .unwrap();
        }
        assert!(
            bands.across.len() <= bands.rows.taps + height as usize,
            "{} rows are kept",
            bands.across.len()
        );
        let mut result = empty(color, rest.size.0, rest.size.1).unwrap();
        let samples: &mut [u8] = match &mut result {
            DynamicImage::ImageRgba32F(buffer) => bytemuck::cast_slice_mut(buffer.as_mut()),
            DynamicImage::ImageLuma8(buffer) => buffer.as_mut(),
            _ => panic!("{color:?}"),
        };
        samples.copy_from_slice(&rows);
        (result, count)
    }

    #[test]
    fn bands_are_imresize() {
        let mut random = keyed(&[3]);
        for (from, size, factors) in [
            ((46, 62), (29, 39), [0.625; 2]),
            ((46, 62), (47, 63), [1.02; 2]),
            ((40, 30), (13, 37), [13.0 / 40.0, 37.0 / 30.0]),
            ((2, 2), (1, 1), [0.3; 2]),
            ((1, 7), (1, 3), [0.4; 2]),
        ] {
            let picture: DynamicImage = ImageBuffer::from_fn(from.0, from.1, |_, _| {
                Rgba(std::array::from_fn(|_| uniform(&mut random) as f32))
            })
            .into();
            let rest = Rest { from, size, factors };
            let (result, count) = in_bands(&picture, rest, ColorType::Rgba32F, 8);
            assert!(count > 1 || from.1 <= 16, "{count} bands");
            let [columns, rows] =
                [(from.0, size.0, factors[0]), (from.1, size.1, factors[1])].map(|(from, to, factor)| {
                    ResampleTable::bicubic(from as usize, to as usize, factor).unwrap()
                });
            let (picture, result) = (picture.into_rgba32f(), result.into_rgba32f());
            for channel in 0..4 {
                let plane: Vec<f64> = picture.pixels().map(|pixel| f64::from(pixel.0[channel])).collect();
                let expected = crate::resample::apply(&plane, &rows, &columns);
                for (pixel, expected) in result.pixels().zip(expected) {
                    let error = (f64::from(pixel.0[channel]) - expected).abs();
                    assert!(error < 1e-6, "{from:?} to {size:?}: off by {error}");
                }
            }
            // However they come.
            for height in [1, 3, 100] {
                let again = in_bands(&picture.clone().into(), rest, ColorType::Rgba32F, height).0;
                assert_eq!(again.as_bytes(), bytemuck::cast_slice::<f32, u8>(result.as_raw()), "{height}");
            }
        }
    }

    /// Values are rounded after both axes, and clamped only then.
    #[test]
    fn integers_are_rounded_once() {
        let value = |x: u32, y: u32| if (x / 5 + y / 4).is_multiple_of(2) { 1.04 } else { 0.3 };
        let picture: DynamicImage =
            ImageBuffer::from_fn(33, 21, |x, y| Rgba([value(x, y), value(x, y), value(x, y), 1.0])).into();
        let rest = Rest { from: (33, 21), size: (22, 14), factors: [2.0 / 3.0; 2] };
        let result = in_bands(&picture, rest, ColorType::L8, 5).0.into_luma8();
        let plane: Vec<f64> = (0..33 * 21).map(|i| f64::from(value(i % 33, i / 33))).collect();
        let expected = Imresize::by(21, 33, 2.0 / 3.0).unwrap().apply(&plane, |v| v).unwrap();
        let expected: Vec<u8> = expected.into_iter().map(|v| (255.0 * v + 0.5) as u8).collect();
        assert_eq!(result.into_raw(), expected);
    }
}
