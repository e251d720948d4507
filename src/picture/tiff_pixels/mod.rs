//! Pixels of TIFF and BigTIFF files.
//!
//! The `tiff` crate unpacks chunks (strips or tiles) into samples, whatever they stand for ([`storage`]); what they mean is
//! decided here ([`meaning`]), so that palettes, white that is zero, any number of bits, and planes are read alike in every
//! kind of file.

mod directory;
mod meaning;
mod storage;
mod unpack;

use std::path::{Path, PathBuf};

use image::error::{DecodingError, ImageFormatHint};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageResult};
use tiff::TiffError;

use super::exif::{Directories, Entry, tag};
use meaning::Meaning;
use storage::{Chunks, Storage};

/// Entries that say how a picture is stored and what its samples mean.
struct Entries<'a>(&'a [Entry]);

impl Entries<'_> {
    fn get(&self, tag: u16) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.tag == tag)
    }

    /// The value of an entry of one number, or what stands for a missing entry.
    fn number(&self, tag: u16, default: u32) -> u32 {
        self.get(tag).and_then(Entry::number).unwrap_or(default)
    }

    /// The one value of an entry that has it for each sample. The error is a reason to refuse the picture, made of `what`
    /// these values are.
    fn common(&self, tag: u16, default: u32, what: &str) -> Result<u32, String> {
        let Some(entry) = self.get(tag) else { return Ok(default) };
        let first = entry.number().ok_or_else(|| format!("its {what} cannot be read"))?;
        match entry.numbers().all(|number| number == u64::from(first)) {
            true => Ok(first),
            false => {
                Err(format!("its channels differ in their {what}; convert it to 8 or 16 bits per channel"))
            }
        }
    }

    /// All values of an entry; none if it is missing.
    fn numbers(&self, tag: u16) -> Vec<u64> {
        self.get(tag).map(|entry| entry.numbers().collect()).unwrap_or_default()
    }
}

/// The picture of a file's first directory.
pub struct Pixels {
    path: PathBuf,
    storage: Storage,
    meaning: Meaning,
    orientation: Orientation,
}

impl Pixels {
    /// The error says in words why the picture is not one that can be read.
    pub fn new(path: &Path, directories: &Directories) -> Result<Self, String> {
        let entries = Entries(&directories.main);
        let storage = Storage::new(path, &entries)?;
        let meaning = Meaning::new(&entries, &storage)?;
        let orientation = entries.number(tag::ORIENTATION, 1);
        let orientation = u8::try_from(orientation).ok().and_then(Orientation::from_exif);
        let orientation = orientation.unwrap_or(Orientation::NoTransforms);
        Ok(Self { path: path.into(), storage, meaning, orientation })
    }

    /// Bytes that decoding takes besides the picture.
    pub fn overhead(&self) -> u64 {
        self.storage.chunk_bytes().saturating_mul(if self.storage.planar {
            self.meaning.channels.len() as u64
        } else {
            1
        })
    }

    /// Whether the colors are premultiplied with alpha.
    pub fn is_premultiplied(&self) -> bool {
        self.meaning.premultiplied
    }

    /// In words, what of the picture is not read.
    pub fn remark(&self) -> Option<String> {
        let left_out = self.meaning.left_out;
        (left_out > 0).then(|| format!("{left_out} of its channels have no known meaning and are left out"))
    }

    fn read(&self, buffer: &mut [u8]) -> Result<(), TiffError> {
        let storage = &self.storage;
        let mut chunks = Chunks::open(&self.path, storage)?;
        let pixel = usize::from(self.meaning.color.bytes_per_pixel());
        let stride = storage.width as usize * pixel;
        let (mut planes, mut row) = (Vec::new(), unpack::Row::default());
        for index in 0..storage.chunks_per_plane() {
            let place = storage.place(index);
            planes.clear();
            if storage.planar {
                for &channel in &self.meaning.channels {
                    planes.push(chunks.read(storage.chunk(index, channel))?);
                }
            } else {
                planes.push(chunks.read(index)?);
            }
            for y in 0..place.rows {
                let start = (place.y + y) * stride + place.x * pixel;
                let target = &mut buffer[start..start + place.columns * pixel];
                if self.meaning.is_as_stored(storage) {
                    let source = planes[0].row(y);
                    target.copy_from_slice(&source[..target.len()]);
                } else {
                    row.unpack(storage, &self.meaning.channels, &planes, place.columns, y);
                    self.meaning.write(&row, storage, target);
                }
            }
        }
        Ok(())
    }
}

impl ImageDecoder for Pixels {
    fn dimensions(&self) -> (u32, u32) {
        (self.storage.width, self.storage.height)
    }

    fn color_type(&self) -> ColorType {
        self.meaning.color
    }

    fn orientation(&mut self) -> ImageResult<Orientation> {
        Ok(self.orientation)
    }

    fn read_image(self, buffer: &mut [u8]) -> ImageResult<()> {
        self.read(buffer).map_err(|error| match error {
            TiffError::IoError(error) => ImageError::IoError(error),
            error => {
                ImageError::Decoding(DecodingError::new(ImageFormatHint::Exact(ImageFormat::Tiff), error))
            }
        })
    }

    fn read_image_boxed(self: Box<Self>, buffer: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(buffer)
    }
}
