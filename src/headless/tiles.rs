//! Runs a picture tile by tile: while the GPU computes one tile, the next is uploaded and the previous one read back.

use std::time::{Duration, Instant};

use super::convert::{Sink, Source, Texel};
use super::guard;
use super::symmetries::Sum;
use super::verify::Verifier;
use super::{Gpu, Timing};
use crate::error::{Error, Result};
use crate::gpu::memory::{copy_texture, row_stride, staging, texture, upload, view};
use crate::gpu::readback::Readback;
use crate::gpu::scoped;
use crate::gpu::timestamps::Timestamps;
use crate::upscaler::{Enlargement, TileGrid, TileSlot, TileSpan, Upscaler};
use crate::weights::Weights;

/// Tiles in flight at a time.
const SLOTS: usize = 2;
const TEXEL_BYTES: u32 = size_of::<Texel>() as u32;

/// Textures and buffers for the tiles of one picture size.
#[derive(Debug)]
pub(super) struct Tiles {
    grid: TileGrid,
    slots: Vec<Slot>,
}

/// The resources of one tile in flight.
#[derive(Debug)]
struct Slot {
    source: wgpu::TextureView,
    target: wgpu::TextureView,
    staging: wgpu::Buffer,
    timestamps: Option<Timestamps>,
    in_flight: Option<InFlight>,
}

/// How the result of each tile is checked.
pub(super) struct TileChecks<'a> {
    /// The network in each symmetry to average over; empty without averaging.
    pub symmetries: &'a [Weights],
    /// The network as it is.
    pub weights: &'a Weights,
    /// Whether texels are colors, whose contrast must be preserved.
    pub guard: bool,
    pub verifier: Option<&'a mut Verifier>,
}

/// One tile in one symmetry.
#[derive(Debug, Clone, Copy)]
struct Round {
    tile: usize,
    symmetry: usize,
}

#[derive(Debug)]
struct InFlight {
    round: Round,
    /// Whether the result must have contrast.
    varied: bool,
    /// The tile's source texels, if the result will be verified.
    source: Option<Vec<Texel>>,
    submitted: Instant,
    readback: Readback,
}

/// When a tile was done, and how long the GPU took if it has timestamps.
struct Finished {
    submitted: Instant,
    ended: Instant,
    gpu: Option<Duration>,
}

impl Slot {
    fn new(device: &wgpu::Device, grid: &TileGrid) -> Result<Self> {
        let limit = device.limits().max_texture_dimension_2d;
        let sizes = [grid.source_texture, grid.target_texture].map(|(width, height)| [width, height]);
        if let Some(longest) = sizes.as_flattened().iter().find(|&&side| side > limit) {
            return Err(Error::OutOfMemory(
                format!("a tile needs a texture of {longest} pixels, but the device allows {limit}").into(),
            ));
        }
        let timestamps = Timestamps::new(device)?;
        scoped(device, || {
            use wgpu::TextureUsages as Usage;
            let texture = |label, size, usage| {
                view(&texture(device, label, size, wgpu::TextureFormat::Rgba32Float, usage))
            };
            let [width, height] = sizes[1];
            let bytes = u64::from(row_stride(width, TEXEL_BYTES)) * u64::from(height) + Timestamps::BYTES;
            Self {
                source: texture("srcnn.tile_source", sizes[0], Usage::TEXTURE_BINDING | Usage::COPY_DST),
                target: texture("srcnn.tile_target", sizes[1], Usage::STORAGE_BINDING | Usage::COPY_SRC),
                staging: staging(device, "srcnn.readback", bytes),
                timestamps,
                in_flight: None,
            }
        })
    }

    /// Uploads a tile's source.
    fn upload(&self, gpu: &Gpu, spans: [&TileSpan; 2], texels: &[Texel]) -> Result<()> {
        let size = spans.map(|span| span.source.len() as u32);
        scoped(&gpu.device, || {
            upload(&gpu.queue, self.source.texture(), size, bytemuck::cast_slice(texels));
        })
    }

