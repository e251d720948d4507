//! The convenience layer: opens its own device, takes and returns pictures, and blocks until they are done.

pub mod adapter;
pub mod autotune;
pub(crate) mod bands;
pub(crate) mod convert;
mod guard;
pub mod measure;
mod options;
mod pipelines;
mod self_test;
mod symmetries;
mod tiles;
mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use image::{ColorType, DynamicImage};

use crate::error::{Error, Result};
use crate::gpu::compile::Compiler;
use crate::network::Padding;
use crate::planes::Planes;
use crate::upscaler::{Enlargement, SourceKind, Upscaler};
use crate::weights::Weights;
pub use adapter::{AdapterSelection, open};
use bands::Bands;
use convert::{Sink, Source};
pub use options::HeadlessOptions;
pub use pipelines::Pipelines;
pub use self_test::{cache_folder, self_test, self_test_once};
pub(crate) use symmetries::{SYMMETRIES, transformed};
use tiles::{TileChecks, Tiles};
pub use verify::Verified;
use verify::Verifier;

/// An open device and the adapter it belongs to.
#[derive(Debug, Clone)]
pub struct Gpu {
    /// The logical device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// The adapter's name, type, backend, driver.
    pub info: wgpu::AdapterInfo,
    /// Errors that the device reports outside error scopes.
    pub faults: adapter::Faults,
    /// Cache in which compiled kernels are looked up first.
    pub pipelines: Pipelines,
}

impl Gpu {
    pub(crate) fn compiler(&self) -> Compiler<'_> {
        Compiler { device: &self.device, cache: self.pipelines.cache() }
    }
}

/// How long the last picture took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// GPU time: from timestamp queries if the device has them, else the time during which tiles were in flight.
    pub gpu: Duration,
    /// Time the caller's thread spent converting and uploading pixels.
    pub upload: Duration,
    /// Time the caller's thread spent on results: checking, converting and storing them. Meanwhile the GPU computes
    /// the next tile, as it does during uploads.
    pub readback: Duration,
    /// From call to return.
    pub wall: Duration,
    /// The part of `wall` that went into compiling kernels and making textures for pictures of this size: nothing when the
    /// last picture had the same size.
    pub preparation: Duration,
}

/// Called with the number of tiles done and the total.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Upscales pictures with one network on one device.
#[derive(Debug)]
pub struct Headless {
    gpu: Gpu,
    weights: Weights,
    options: HeadlessOptions,
    color: Option<Engine>,
    planes: Option<Engine>,
    timing: Timing,
    verified: Option<Verified>,
    stop: Arc<AtomicBool>,
}

/// A compiled network and the tiles of the last picture size.
#[derive(Debug)]
struct Engine {
    upscaler: Upscaler,
    tiles: Option<((u32, u32), Enlargement, Tiles)>,
}

impl Headless {
    /// Puts a network on a device. Kernels are compiled when the first picture arrives.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a tile of 0 pixels, [`Error::MissingCapability`] for a precision that the device
    /// does not support.
    pub fn new(gpu: Gpu, weights: &Weights, options: HeadlessOptions) -> Result<Self> {
        if options.tile == Some(0) {
            return Err(Error::invalid(
                "a tile of 0 pixels: use 16 or more, or None for the adapter's default",
            ));
        }
        options.precision.check(&gpu.device)?;
        let weights = weights.clone();
        let timing = Timing::default();
        let stop = Arc::default();
        Ok(Self { gpu, weights, options, color: None, planes: None, timing, verified: None, stop })
    }

