//! Results larger than memory: hands over bands of rows as they are finished.

use std::ops::Range;

use image::{ColorType, DynamicImage};

use super::convert::{Sink, Texel, empty};
use crate::error::Result;

/// Collects tiles and hands over each row of tiles as one picture.
pub(crate) struct Bands<'a> {
    color: ColorType,
    width: u32,
    take: &'a mut dyn FnMut(DynamicImage) -> Result<()>,
    /// The band being filled, and its first row.
    current: Option<(u32, DynamicImage)>,
    /// Rows handed over so far.
    done: u32,
}

impl<'a> Bands<'a> {
    pub fn new(color: ColorType, width: u32, take: &'a mut dyn FnMut(DynamicImage) -> Result<()>) -> Self {
        Self { color, width, take, current: None, done: 0 }
    }

    /// Hands over the last band.
    pub fn finish(mut self) -> Result<()> {
        self.hand_on()
    }

    fn hand_on(&mut self) -> Result<()> {
        let Some((start, band)) = self.current.take() else { return Ok(()) };
        let end = start + band.height();
        // After an attempt with larger tiles ran out of memory, the first rows come a second time.
        let again = self.done.saturating_sub(start);
        if again >= band.height() {
            return Ok(());
        }
        self.done = end;
        (self.take)(if again > 0 { band.crop_imm(0, again, self.width, end - start - again) } else { band })
    }
}

impl Sink for Bands<'_> {
    fn begin(&mut self, x: usize, rows: Range<usize>) -> Result<()> {
        if x == 0 {
            self.hand_on()?;
            self.current = Some((rows.start as u32, empty(self.color, self.width, rows.len() as u32)?));
        }
        Ok(())
    }

    fn write(&mut self, x: usize, y: usize, texels: &[Texel]) {
        if let Some((start, band)) = &mut self.current {
            band.write(x, y - *start as usize, texels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_rows_are_handed_over_once() {
        let mut rows = Vec::new();
        let mut take = |band: DynamicImage| {
            rows.extend(band.into_luma8().into_raw());
            Ok(())
        };
        let mut bands = Bands::new(ColorType::L8, 2, &mut take);
        let tiles = [
            (0, 0..4),
            (1, 0..4),
            (0, 4..8),
            (0, 0..3),
            (1, 0..3),
            (0, 3..6),
            (1, 3..6),
            (0, 6..7),
            (1, 6..7),
        ];
        for (x, span) in tiles {
            // The third band is given up half done, and everything starts over.
            if (x, span.clone()) == (0, 0..3) {
                bands.current = None;
            }
            bands.begin(x, span.clone()).unwrap();
            span.for_each(|y| bands.write(x, y, &[[0.0, y as f32 / 255.0, 0.0, 1.0]]));
        }
        bands.finish().unwrap();
        assert_eq!(rows, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
    }
}
