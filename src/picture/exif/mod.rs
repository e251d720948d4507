//! Exif blocks: updating them when a picture is enlarged, and their way into and out of TIFF files.
//!
//! A block is a small TIFF file without pixels (Exif 2.32, section 4.5): a byte order, and directories of entries
//! that point to their values. Blocks that stay blocks are changed in place, so that values which only their camera
//! understands keep their offsets.

mod read;
mod update;

use read::Order;
pub use update::{about, set_orientation, update};

/// The tags that this program reads or writes by meaning.
pub mod tag {
    pub const IMAGE_WIDTH: u16 = 0x0100;
    pub const IMAGE_LENGTH: u16 = 0x0101;
    pub const ORIENTATION: u16 = 0x0112;
    pub const EXIF: u16 = 0x8769;
    pub const GPS: u16 = 0x8825;
    pub const MAKER_NOTE: u16 = 0x927c;
    pub const PIXEL_X_DIMENSION: u16 = 0xa002;
    pub const PIXEL_Y_DIMENSION: u16 = 0xa003;
    pub const INTEROPERABILITY: u16 = 0xa005;
}

/// Entries of a TIFF file's first directory that describe the picture and not how it is stored: names, dates, camera,
/// resolution, rights, ratings.
const DESCRIPTIVE: [u16; 19] = [
    0x010d, 0x010e, 0x010f, 0x0110, 0x011a, 0x011b, 0x0128, 0x0131, 0x0132, 0x013b, 0x013c, 0x4746, 0x4749,
    0x8298, 0x9c9b, 0x9c9c, 0x9c9d, 0x9c9e, 0x9c9f,
];

const BYTE: u16 = 1;
pub const SHORT: u16 = 3;
pub const LONG: u16 = 4;
/// A position of a directory.
const IFD: u16 = 13;
/// The kinds of 64 bits: a number, and a position of a directory.
const LONG8: u16 = 16;
const IFD8: u16 = 18;
const RATIONAL: u16 = 5;

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub tag: u16,
    kind: u16,
    count: u32,
    /// Little-endian.
    data: Vec<u8>,
}

impl Entry {
    pub fn shorts(tag: u16, values: &[u16]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { tag, kind: SHORT, count: values.len() as u32, data }
    }

    pub fn longs(tag: u16, values: &[u32]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { tag, kind: LONG, count: values.len() as u32, data }
    }

    /// A whole number as a fraction.
    pub fn ratio(tag: u16, number: u32) -> Self {
        let data = [number.to_le_bytes(), 1u32.to_le_bytes()].concat();
        Self { tag, kind: RATIONAL, count: 1, data }
    }

    /// Bytes that TIFF does not interpret: kind 7, or 1 for XMP.
    pub fn bytes(tag: u16, kind: u16, data: Vec<u8>) -> Self {
        Self { tag, kind, count: data.len() as u32, data }
    }

    /// The first value, if values are integers without sign, of up to 32 bits.
    pub fn number(&self) -> Option<u32> {
        self.numbers().next().and_then(|number| number.try_into().ok())
    }