    /// Submits a tile and requests its result.
    fn submit(&mut self, gpu: &Gpu, upscaler: &Upscaler, size: [u32; 2], tile: TileSlot) -> Result<Readback> {
        let Gpu { device, queue, .. } = gpu;
        let stride = row_stride(size[0], TEXEL_BYTES);
        let pixels = u64::from(stride) * u64::from(size[1]);
        let Self { source, target, staging, timestamps, .. } = self;
        let mut recorded = Ok(());
        let readback =
            Readback::submit(device, queue, "a tile", staging, pixels + Timestamps::BYTES, |encoder| {
                let of_pass = timestamps.as_ref().map(Timestamps::of_pass);
                recorded = upscaler.record_tile(encoder, source.texture(), target.texture(), tile, of_pass);
                if let Some(timestamps) = timestamps {
                    timestamps.resolve(encoder, staging, pixels);
                }
                copy_texture(encoder, target.texture(), size, staging, stride);
            })?;
        recorded.map(|()| readback)
    }

    /// Waits for the tile in flight, if any, and hands over its rows.
    fn finish(
        &mut self,
        gpu: &Gpu,
        upscaler: &Upscaler,
        checks: &mut TileChecks<'_>,
        sum: &mut Sum,
        sink: &mut impl Sink,
    ) -> Result<Option<Finished>> {
        let Some(InFlight { round, varied, source, submitted, mut readback }) = self.in_flight.take() else {
            return Ok(None);
        };
        readback.wait(&gpu.device)?;
        let ended = Instant::now();
        let spans @ [columns, rows] = spans(upscaler, round.tile)?;
        let stride = row_stride(columns.len as u32, TEXEL_BYTES) as usize;
        readback.finish(&gpu.device, |bytes| {
            let (pixels, stamps) = bytes.split_at(stride * rows.len);
            let lines = || {
                let lines = pixels.chunks_exact(stride);
                lines.map(|row| bytemuck::cast_slice::<u8, Texel>(&row[..columns.len * TEXEL_BYTES as usize]))
            };
            checks.check(round, spans, varied, source.as_deref(), lines)?;
            let last = round.symmetry + 1 >= checks.symmetries.len();
            if last {
                sink.begin(columns.start, rows.start..rows.start + rows.len)?;
            }
            for (y, texels) in lines().enumerate() {
                let texels = if checks.symmetries.is_empty() {
                    texels
                } else {
                    sum.add(round.symmetry, y, texels);
                    if !last {
                        continue;
                    }
                    sum.average(y, columns.len)
                };
                sink.write(columns.start, rows.start + y, texels);
            }
            let gpu = self.timestamps.as_ref().map(|_| Timestamps::elapsed(&gpu.queue, stamps));
            Ok(Some(Finished { submitted, ended, gpu }))
        })
    }
}

impl TileChecks<'_> {
    /// Checks that a tile's result is plausible, and verifies it on the CPU if asked to.
    fn check<'a, Lines: Iterator<Item = &'a [Texel]>>(
        &mut self,
        round: Round,
        spans @ [columns, rows]: [&TileSpan; 2],
        varied: bool,
        source: Option<&[Texel]>,
        lines: impl Fn() -> Lines,
    ) -> Result<()> {
        let wrong = |what: &str| {
            let text = format!("the result at {}x{} {what}", columns.start, rows.start);
            Err(Error::WrongResult(text.into()))
        };
        if !lines().all(|texels| texels.as_flattened().iter().all(|v| v.is_finite())) {
            return wrong("contains values that are not finite");
        }
        if varied && guard::is_flat(lines()) {
            return wrong("is one flat color, but the picture is not");
        }
        if let (Some(source), Some(verifier)) = (source, &mut self.verifier) {
            let weights = self.symmetries.get(round.symmetry).unwrap_or(self.weights);
            let texel = |x: usize, y: usize| lines().nth(y).map_or([f32::NAN; 4], |line| line[x]);
            verifier.check(weights, spans, source, texel)?;
        }
        Ok(())
    }
}

