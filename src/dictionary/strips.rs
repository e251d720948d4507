//! The average of overlapping patches, from the top of a picture to its bottom.

use std::ops::Range;

use super::lattice::Axis;

/// Sums the residuals of rows of patches, and gives the average of each row of pixels when it is complete. Each pixel's sum
/// has the order of the patches, row by row, however many rows of patches come at a time.
#[derive(Debug)]
pub(super) struct Strips {
    across: Axis,
    down: Axis,
    cover: [Vec<u32>; 2],
    /// Sums of the rows of pixels that are not complete, `[row][column]`, and the first of these rows.
    sums: Vec<f32>,
    first: usize,
}

impl Strips {
    pub fn new([across, down]: [Axis; 2]) -> Self {
        Self { across, down, cover: [across.cover(), down.cover()], sums: Vec::new(), first: 0 }
    }

    /// Rows of pixels that are complete with these rows of patches.
    pub fn complete(&self, patches: &Range<usize>) -> Range<usize> {
        let end =
            if patches.end < self.down.count() { self.down.start(patches.end) } else { self.down.length };
        self.first..end
    }

    /// Adds the residuals `[patch][pixel]` of the next rows of patches, and returns the average residuals of the rows of
    /// pixels that are complete now.
    pub fn add(&mut self, patches: Range<usize>, residuals: &[f32]) -> Vec<f32> {
        let (width, patch) = (self.across.length, self.across.patch);
        let last = self.down.start(patches.end.saturating_sub(1)) + patch;
        self.sums.resize((last.min(self.down.length) - self.first) * width, 0.0);
        let columns = self.across.count();
        for (index, residual) in residuals.chunks_exact(patch * patch).enumerate() {
            let (top, left) =
                (self.down.start(patches.start + index / columns), self.across.start(index % columns));
            let inside = patch.min(width - left);
            for (y, row) in residual.chunks_exact(patch).enumerate().take(self.down.length - top) {
                let at = (top + y - self.first) * width + left;
                self.sums[at..at + inside].iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
        }
        let complete = self.complete(&patches);
        let mut averages: Vec<f32> = self.sums.drain(..complete.len() * width).collect();
        for (y, row) in averages.chunks_exact_mut(width).enumerate() {
            let down = self.cover[1][complete.start + y];
            row.iter_mut().zip(&self.cover[0]).for_each(|(value, across)| *value /= (across * down) as f32);
        }
        self.first = complete.end;
        averages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(length: usize) -> Axis {
        Axis { length, step: 3, patch: 9 }
    }

    /// The average by its definition, in any number of steps the same bits.
    #[test]
    fn averages_by_the_definition() {
        for (width, height) in [(30, 24), (31, 26), (9, 40), (5, 7), (14, 9)] {
            let axes = [axis(width), axis(height)];
            let (columns, rows) = (axes[0].count(), axes[1].count());
            let value = |patch: usize, pixel: usize| ((patch * 31 + pixel * 7) % 53) as f32 / 53.0 - 0.4;
            let residuals: Vec<f32> =
                (0..columns * rows).flat_map(|patch| (0..81).map(move |pixel| value(patch, pixel))).collect();
            let expected = (0..width * height).map(|i| {
                let (x, y) = (i % width, i / width);
                let mut found = Vec::new();
                for patch in 0..columns * rows {
                    let (left, top) = (axes[0].start(patch % columns), axes[1].start(patch / columns));
                    if (left..left + 9).contains(&x) && (top..top + 9).contains(&y) {
                        found.push(f64::from(value(patch, (y - top) * 9 + x - left)));
                    }
                }
                found.iter().sum::<f64>() / found.len() as f64
            });
            let expected: Vec<f64> = expected.collect();
            let mut whole = Vec::new();
            for step in [rows, 1, 2] {
                let mut strips = Strips::new(axes);
                let mut all = Vec::new();
                for start in (0..rows).step_by(step) {
                    let patches = start..(start + step).min(rows);
                    let part = &residuals[patches.start * columns * 81..patches.end * columns * 81];
                    assert_eq!(strips.complete(&patches).start * width, all.len());
                    all.extend(strips.add(patches, part));
                }
                assert_eq!(all.len(), width * height);
                if whole.is_empty() {
                    whole = all.clone();
                }
                assert_eq!(all, whole, "{width}x{height}, {step} rows at a time");
                for (found, expected) in all.iter().zip(&expected) {
                    assert!(
                        (f64::from(*found) - expected).abs() < 1e-6,
                        "{width}x{height}: {found} {expected}"
                    );
                }
            }
        }
    }
}