    /// The values, if they are integers without sign; none otherwise.
    pub fn numbers(&self) -> impl ExactSizeIterator<Item = u64> {
        let len = match self.kind {
            BYTE => 1,
            SHORT => 2,
            LONG | IFD => 4,
            LONG8 | IFD8 => 8,
            _ => self.data.len() + 1,
        };
        self.data
            .chunks_exact(len)
            .map(|number| number.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// The values, if they are fractions or floats; none otherwise.
    pub fn fractions(&self) -> Vec<f64> {
        let four = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        match self.kind {
            5 => self.data.chunks_exact(8).map(|v| f64::from(four(v)) / f64::from(four(&v[4..]))).collect(),
            11 => self.data.chunks_exact(4).map(|v| f32::from_bits(four(v)).into()).collect(),
            _ => Vec::new(),
        }
    }

    /// The same value as a kind that files with 32-bit positions have, if it is one of 64 bits and fits.
    fn narrowed(self) -> Self {
        if ![IFD, LONG8, IFD8].contains(&self.kind) {
            return self;
        }
        let numbers: Option<Vec<u32>> = self.numbers().map(|number| number.try_into().ok()).collect();
        numbers.map_or(self.clone(), |numbers| Self::longs(self.tag, &numbers))
    }

    /// The values as bytes, little-endian.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The values as 16-bit numbers.
    pub fn words(&self) -> Vec<u16> {
        self.data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
    }
}

/// The directories of a block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Directories {
    pub main: Vec<Entry>,
    pub exif: Vec<Entry>,
    pub gps: Vec<Entry>,
    /// Whether another picture follows: a thumbnail in Exif, another page in TIFF.
    pub more: bool,
}

impl Directories {
    /// Only the entries that describe the picture, without those about how a TIFF file is stored.
    pub fn descriptive(&self) -> Self {
        let main = self.main.iter().filter(|entry| DESCRIPTIVE.contains(&entry.tag));
        // Offsets within these notes count from the beginning of a file that is gone.
        let exif = self.exif.iter().filter(|entry| entry.tag != tag::MAKER_NOTE);
        Self {
            main: main.cloned().collect(),
            exif: exif.cloned().collect(),
            gps: self.gps.clone(),
            more: self.more,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.main.is_empty() && self.exif.is_empty() && self.gps.is_empty()
    }

    /// A block of its own, little-endian.
    pub fn to_block(&self) -> Vec<u8> {
        let mut block = b"II*\0\x08\0\0\0".to_vec();
        block.extend(self.to_bytes(8));
        block
    }

    /// The directories as bytes of a little-endian file, for a position `start`, which has to be even.
    pub fn to_bytes(&self, start: u32) -> Vec<u8> {
        let mut main = self.main.clone();
        main.retain(|entry| entry.tag != tag::EXIF && entry.tag != tag::GPS);
        let subs = [(tag::EXIF, &self.exif), (tag::GPS, &self.gps)];
        let subs = subs.into_iter().filter(|(_, entries)| !entries.is_empty());
        let subs: Vec<_> = subs.collect();
        main.extend(subs.iter().map(|&(tag, _)| Entry::longs(tag, &[0])));
        let mut at = start + directory_len(&main);
        let mut rest = Vec::new();
        for (tag, entries) in subs {
            if let Some(pointer) = main.iter_mut().find(|entry| entry.tag == tag) {
                pointer.data = at.to_le_bytes().to_vec();
            }
            rest.extend(directory(entries, at));
            at += directory_len(entries);
        }
        let mut bytes = directory(&main, start);
        bytes.extend(rest);
        bytes
    }
}

/// Length in bytes of a directory with its values.
fn directory_len(entries: &[Entry]) -> u32 {
    let values = entries.iter().map(|entry| entry.data.len()).filter(|&len| len > 4);
    (6 + 12 * entries.len() + values.map(|len| len.next_multiple_of(2)).sum::<usize>()) as u32
}

fn directory(entries: &[Entry], start: u32) -> Vec<u8> {
    let mut entries: Vec<&Entry> = entries.iter().collect();
    entries.sort_by_key(|entry| entry.tag);
    let mut bytes = (entries.len() as u16).to_le_bytes().to_vec();
    let mut values: Vec<u8> = Vec::new();
    let first_value = start + 6 + 12 * entries.len() as u32;
    for entry in entries {
        bytes.extend(entry.tag.to_le_bytes());
        bytes.extend(entry.kind.to_le_bytes());
        bytes.extend(entry.count.to_le_bytes());
        if entry.data.len() <= 4 {
            bytes.extend(entry.data.iter().copied().chain([0; 4]).take(4));
        } else {
            bytes.extend((first_value + values.len() as u32).to_le_bytes());
            values.extend(&entry.data);
            values.resize(values.len().next_multiple_of(2), 0);
        }
    }
    bytes.extend([0; 4]); // no further directory
    bytes.extend(values);
    bytes
}

#[cfg(test)]
mod tests {
    use super::read::SIZES;
    use super::*;
    use crate::limits::Limit;
    use std::io::Cursor;

    fn sample() -> Directories {
        Directories {
            main: vec![
                Entry::bytes(0x010f, 2, b"Camera\0".to_vec()),
                Entry::shorts(tag::ORIENTATION, &[6]),
                Entry::bytes(0x8298, 2, b"me\0".to_vec()),
            ],
            exif: vec![
                Entry::bytes(0x9286, 7, b"ASCII\0\0\0hello".to_vec()),
                Entry::shorts(tag::PIXEL_X_DIMENSION, &[40]),
                Entry::longs(tag::PIXEL_Y_DIMENSION, &[30]),
            ],
            gps: vec![Entry::bytes(1, 2, b"N\0".to_vec())],
            more: false,
        }
    }