    /// The same with a wish to stop, which any thread may set: pictures then end after the tile that is being computed, with
    /// [`Error::Stopped`], until it is unset.
    #[must_use]
    pub fn with_stop(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..self }
    }

    /// The device in use.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Replaces the weights. Compiled kernels are kept if architecture, channels and padding stay the same.
    ///
    /// # Errors
    /// What the device reports; the network is then recompiled for the next picture.
    pub fn set_weights(&mut self, weights: &Weights) -> Result<()> {
        let kind = |weights: &Weights| (weights.metadata.channels, weights.metadata.padding);
        let same =
            weights.architecture() == self.weights.architecture() && kind(weights) == kind(&self.weights);
        self.weights = weights.clone();
        let engines = [self.color.take(), self.planes.take()];
        if !same {
            return Ok(());
        }
        let mut engines = engines;
        for engine in engines.iter_mut().flatten() {
            engine.upscaler.set_weights(weights)?;
        }
        [self.color, self.planes] = engines;
        Ok(())
    }

    /// Width and height of the result for a picture of `source` pixels (width, height).
    ///
    /// # Errors
    /// As [`Enlargement::size`]; also for pictures smaller than the receptive field with [`Padding::Valid`].
    pub fn result_size(&self, source: (u32, u32), enlargement: impl Into<Enlargement>) -> Result<(u32, u32)> {
        let (width, height) = enlargement.into().size(source)?;
        let padding = self.options.padding.unwrap_or(self.weights.metadata.padding);
        if padding != Padding::Valid {
            return Ok((width, height));
        }
        let lost = 2 * self.weights.architecture().radius() as u32;
        match (width.checked_sub(lost), height.checked_sub(lost)) {
            (Some(width @ 1..), Some(height @ 1..)) => Ok((width, height)),
            _ => Err(Error::invalid(format!(
                "padding 'valid' removes {lost} pixels per axis, which leaves nothing of {width}x{height}"
            ))),
        }
    }

    /// Enlarges a picture; bit depth and color type are kept, and samples are rounded once, at the end.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sizes out of range, [`Error::Picture`] when the result does not fit in memory,
    /// and what the device reports, including a black or flat result for a picture that is not.
    pub fn upscale(
        &mut self,
        picture: &DynamicImage,
        enlargement: impl Into<Enlargement>,
        progress: Progress<'_>,
    ) -> Result<DynamicImage> {
        self.upscale_as(picture, picture.color(), enlargement, progress)
    }

    /// Enlarges a picture into another color type, for example with more or fewer bits or without alpha. Floats are
    /// neither rounded nor clamped, so that steps can be chained. A grey result takes the green channel; missing alpha
    /// becomes 1.
    ///
    /// # Errors
    /// As [`Headless::upscale`].
    pub fn upscale_as(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        enlargement: impl Into<Enlargement>,
        progress: Progress<'_>,
    ) -> Result<DynamicImage> {
        let enlargement = enlargement.into();
        let (width, height) = self.result_size(picture.size(), enlargement)?;
        convert::check_color(picture.color())?;
        let mut result = convert::empty(color, width, height)?;
        self.run(SourceKind::Color, picture, enlargement, &mut result, progress)?;
        Ok(result)
    }

    /// Enlarges a picture like [`Headless::upscale_as`] and hands the result to `take` in bands of rows, from top to
    /// bottom, so that the whole result never has to fit in memory.
    ///
    /// # Errors
    /// Those of [`Headless::upscale`] and those of `take`, which stop the work.
    pub fn upscale_bands(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        enlargement: impl Into<Enlargement>,
        take: &mut dyn FnMut(DynamicImage) -> Result<()>,
        progress: Progress<'_>,
    ) -> Result<()> {
        let enlargement = enlargement.into();
        let (width, _) = self.result_size(picture.size(), enlargement)?;
        convert::check_color(picture.color())?;
        let mut bands = Bands::new(color, width, take);
        self.run(SourceKind::Color, picture, enlargement, &mut bands, progress)?;
        bands.finish()
    }

    /// Enlarges planes in the network's own channels (one plane of luminance, or three) bicubically and runs the
    /// network, without color conversion, rounding or clamping. A factor of 1 runs the network alone.
    ///
    /// # Errors
    /// Those of [`Headless::upscale`]; also when the number of planes is not the network's number of channels.
    pub fn upscale_planes(&mut self, planes: &Planes, enlargement: impl Into<Enlargement>) -> Result<Planes> {
        self.upscale_planes_with(planes, enlargement, &mut |_, _| ())
    }

    /// As [`Headless::upscale_planes`], and tells of its progress.
    ///
    /// # Errors
    /// As there.
    pub fn upscale_planes_with(
        &mut self,
        planes: &Planes,
        enlargement: impl Into<Enlargement>,
        progress: Progress<'_>,
    ) -> Result<Planes> {
        let channels = self.weights.architecture().channels();
        if planes.channels != channels {
            return Err(Error::invalid(format!(
                "{} planes, but the network has {channels} channels",
                planes.channels
            )));
        }
        let enlargement = enlargement.into();
        let (width, height) = self.result_size(planes.size(), enlargement)?;
        let (width, height) = (width as usize, height as usize);
        let mut result = Planes::new(width, height, channels, vec![0.0; width * height * channels])?;
        self.run(SourceKind::Planes, planes, enlargement, &mut result, progress)?;
        Ok(result)
    }

    /// Times of the last picture.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// What was compared with the CPU for the last picture; `None` unless [`HeadlessOptions::verify`] is set.
    pub fn verified(&self) -> Option<Verified> {
        self.verified
    }

    fn run(
        &mut self,
        kind: SourceKind,
        source: &impl Source,
        enlargement: Enlargement,
        sink: &mut impl Sink,
        progress: Progress<'_>,
    ) -> Result<()> {
        let start = Instant::now();
        let mut preparation = Duration::ZERO;
        let Gpu { device, queue, .. } = &self.gpu;
        let engine = match kind {
            SourceKind::Color => &mut self.color,
            SourceKind::Planes => &mut self.planes,
        };
        let engine = match engine {
            Some(engine) => engine,
            None => {
                let options = self.options.upscaler(&self.gpu, kind, wgpu::TextureFormat::Rgba32Float);
                let upscaler = Upscaler::new(device, queue, &self.weights, options)?;
                preparation += start.elapsed();
                engine.insert(Engine { upscaler, tiles: None })
            }
        };
        let Engine { upscaler, tiles: kept } = engine;
        let size = source.size();
        let ready = kept.take().filter(|(s, e, _)| (*s, *e) == (size, enlargement));
        let mut ready = ready.map(|(_, _, tiles)| tiles);
        if ready.is_none() {
            upscaler.restore_tiles();
        }
        let symmetries = if self.options.tta { transformed(&self.weights)? } else { Vec::new() };
        self.verified = None;
        let timing = loop {
            let mut attempt = || {
                let mut tiles = match ready.take() {
                    Some(tiles) => tiles,
                    None => {
                        let begun = Instant::now();
                        let tiles = Tiles::new(device, upscaler, size, enlargement)?;
                        preparation += begun.elapsed();
                        tiles
                    }
                };
                let mut verifier = match self.options.verify {
                    true => {
                        let (padding, precision) = (upscaler.padding(), self.options.precision);
                        let tables = enlargement.tables(size)?;
                        Some(Verifier::new(kind, padding, precision, tables, tiles.len()))
                    }
                    false => None,
                };
                let mut checks = TileChecks {
                    symmetries: &symmetries,
                    weights: &self.weights,
                    guard: kind == SourceKind::Color,
                    verifier: verifier.as_mut(),
                };
                let mut progress = |done, tiles| {
                    progress(done, tiles);
                    stopped(&self.stop)
                };
                let timing = tiles.run(&self.gpu, upscaler, &mut checks, source, sink, &mut progress)?;
                self.gpu.faults.check()?;
                self.verified = verifier.map(|verifier| verifier.verified);
                *kept = Some((size, enlargement, tiles));
                Ok(timing)
            };
            match attempt() {
                Err(Error::OutOfMemory(_)) if upscaler.halve_tiles() => {}
                timing => break timing?,
            }
        };
        self.timing = Timing { wall: start.elapsed(), preparation, ..timing };
        Ok(())
    }
}

/// What ends work that is no longer wanted.
///
/// # Errors
/// [`Error::Stopped`] when `stop` is set.
pub(crate) fn stopped(stop: &AtomicBool) -> Result<()> {
    if stop.load(Ordering::Relaxed) { Err(Error::Stopped) } else { Ok(()) }
}
