//! Rows of chunks as numbers.

use super::storage::{Chunk, Storage};

/// The samples of a row that are wanted, channel after channel for each pixel.
#[derive(Default)]
pub struct Row {
    /// Integers; of those with 64 bits the upper half.
    pub integers: Vec<u32>,
    pub floats: Vec<f32>,
}

impl Row {
    /// Takes the samples of `channels` from row `y` of a chunk: `chunks` holds that of each of the channels, or one with all
    /// channels of the file.
    pub fn unpack(
        &mut self,
        storage: &Storage,
        channels: &[usize],
        chunks: &[Chunk],
        columns: usize,
        y: usize,
    ) {
        self.integers.clear();
        self.floats.clear();
        if let (Some((across, down)), [chunk]) = (storage.subsampling, chunks) {
            let (units, len) = (chunk.row(y / down), across * down + 2);
            for x in 0..columns {
                let unit = &units[x / across * len..][..len];
                let light = unit[y % down * across + x % across];
                self.integers.extend([light, unit[len - 2], unit[len - 1]].map(u32::from));
            }
            return;
        }
        // Where the samples of each wanted channel are: the chunk, the first sample, and how many to the next pixel.
        let planar = storage.planar;
        let stride = storage.samples_in_chunk();
        let place =
            |(i, &channel): (usize, &usize)| if planar { (&chunks[i], 0) } else { (&chunks[0], channel) };
        let places: Vec<(&[u8], usize)> =
            channels.iter().enumerate().map(place).map(|(chunk, first)| (chunk.row(y), first)).collect();
        for x in 0..columns {
            for &(row, first) in &places {
                let at = first + x * stride;
                match storage.float {
                    true => self.floats.push(float(row, storage.bits, at)),
                    false => self.integers.push(integer(row, storage.bits, at, storage.big_endian)),
                }
            }
        }
    }
}

/// Sample number `at` of a row.
fn integer(row: &[u8], bits: u32, at: usize, big_endian: bool) -> u32 {
    let bytes = |len: usize| &row[at * len..][..len];
    match (bits, big_endian) {
        (8, _) => row[at].into(),
        (16, _) => u16::from_ne_bytes([row[2 * at], row[2 * at + 1]]).into(),
        (32, _) => bytes(4).try_into().map_or(0, u32::from_ne_bytes),
        (64, _) => bytes(8).try_into().map_or(0, |bytes| (u64::from_ne_bytes(bytes) >> 32) as u32),
        (24, false) => bytes(3).iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte)),
        // Any other number of bits, the highest first, whatever the byte order.
        _ => {
            let first = at * bits as usize;
            let last = first + bits as usize - 1;
            let covered = &row[first / 8..=last / 8];
            let value = covered.iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
            (value >> (7 - last % 8) & ((1 << bits) - 1)) as u32
        }
    }
}

/// Sample number `at` of a row, rounded to single precision.
fn float(row: &[u8], bits: u32, at: usize) -> f32 {
    let len = bits as usize / 8;
    let bytes = &row[at * len..][..len];
    match bits {
        16 => bytes.try_into().map_or(0.0, |bytes| half(u16::from_ne_bytes(bytes))),
        32 => bytes.try_into().map_or(0.0, f32::from_ne_bytes),
        _ => bytes.try_into().map_or(0.0, |bytes| f64::from_ne_bytes(bytes) as f32),
    }
}

/// A float of half precision.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size() {
        let row = [0b1010_0110, 0b0101_1100, 0b1111_0000];
        let read =
            |bits, count: usize| (0..count).map(|at| integer(&row, bits, at, true)).collect::<Vec<_>>();
        assert_eq!(read(1, 4), [1, 0, 1, 0]);
        assert_eq!(read(2, 4), [2, 2, 1, 2]);
        assert_eq!(read(4, 3), [10, 6, 5]);
        assert_eq!(read(6, 4), [0b101001, 0b100101, 0b110011, 0b110000]);
        assert_eq!(read(12, 2), [0b1010_0110_0101, 0b1100_1111_0000]);
        assert_eq!(read(24, 1), [0xa65cf0]);
        assert_eq!(integer(&row, 24, 0, false), 0xf05ca6);
        assert_eq!(integer(&(7u64 << 32 | 5).to_ne_bytes(), 64, 0, true), 7);
    }

    #[test]
    fn floats_of_half_precision() {
        for (bits, value) in [(0, 0.0), (1, 2f32.powi(-24)), (0x3c00, 1.0), (0xc100, -2.5), (0x7bff, 65504.0)]
        {
            assert_eq!(half(bits), value);
        }
        assert_eq!(half(0xfc00), f32::NEG_INFINITY);
        assert!(half(0x7e00).is_nan());
    }
}
