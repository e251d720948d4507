//! Training pictures on disk: which sub-images they have, and the pictures packed for the GPU in shards of bounded size.
//!
//! A picture is cropped to multiples of the scale, degraded as a whole, and stays whole: a sub-image is a place in it.
//! Places start at 0 on each axis and advance by `stride` as long as the sub-image fits (the authors' code:
//! `1 : stride : length - size + 1`). Pictures that do not fit in a shard are cut into bands of rows after they are
//! degraded, so that no place is lost.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::config::TrainConfig;
use super::shard::{PackedShard, PatchEntry, PictureEntry};
use crate::degrade::{Degradation, Degrader};
use crate::error::{Error, Reason, Result, in_words};
use crate::eval::dataset::{Picture, size};
use crate::hash::Fnv;
use crate::network::Channels;
use crate::picture::{has_picture_name, is_junk, is_read};
use crate::resample::{ResampleTable, apply, output_len};

/// The most bytes of a shard's inputs that every adapter can bind. The order of sub-images depends on it, so it is the
/// same for all adapters.
pub const SHARD_BYTES: usize = 128 << 20;

/// A band of rows of one picture at one size: all of it, unless it is larger than a shard.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    file: usize,
    /// Size of the augmentation: 1 for the picture itself.
    size: f64,
    width: usize,
    first_row: usize,
    rows: usize,
}

/// What is in the folders and how it is cut, known from the pictures' headers alone.
#[derive(Debug, Clone)]
pub struct Dataset {
    files: Vec<PathBuf>,
    shards: Vec<Vec<Piece>>,
    lengths: Vec<u32>,
    cut: Cut,
    /// FNV-1a of all names and sizes, in hexadecimal: compared when a run is continued.
    pub fingerprint: String,
}

/// How pictures are cut and degraded.
#[derive(Debug, Clone)]
struct Cut {
    channels: Channels,
    scale: usize,
    degradation: Degradation,
    patch: usize,
    stride: usize,
}

impl Cut {
    /// Places on an axis.
    fn places(&self, length: usize) -> usize {
        length.checked_sub(self.patch).map_or(0, |left| left / self.stride + 1)
    }

    fn modcrop(&self, length: usize) -> usize {
        length - length % self.scale
    }
}

impl Dataset {
    /// Looks through the data of a configuration. `budget` is the most bytes that [`PackedShard::inputs`] of one shard may
    /// take; its targets take the same again. Files that cannot be read are logged and left out.
    ///
    /// # Errors
    /// [`Error::Picture`] when a folder cannot be listed, or holds no picture that is large enough and of which a row of
    /// sub-images fits in the budget.
    pub fn open(config: &TrainConfig, budget: usize) -> Result<Self> {
        let cut = Cut {
            channels: config.channels,
            scale: config.scale,
            degradation: config.degradation,
            patch: config.patch,
            stride: config.stride,
        };
        let mut files = Vec::new();
        for path in &config.data {
            list(path, &mut files)?;
        }
        let mut set =
            Self { files, shards: Vec::new(), lengths: Vec::new(), cut, fingerprint: String::new() };
        set.plan(&config.augmentation.scales, budget / size_of::<f32>());
        if set.is_empty() {
            let names: Vec<_> = config.data.iter().map(|path| path.display().to_string()).collect();
            return Err(Error::Picture(
                format!(
                    "{}: no readable picture of {} x {} pixels or more to train on",
                    names.join(", "),
                    config.patch,
                    config.patch
                )
                .into(),
            ));
        }
        Ok(set)
    }

