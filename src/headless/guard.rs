//! Notices tiles that a driver or a broken model has left black or in one flat color.

use std::ops::Range;

use super::convert::Texel;
use crate::color::{OFFSET, TO_YCBCR};
use crate::upscaler::TileSpan;

/// A source contrast, in luminance from 0 to 1, that no working network removes.
const VARIED: f32 = 1.0 / 16.0;
/// A result with no more contrast than this is flat.
const FLAT: f32 = 1.0 / 1024.0;

/// Largest difference in displayable luminance between two texels, 0 to 1.
fn contrast<'a>(rows: impl Iterator<Item = &'a [Texel]>) -> f32 {
    let [red, green, blue] = TO_YCBCR[0].map(|share| share as f32);
    let (mut low, mut high) = (1.0f32, 0.0f32);
    for [r, g, b, _] in rows.flatten() {
        let luminance = (red * r + green * g + blue * b + OFFSET[0] as f32).clamp(0.0, 1.0);
        (low, high) = (low.min(luminance), high.max(luminance));
    }
    high - low
}

/// Whether the source of a tile has enough contrast that its result must have some too. `picture` holds the source's
/// and the result's length of each axis.
pub(super) fn is_varied(texels: &[Texel], tile: [&TileSpan; 2], picture: [(usize, usize); 2]) -> bool {
    let [columns, rows] = [0, 1].map(|axis| interior(tile[axis], picture[axis]));
    // Shrinking a picture may well remove its contrast.
    if picture.iter().any(|(from, to)| to < from) || columns.is_empty() {
        return false;
    }
    let lines = texels.chunks_exact(tile[0].source.len());
    let lines = lines.take(rows.end).skip(rows.start).map(|line| &line[columns.clone()]);
    contrast(lines) >= VARIED
}

/// Whether a result is one flat color.
pub(super) fn is_flat<'a>(rows: impl Iterator<Item = &'a [Texel]>) -> bool {
    contrast(rows) <= FLAT
}

/// The part of a span's source whose pixel centers lie in the span itself rather than in its halo; relative to the
/// source.
fn interior(span: &TileSpan, (from, to): (usize, usize)) -> Range<usize> {
    let at = |result: usize| result as f64 * from as f64 / to as f64;
    let first = at(span.first).ceil() as usize;
    let end = at(span.first + span.len).floor() as usize;
    let within = |at: usize| at.clamp(span.source.start, span.source.end) - span.source.start;
    within(first)..within(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f32]) -> Vec<Texel> {
        values.iter().map(|&v| [v, v, v, 1.0]).collect()
    }

    #[test]
    fn flat_black_and_saturated_results() {
        for (values, flat) in [
            ([0.0; 4], true),
            ([0.7; 4], true),
            ([-3.0, -9.0, -1.0, -0.5], true),
            ([5.0, 7.0, 2.0, 9.0], true),
            ([0.5, 0.5, 0.51, 0.5], false),
            ([0.0, 0.0, 0.0, 1.0], false),
        ] {
            assert_eq!(is_flat([rows(&values).as_slice()].into_iter()), flat, "{values:?}");
        }
        // Alpha does not count as contrast.
        let alpha = [[0.5, 0.5, 0.5, 0.0], [0.5, 0.5, 0.5, 1.0]];
        assert!(is_flat([alpha.as_slice()].into_iter()));
    }

    #[test]
    fn contrast_in_the_halo_does_not_count() {
        let span = |first: usize, len, source| TileSpan { start: first, len, first, source };
        // Pixels 8..16 of 40 are made of source pixels 4..8 of 20, and read 1..11.
        let tile = span(8, 8, 1..11);
        let source = |bright: usize| -> Vec<Texel> {
            (0..100).map(|i| [0.5, if i % 10 + 1 == bright { 1.0 } else { 0.5 }, 0.5, 1.0]).collect()
        };
        for (bright, varied) in [(2, false), (3, false), (4, true), (7, true), (8, false)] {
            let found = is_varied(&source(bright), [&tile, &tile], [(20, 40); 2]);
            assert_eq!(found, varied, "column {bright}");
        }
        assert!(!is_varied(&source(5), [&tile, &tile], [(40, 20); 2]));
    }
}
