//! Bicubic enlargement by a whole factor and then a filter: together one filter on the low-resolution samples for each
//! phase (footnote 3 of the paper).

use std::ops::RangeInclusive;

use super::ResampleTable;

/// The factors that there are phases for.
pub const FACTORS: RangeInclusive<usize> = 2..=4;

/// Weights below this are those of taps that the cubic kernel's zeros fall on, but for rounding.
const ZERO: f64 = 1e-9;

/// One axis: enlarged sample s q + p has phase p, s the factor, and what a filter around it makes of the enlarged samples
/// is a sum over low-resolution samples q + [`Phases::first`]`(p)` and so on. It holds where neither the filter nor the
/// interpolation reads beyond the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Phases {
    factor: usize,
    filter: usize,
    /// Taps of a phase.
    taps: usize,
    /// First tap of phase 0, relative to q.
    first: i64,
    /// The first phase whose taps begin one sample later.
    moved: usize,
    /// What each tap of the filter takes of each low-resolution sample: `[phase][filter][taps]`.
    weights: Vec<f64>,
}

impl Phases {
    /// For filters of `filter` samples, an odd number. `None` for factors that are not in [`FACTORS`], and for filters so
    /// long that their phases begin at more than two places.
    pub fn new(factor: usize, filter: usize) -> Option<Self> {
        if !FACTORS.contains(&factor) || filter == 0 {
            return None;
        }
        let middle = filter + 4;
        let table = ResampleTable::bicubic(2 * middle, 2 * middle * factor, factor as f64).ok()?;
        // Enlarged sample `x`: its taps relative to `middle`, and their weights.
        let taps = |x: usize| {
            (x * table.taps..(x + 1) * table.taps)
                .map(|tap| (i64::from(table.indices[tap]) - middle as i64, table.weights[tap]))
                .filter(|(_, weight)| weight.abs() > ZERO)
        };
        let sample = |phase: usize, j: usize| middle * factor + phase + j - filter / 2;
        let reach = |phase: usize| {
            let all = (0..filter).flat_map(|j| taps(sample(phase, j))).map(|(at, _)| at);
            all.fold((i64::MAX, i64::MIN), |(low, high), at| (low.min(at), high.max(at)))
        };
        let reaches: Vec<_> = (0..factor).map(reach).collect();
        let first = reaches[0].0;
        let longest = |moved: usize| {
            let lengths = reaches.iter().enumerate().map(|(phase, (low, high))| {
                let start = first + i64::from(phase >= moved);
                (*low >= start).then_some(high + 1 - start)
            });
            lengths.collect::<Option<Vec<_>>>().and_then(|lengths| lengths.into_iter().max())
        };
        let (count, moved) = (1..=factor)
            .rev()
            .filter_map(|moved| Some((longest(moved)?, moved)))
            .min_by_key(|(count, _)| *count)?;
        let count = count as usize;
        let mut weights = vec![0.0; factor * filter * count];
        for phase in 0..factor {
            for j in 0..filter {
                for (at, weight) in taps(sample(phase, j)) {
                    let tap = (at - first) as usize - usize::from(phase >= moved);
                    weights[(phase * filter + j) * count + tap] += weight;
                }
            }
        }
        Some(Self { factor, filter, taps: count, first, moved, weights })
    }

    /// Factor, taps of a phase, and the first phase whose taps begin one sample later, or the factor if there is none.
    pub fn shape(&self) -> [usize; 3] {
        [self.factor, self.taps, self.moved]
    }

    /// First tap of a phase, relative to q.
    pub fn first(&self, phase: usize) -> i64 {
        self.first + i64::from(phase >= self.moved)
    }

    /// Enlarged samples for which no tap is beyond a picture of `len` low-resolution samples, counted in units of
    /// `unit` of these: from the first to the one behind the last.
    pub fn inside(&self, len: usize, unit: usize) -> [usize; 2] {
        let before = (-self.first).max(0) as usize;
        let behind = (self.first(self.factor - 1) + self.taps as i64 - 1).max(0) as usize;
        let [first, end] = [before.next_multiple_of(unit), len.saturating_sub(behind) / unit * unit];
        [first * self.factor, end.max(first) * self.factor]
    }

    /// The filter for phase `rows` of rows and `columns` of columns, `[taps][taps]`, of one of `[filter][filter]` for
    /// the enlarged picture.
    pub fn fold(&self, [rows, columns]: [usize; 2], weights: &[f32]) -> Vec<f64> {
        let (filter, taps) = (self.filter, self.taps);
        let axis = |phase: usize| self.weights[phase * filter * taps..].chunks_exact(taps).take(filter);
        let mut folded = vec![0.0; taps * taps];
        for (row, down) in weights.chunks_exact(filter).zip(axis(rows)) {
            let mut across = vec![0.0; taps];
            for (&weight, part) in row.iter().zip(axis(columns)) {
                across.iter_mut().zip(part).for_each(|(sum, part)| *sum += f64::from(weight) * part);
            }
            for (sums, down) in folded.chunks_exact_mut(taps).zip(down) {
                sums.iter_mut().zip(&across).for_each(|(sum, across)| *sum += down * across);
            }
        }
        folded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_those_of_the_paper_network() {
        let shape = |factor| Phases::new(factor, 9).map(|phases| (phases.shape(), phases.first(0)));
        assert_eq!(shape(2), Some(([2, 8, 1], -4)));
        assert_eq!(shape(3), Some(([3, 7, 3], -3)));
        assert_eq!(shape(4), Some(([4, 6, 2], -3)));
        assert_eq!(shape(5), None);
    }

    #[test]
    fn folded_filters_equal_interpolation_and_filter() {
        for factor in FACTORS {
            for filter in [1, 3, 5, 7, 9] {
                let phases = Phases::new(factor, filter).unwrap();
                let len = 23;
                let low: Vec<f64> = (0..len * len).map(|i| ((i * i) % 17) as f64 / 17.0).collect();
                let (high, _, side) =
                    crate::reference::resample::imresize(&low, len, len, factor as f64).unwrap();
                let weights: Vec<f32> = (0..filter * filter).map(|i| (i % 7) as f32 - 2.5).collect();
                let [start, end] = phases.inside(len, 1);
                let mut compared = 0;
                for (y, x) in (start..end).flat_map(|y| (start..end).map(move |x| (y, x))) {
                    let expected: f64 = (0..filter * filter)
                        .map(|i| {
                            let (y, x) = (y + i / filter - filter / 2, x + i % filter - filter / 2);
                            f64::from(weights[i]) * high[y * side + x]
                        })
                        .sum();
                    let [_, taps, _] = phases.shape();
                    let (py, px) = (y % factor, x % factor);
                    let at = |i: usize, phase: usize, tap: usize| {
                        ((i / factor + tap) as i64 + phases.first(phase)) as usize
                    };
                    let folded = phases.fold([py, px], &weights);
                    let actual: f64 = (0..taps * taps)
                        .map(|i| folded[i] * low[at(y, py, i / taps) * len + at(x, px, i % taps)])
                        .sum();
                    assert!((actual - expected).abs() < 1e-9, "x{factor} {filter} at {y},{x}");
                    compared += 1;
                }
                assert!(compared > 100, "x{factor} {filter}: {compared}");
            }
        }
    }
}