    /// Fills shards with pieces until the next one would exceed `budget` values.
    fn plan(&mut self, sizes: &[f64], budget: usize) {
        // Offsets are u32.
        let budget = budget.min(u32::MAX as usize);
        let (mut used, mut small) = (0, 0usize);
        let mut hash = Fnv::default();
        for (file, path) in self.files.iter().enumerate() {
            let (width, height) = match size(path) {
                Ok(size) => size,
                Err(error) => {
                    log::warn!("{error}; left out");
                    continue;
                }
            };
            hash.add(path.file_name().unwrap_or_default().as_encoded_bytes());
            hash.add(&[width.to_le_bytes(), height.to_le_bytes()].concat());
            for &size in sizes {
                let side = |length: u32| self.cut.modcrop(resized(length as usize, size));
                let (width, height) = (side(width), side(height));
                if self.cut.places(width) * self.cut.places(height) == 0 {
                    small += 1;
                    continue;
                }
                let bands = self.bands(file, size, width, height, budget);
                if bands.is_empty() {
                    log::warn!(
                        "{}: {width} pixels wide is too wide for a shard of {budget} values; left out",
                        path.display()
                    );
                }
                for piece in bands {
                    let values = piece.width * piece.rows * self.cut.channels.count();
                    if self.shards.is_empty() || used + values > budget {
                        self.shards.push(Vec::new());
                        self.lengths.push(0);
                        used = 0;
                    }
                    used += values;
                    let places = self.cut.places(piece.width) * self.cut.places(piece.rows);
                    if let (Some(shard), Some(length)) = (self.shards.last_mut(), self.lengths.last_mut()) {
                        shard.push(piece);
                        *length += places as u32;
                    }
                }
            }
        }
        if small > 0 {
            log::info!(
                "{small} pictures are smaller than a sub-image of {} pixels; left out",
                self.cut.patch
            );
        }
        self.fingerprint = format!("{:016x}", hash.hash());
    }

    /// One piece, or bands that overlap so that each place is in one of them; none for a picture of which not even one row
    /// of sub-images fits in the budget.
    fn bands(&self, file: usize, size: f64, width: usize, height: usize, budget: usize) -> Vec<Piece> {
        let Cut { patch, stride, channels, .. } = self.cut;
        let fitting = self.cut.places(budget / (width * channels.count()));
        if fitting == 0 {
            return Vec::new();
        }
        if width * height * channels.count() <= budget {
            return vec![Piece { file, size, width, first_row: 0, rows: height }];
        }
        let places = self.cut.places(height);
        (0..places)
            .step_by(fitting)
            .map(|first| {
                let rows = (fitting.min(places - first) - 1) * stride + patch;
                Piece { file, size, width, first_row: first * stride, rows }
            })
            .collect()
    }

    /// All sub-images of all shards.
    pub fn len(&self) -> u64 {
        self.lengths.iter().map(|&length| u64::from(length)).sum()
    }

    /// Whether there are none, which [`Dataset::open`] refuses.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sub-images of each shard, as planned from the headers.
    pub fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// Picture files found, readable or not.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Reads, degrades and packs the pictures of one shard. A picture that turns out to be unreadable, or not of the size
    /// in its header, is logged and left out: the shard is then shorter. For a shard of which nothing is left, the next one
    /// that holds something stands in.
    ///
    /// # Errors
    /// [`Error::Picture`] when no picture is left in any shard, [`Error::InvalidArgument`] for a shard out of range.
    pub fn load(&self, shard: usize) -> Result<PackedShard> {
        if shard >= self.shards.len() {
            return Err(Error::invalid(format!("there is no shard {shard}")));
        }
        for pieces in self.shards[shard..].iter().chain(&self.shards[..shard]) {
            let packed = self.read(pieces)?;
            if !packed.patches.is_empty() {
                return Ok(packed);
            }
        }
        Err(Error::Picture("none of the training pictures can be read any more".into()))
    }

    fn read(&self, pieces: &[Piece]) -> Result<PackedShard> {
        let mut packed = PackedShard::default();
        let mut picture: Option<(usize, Picture)> = None;
        for piece in pieces {
            // Pieces of one file follow each other.
            if picture.as_ref().is_none_or(|(file, _)| *file != piece.file) {
                picture = match Picture::read(&self.files[piece.file]) {
                    Ok(read) => Some((piece.file, read)),
                    Err(error) => {
                        log::warn!("{error}; left out");
                        None
                    }
                };
            }
            if let Some((_, picture)) = &picture {
                self.pack(piece, picture, &mut packed)?;
            }
        }
        Ok(packed)
    }

