//! The convenience layer: creates its own device, takes and returns pictures, blocks until they are done.

pub mod adapter;
pub mod autotune;
mod bands;
mod convert;
mod guard;
pub mod measure;
mod options;
mod pipelines;
mod self_test;
mod symmetries;
mod tiles;
mod verify;

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

/// An open device and what adapter it belongs to.
#[derive(Debug, Clone)]
pub struct Gpu {
    /// The logical device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// The adapter's name, type, backend, driver.
    pub info: wgpu::AdapterInfo,
    /// Errors that the device reports outside of error scopes.
    pub faults: adapter::Faults,
    /// Where compiled kernels are looked for first.
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
    /// Time on the GPU: timestamp queries where the device has them, else the time that tiles were under way.
    pub gpu: Duration,
    /// Time of the caller's thread on pixels that go to the GPU: converted and uploaded.
    pub upload: Duration,
    /// Time of the caller's thread on results that have come from the GPU: checked, converted, stored. While it is busy
    /// with either, the GPU computes another tile.
    pub readback: Duration,
    /// From call to return.
    pub wall: Duration,
}

/// Called with tiles done and tiles in all.
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
}

/// A compiled network, and the tiles of the size that it ran last.
#[derive(Debug)]
struct Engine {
    upscaler: Upscaler,
    tiles: Option<((u32, u32), Enlargement, Tiles)>,
}

impl Headless {
    /// Takes a network to a device. Pipelines are compiled when the first picture comes.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a tile of 0, [`Error::MissingCapability`] for a precision that the device lacks.
    pub fn new(gpu: Gpu, weights: &Weights, options: HeadlessOptions) -> Result<Self> {
        if options.tile == Some(0) {
            return Err(Error::invalid("a tile of 0 pixels: 16 or more, or none for the adapter's own"));
        }
        options.precision.check(&gpu.device)?;
        let weights = weights.clone();
        let timing = Timing::default();
        Ok(Self { gpu, weights, options, color: None, planes: None, timing, verified: None })
    }

    /// The device in use.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Takes other weights. What is compiled stays where they are of the same architecture, channels and padding.
    ///
    /// # Errors
    /// What the device reports; the network is then compiled anew for the next picture.
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

    /// Width and height of the result for a picture of `source` pixels.
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
                "padding 'valid' makes pictures {lost} pixels smaller on each axis; nothing is left of {width}x{height}"
            ))),
        }
    }

    /// Enlarges a picture; depth and color type stay as they are, and samples are rounded once, at the end.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sizes out of range, [`Error::Picture`] when the result does not fit in
    /// memory, and what the device reports: also a result that is black or of one color where the picture is not.
    pub fn upscale(
        &mut self,
        picture: &DynamicImage,
        enlargement: impl Into<Enlargement>,
        progress: Progress<'_>,
    ) -> Result<DynamicImage> {
        self.upscale_as(picture, picture.color(), enlargement, progress)
    }

    /// Enlarges a picture to another color type: to more or fewer bits, or without alpha. Floats are neither rounded
    /// nor clamped, so that steps can follow each other. A grey result is the green channel, alpha that the picture
    /// lacks is 1.
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

    /// Enlarges a picture like [`Headless::upscale_as`], and hands the result to `take` in bands of rows, from top to
    /// bottom: memory for all of it is not needed.
    ///
    /// # Errors
    /// As [`Headless::upscale`], and those of `take`, which end the work.
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

    /// Enlarges planes in the network's own channels (one plane of luminance, or three) by bicubic and runs the
    /// network, without any color conversion, rounding or clamping. A factor of 1 runs the network alone.
    ///
    /// # Errors
    /// As [`Headless::upscale`]; also for a number of planes that is not the network's.
    pub fn upscale_planes(&mut self, planes: &Planes, enlargement: impl Into<Enlargement>) -> Result<Planes> {
        let channels = self.weights.architecture().channels();
        if planes.channels != channels {
            return Err(Error::invalid(format!("{} planes, the network has {channels}", planes.channels)));
        }
        let enlargement = enlargement.into();
        let (width, height) = self.result_size(planes.size(), enlargement)?;
        let (width, height) = (width as usize, height as usize);
        let mut result = Planes::new(width, height, channels, vec![0.0; width * height * channels])?;
        self.run(SourceKind::Planes, planes, enlargement, &mut result, &mut |_, _| ())?;
        Ok(result)
    }

    /// Times of the last picture.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// What was compared with the CPU's results of the last picture; `None` when that was not asked for.
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
                    None => Tiles::new(device, upscaler, size, enlargement)?,
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
                let timing = tiles.run(&self.gpu, upscaler, &mut checks, source, sink, progress)?;
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
        self.timing = Timing { wall: start.elapsed(), ..timing };
        Ok(())
    }
}
