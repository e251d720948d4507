//! Recomputes parts of a result on the CPU, with the kernels' twins, and compares.

use super::convert::Texel;
use crate::color::{rgb_to_ycbcr, ycbcr_to_rgb};
use crate::error::{Error, Result};
use crate::network::{Channels, Padding};
use crate::precision::Precision;
use crate::reference::{Maps, forward};
use crate::resample::ResampleTable;
use crate::upscaler::{SourceKind, TileSpan};
use crate::weights::Weights;

/// Largest difference that is still rounding: an eighth of an 8-bit step for 32-bit sums, two steps for maps and sums
/// in 16 bits. A wrong value is off by far more.
fn rounding(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1.0 / (8.0 * 255.0),
        Precision::F16 => 2.0 / 255.0,
    }
}

/// Number of tiles per picture to compare, and the side in pixels of the part compared.
const TILES: usize = 8;
const SIDE: usize = 16;

/// What was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Verified {
    /// Values compared: each channel of each pixel counts.
    pub values: u64,
    /// Largest difference between GPU and CPU, before any rounding; white is 1.
    pub difference: f64,
}

/// Compares the tiles of one picture.
#[derive(Debug)]
pub(super) struct Verifier {
    kind: SourceKind,
    padding: Padding,
    rounding: f64,
    tables: [ResampleTable; 2],
    every: usize,
    pub verified: Verified,
}

impl Verifier {
    /// For a picture of `tiles` tiles whose columns and rows are resampled with these tables.
    pub fn new(
        kind: SourceKind,
        padding: Padding,
        precision: Precision,
        tables: [ResampleTable; 2],
        tiles: usize,
    ) -> Self {
        let (rounding, every) = (rounding(precision), tiles.div_ceil(TILES).max(1));
        Self { kind, padding, rounding, tables, every, verified: Verified::default() }
    }

    /// Whether to compare this tile.
    pub fn wants(&self, tile: usize) -> bool {
        tile.is_multiple_of(self.every)
    }

    /// Compares part of a tile: the corner of the first one, where padding shows; the middle of the others.
    ///
    /// # Errors
    /// [`Error::WrongResult`] when the results differ by more than rounding.
    pub fn check(
        &mut self,
        weights: &Weights,
        tile: [&TileSpan; 2],
        source: &[Texel],
        result: impl Fn(usize, usize) -> Texel,
    ) -> Result<()> {
        let [columns, rows] = tile.map(|span| {
            let len = span.len.min(SIDE);
            let start = if span.start == 0 { 0 } else { (span.len - len) / 2 };
            (start, len)
        });
        let expected = self.expected(weights, tile, [columns, rows], source)?;
        for (i, expected) in expected.iter().enumerate() {
            let (x, y) = (columns.0 + i % columns.1, rows.0 + i / columns.1);
            let channels = if self.kind == SourceKind::Color { 4 } else { weights.architecture().channels() };
            for (channel, (expected, value)) in expected.iter().zip(result(x, y)).enumerate().take(channels) {
                let off = (expected - f64::from(value)).abs();
                self.verified.values += 1;
                self.verified.difference = self.verified.difference.max(off);
                // NaN alone would pass the comparison.
                if off.is_nan() || off > self.rounding {
                    let [x, y] = [tile[0].start + x, tile[1].start + y];
                    let text = format!(
                        "wrong result: channel {channel} at {x},{y} is {value} on this adapter but {expected} on the CPU"
                    );
                    return Err(Error::WrongResult(text.into()));
                }
            }
        }
        Ok(())
    }

