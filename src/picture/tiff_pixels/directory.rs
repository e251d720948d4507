//! A file as the `tiff` crate gets to see it: behind a directory that describes how samples are stored, and nothing else.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

const SHORT: u16 = 3;
const LONG: u16 = 4;
const UNDEFINED: u16 = 7;
/// A number of 64 bits.
const LONG8: u16 = 16;

/// A BigTIFF header and directory. The data that it describes follow behind it.
pub struct Directory {
    big_endian: bool,
    entries: Vec<(u16, u16, u64, Vec<u8>)>,
    /// Entries whose values are positions in the file.
    positions: Vec<(u16, Vec<u64>)>,
}

impl Directory {
    pub fn new(big_endian: bool) -> Self {
        Self { big_endian, entries: Vec::new(), positions: Vec::new() }
    }

    fn bytes<const N: usize>(&self, little_endian: [u8; N]) -> [u8; N] {
        let mut bytes = little_endian;
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }

    pub fn short(&mut self, tag: u16, value: u16) {
        let data = self.bytes(value.to_le_bytes()).to_vec();
        self.entries.push((tag, SHORT, 1, data));
    }

    pub fn long(&mut self, tag: u16, value: u32) {
        let data = self.bytes(value.to_le_bytes()).to_vec();
        self.entries.push((tag, LONG, 1, data));
    }

    pub fn numbers(&mut self, tag: u16, values: &[u64]) {
        let data = values.iter().flat_map(|value| self.bytes(value.to_le_bytes())).collect();
        self.entries.push((tag, LONG8, values.len() as u64, data));
    }

    /// Positions in the file.
    pub fn positions(&mut self, tag: u16, values: &[u64]) {
        self.positions.push((tag, values.to_vec()));
    }

    pub fn opaque(&mut self, tag: u16, data: &[u8]) {
        self.entries.push((tag, UNDEFINED, data.len() as u64, data.to_vec()));
    }

    /// Header and directory.
    fn into_bytes(mut self) -> Vec<u8> {
        let positions = std::mem::take(&mut self.positions);
        let count = self.entries.len() + positions.len();
        let values =
            self.entries.iter().map(|entry| entry.3.len()).chain(positions.iter().map(|p| 8 * p.1.len()));
        let values: usize = values.filter(|&len| len > 8).sum();
        let first_value = 16 + 8 + 20 * count + 8;
        let len = (first_value + values) as u64;
        for (tag, values) in positions {
            let moved: Vec<u64> = values.iter().map(|at| at.saturating_add(len)).collect();
            self.numbers(tag, &moved);
        }
        self.entries.sort_by_key(|entry| entry.0);
        let mut bytes = if self.big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        bytes.extend([43u16, 8, 0].iter().flat_map(|&number| self.bytes(number.to_le_bytes())));
        bytes.extend(self.bytes(16u64.to_le_bytes()));
        bytes.extend(self.bytes((count as u64).to_le_bytes()));
        let mut behind: Vec<u8> = Vec::new();
        for (tag, kind, count, data) in &self.entries {
            bytes.extend(self.bytes(tag.to_le_bytes()));
            bytes.extend(self.bytes(kind.to_le_bytes()));
            bytes.extend(self.bytes(count.to_le_bytes()));
            if data.len() <= 8 {
                bytes.extend(data.iter().copied().chain([0; 8]).take(8));
            } else {
                bytes.extend(self.bytes(((first_value + behind.len()) as u64).to_le_bytes()));
                behind.extend(data);
            }
        }
        bytes.extend([0; 8]);
        bytes.extend(behind);
        bytes
    }
}

/// A file behind a directory.
pub struct Described {
    directory: Vec<u8>,
    file: BufReader<File>,
    at: u64,
    /// Whether the file's own position is not `at`.
    moved: bool,
    /// Whether the bits of the file's bytes are to be read in reverse.
    reversed: bool,
}

impl Described {
    pub fn new(file: File, directory: Directory, reversed: bool) -> Self {
        Self { directory: directory.into_bytes(), file: BufReader::new(file), at: 0, moved: true, reversed }
    }
}

impl Read for Described {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = match self.at.checked_sub(self.directory.len() as u64) {
            None => (&self.directory[self.at as usize..]).read(buffer)?,
            Some(at) => {
                if self.moved {
                    self.file.seek(SeekFrom::Start(at))?;
                    self.moved = false;
                }
                let len = self.file.read(buffer)?;
                if self.reversed {
                    buffer[..len].iter_mut().for_each(|byte| *byte = byte.reverse_bits());
                }
                len
            }
        };
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for Described {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => {
                let end = self.file.get_ref().metadata()?.len() + self.directory.len() as u64;
                end.checked_add_signed(by)
            }
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.moved = true;
        Ok(self.at)
    }
}
