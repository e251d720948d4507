//! How the samples of a picture are stored: chunks, their compression, and what the `tiff` crate is told of them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tiff::decoder::{Decoder, Limits};
use tiff::{TiffError, TiffResult};

use super::directory::{Described, Directory};
use super::{Entries, tag};

const BITS_PER_SAMPLE: u16 = 0x0102;
const COMPRESSION: u16 = 0x0103;
const PHOTOMETRIC: u16 = 0x0106;
const FILL_ORDER: u16 = 0x010a;
const STRIP_OFFSETS: u16 = 0x0111;
const SAMPLES_PER_PIXEL: u16 = 0x0115;
const ROWS_PER_STRIP: u16 = 0x0116;
const STRIP_BYTE_COUNTS: u16 = 0x0117;
const PLANAR_CONFIGURATION: u16 = 0x011c;
const PREDICTOR: u16 = 0x013d;
const TILE_WIDTH: u16 = 0x0142;
const TILE_LENGTH: u16 = 0x0143;
const TILE_OFFSETS: u16 = 0x0144;
const TILE_BYTE_COUNTS: u16 = 0x0145;
const SAMPLE_FORMAT: u16 = 0x0153;
const JPEG_TABLES: u16 = 0x015b;
const SUBSAMPLING: u16 = 0x0212;

/// Values of the photometric interpretation that say something about storage.
const BLACK_IS_ZERO: u16 = 1;
const YCBCR: u32 = 6;

/// Values of the compression.
const NONE: u32 = 1;
const FAX4: u32 = 4;
const LZW: u32 = 5;
const JPEG: u32 = 7;
const DEFLATE: u32 = 8;
const OLD_DEFLATE: u32 = 0x80b2;
const PACK_BITS: u32 = 0x8005;

/// Bytes of a tile that are taken whatever the size of the picture.
const CHUNK: u64 = 1 << 26;

/// How the samples of a picture are stored.
pub struct Storage {
    pub width: u32,
    pub height: u32,
    /// Samples per pixel.
    pub samples: usize,
    pub bits: u32,
    /// Whether the samples are floats rather than integers without sign.
    pub float: bool,
    /// Whether each chunk holds samples of one channel.
    pub planar: bool,
    pub big_endian: bool,
    /// Columns and rows that share one sample of chrominance; JPEG undoes this by itself.
    pub subsampling: Option<(usize, usize)>,
    pub jpeg: bool,
    compression: u32,
    predictor: u32,
    reversed: bool,
    tiled: bool,
    /// Columns and rows of a chunk.
    chunk: (u32, u32),
    offsets: Vec<u64>,
    counts: Vec<u64>,
    tables: Option<Vec<u8>>,
}

/// Where a chunk lies in the picture.
pub struct Place {
    pub x: usize,
    pub y: usize,
    pub columns: usize,
    pub rows: usize,
}

impl Storage {
    pub fn new(path: &Path, entries: &Entries<'_>) -> Result<Self, String> {
        let (width, height) = (entries.number(tag::IMAGE_WIDTH, 0), entries.number(tag::IMAGE_LENGTH, 0));
        if width == 0 || height == 0 {
            return Err("the picture has no pixels".into());
        }
        let samples = entries.number(SAMPLES_PER_PIXEL, 1).clamp(1, u16::MAX.into()) as usize;
        let bits = entries.common(BITS_PER_SAMPLE, 1, "bits")?;
        let float = match entries.common(SAMPLE_FORMAT, 1, "kinds of numbers")? {
            2 => return Err("its samples are integers with a sign; convert it to ones without".into()),
            3 => true,
            5 | 6 => return Err("its samples are complex numbers, which are no colors".into()),
            _ => false,
        };
        let supported =
            if float { [16, 32, 64].contains(&bits) } else { (1..=32).contains(&bits) || bits == 64 };
        if !supported {
            let kind = if float { "float" } else { "integer" };
            return Err(format!(
                "its {kind} samples have {bits} bits; convert it to 8, 16 or 32 bits per channel"
            ));
        }
        let compression = entries.number(COMPRESSION, NONE);
        check_compression(compression)?;
        let jpeg = compression == JPEG;
        if jpeg && bits != 8 || compression == FAX4 && (bits, samples) != (1, 1) {
            return Err(format!("its compression does not go with {samples} channels of {bits} bits"));
        }
        // Other ways of compression have no prediction, whatever the entry says.
        let predicted = [LZW, DEFLATE, OLD_DEFLATE].contains(&compression);
        let predictor = if predicted { entries.number(PREDICTOR, 1) } else { 1 };
        let whole = [8, 16, 32, 64].contains(&bits);
        if ![1, 2, 3].contains(&predictor) || predictor == 3 && !float || predictor == 2 && !whole {
            return Err(format!("predictor {predictor} does not go with its samples of {bits} bits"));
        }
        let planar = entries.number(PLANAR_CONFIGURATION, 1) == 2 && samples > 1;
        let subsampling = match entries.numbers(SUBSAMPLING).as_slice() {
            _ if jpeg || entries.number(PHOTOMETRIC, 0) != YCBCR => None,
            [1, 1, ..] => None,
            &[across @ (1 | 2 | 4), down @ (1 | 2 | 4), ..] => Some((across as usize, down as usize)),
            [] => Some((2, 2)),
            _ => return Err("its chrominance is stored in an unknown way".into()),
        };
        if subsampling.is_some() && (planar || samples != 3 || bits != 8) {
            return Err("its chrominance is stored in planes or with alpha; convert it to RGB".into());
        }
        let tiled = entries.get(TILE_WIDTH).is_some();
        let chunk = match tiled {
            true => (entries.number(TILE_WIDTH, 0), entries.number(TILE_LENGTH, 0)),
            false => match entries.number(ROWS_PER_STRIP, height) {
                0 => (width, height),
                rows => (width, rows.min(height)),
            },
        };
        if chunk.0 == 0 || chunk.1 == 0 {
            return Err("its tiles have no pixels".into());
        }
        let mut storage = Self {
            width,
            height,
            samples,
            bits,
            float,
            planar,
            big_endian: is_big_endian(path).map_err(|e| e.to_string())?,
            subsampling,
            jpeg,
            compression,
            predictor,
            reversed: entries.number(FILL_ORDER, 1) == 2 && !jpeg,
            tiled,
            chunk,
            offsets: Vec::new(),
            counts: Vec::new(),
            tables: entries.get(JPEG_TABLES).map(|entry| entry.data().to_vec()).filter(|_| jpeg),
        };
        storage.find_chunks(path, entries)?;
        Ok(storage)
    }