    /// What texels of the result should be. `part` is the first texel within the tile and the number of texels, per
    /// axis.
    fn expected(
        &self,
        weights: &Weights,
        tile: [&TileSpan; 2],
        part: [(usize, usize); 2],
        source: &[Texel],
    ) -> Result<Vec<[f64; 4]>> {
        let reach = weights.architecture().radius();
        // The part's receptive field in the enlarged picture; padding applies at the picture's borders.
        let [columns, rows] = [0, 1].map(|axis| {
            let first = tile[axis].first + part[axis].0;
            let end = (first + part[axis].1 + reach).min(self.tables[axis].output_len);
            (first.saturating_sub(reach), end, first)
        });
        let (width, height) = (columns.1 - columns.0, rows.1 - rows.0);
        let stride = tile[0].source.len();
        let low = |x: usize, y: usize| source[(y - tile[1].source.start) * stride + x - tile[0].source.start];
        let taps = |axis: usize, at: usize| {
            let table: &ResampleTable = &self.tables[axis];
            let taps = at * table.taps..(at + 1) * table.taps;
            taps.map(|tap| (table.indices[tap] as usize, table.weights[tap]))
        };
        let ycbcr = self.kind == SourceKind::Color && weights.metadata.channels != Channels::Rgb;
        let bicubic = (0..width * height).map(|i| {
            let mut texel = [0.0; 4];
            for (y, down) in taps(1, rows.0 + i / width) {
                for (x, across) in taps(0, columns.0 + i % width) {
                    let values = low(x, y).map(f64::from);
                    texel.iter_mut().zip(values).for_each(|(sum, value)| *sum += down * across * value);
                }
            }
            if ycbcr {
                let [y, cb, cr] = rgb_to_ycbcr([texel[0], texel[1], texel[2]]);
                texel = [y, cb, cr, texel[3]];
            }
            texel
        });
        let bicubic: Vec<[f64; 4]> = bicubic.collect();
        let channels = weights.architecture().channels();
        let input = Maps::from_fn([channels, height, width], |c, y, x| bicubic[y * width + x][c]);
        let output = forward(weights, &input, self.padding);
        // Without padding, the result begins where the part does.
        let lost = if self.padding == Padding::Valid { reach } else { 0 };
        let (across, down) = (columns.2 - columns.0, rows.2 - rows.0);
        let texels = (0..part[0].1 * part[1].1).map(|i| {
            let (x, y) = (across + i % part[0].1, down + i / part[0].1);
            let mut texel = bicubic[y * width + x];
            for (c, value) in texel.iter_mut().enumerate().take(channels) {
                *value = output.at(c, y - lost, x - lost);
            }
            if ycbcr {
                let [r, g, b] = ycbcr_to_rgb([texel[0], texel[1], texel[2]]);
                texel = [r, g, b, texel[3]];
            }
            texel
        });
        Ok(texels.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Architecture;
    use crate::upscaler::{Enlargement, Plan};
    use crate::weights::{Layer, Metadata};

    fn weights(channels: Channels) -> Weights {
        let architecture = Architecture::parse("3-3", "2", channels.count()).unwrap();
        let layers = architecture.layers().iter().map(|&shape| Layer {
            shape,
            weight: (0..shape.weights()).map(|i| (i * 37 % 19) as f32 / 60.0).collect(),
            bias: vec![0.1; shape.filters],
        });
        Weights::new(layers.collect(), Metadata { channels, ..Metadata::default() }).unwrap()
    }

    /// The first tile and one in the middle pass as they are, and fail if any one value is off by a quarter of a step
    /// or NaN.
    #[test]
    fn one_wrong_value_is_noticed() {
        for (kind, channels) in [
            (SourceKind::Color, Channels::Y),
            (SourceKind::Color, Channels::Rgb),
            (SourceKind::Planes, Channels::Y),
        ] {
            for padding in [Padding::Replicate, Padding::Valid] {
                let weights = weights(channels);
                let tables = Enlargement::from(2.0).tables((30, 26)).unwrap();
                let plan = Plan::new(&tables, weights.architecture(), padding, 20, [0; 2]).unwrap();
                let mut verifier = Verifier::new(kind, padding, Precision::F32, tables, plan.tiles());
                for tile in [0, plan.columns.len() + 1] {
                    let spans @ [columns, rows] = plan.tile(tile);
                    let texels = columns.source.len() * rows.source.len();
                    let source: Vec<Texel> = (0..texels)
                        .map(|i| [0, 7, 13, 3].map(|k| ((i * 31 + k) % 23) as f32 / 23.0))
                        .collect();
                    let start = |span: &TileSpan| if span.start == 0 { 0 } else { (span.len - SIDE) / 2 };
                    let part = [(start(columns), SIDE), (start(rows), SIDE)];
                    let expected = verifier.expected(&weights, spans, part, &source).unwrap();
                    let result = |x: usize, y: usize| {
                        expected[(y - part[1].0) * SIDE + x - part[0].0].map(|value| value as f32)
                    };
                    verifier.check(&weights, spans, &source, result).unwrap();
                    for wrong in [0.25 / 255.0, f32::NAN] {
                        let at = (part[0].0 + 5, part[1].0 + 9);
                        let broken = |x: usize, y: usize| {
                            let mut texel = result(x, y);
                            texel[0] += if (x, y) == at { wrong } else { 0.0 };
                            texel
                        };
                        let error = verifier.check(&weights, spans, &source, broken).unwrap_err().to_string();
                        let place = format!("at {},{}", columns.start + at.0, rows.start + at.1);
                        assert!(error.contains(&place), "{kind:?} {padding}: {error}");
                    }
                }
            }
        }
    }
}
