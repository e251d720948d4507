//! Computes parts of a result again on the CPU, by the twins of the kernels, and compares.

use super::convert::Texel;
use crate::color::{rgb_to_ycbcr, ycbcr_to_rgb};
use crate::error::{Error, Result};
use crate::network::{Channels, Padding};
use crate::precision::Precision;
use crate::reference::{Maps, forward};
use crate::resample::ResampleTable;
use crate::upscaler::{SourceKind, TileSpan};
use crate::weights::Weights;

/// Differences up to this, an eighth of a step of 8 bits, are rounding of sums in 32 bits, and up to two steps rounding of
/// maps and sums in 16 bits; a wrong value is off by far more.
fn rounding(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1.0 / (8.0 * 255.0),
        Precision::F16 => 2.0 / 255.0,
    }
}

/// Tiles of a picture that are compared, and the sides of the parts of them.
const TILES: usize = 8;
const SIDE: usize = 16;

/// What was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Verified {
    /// Values of the result: channels of pixels.
    pub values: u64,
    /// The largest difference between GPU and CPU, before any rounding, where white is 1.
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
    /// For a picture of so many tiles, whose columns and rows are resampled by these tables.
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

    /// Whether a tile is one of those that are compared.
    pub fn wants(&self, tile: usize) -> bool {
        tile.is_multiple_of(self.every)
    }

    /// Compares a part of a tile: of the first one its corner, where the padding shows; of others their middle.
    ///
    /// # Errors
    /// [`Error::Gpu`] when they differ by more than rounding.
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
                // Not a number is no small difference.
                if off.is_nan() || off > self.rounding {
                    let [x, y] = [tile[0].start + x, tile[1].start + y];
                    let text = format!(
                        "the adapter computes wrong: channel {channel} at {x},{y} is {value}, by the CPU {expected}; \
                         try another one or update its driver"
                    );
                    return Err(Error::Gpu(text.into()));
                }
            }
        }
        Ok(())
    }

    /// What texels of the result should be: `part` is where they begin in the tile and how many they are, on each axis.
    fn expected(
        &self,
        weights: &Weights,
        tile: [&TileSpan; 2],
        part: [(usize, usize); 2],
        source: &[Texel],
    ) -> Result<Vec<[f64; 4]>> {
        let reach = weights.architecture().radius();
        // What the part is computed from, in the enlarged picture; the borders of that are padded.
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
        // Without padding the result begins where the part does.
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

    /// The result of the first tile and of a middle one passes as it is, and with any value off by a quarter of a step
    /// or not a number it does not.
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