    /// Positions and lengths of all chunks; lengths that the file does not give reach to its end.
    fn find_chunks(&mut self, path: &Path, entries: &Entries<'_>) -> Result<(), String> {
        let either = |tile, strip| match entries.numbers(if self.tiled { tile } else { strip }) {
            numbers if numbers.is_empty() => entries.numbers(strip),
            numbers => numbers,
        };
        let planes = if self.planar { self.samples } else { 1 };
        let count = (self.chunks_per_plane() as u64).saturating_mul(planes as u64);
        let offsets = either(TILE_OFFSETS, STRIP_OFFSETS);
        if (offsets.len() as u64) < count {
            return Err(format!("it has {} parts of {count}, the file is damaged", offsets.len()));
        }
        let end = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
        let mut counts = either(TILE_BYTE_COUNTS, STRIP_BYTE_COUNTS);
        counts.resize(offsets.len(), 0);
        for (count, offset) in counts.iter_mut().zip(&offsets) {
            let rest = end.saturating_sub(*offset);
            *count = if *count == 0 { rest } else { (*count).min(rest) };
        }
        let picture = self.row_bytes(self.width.into()).saturating_mul(self.height.into());
        if self.chunk_bytes() > CHUNK.max(picture.saturating_mul(4)) {
            return Err(format!(
                "its tiles of {}x{} pixels exceed the picture by far",
                self.chunk.0, self.chunk.1
            ));
        }
        (self.offsets, self.counts) = (offsets, counts);
        self.offsets.truncate(count as usize);
        self.counts.truncate(count as usize);
        Ok(())
    }

