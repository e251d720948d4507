//! Which sub-images a step takes, computed from the step's number.
//!
//! An epoch visits all shards in an order drawn anew. In a shard, whole batches are taken from a permutation drawn anew;
//! what is left over and does not fill a batch sits this epoch out. A batch never spans two shards, and a shard of less
//! than one batch is gone through more than once for it.

use super::shuffle::Permutation;
use crate::error::{Error, Result};

/// The order of all steps of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    seed: u32,
    batch: u32,
    /// Sub-images of each shard.
    lengths: Vec<u32>,
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// How many times all shards have been visited.
    pub epoch: u32,
    /// Shard that the step takes its batch from.
    pub shard: u32,
    /// Position of the batch's first sub-image in the shard's permutation.
    pub position: u32,
    /// Steps left in this visit of the shard, this one included.
    pub steps_left: u64,
    /// The shard that is visited next, and in which epoch.
    pub next: (u32, u32),
}

/// One sub-image of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Index in [`PackedShard::patches`](super::shard::PackedShard::patches).
    pub patch: u32,
    /// Flip and turn, as in [`super::shuffle::turned`].
    pub turn: u32,
}

impl Order {
    /// For shards of these lengths.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an empty batch, or no sub-images.
    pub fn new(seed: u32, batch: usize, lengths: &[u32]) -> Result<Self> {
        let lengths: Vec<u32> = lengths.to_vec();
        match u32::try_from(batch) {
            Ok(batch @ 1..) if !lengths.is_empty() && !lengths.contains(&0) => {
                Ok(Self { seed, batch, lengths })
            }
            _ => Err(Error::invalid(format!("no batches of {batch} from shards of {lengths:?} sub-images"))),
        }
    }

    /// Steps in one visit of a shard.
    fn visit(&self, shard: u32) -> u64 {
        u64::from((self.lengths[shard as usize] / self.batch).max(1))
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        (0..self.lengths.len() as u32).map(|shard| self.visit(shard)).sum()
    }

    /// The shards' order in an epoch.
    fn shards(&self, epoch: u32) -> impl Iterator<Item = u32> {
        let count = self.lengths.len() as u32;
        let order = Permutation::new(self.seed, epoch, u32::MAX, count);
        (0..count).map(move |position| order.at(position))
    }

    /// Where step `step`, counted from 0, is.
    pub fn place(&self, step: u64) -> Place {
        // 2^32 epochs are out of reach; wrapping would only repeat the orders.
        let epoch = (step / self.steps_per_epoch()) as u32;
        let mut left = step % self.steps_per_epoch();
        let next_epoch = self.shards(epoch.wrapping_add(1)).next().unwrap_or(0);
        let mut shards = self.shards(epoch).peekable();
        while let Some(shard) = shards.next() {
            let visit = self.visit(shard);
            if left < visit {
                let next = shards.peek().map_or((next_epoch, epoch.wrapping_add(1)), |&shard| (shard, epoch));
                let position = left as u32 * self.batch;
                return Place { epoch, shard, position, steps_left: visit - left, next };
            }
            left -= visit;
        }
        // Not reached: the visits add up to an epoch, and `left` is less.
        Place { epoch, shard: next_epoch, position: 0, steps_left: 1, next: (next_epoch, epoch) }
    }

    /// The permutation that a place's positions go through, for a shard of `len` sub-images, which can be fewer than
    /// planned when pictures have become unreadable.
    pub fn permutation(&self, place: &Place, len: u32) -> Permutation {
        Permutation::new(self.seed, place.epoch, place.shard, len)
    }

    /// The sub-images of a step whose shard turned out to hold `len` of them; positions beyond wrap around. Without `turns`
    /// all are taken as they are.
    pub fn batch(&self, place: &Place, len: u32, turns: bool) -> Vec<Sample> {
        let order = self.permutation(place, len);
        (place.position..place.position + self.batch)
            .map(|position| Sample {
                patch: order.at(position % order.len),
                turn: if turns { order.turn(position) } else { 0 },
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn an_epoch_takes_each_sub_image_once() {
        let order = Order::new(3, 10, &[100, 35, 20]).unwrap();
        assert_eq!(order.steps_per_epoch(), 10 + 3 + 2);
        for epoch in 0..3 {
            let mut seen = HashSet::new();
            let mut visits = Vec::new();
            for step in epoch * 15..(epoch + 1) * 15 {
                let place = order.place(step);
                assert_eq!(u64::from(place.epoch), epoch);
                visits.push(place.shard);
                for sample in order.batch(&place, order.lengths[place.shard as usize], true) {
                    assert!(seen.insert((place.shard, sample.patch)), "{place:?}");
                }
                let next = order.place(step + 1);
                if place.steps_left > 1 {
                    assert_eq!((next.shard, next.position), (place.shard, place.position + 10));
                } else {
                    assert_eq!(((next.shard, next.epoch), next.position), (place.next, 0));
                }
            }
            assert_eq!(seen.len(), 150);
            visits.dedup();
            assert_eq!(visits.len(), 3, "a shard is visited once");
        }
        let first = |epoch: u64| order.batch(&order.place(epoch * 15), 20, false);
        assert_ne!(first(0), first(1));
    }

    #[test]
    fn small_shards_are_repeated() {
        let order = Order::new(0, 10, &[4]).unwrap();
        let place = order.place(7);
        assert_eq!((place.epoch, place.position, place.steps_left), (7, 0, 1));
        let patches: Vec<u32> = order.batch(&place, 4, false).iter().map(|s| s.patch).collect();
        assert_eq!(patches[..4], patches[4..8]);
        assert_eq!(patches.iter().collect::<HashSet<_>>().len(), 4);
        assert!(
            Order::new(0, 0, &[4]).is_err()
                && Order::new(0, 1, &[]).is_err()
                && Order::new(0, 1, &[0]).is_err()
        );
    }
}