    /// The same block in the other byte order.
    fn big_endian(block: &[u8]) -> Vec<u8> {
        fn turn(block: &mut [u8], at: usize) {
            let count = usize::from(u16::from_le_bytes([block[at], block[at + 1]]));
            block[at..at + 2].reverse();
            for i in 0..count {
                let entry = at + 2 + 12 * i;
                let word = |at: usize| u16::from_le_bytes([block[at], block[at + 1]]);
                let long = |at: usize| u32::from_le_bytes(block[at..at + 4].try_into().unwrap());
                let (tag, kind, value) = (word(entry), word(entry + 2), long(entry + 8));
                let len = SIZES[usize::from(kind)].0 as u32 * long(entry + 4);
                [(0, 2), (2, 4), (4, 8)].iter().for_each(|&(a, b)| block[entry + a..entry + b].reverse());
                match (kind, len) {
                    (SHORT, 2) => block[entry + 8..entry + 10].reverse(),
                    (LONG, 4) | (_, 5..) => block[entry + 8..entry + 12].reverse(),
                    _ => {}
                }
                if tag == super::tag::EXIF || tag == super::tag::GPS {
                    turn(block, value as usize);
                }
            }
        }
        let mut big = block.to_vec();
        turn(&mut big, 8);
        big[..8].copy_from_slice(b"MM\0*\0\0\0\x08");
        big
    }

    #[test]
    fn entries_that_share_their_bytes_stay_within_memory() {
        const VALUE: usize = 1 << 20;
        let mut block = b"II*\0\x08\0\0\0".to_vec();
        block.extend(1000u16.to_le_bytes());
        // The last one points to a directory of its own: this one again.
        for tag in (0..999u16).chain([tag::EXIF]) {
            if tag == super::tag::EXIF {
                block.extend([tag.to_le_bytes(), LONG.to_le_bytes()].concat());
                block.extend([1u32.to_le_bytes(), 8u32.to_le_bytes()].concat());
                continue;
            }
            block.extend([tag.to_le_bytes(), 7u16.to_le_bytes()].concat());
            block.extend([(VALUE as u32).to_le_bytes(), 8u32.to_le_bytes()].concat());
        }
        block.resize(8 + VALUE, 0);
        let read = Directories::read(&mut Cursor::new(&block)).unwrap();
        let values = read.main.iter().chain(&read.exif).filter(|entry| entry.data.len() == VALUE).count();
        assert_eq!(values, Limit::Metadata.get() as usize / VALUE);
    }

    #[test]
    fn blocks_are_read_as_written_in_both_orders() {
        let block = sample().to_block();
        for block in [block.clone(), big_endian(&block)] {
            let mut read = Directories::read(&mut Cursor::new(&block)).unwrap();
            read.main.retain(|entry| ![tag::EXIF, tag::GPS].contains(&entry.tag));
            assert_eq!(read, sample());
            for len in 0..block.len() {
                // Only that it returns.
                let _ = Directories::read(&mut Cursor::new(&block[..len]));
                update(&mut block[..len].to_vec(), (1, 1), true);
            }
        }
    }

    #[test]
    fn updates_in_place() {
        let little = sample().to_block();
        for mut block in [little.clone(), big_endian(&little)] {
            let len = block.len();
            update(&mut block, (70_000, 60), true);
            assert_eq!(block.len(), len);
            let read = Directories::read(&mut Cursor::new(&block)).unwrap();
            let number = |entries: &[Entry], tag| entries.iter().find(|e| e.tag == tag).unwrap().number();
            assert_eq!(number(&read.main, tag::ORIENTATION), Some(1));
            assert_eq!(number(&read.exif, tag::PIXEL_X_DIMENSION), Some(70_000));
            assert_eq!(number(&read.exif, tag::PIXEL_Y_DIMENSION), Some(60));
            assert_eq!(read.gps, sample().gps);
            assert_eq!(read.main[0], sample().main[0]);
        }
    }
}