fn spans(upscaler: &Upscaler, tile: usize) -> Result<[&TileSpan; 2]> {
    upscaler
        .tile(tile)
        .ok_or_else(|| Error::invalid(format!("tile {tile} is out of range: there are {}", upscaler.tiles())))
}

impl Tiles {
    /// Prepares for pictures of one size (width, height).
    ///
    /// # Errors
    /// As [`Upscaler::prepare_tiles`].
    pub fn new(
        device: &wgpu::Device,
        upscaler: &mut Upscaler,
        size: (u32, u32),
        enlargement: Enlargement,
    ) -> Result<Self> {
        let grid = upscaler.prepare_tiles(size, enlargement, SLOTS)?;
        let slots = (0..SLOTS.min(grid.tiles)).map(|_| Slot::new(device, &grid));
        Ok(Self { grid, slots: slots.collect::<Result<_>>()? })
    }

    /// Number of tiles.
    pub fn len(&self) -> usize {
        self.grid.tiles
    }

    /// Runs all tiles of a picture and returns the times of upload, GPU and readback. An error of `progress` ends the work.
    pub fn run(
        &mut self,
        gpu: &Gpu,
        upscaler: &mut Upscaler,
        checks: &mut TileChecks<'_>,
        source: &impl Source,
        sink: &mut impl Sink,
        progress: &mut dyn FnMut(u64, u64) -> Result<()>,
    ) -> Result<Timing> {
        let start = Instant::now();
        let symmetries = checks.symmetries.len().max(1);
        let rounds = self.len() * symmetries;
        let ((width, height), enlarged) = (source.size(), upscaler.enlarged());
        let lengths = [(width as usize, enlarged[0]), (height as usize, enlarged[1])];
        let mut texels = Vec::new();
        let mut sum = Sum::default();
        let mut timing = Timing::default();
        let mut last_end = None;
        // Each round first takes the result out of its slot, then uploads the next tile.
        for round in 0..rounds + self.slots.len() {
            let slot_count = self.slots.len();
            let slot = &mut self.slots[round % slot_count];
            if let Some(done) = slot.finish(gpu, upscaler, checks, &mut sum, sink)? {
                timing.readback += done.ended.elapsed();
                timing.gpu += done
                    .gpu
                    .unwrap_or_else(|| done.ended - last_end.unwrap_or(done.submitted).max(done.submitted));
                last_end = Some(done.ended);
                progress((round - slot_count + 1) as u64, rounds as u64)?;
            }
            if round < rounds {
                let begun = Instant::now();
                let index = round % slot_count;
                let round = Round { tile: round / symmetries, symmetry: round % symmetries };
                let spans @ [columns, rows] = spans(upscaler, round.tile)?;
                if round.symmetry == 0 {
                    texels.clear();
                    source.read(columns.source.clone(), rows.source.clone(), &mut texels);
                }
                slot.upload(gpu, spans, &texels)?;
                timing.upload += begun.elapsed();
                let size = spans.map(|span| span.len as u32);
                let varied = checks.guard && guard::is_varied(&texels, spans, lengths);
                if let Some(weights) = checks.symmetries.get(round.symmetry) {
                    upscaler.set_weights(weights)?;
                }
                let tile = TileSlot { tile: round.tile, slot: index };
                let readback = slot.submit(gpu, upscaler, size, tile)?;
                let submitted = Instant::now();
                let verified = checks.verifier.as_ref().is_some_and(|verifier| verifier.wants(round.tile));
                let source = verified.then(|| texels.clone());
                slot.in_flight = Some(InFlight { round, varied, source, submitted, readback });
            }
        }
        timing.wall = start.elapsed();
        Ok(timing)
    }
}
