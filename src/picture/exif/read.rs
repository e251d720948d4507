//! Reading the directories of a block, or of a TIFF file of either form.

use std::io::{Read, Seek, SeekFrom};

use super::{Directories, Entry, tag};
use crate::limits::Limit;

/// Values longer than this are left out: no useful one is, and it would take up memory.
const LONGEST: u64 = 1 << 24;
/// Most entries in a directory: as many as one with 32-bit positions can have.
const MOST_ENTRIES: u64 = u16::MAX as u64;

/// By kind of value: bytes in one value, and bytes in the units that the byte order applies to. Kinds from 13 on are
/// positions and the 64-bit numbers of BigTIFF.
pub(super) const SIZES: [(u64, usize); 19] = [
    (0, 1),
    (1, 1),
    (1, 1),
    (2, 2),
    (4, 4),
    (8, 4),
    (1, 1),
    (1, 1),
    (2, 2),
    (4, 4),
    (8, 4),
    (4, 4),
    (8, 8),
    (4, 4),
    (0, 1),
    (0, 1),
    (8, 8),
    (8, 8),
    (8, 8),
];

/// A byte order, and numbers in it.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub big: bool,
}

impl Order {
    pub fn of(header: &[u8]) -> Option<Self> {
        match header.get(..4)? {
            [b'I', b'I', 42, 0] => Some(Self { big: false }),
            [b'M', b'M', 0, 42] => Some(Self { big: true }),
            _ => None,
        }
    }

    pub fn u16(self, bytes: &[u8]) -> u16 {
        let pair = [bytes[0], bytes[1]];
        if self.big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }

    pub fn u32(self, bytes: &[u8]) -> u32 {
        let four = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }

    fn u64(self, bytes: &[u8]) -> u64 {
        let (first, second) = (self.u32(bytes).into(), self.u32(&bytes[4..]).into());
        let (high, low): (u64, u64) = if self.big { (first, second) } else { (second, first) };
        high << 32 | low
    }
}

/// How a file writes its directories: the byte order, and whether positions and counts have 64 bits, as in BigTIFF.
#[derive(Clone, Copy)]
struct Form {
    order: Order,
    wide: bool,
}

impl Form {
    /// The form of a file, and the position of its first directory.
    fn of(file: &mut (impl Read + Seek)) -> Option<(Self, u64)> {
        let header = read_at(file, 0, 8)?;
        if let Some(order) = Order::of(&header) {
            return Some((Self { order, wide: false }, order.u32(&header[4..]).into()));
        }
        let order = match header.as_slice() {
            [b'I', b'I', 43, 0, 8, 0, 0, 0] => Order { big: false },
            [b'M', b'M', 0, 43, 0, 8, 0, 0] => Order { big: true },
            _ => return None,
        };
        Some((Self { order, wide: true }, order.u64(&read_at(file, 8, 8)?)))
    }

    /// Bytes of an entry.
    fn entry(self) -> usize {
        if self.wide { 20 } else { 12 }
    }

    /// A position or a count.
    fn number(self, bytes: &[u8]) -> u64 {
        if self.wide { self.order.u64(bytes) } else { self.order.u32(bytes).into() }
    }
}

impl Directories {
    /// Reads the directories of a block or a TIFF file of either form; unreadable entries are left out. `None` if it is
    /// neither.
    pub fn read(file: &mut (impl Read + Seek)) -> Option<Self> {
        let (form, first) = Form::of(file)?;
        let mut left = Limit::Metadata.get();
        let (main, more) = read_directory(file, form, first, &mut left)?;
        let mut sub = |tag: u16, file: &mut _| {
            let at = main.iter().find(|entry| entry.tag == tag)?.numbers().next()?;
            Some(read_directory(file, form, at, &mut left)?.0)
        };
        let mut exif = sub(tag::EXIF, file).unwrap_or_default();
        // It points to a directory of one constant, which no reader misses; keeping it would mean updating the offset.
        exif.retain(|entry| entry.tag != tag::INTEROPERABILITY);
        let gps = sub(tag::GPS, file).unwrap_or_default();
        Some(Self { main, exif, gps, more })
    }
}

fn read_at(file: &mut (impl Read + Seek), at: u64, len: u64) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == len).then_some(bytes)
}

/// The entries of a directory, and whether another directory follows. `left` is how many bytes of values may still be
/// read, less those that are.
fn read_directory(
    file: &mut (impl Read + Seek),
    form: Form,
    at: u64,
    left: &mut u64,
) -> Option<(Vec<Entry>, bool)> {
    let (order, place) = (form.order, if form.wide { 8 } else { 4 });
    let counted = read_at(file, at, if form.wide { 8 } else { 2 })?;
    let count = if form.wide { order.u64(&counted) } else { order.u16(&counted).into() };
    let start = at.checked_add(counted.len() as u64)?;
    let len = count.min(MOST_ENTRIES) * form.entry() as u64;
    let entries = read_at(file, start, len)?;
    let read = entries.chunks_exact(form.entry()).filter_map(|entry| {
        let (tag, kind, count) = (order.u16(entry), order.u16(&entry[2..]), form.number(&entry[4..]));
        let value = &entry[4 + place..];
        let &(size, unit) = SIZES.get(usize::from(kind)).filter(|(size, _)| *size > 0)?;
        let len = count.checked_mul(size)?;
        let mut data = match len {
            len if len <= place as u64 => value[..len as usize].to_vec(),
            len if len > LONGEST.min(*left) => return None,
            len => {
                *left -= len;
                read_at(file, form.number(value), len)?
            }
        };
        if order.big {
            data.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        Some(Entry { tag, kind, count: u32::try_from(count).ok()?, data }.narrowed())
    });
    let read = read.collect();
    let more = read_at(file, start.saturating_add(len), place as u64);
    Some((read, more.is_some_and(|next| form.number(&next) != 0)))
}
