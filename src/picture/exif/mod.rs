//! Exif blocks: updating them when a picture is enlarged, and their way into and out of TIFF files.
//!
//! A block is a small TIFF file without pixels (Exif 2.32, section 4.5): a byte order, and directories of entries
//! that point to their values. Blocks that stay blocks are changed in place, so that values which only their camera
//! understands keep their offsets.

mod update;

use std::io::{Read, Seek, SeekFrom};

pub use update::{about, set_short, update};

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

/// Values longer than this are left out: no useful one is, and it would take up memory.
const LONGEST: u64 = 1 << 24;
/// The same for all values of a file together: entries may share bytes, so a small file can ask for a lot.
const LONGEST_IN_ALL: u64 = 1 << 26;

/// By kind of value: bytes in one value, and bytes in the units that the byte order applies to.
const SIZES: [(u64, usize); 13] =
    [(0, 1), (1, 1), (1, 1), (2, 2), (4, 4), (8, 4), (1, 1), (1, 1), (2, 2), (4, 4), (8, 4), (4, 4), (8, 8)];
pub const SHORT: u16 = 3;
pub const LONG: u16 = 4;
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

    /// The first value, if values are 16-bit or 32-bit numbers.
    pub fn number(&self) -> Option<u32> {
        match (self.kind, self.data.as_slice()) {
            (SHORT, [a, b, ..]) => Some(u16::from_le_bytes([*a, *b]).into()),
            (LONG, [a, b, c, d, ..]) => Some(u32::from_le_bytes([*a, *b, *c, *d])),
            _ => None,
        }
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

/// A byte order, and numbers in it.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn of(header: &[u8]) -> Option<Self> {
        match header.get(..4)? {
            [b'I', b'I', 42, 0] => Some(Self { big: false }),
            [b'M', b'M', 0, 42] => Some(Self { big: true }),
            _ => None,
        }
    }

    fn u16(self, bytes: &[u8]) -> u16 {
        let pair = [bytes[0], bytes[1]];
        if self.big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }

    fn u32(self, bytes: &[u8]) -> u32 {
        let four = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }
}

impl Directories {
    /// Reads the directories of a block or a TIFF file; unreadable entries are left out. `None` if it is neither.
    pub fn read(file: &mut (impl Read + Seek)) -> Option<Self> {
        let header = read_at(file, 0, 8)?;
        let order = Order::of(&header)?;
        let first = u64::from(order.u32(&header[4..]));
        let mut left = LONGEST_IN_ALL;
        let main = read_directory(file, order, first, &mut left)?;
        let count = u64::from(order.u16(&read_at(file, first, 2)?));
        let more = read_at(file, first + 2 + 12 * count, 4).is_some_and(|next| order.u32(&next) != 0);
        let mut sub = |tag: u16, file: &mut _| {
            let at = main.iter().find(|entry| entry.tag == tag)?.number()?;
            read_directory(file, order, at.into(), &mut left)
        };
        let mut exif = sub(tag::EXIF, file).unwrap_or_default();
        // It points to a directory of one constant, which no reader misses; keeping it would mean updating the offset.
        exif.retain(|entry| entry.tag != tag::INTEROPERABILITY);
        let gps = sub(tag::GPS, file).unwrap_or_default();
        Some(Self { main, exif, gps, more })
    }

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

fn read_at(file: &mut (impl Read + Seek), at: u64, len: u64) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == len).then_some(bytes)
}

/// `left` is how many bytes of values may still be read, less those that are.
fn read_directory(
    file: &mut (impl Read + Seek),
    order: Order,
    at: u64,
    left: &mut u64,
) -> Option<Vec<Entry>> {
    let count = order.u16(&read_at(file, at, 2)?);
    let entries = read_at(file, at + 2, 12 * u64::from(count))?;
    let read = entries.chunks_exact(12).filter_map(|entry| {
        let (tag, kind, count) = (order.u16(entry), order.u16(&entry[2..]), order.u32(&entry[4..]));
        let &(size, unit) = SIZES.get(usize::from(kind)).filter(|(size, _)| *size > 0)?;
        let len = size * u64::from(count);
        let mut data = match len {
            0..=4 => entry[8..8 + len as usize].to_vec(),
            len if len > LONGEST.min(*left) => return None,
            len => {
                *left -= len;
                read_at(file, order.u32(&entry[8..]).into(), len)?
            }
        };
        if order.big {
            data.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        Some(Entry { tag, kind, count, data })
    });
    Some(read.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(values, LONGEST_IN_ALL as usize / VALUE);
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
