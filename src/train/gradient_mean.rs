//! The mean of the gradients over a batch that is spread over ranks.

use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::ranks::Communicator;

/// The sub-images of a batch that a rank takes, by their positions in it. Together, in order, they are the batch; their
/// numbers differ by 1 at most.
///
/// # Errors
/// [`Error::InvalidArgument`] for a batch that leaves a rank without one.
pub fn share(batch: usize, rank: usize, size: usize) -> Result<Range<usize>> {
    if batch < size {
        return Err(Error::invalid(format!("a batch of {batch} sub-images is too small for {size} ranks")));
    }
    Ok(batch * rank / size..batch * (rank + 1) / size)
}

/// Sums values over the ranks, each weighted by its share of the batch: gradients of a rank's mean loss become those of the
/// batch's mean loss.
///
/// Each rank owns a part of the values: it gets that part from all ranks, sums them in f64 in the order of the ranks, rounds
/// once, and sends the sum to all. So the order of the sums is fixed whatever algorithm the library takes, all ranks get the
/// same bits, and a rank sends and receives less than twice the values, however many ranks there are.
pub struct GradientMean {
    ranks: Rc<dyn Communicator>,
    /// Each rank's share of the batch, of 1.
    weights: Vec<f64>,
    /// Values by the rank that owns them, padded to equal parts; and what comes back.
    parts: Vec<f32>,
    received: Vec<f32>,
    own: Vec<f32>,
    /// Time spent here.
    spent: Duration,
}

impl std::fmt::Debug for GradientMean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GradientMean").field("weights", &self.weights).finish_non_exhaustive()
    }
}

impl GradientMean {
    /// For batches of `batch` sub-images.
    ///
    /// # Errors
    /// As [`share`].
    pub fn new(ranks: Rc<dyn Communicator>, batch: usize) -> Result<Self> {
        let size = ranks.size();
        let weight = |rank| Ok(share(batch, rank, size)?.len() as f64 / batch as f64);
        let weights = (0..size).map(weight).collect::<Result<_>>()?;
        let (parts, received, own) = Default::default();
        Ok(Self { ranks, weights, parts, received, own, spent: Duration::ZERO })
    }

    /// Replaces the values of this rank by the weighted sum over all ranks, the same bits on each.
    ///
    /// # Errors
    /// [`Error::Ranks`] when another rank has ended.
    pub fn apply(&mut self, values: &mut [f32]) -> Result<()> {
        let begun = Instant::now();
        let part = values.len().div_ceil(self.weights.len());
        let whole = part * self.weights.len();
        for buffer in [&mut self.parts, &mut self.received] {
            buffer.clear();
            buffer.resize(whole, 0.0);
        }
        self.parts[..values.len()].copy_from_slice(values);
        self.ranks
            .all_to_all(bytemuck::cast_slice(&self.parts), bytemuck::cast_slice_mut(&mut self.received))?;
        self.own.clear();
        self.own.extend((0..part).map(|i| {
            let of_ranks = self.received[i..].iter().step_by(part.max(1)).zip(&self.weights);
            of_ranks.map(|(&value, weight)| weight * f64::from(value)).sum::<f64>() as f32
        }));
        self.ranks
            .all_gather(bytemuck::cast_slice(&self.own), bytemuck::cast_slice_mut(&mut self.received))?;
        values.copy_from_slice(&self.received[..values.len()]);
        self.spent += begun.elapsed();
        Ok(())
    }

    /// Time spent in [`GradientMean::apply`] so far, waits for slower ranks included.
    pub fn spent(&self) -> Duration {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::threads::Thread;

    /// The weighted sums on all ranks.
    fn means(size: usize, batch: usize, values: &(dyn Fn(usize) -> Vec<f32> + Sync)) -> Vec<Vec<f32>> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = Thread::group(size)
                .into_iter()
                .enumerate()
                .map(|(rank, thread)| {
                    scope.spawn(move || {
                        let mut own = values(rank);
                        let mut mean = GradientMean::new(Rc::new(thread), batch).unwrap();
                        mean.apply(&mut own).unwrap();
                        assert!(mean.spent() > Duration::ZERO);
                        own
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    #[test]
    fn weighted_by_shares_and_rounded_once() {
        let value = |rank: usize, i: usize| ((rank * 31 + i * 7) % 97) as f32 * 0.37 - 11.0;
        for (size, batch, length) in [(1, 5, 9), (2, 33, 10), (3, 32, 7), (4, 5, 3), (5, 64, 1)] {
            let all = means(size, batch, &|rank| (0..length).map(|i| value(rank, i)).collect());
            for (i, mean) in all[0].iter().enumerate() {
                let weighted = |rank| {
                    share(batch, rank, size).unwrap().len() as f64 / batch as f64 * f64::from(value(rank, i))
                };
                assert_eq!(*mean, (0..size).map(weighted).sum::<f64>() as f32);
            }
            assert!(all.iter().all(|other| *other == all[0]), "the ranks differ");
        }
        // One rank alone changes nothing.
        assert_eq!(means(1, 7, &|_| vec![0.1, -3.0e-30])[0], [0.1, -3.0e-30]);
    }

    #[test]
    fn shares_are_a_partition() {
        for (batch, size) in [(1, 1), (32, 4), (33, 4), (7, 7), (1000, 64)] {
            let shares: Vec<_> = (0..size).map(|rank| share(batch, rank, size).unwrap()).collect();
            assert!(shares[0].start == 0 && shares[size - 1].end == batch);
            assert!(shares.windows(2).all(|pair| pair[0].end == pair[1].start));
            let lengths = shares.iter().map(std::ops::Range::len);
            assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= 1);
        }
        assert!(share(3, 0, 4).is_err());
    }
}