    /// Samples per pixel in a chunk.
    pub fn samples_in_chunk(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Bytes of a row of this many pixels; with chrominance for several rows, bytes of all of them.
    fn row_bytes(&self, columns: u64) -> u64 {
        match self.subsampling {
            Some((across, down)) => columns.div_ceil(across as u64) * (across * down + 2) as u64,
            None => (columns * self.samples_in_chunk() as u64 * u64::from(self.bits)).div_ceil(8),
        }
    }

    /// Bytes that a chunk of one plane takes when it is unpacked.
    pub fn chunk_bytes(&self) -> u64 {
        let down = self.subsampling.map_or(1, |(_, down)| down as u64);
        self.row_bytes(self.chunk.0.into()).saturating_mul(u64::from(self.chunk.1).div_ceil(down))
    }

    fn across(&self) -> usize {
        self.width.div_ceil(self.chunk.0) as usize
    }

    pub fn chunks_per_plane(&self) -> usize {
        self.across() * self.down()
    }

    /// The chunk of a channel at the place of chunk `index` of the first one.
    pub fn chunk(&self, index: usize, channel: usize) -> usize {
        index + channel * self.chunks_per_plane()
    }

    pub fn place(&self, index: usize) -> Place {
        let (column, row) = (index % self.across(), index / self.across());
        let (x, y) = (column * self.chunk.0 as usize, row * self.chunk.1 as usize);
        let columns = (self.chunk.0 as usize).min(self.width as usize - x);
        Place { x, y, columns, rows: (self.chunk.1 as usize).min(self.height as usize - y) }
    }

    fn down(&self) -> usize {
        self.height.div_ceil(self.chunk.1) as usize
    }

    /// The picture as channels without meaning. Samples that do not fill bytes are passed as bytes, and tiles are made to
    /// lie within the picture, since those that were cut off are not always unpacked.
    fn describe(&self) -> Directory {
        let packed = ![8, 16, 32, 64].contains(&self.bits) || self.subsampling.is_some();
        let as_bytes = packed && self.compression != FAX4;
        let down = self.subsampling.map_or(1, |(_, down)| down as u32);
        let chunk = if as_bytes { self.row_bytes(self.chunk.0.into()) as u32 } else { self.chunk.0 };
        let width =
            if as_bytes || self.tiled { chunk.saturating_mul(self.across() as u32) } else { self.width };
        let height = if self.tiled { self.chunk.1.saturating_mul(self.down() as u32) } else { self.height };
        let mut directory = Directory::new(self.big_endian);
        directory.long(tag::IMAGE_WIDTH, width);
        directory.long(tag::IMAGE_LENGTH, height.div_ceil(down));
        directory.short(BITS_PER_SAMPLE, if as_bytes { 8 } else { self.bits as u16 });
        directory.short(COMPRESSION, self.compression as u16);
        directory.short(PHOTOMETRIC, BLACK_IS_ZERO);
        directory.short(SAMPLES_PER_PIXEL, if as_bytes && !self.planar { 1 } else { self.samples as u16 });
        directory.short(PLANAR_CONFIGURATION, if self.planar { 2 } else { 1 });
        directory.short(PREDICTOR, self.predictor as u16);
        directory.short(SAMPLE_FORMAT, if self.float { 3 } else { 1 });
        let rows = self.chunk.1.div_ceil(down);
        if self.tiled {
            directory.long(TILE_WIDTH, chunk);
            directory.long(TILE_LENGTH, rows);
            directory.positions(TILE_OFFSETS, &self.offsets);
            directory.numbers(TILE_BYTE_COUNTS, &self.counts);
        } else {
            directory.long(ROWS_PER_STRIP, rows);
            directory.positions(STRIP_OFFSETS, &self.offsets);
            directory.numbers(STRIP_BYTE_COUNTS, &self.counts);
        }
        if let Some(tables) = &self.tables {
            directory.opaque(JPEG_TABLES, tables);
        }
        directory
    }
}

fn is_big_endian(path: &Path) -> io::Result<bool> {
    let mut mark = [0; 2];
    File::open(path)?.read_exact(&mut mark)?;
    Ok(&mark == b"MM")
}

fn check_compression(compression: u32) -> Result<(), String> {
    let name = match compression {
        NONE | FAX4 | LZW | JPEG | DEFLATE | OLD_DEFLATE | PACK_BITS => return Ok(()),
        2 | 3 => "as a fax of group 3",
        6 => "as old JPEG",
        34676 | 34677 => "as SGI LogLuv",
        34712 | 33003 | 33005 => "as JPEG 2000",
        34925 => "with LZMA",
        50000 => "with Zstandard",
        50001 => "as WebP",
        50002 | 52546 => "as JPEG XL",
        _ => {
            return Err(format!(
                "its pixels are compressed in an unknown way ({compression}); store it with LZW or Deflate"
            ));
        }
    };
    Err(format!("its pixels are compressed {name}, which cannot be read; store it with LZW or Deflate"))
}

/// An unpacked chunk: samples that fill bytes are in the machine's byte order.
pub struct Chunk {
    bytes: Vec<u8>,
    stride: usize,
}

impl Chunk {
    pub fn row(&self, y: usize) -> &[u8] {
        &self.bytes[y * self.stride..][..self.stride]
    }
}

/// Reads chunks.
pub struct Chunks {
    decoder: Decoder<Described>,
}

impl Chunks {
    pub fn open(path: &Path, storage: &Storage) -> TiffResult<Self> {
        let described = Described::new(File::open(path)?, storage.describe(), storage.reversed);
        Ok(Self { decoder: Decoder::new(described)?.with_limits(Limits::unlimited()) })
    }

    pub fn read(&mut self, index: usize) -> TiffResult<Chunk> {
        let index = u32::try_from(index).map_err(|_| TiffError::LimitsExceeded)?;
        let layout = self.decoder.image_chunk_buffer_layout(index)?;
        let stride = layout.row_stride.ok_or(TiffError::LimitsExceeded)?.get();
        let mut bytes = vec![0; layout.len];
        self.decoder.read_chunk_bytes(index, &mut bytes)?;
        Ok(Chunk { bytes, stride })
    }
}
