//! The order of sub-images: a permutation for each epoch and shard that is computed, not stored, so that
//! training resumes anywhere from a step's number and a seed. All of it is u32 arithmetic that wraps, as WGSL
//! has it, and the same on every platform.
//!
//! A permutation of `len` numbers is a Feistel network over the next power of two: the bits are split into a
//! low and a high half, and [`ROUNDS`] times one half takes the exclusive or with a hash of the other.
//! Results beyond `len` go through it again until one is below (cycle walking); fewer than 2 rounds on average.

use bytemuck::{Pod, Zeroable};

/// Rounds of the network.
pub const ROUNDS: u32 = 8;

/// Mixes the bits of a word (the final step of MurmurHash3): a bijection of u32.
pub fn mix(word: u32) -> u32 {
    let word = (word ^ word >> 16).wrapping_mul(0x85eb_ca6b);
    let word = (word ^ word >> 13).wrapping_mul(0xc2b2_ae35);
    word ^ word >> 16
}

/// A permutation of 0..len, and a transform for each position. Two words of key are all there is to it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct Permutation {
    /// How many numbers; 1 or more.
    pub len: u32,
    /// From the seed, the epoch and the shard.
    pub keys: [u32; 2],
}

impl Permutation {
    /// The order of a shard of `len` sub-images in one epoch.
    pub fn new(seed: u32, epoch: u32, shard: u32, len: u32) -> Self {
        let key = |salt: u32| {
            [seed, epoch, shard].iter().fold(salt, |key, &word| mix(key ^ word).wrapping_add(salt))
        };
        Self { len: len.max(1), keys: [key(0x9e37_79b9), key(0x7f4a_7c15)] }
    }

    /// The number at `position`, which is below `len`.
    pub fn at(&self, position: u32) -> u32 {
        let bits = 32 - (self.len - 1).leading_zeros();
        let low_bits = bits / 2;
        let (low_mask, high_mask) = (ones(low_bits), ones(bits - low_bits));
        let mut number = position;
        loop {
            let (mut low, mut high) = (number & low_mask, number >> low_bits);
            for round in 0..ROUNDS {
                let key = self.keys[(round & 1) as usize].wrapping_add(round.wrapping_mul(0x9e37_79b9));
                if round & 1 == 0 {
                    high ^= mix(low ^ key) & high_mask;
                } else {
                    low ^= mix(high ^ key) & low_mask;
                }
            }
            number = high << low_bits | low;
            if number < self.len {
                return number;
            }
        }
    }

    /// One of the 8 flips and turns for `position`: bit 0 transposes, then bit 1 mirrors columns, bit 2 rows.
    pub fn turn(&self, position: u32) -> u32 {
        mix(mix(position ^ self.keys[1]) ^ self.keys[0]) >> 29
    }
}

/// A word whose lowest `bits` bits are set.
fn ones(bits: u32) -> u32 {
    if bits == 0 { 0 } else { u32::MAX >> (32 - bits) }
}

/// Where the pixel (x, y) of a turned sub-image of `size` pixels is read in the sub-image as it is stored.
pub fn turned(turn: u32, size: usize, x: usize, y: usize) -> (usize, usize) {
    let x = if turn & 2 == 0 { x } else { size - 1 - x };
    let y = if turn & 4 == 0 { y } else { size - 1 - y };
    if turn & 1 == 0 { (x, y) } else { (y, x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_of_every_length() {
        for len in (1..70).chain([255, 256, 257, 1000, 24_624]) {
            let order = Permutation::new(5, 1, 2, len);
            let mut seen = vec![false; len as usize];
            for position in 0..len {
                let number = order.at(position) as usize;
                assert!(!std::mem::replace(&mut seen[number], true), "{number} twice in {len}");
            }
        }
    }

    /// Neighbors, fixed points and the first place behave like those of a random order.
    #[test]
    fn looks_random() {
        let len = 1000;
        let (mut fixed, mut rising) = (0, 0);
        let mut first = vec![0u32; 10];
        for epoch in 0..1000 {
            let order = Permutation::new(0, epoch, 0, len);
            fixed += (0..len).filter(|&p| order.at(p) == p).count();
            rising += (1..len).filter(|&p| order.at(p) > order.at(p - 1)).count();
            first[order.at(0) as usize / 100] += 1;
        }
        // Expected: one fixed point an epoch (deviation 1), half of the neighbors rising, 100 in each tenth.
        assert!((fixed as f64 - 1000.0).abs() < 5.0 * 1000f64.sqrt(), "{fixed}");
        assert!((rising as f64 / 999_000.0 - 0.5).abs() < 0.005, "{rising}");
        assert!(first.iter().all(|&count| (50..150).contains(&count)), "{first:?}");
    }

    #[test]
    fn differs_by_seed_epoch_and_shard_and_stays_the_same() {
        let order = |seed, epoch, shard| {
            let p = Permutation::new(seed, epoch, shard, 1000);
            (0..8).map(|i| p.at(i)).collect::<Vec<_>>()
        };
        let base = order(0, 0, 0);
        assert!([order(1, 0, 0), order(0, 1, 0), order(0, 0, 1)].iter().all(|other| *other != base));
        // A checkpoint of any build must find the order that it was written in.
        assert_eq!(base, GOLDEN);
    }
    const GOLDEN: [u32; 8] = [598, 406, 195, 518, 503, 117, 701, 233];

    #[test]
    fn turns_are_the_eight_symmetries() {
        let picture: Vec<usize> = (0..9).collect();
        let mut all: Vec<Vec<usize>> = (0..8)
            .map(|turn| {
                let at = |i: usize| turned(turn, 3, i % 3, i / 3);
                (0..9).map(|i| picture[at(i).1 * 3 + at(i).0]).collect()
            })
            .collect();
        assert_eq!(all[0], picture);
        assert!(all.iter().all(|p| p[4] == 4));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 8);
        let order = Permutation::new(3, 0, 0, 100);
        let mut counts = [0; 8];
        (0..8000).for_each(|p| counts[order.turn(p) as usize] += 1);
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
    }
}
