//! Cutting a picture into tiles: pure arithmetic, no GPU.
//!
//! A tile is a rectangle of the result. Layer i reads it with a halo as wide as the radii of layers i and up together,
//! so that each layer computes exactly what it would compute for the whole picture: tiled and untiled results are
//! equal bit for bit. The padding mode fills halo positions outside the picture, once per layer.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::network::{Architecture, Padding};
use crate::resample::{ResampleTable, output_len};

/// How large the result is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Enlargement {
    /// Both axes times this factor, rounded up, as `imresize(picture, factor)`.
    Factor(f64),
    /// Width and height, each axis with its own factor, as `imresize(picture, [height width])`.
    Size(u32, u32),
}

impl From<f64> for Enlargement {
    fn from(factor: f64) -> Self {
        Enlargement::Factor(factor)
    }
}

impl From<(u32, u32)> for Enlargement {
    fn from((width, height): (u32, u32)) -> Self {
        Enlargement::Size(width, height)
    }
}

impl Enlargement {
    /// Longest axis accepted, in pixels: coordinates then fit 32 bits with room for halos.
    pub const MAX_AXIS: u32 = 1 << 30;

    /// Width and height of the enlarged picture, before [`Padding::Valid`] crops it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for empty pictures, factors that are not positive finite numbers, and results too
    /// large.
    pub fn size(self, (width, height): (u32, u32)) -> Result<(u32, u32)> {
        if width == 0 || height == 0 {
            return Err(Error::invalid("an empty picture: each axis needs at least one pixel"));
        }
        let (out_w, out_h) = match self {
            Enlargement::Factor(factor) if !(factor.is_finite() && factor > 0.0) => {
                return Err(Error::invalid(format!("scale {factor} is not a positive number")));
            }
            Enlargement::Factor(factor) => {
                (output_len(width as usize, factor), output_len(height as usize, factor))
            }
            Enlargement::Size(width, height) => (width as usize, height as usize),
        };
        let limit = 1..=Self::MAX_AXIS as usize;
        if !limit.contains(&out_w) || !limit.contains(&out_h) {
            return Err(Error::invalid(format!(
                "a result of {out_w}x{out_h} pixels: each axis must be 1 to {}",
                Self::MAX_AXIS
            )));
        }
        Ok((out_w as u32, out_h as u32))
    }

    /// How much larger columns and rows become, given the size before.
    pub(crate) fn factors(self, source: (u32, u32)) -> [f64; 2] {
        match self {
            Enlargement::Factor(factor) => [factor; 2],
            Enlargement::Size(width, height) => {
                [f64::from(width) / f64::from(source.0), f64::from(height) / f64::from(source.1)]
            }
        }
    }

    /// The resampling tables of columns and rows.
    pub(crate) fn tables(self, source: (u32, u32)) -> Result<[ResampleTable; 2]> {
        let target = self.size(source)?;
        let [across, down] = self.factors(source);
        let table = |from: u32, to: u32, factor| ResampleTable::bicubic(from as usize, to as usize, factor);
        Ok([table(source.0, target.0, across)?, table(source.1, target.1, down)?])
    }
}

/// One axis of a tile.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TileSpan {
    /// First pixel, in the result.
    pub start: usize,
    /// Number of pixels, in the result.
    pub len: usize,
    /// Coordinate of the first pixel in the enlarged picture: `start`, plus the network's radius for valid padding.
    pub first: usize,
    /// Pixels of the low-resolution picture that are read.
    pub source: Range<usize>,
}

/// How one axis of a picture is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cut {
    /// Receptive radius of the network.
    radius: usize,
    /// Pixels that spans read beyond it.
    margin: usize,
    /// Pixels that valid padding removes from each end.
    shift: usize,
    /// Most pixels of a span, in the result.
    tile: usize,
}

impl Cut {
    fn span(&self, table: &ResampleTable, start: usize, len: usize) -> TileSpan {
        let &Self { radius, margin, shift, .. } = self;
        let first = start + shift;
        let low = first.saturating_sub(radius + margin);
        let high = (first + len + radius + margin).min(table.output_len);
        let source = table.input_range(low, high);
        TileSpan { start, len, first, source: *source.start()..source.end() + 1 }
    }

    /// Cuts a part of the result into spans that read at most `most` source pixels.
    fn spans(&self, table: &ResampleTable, part: Range<usize>, most: usize) -> Vec<TileSpan> {
        let mut spans = Vec::new();
        let mut start = part.start;
        while start < part.end {
            let mut span = self.span(table, start, self.tile.min(part.end - start));
            while span.source.len() > most && span.len > 1 {
                span = self.span(table, start, span.len - 1);
            }
            start += span.len;
            spans.push(span);
        }
        spans
    }
}

/// All tiles of a picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// Width and height of the enlarged picture.
    pub picture: [usize; 2],
    /// Width and height of the result; smaller than `picture` for valid padding.
    pub result: [usize; 2],
    /// The columns of the tiles.
    pub columns: Vec<TileSpan>,
    /// The rows of the tiles.
    pub rows: Vec<TileSpan>,
    /// How columns and rows are cut.
    cuts: [Cut; 2],
}

