//! Training pictures on disk: which sub-images they have, and the pictures packed for the GPU in shards of bounded size.
//!
//! A picture is cropped to multiples of the scale, degraded as a whole, and stays whole: a sub-image is a place in it. With
//! several scales it enters the set once for each. What a degradation leaves open is drawn for each epoch.
//! Places start at 0 on each axis and advance by `stride` as long as the sub-image fits (the authors' code:
//! `1 : stride : length - size + 1`). Pictures that do not fit in a shard are cut into bands of rows after they are
//! degraded, so that no place is lost. What does not fit in one shard is mixed before it is dealt out.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::config::TrainConfig;
use super::files::list;
use super::scales::Scales;
use super::shard::{PackedShard, PatchEntry, PictureEntry};
use super::shuffle::Permutation;
use crate::degrade::{Degradation, Degraded, Degrader, Shrink};
use crate::error::{Error, Result};
use crate::eval::dataset::{Picture, size};
use crate::hash::Fnv;
use crate::network::Channels;
use crate::parallel;
use crate::resample::{ResampleTable, apply, output_len};

/// The most bytes of a shard's inputs that every adapter can bind. The order of sub-images depends on it, so it is the
/// same for all adapters.
pub const SHARD_BYTES: usize = 128 << 20;

/// A band of rows of one picture at one size: all of it, unless it is larger than a shard.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    file: usize,
    scale: usize,
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
    scales: Scales,
    degradation: Degradation,
    seed: u32,
    patch: usize,
    stride: usize,
}

impl Cut {
    /// Places on an axis.
    fn places(&self, length: usize) -> usize {
        length.checked_sub(self.patch).map_or(0, |left| left / self.stride + 1)
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
            scales: config.scale.clone(),
            degradation: config.degradation,
            seed: config.seed,
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

    /// Cuts the pictures into pieces and fills shards with them.
    fn plan(&mut self, sizes: &[f64], budget: usize) {
        // Offsets are u32.
        let budget = budget.min(u32::MAX as usize);
        let mut small = 0usize;
        let mut hash = Fnv::default();
        // Of each file.
        let mut pieces: Vec<Vec<Piece>> = Vec::new();
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
            let mut of_file = Vec::new();
            let scales = self.cut.scales.clone();
            for (scale, &size) in scales.iter().flat_map(|scale| sizes.iter().map(move |size| (scale, size)))
            {
                let side = |length: u32| multiple(resized(length as usize, size), scale);
                let (width, height) = (side(width), side(height));
                if self.cut.places(width) * self.cut.places(height) == 0 {
                    small += 1;
                    continue;
                }
                let bands = self.bands((file, scale, size), width, height, budget);
                if bands.is_empty() {
                    log::warn!(
                        "{}: {width} pixels wide is too wide for a shard of {budget} values; left out",
                        path.display()
                    );
                }
                of_file.extend(bands);
            }
            pieces.push(of_file);
        }
        if small > 0 {
            log::info!(
                "{small} pictures are smaller than a sub-image of {} pixels; left out",
                self.cut.patch
            );
        }
        if self.fill(pieces, budget) {
            hash.add(b"mixed");
        }
        self.fingerprint = format!("{:016x}", hash.hash());
    }

    /// Fills shards with the files' pieces until the next one would exceed `budget` values. Returns whether there are several
    /// shards: files go to these in an order that the seed draws, since folders differ, and a network that sees one kind of pictures
    /// for thousands of steps forgets the others.
    fn fill(&mut self, mut files: Vec<Vec<Piece>>, budget: usize) -> bool {
        let channels = self.cut.channels.count();
        let values = |piece: &Piece| piece.width * piece.rows * channels;
        let mixed = files.iter().flatten().map(values).sum::<usize>() > budget;
        if mixed {
            let order = Permutation::new(self.cut.seed, 0, 0, files.len() as u32);
            files = (0..files.len() as u32)
                .map(|place| std::mem::take(&mut files[order.at(place) as usize]))
                .collect();
        }
        let mut used = 0;
        for piece in files.into_iter().flatten() {
            if self.shards.is_empty() || used + values(&piece) > budget {
                self.shards.push(Vec::new());
                self.lengths.push(0);
                used = 0;
            }
            used += values(&piece);
            let places = self.cut.places(piece.width) * self.cut.places(piece.rows);
            if let (Some(shard), Some(length)) = (self.shards.last_mut(), self.lengths.last_mut()) {
                shard.push(piece);
                *length += places as u32;
            }
        }
        mixed
    }