    fn pack(&self, piece: &Piece, picture: &Picture, packed: &mut PackedShard) -> Result<()> {
        let (width, height, planes) = variant(picture, self.cut.channels, piece.size, self.cut.scale)?;
        let (first, end) = (piece.first_row * width, (piece.first_row + piece.rows) * width);
        if width != piece.width || end > width * height {
            log::warn!("{}: its size has changed; left out", self.files[piece.file].display());
            return Ok(());
        }
        let degrader = Degrader::new(width, height, self.cut.scale, self.cut.degradation)?;
        let (index, offset) = (packed.pictures.len() as u32, packed.inputs.len() as u32);
        packed.pictures.push(PictureEntry { offset, width: width as u32, height: piece.rows as u32 });
        for plane in planes {
            let truth: Vec<f64> = plane.iter().map(|&v| f64::from(v) / 255.0).collect();
            let input = degrader.enlarge(&degrader.shrink(&truth));
            packed.inputs.extend(input[first..end].iter().map(|&v| v as f32));
            packed.targets.extend(truth[first..end].iter().map(|&v| v as f32));
        }
        for row in 0..self.cut.places(piece.rows) {
            for column in 0..self.cut.places(width) {
                let (y, x) = ((row * self.cut.stride) as u32, (column * self.cut.stride) as u32);
                packed.patches.push(PatchEntry { picture: index, y, x });
            }
        }
        Ok(())
    }
}

/// A picture in the network's channels, at a size of the augmentation (rounded to 8 bits, as a picture file
/// of that size would be), cut to multiples of the scale.
fn variant(
    picture: &Picture,
    channels: Channels,
    size: f64,
    scale: usize,
) -> Result<(usize, usize, Vec<Vec<u8>>)> {
    if size == 1.0 {
        let cut = picture.modcrop(scale);
        return Ok((cut.width, cut.height, cut.planes(channels)));
    }
    let (width, height) = (resized(picture.width, size), resized(picture.height, size));
    let (columns, rows) = (width - width % scale, height - height % scale);
    let down = ResampleTable::bicubic(picture.height, height, size)?;
    let across = ResampleTable::bicubic(picture.width, width, size)?;
    let planes = picture.planes(channels).into_iter().map(|plane| {
        let plane: Vec<f64> = plane.iter().map(|&v| f64::from(v)).collect();
        let small = apply(&plane, &down, &across);
        let kept = small.chunks_exact(width).take(rows).flat_map(|row| &row[..columns]);
        kept.map(|v| v.round() as u8).collect()
    });
    Ok((columns, rows, planes.collect()))
}

fn resized(length: usize, size: f64) -> usize {
    if size == 1.0 { length } else { output_len(length, size) }
}

/// Adds a picture file, or those of a folder and its subfolders, sorted by name in each. Links are followed. What cannot be
/// looked into is logged and left out, unless it is `path` itself.
pub(super) fn list(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |e: std::io::Error| Error::Picture(Reason::from(e).within(path.display()));
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.into());
        return Ok(());
    }
    let walk = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_junk(entry.file_name())) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_read(entry.path()) => {
                files.push(entry.into_path())
            }
            Ok(_) => {}
            Err(error) if error.depth() == 0 => return Err(failed(error.into())),
            Err(error) => {
                let found = error.path().unwrap_or(path);
                // Links that lead nowhere are of interest only by a picture's name.
                let is_wanted = has_picture_name(found) && !found.file_name().is_some_and(is_junk);
                if is_wanted || !found.is_symlink() || found.exists() {
                    let why = match (error.loop_ancestor(), error.io_error()) {
                        (Some(ancestor), _) => format!("this link leads back to {}", ancestor.display()),
                        (None, Some(e)) => in_words(e),
                        (None, None) => error.to_string(),
                    };
                    log::warn!("{}: {why}; left out", found.display());
                }
            }
        }
    }
    Ok(())
}