impl Plan {
    /// Cuts the picture into tiles of at most `tile` pixels per side. Their kernels read `margin` columns and rows
    /// more than the receptive radius.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for valid padding with a picture smaller than the receptive field.
    pub fn new(
        [columns, rows]: &[ResampleTable; 2],
        architecture: &Architecture,
        padding: Padding,
        tile: usize,
        margin: [usize; 2],
    ) -> Result<Self> {
        let radius = architecture.radius();
        let picture = [columns.output_len, rows.output_len];
        let valid = padding == Padding::Valid;
        if valid && picture.iter().any(|&len| len <= 2 * radius) {
            return Err(Error::invalid(format!(
                "a picture of {}x{} is smaller than the receptive field of {architecture} ({} pixels): padding 'valid' leaves nothing",
                picture[0],
                picture[1],
                2 * radius + 1
            )));
        }
        let shift = if valid { radius } else { 0 };
        let cuts = margin.map(|margin| Cut { radius, margin, shift, tile: tile.max(1) });
        let result = picture.map(|len| len - 2 * shift);
        Ok(Self {
            picture,
            result,
            columns: cuts[0].spans(columns, 0..result[0], usize::MAX),
            rows: cuts[1].spans(rows, 0..result[1], usize::MAX),
            cuts,
        })
    }

    /// Cuts only these columns and rows of the result, into tiles that fit the textures of the whole plan's: none reads more
    /// source rows than its largest one.
    pub fn part(&self, [columns, rows]: &[ResampleTable; 2], [across, down]: [Range<usize>; 2]) -> Self {
        let [_, most] = self.largest_source();
        Self {
            columns: self.cuts[0].spans(columns, across, usize::MAX),
            rows: self.cuts[1].spans(rows, down, most),
            ..self.clone()
        }
    }

    /// Number of tiles.
    pub fn tiles(&self) -> usize {
        self.columns.len() * self.rows.len()
    }

    /// Columns and rows of tile `index`; tiles are numbered row by row.
    pub fn tile(&self, index: usize) -> [&TileSpan; 2] {
        [&self.columns[index % self.columns.len()], &self.rows[index / self.columns.len()]]
    }

    /// Width and height of the result.
    pub fn result_size(&self) -> (u32, u32) {
        (self.result[0] as u32, self.result[1] as u32)
    }

    /// Size of the largest tile in result pixels: width and height.
    pub fn largest(&self) -> [usize; 2] {
        [&self.columns, &self.rows].map(|spans| spans.iter().map(|s| s.len).max().unwrap_or(0))
    }

    /// Size of the largest part of the low-resolution picture that a tile reads: width and height.
    pub fn largest_source(&self) -> [usize; 2] {
        [&self.columns, &self.rows].map(|spans| spans.iter().map(|s| s.source.len()).max().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_the_result_once() {
        let net = Architecture::parse("9-1-5", "64-32", 1).unwrap();
        for padding in [Padding::Replicate, Padding::Valid] {
            let tables = Enlargement::from(3.0).tables((41, 17)).unwrap();
            let plan = Plan::new(&tables, &net, padding, 32, [0; 2]).unwrap();
            let mut next = 0;
            for span in &plan.columns {
                assert_eq!(span.start, next);
                next += span.len;
            }
            assert_eq!(next, plan.result[0]);
            assert_eq!(plan.tiles(), plan.columns.len() * plan.rows.len());
        }
    }

    #[test]
    fn spans_read_what_their_taps_need() {
        let table = ResampleTable::bicubic(20, 60, 3.0).unwrap();
        let cut = Cut { radius: 6, margin: 0, shift: 0, tile: 16 };
        let span = &cut.spans(&table, 0..60, usize::MAX)[1];
        // Pixels 10..38 of 60 lie at (x + 0.5) / 3 - 0.5 in the source, from 3.0 to 12.0; each has four taps, from 1
        // left to 2 right of its position.
        assert_eq!((span.start, span.source.clone()), (16, 2..15));
    }

    #[test]
    fn parts_are_cut_to_fit_the_textures_of_the_whole() {
        let net = Architecture::parse("9-1-5", "64-32", 1).unwrap();
        for padding in [Padding::Replicate, Padding::Valid] {
            let tables = Enlargement::from(2.3).tables((50, 41)).unwrap();
            let whole = Plan::new(&tables, &net, padding, 16, [3; 2]).unwrap();
            let [_, most] = whole.largest_source();
            for first in 0..whole.result[1] {
                let rows = first..(first + 37).min(whole.result[1]);
                let part = whole.part(&tables, [3..4, rows.clone()]);
                let mut next = rows.start;
                for span in &part.rows {
                    assert!(span.start == next && (1..=16).contains(&span.len) && span.source.len() <= most);
                    next += span.len;
                }
                assert_eq!((next, part.columns.len()), (rows.end, 1));
            }
        }
    }

    #[test]
    fn valid_padding_needs_a_receptive_field() {
        let net = Architecture::parse("9-1-5", "64-32", 1).unwrap();
        let tables = Enlargement::from(2.0).tables((6, 20)).unwrap();
        assert!(Plan::new(&tables, &net, Padding::Valid, 64, [0; 2]).is_err());
        assert!(Plan::new(&tables, &net, Padding::Zero, 64, [0; 2]).is_ok());
    }
}