    /// One piece, or bands that overlap so that each place is in one of them; none for a picture of which not even one row
    /// of sub-images fits in the budget.
    fn bands(
        &self,
        (file, scale, size): (usize, usize, f64),
        width: usize,
        height: usize,
        budget: usize,
    ) -> Vec<Piece> {
        let Cut { patch, stride, channels, .. } = self.cut;
        let fitting = self.cut.places(budget / (width * channels.count()));
        if fitting == 0 {
            return Vec::new();
        }
        if width * height * channels.count() <= budget {
            return vec![Piece { file, scale, size, width, first_row: 0, rows: height }];
        }
        let places = self.cut.places(height);
        (0..places)
            .step_by(fitting)
            .map(|first| {
                let rows = (fitting.min(places - first) - 1) * stride + patch;
                Piece { file, scale, size, width, first_row: first * stride, rows }
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

    /// The epoch whose draws count in `epoch`: 0 where the degradation leaves nothing open.
    pub fn draw(&self, epoch: u32) -> u32 {
        if self.cut.degradation.varies() { epoch } else { 0 }
    }

    /// Reads, degrades and packs the pictures of one shard, on all processors, with what is drawn for an epoch. A picture
    /// that turns out to be unreadable, or not of the size in its header, is logged and left out: the shard is then shorter.
    /// For a shard of which nothing is left, the next one that holds something stands in. `progress` gets the pictures done
    /// and of all, from any thread.
    ///
    /// # Errors
    /// [`Error::Picture`] when no picture is left in any shard, [`Error::InvalidArgument`] for a shard out of range.
    pub fn load(
        &self,
        shard: usize,
        epoch: u32,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<PackedShard> {
        if shard >= self.shards.len() {
            return Err(Error::invalid(format!("there is no shard {shard}")));
        }
        for pieces in self.shards[shard..].iter().chain(&self.shards[..shard]) {
            let packed = self.read(pieces, epoch, progress)?;
            if !packed.patches.is_empty() {
                return Ok(packed);
            }
        }
        Err(Error::Picture("none of the training pictures can be read any more".into()))
    }

    fn read(
        &self,
        pieces: &[Piece],
        epoch: u32,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<PackedShard> {
        // Pieces of one file follow each other.
        let files: Vec<&[Piece]> = pieces.chunk_by(|a, b| a.file == b.file).collect();
        let done = AtomicUsize::new(0);
        let pairs = parallel::chunks(files.len(), 1, |one| {
            let pairs = files[one].iter().map(|pieces| self.pairs(pieces, self.draw(epoch))).collect();
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, files.len());
            pairs
        });
        let mut packed = PackedShard::default();
        for pairs in pairs.into_iter().flat_map(|pairs: Vec<_>| pairs) {
            pairs?.into_iter().for_each(|pair| self.pack(pair, &mut packed));
        }
        Ok(packed)
    }

    /// What becomes of one file: a pair for each of its pieces, none if it cannot be read.
    fn pairs(&self, pieces: &[Piece], epoch: u32) -> Result<Vec<Pair>> {
        let Some(file) = pieces.first().map(|piece| &self.files[piece.file]) else { return Ok(Vec::new()) };
        let picture = match Picture::read(file) {
            Ok(picture) => picture,
            Err(error) => {
                log::warn!("{error}; left out");
                return Ok(Vec::new());
            }
        };
        let mut pairs = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match self.pair(piece, &picture, epoch)? {
                Some(pair) => pairs.push(pair),
                None => log::warn!("{}: its size has changed; left out", file.display()),
            }
        }
        Ok(pairs)
    }

    /// The input and target of a piece; `None` if the picture does not have it.
    fn pair(&self, piece: &Piece, picture: &Picture, epoch: u32) -> Result<Option<Pair>> {
        let Cut { channels, degradation, seed, .. } = &self.cut;
        let (scale, size) = (piece.scale, piece.size);
        let key = [u64::from(*seed), epoch.into(), piece.file as u64, scale as u64, size.to_bits()];
        let (targets, low) = if size != 1.0 && degradation.is_linear() {
            let whole = resized_planes(picture, *channels, size, scale)?;
            (whole.planes.clone(), degradation.draw(&key).apply(whole, scale)?)
        } else {
            let picture =
                if size == 1.0 { picture.modcrop(scale) } else { picture.resized(size)?.modcrop(scale) };
            let values = |plane: Vec<u8>| plane.into_iter().map(|v| f64::from(v) / 255.0).collect();
            let targets = picture.planes(*channels).into_iter().map(values).collect();
            (targets, picture.degraded(*channels, scale, degradation, &key)?)
        };
        let (width, height) = (low.width * scale, low.height * scale);
        let (first, end) = (piece.first_row * width, (piece.first_row + piece.rows) * width);
        if width != piece.width || end > width * height {
            return Ok(None);
        }
        let degrader = Degrader::new(width, height, scale, Shrink::Bicubic)?;
        let part = |plane: &[f64]| plane[first..end].iter().map(|&v| v as f32).collect::<Vec<_>>();
        Ok(Some(Pair {
            width,
            rows: piece.rows,
            inputs: low.planes.iter().flat_map(|plane| part(&degrader.enlarge(plane))).collect(),
            targets: targets.iter().flat_map(|plane| part(plane)).collect(),
        }))
    }

    fn pack(&self, pair: Pair, packed: &mut PackedShard) {
        let Pair { width, rows, inputs, targets } = pair;
        let (index, offset) = (packed.pictures.len() as u32, packed.inputs.len() as u32);
        packed.pictures.push(PictureEntry { offset, width: width as u32, height: rows as u32 });
        packed.inputs.extend(inputs);
        packed.targets.extend(targets);
        for row in 0..self.cut.places(rows) {
            for column in 0..self.cut.places(width) {
                let (y, x) = ((row * self.cut.stride) as u32, (column * self.cut.stride) as u32);
                packed.patches.push(PatchEntry { picture: index, y, x });
            }
        }
    }
}

/// What a piece adds to a shard: `[channel][row][column]`.
struct Pair {
    width: usize,
    rows: usize,
    inputs: Vec<f32>,
    targets: Vec<f32>,
}

/// A picture in the network's channels, at a size of the augmentation (rounded to 8 bits, as a picture file
/// of that size would be), cut to multiples of the scale.
fn resized_planes(picture: &Picture, channels: Channels, size: f64, scale: usize) -> Result<Degraded> {
    let (width, height) = (resized(picture.width, size), resized(picture.height, size));
    let (columns, rows) = (multiple(width, scale), multiple(height, scale));
    let down = ResampleTable::bicubic(picture.height, height, size)?;
    let across = ResampleTable::bicubic(picture.width, width, size)?;
    let planes = picture.planes(channels).into_iter().map(|plane| {
        let plane: Vec<f64> = plane.iter().map(|&v| f64::from(v)).collect();
        let plane = apply(&plane, &down, &across);
        let kept = plane.chunks_exact(width).take(rows).flat_map(|row| &row[..columns]);
        kept.map(|v| v.round().clamp(0.0, 255.0) / 255.0).collect()
    });
    Ok(Degraded { width: columns, height: rows, planes: planes.collect() })
}

/// The largest multiple of the scale up to this length: the authors' `modcrop`.
fn multiple(length: usize, scale: usize) -> usize {
    length - length % scale
}

fn resized(length: usize, size: f64) -> usize {
    if size == 1.0 { length } else { output_len(length, size) }
}
