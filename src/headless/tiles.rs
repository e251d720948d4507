//! Runs a picture tile by tile: while the GPU computes one tile, the next is uploaded and the last one read back.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::convert::{Sink, Source, Texel};
use super::guard;
use super::turns::Sum;
use super::verify::Verifier;
use super::{Gpu, Progress, Timing};
use crate::error::{Error, Result};
use crate::gpu::scoped;
use crate::resample::ResampleTable;
use crate::upscaler::{GpuNetwork, Picture, Placement, Scratch, TextureBindings};
use crate::weights::Weights;

/// Tiles under way at a time.
const SLOTS: usize = 2;
/// A tile is bounded work: one that takes longer than this does not end.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Buffers and textures for the tiles of one picture size.
#[derive(Debug)]
pub(super) struct Tiles {
    picture: Picture,
    slots: Vec<Slot>,
}

/// What one tile under way occupies.
#[derive(Debug)]
struct Slot {
    scratch: Scratch,
    source: wgpu::Texture,
    target: wgpu::Texture,
    bindings: TextureBindings,
    readback: wgpu::Buffer,
    timestamps: Option<Timestamps>,
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct Timestamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

/// What is done with each tile beside computing it.
pub(super) struct Care<'a> {
    /// The network in each of the ways that are averaged over; empty when it is used as it is.
    pub turns: &'a [Weights],
    /// The network as it is.
    pub weights: &'a Weights,
    /// Whether texels are colours, whose contrast must not get lost.
    pub guard: bool,
    pub verifier: Option<&'a mut Verifier>,
}

/// One tile in one way.
#[derive(Debug, Clone, Copy)]
struct Round {
    tile: usize,
    turn: usize,
}

#[derive(Debug)]
struct UnderWay {
    round: Round,
    /// Whether the result must have contrast.
    varied: bool,
    /// What the tile is computed from, where the result is to be verified.
    source: Option<Vec<Texel>>,
    submission: wgpu::SubmissionIndex,
    submitted: Instant,
    mapped: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

/// Bytes of two timestamps, and where resolved queries may lie.
const TIMESTAMP_BYTES: u64 = 16;
const QUERY_ALIGNMENT: u64 = wgpu::QUERY_RESOLVE_BUFFER_ALIGNMENT;
const TEXEL_BYTES: u32 = size_of::<Texel>() as u32;

fn row_bytes(columns: u32) -> u32 {
    (columns * TEXEL_BYTES).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT)
}

impl Slot {
    fn new(device: &wgpu::Device, network: &GpuNetwork, picture: &Picture) -> Result<Self> {
        let scratch = Scratch::new(device, network, picture, 1)?;
        let limits = device.limits();
        let texture = |label, [width, height]: [usize; 2], usage| {
            let longest = width.max(height);
            if longest > limits.max_texture_dimension_2d as usize {
                let limit = limits.max_texture_dimension_2d;
                return Err(Error::OutOfMemory(format!(
                    "a texture of {longest} pixels, the device allows {limit}"
                )));
            }
            Ok(wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: wgpu::TextureFormat::Rgba32Float,
                usage,
                view_formats: &[],
            })
        };
        use wgpu::TextureUsages as Usage;
        let source = texture(
            "srcnn.tile_source",
            picture.plan.largest_source(),
            Usage::TEXTURE_BINDING | Usage::COPY_DST,
        )?;
        let target =
            texture("srcnn.tile_target", picture.plan.largest(), Usage::STORAGE_BINDING | Usage::COPY_SRC)?;
        scoped(device, || {
            let source = device.create_texture(&source);
            let target = device.create_texture(&target);
            let view = |texture: &wgpu::Texture| texture.create_view(&wgpu::TextureViewDescriptor::default());
            let bindings = scratch.bind_textures(device, network, picture, &view(&source), &view(&target));
            let pixels = u64::from(row_bytes(target.width())) * u64::from(target.height());
            let buffer = |label, size, usage| {
                device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some(label),
                    size,
                    usage,
                    mapped_at_creation: false,
                })
            };
            use wgpu::BufferUsages as Usage;
            let readback =
                buffer("srcnn.readback", pixels + TIMESTAMP_BYTES, Usage::MAP_READ | Usage::COPY_DST);
            let timestamps =
                device.features().contains(wgpu::Features::TIMESTAMP_QUERY).then(|| Timestamps {
                    queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                        label: Some("srcnn.timestamps"),
                        ty: wgpu::QueryType::Timestamp,
                        count: 2,
                    }),
                    resolved: buffer(
                        "srcnn.timestamps",
                        QUERY_ALIGNMENT,
                        Usage::QUERY_RESOLVE | Usage::COPY_SRC,
                    ),
                });
            Self { scratch, source, target, bindings, readback, timestamps, under_way: None }
        })
    }

    /// Uploads what a tile is computed from.
    fn upload(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        picture: &Picture,
        round: Round,
        texels: &[Texel],
    ) -> Result<()> {
        let [columns, rows] = picture.plan.tile(round.tile).map(|span| span.source.len() as u32);
        let size = wgpu::Extent3d { width: columns, height: rows, depth_or_array_layers: 1 };
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(columns * TEXEL_BYTES),
            rows_per_image: None,
        };
        scoped(device, || {
            queue.write_texture(self.source.as_image_copy(), bytemuck::cast_slice(texels), layout, size);
        })
    }

    /// Computes and asks for the readback of a tile.
    fn submit(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        network: &GpuNetwork,
        picture: &Picture,
        round: Round,
    ) -> Result<()> {
        let spans = picture.plan.tile(round.tile);
        let [width, height] = spans.map(|s| s.len as u32);
        let result = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
        let bytes_per_row = row_bytes(result.width);
        let (sender, mapped) = mpsc::channel();
        let submission = scoped(device, || {
            let regions = self.scratch.regions(network, picture, spans, Placement::Tile);
            queue.write_buffer(self.scratch.region_buffer(), 0, &regions);
            let mut encoder =
                device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("srcnn") });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("srcnn"),
                timestamp_writes: self.timestamps.as_ref().map(|t| wgpu::ComputePassTimestampWrites {
                    query_set: &t.queries,
                    beginning_of_pass_write_index: Some(0),
                    end_of_pass_write_index: Some(1),
                }),
            });
            self.scratch.record(&mut pass, network, picture, &self.bindings, spans, 0);
            drop(pass);
            let pixels = u64::from(bytes_per_row) * u64::from(result.height);
            if let Some(t) = &self.timestamps {
                encoder.resolve_query_set(&t.queries, 0..2, &t.resolved, 0);
                encoder.copy_buffer_to_buffer(&t.resolved, 0, &self.readback, pixels, TIMESTAMP_BYTES);
            }
            let to = wgpu::TexelCopyBufferInfo {
                buffer: &self.readback,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(bytes_per_row),
                    rows_per_image: None,
                },
            };
            encoder.copy_texture_to_buffer(self.target.as_image_copy(), to, result);
            let submission = queue.submit([encoder.finish()]);
            // The receiver is gone only when the tile was given up.
            self.readback.slice(..pixels + TIMESTAMP_BYTES).map_async(wgpu::MapMode::Read, move |result| {
                let _ = sender.send(result);
            });
            submission
        })?;
        let submitted = Instant::now();
        self.under_way = Some(UnderWay { round, varied: false, source: None, submission, submitted, mapped });
        Ok(())
    }

    /// Waits for the tile under way, if there is one, and hands its rows over. Returns the GPU's timestamps.
    fn finish(
        &mut self,
        device: &wgpu::Device,
        picture: &Picture,
        care: &mut Care<'_>,
        sum: &mut Sum,
        sink: &mut impl Sink,
    ) -> Result<Option<Finished>> {
        let Some(UnderWay { round, varied, source, submission, submitted, mapped }) = self.under_way.take()
        else {
            return Ok(None);
        };
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(TIMEOUT) };
        device.poll(wait).map_err(|e| Error::Gpu(format!("waiting for a tile: {e}")))?;
        // Another thread that polls the device may be the one that runs the callback.
        match mapped.recv_timeout(TIMEOUT) {
            Ok(Ok(())) => {}
            _ => return Err(Error::Gpu("the device was lost while it computed a tile".into())),
        }
        let ended = Instant::now();
        let spans @ [columns, rows] = picture.plan.tile(round.tile);
        let stride = row_bytes(columns.len as u32) as usize;
        let pixels = stride * rows.len;
        let bytes = self
            .readback
            .get_mapped_range(..pixels as u64 + TIMESTAMP_BYTES)
            .map_err(|e| Error::Gpu(format!("reading a tile back: {e}")))?;
        let lines = || {
            let lines = bytes[..pixels].chunks_exact(stride);
            lines.map(|row| bytemuck::cast_slice::<u8, Texel>(&row[..columns.len * TEXEL_BYTES as usize]))
        };
        let wrong = |what: &str| {
            let place = format!("the result at {}x{}", columns.start, rows.start);
            let advice = "`srcnn-gpu devices` tests the adapters, `model info` shows the network";
            Err(Error::Gpu(format!("{place} {what}; {advice}")))
        };
        if !lines().all(|texels| texels.as_flattened().iter().all(|v| v.is_finite())) {
            return wrong("holds values that are not finite numbers");
        }
        if varied && guard::is_flat(lines()) {
            return wrong("is of one colour, the picture is not");
        }
        if let (Some(source), Some(verifier)) = (&source, &mut care.verifier) {
            let weights = care.turns.get(round.turn).unwrap_or(care.weights);
            let texel = |x: usize, y: usize| lines().nth(y).map_or([f32::NAN; 4], |line| line[x]);
            verifier.check(weights, spans, source, texel)?;
        }
        let last = round.turn + 1 >= care.turns.len();
        if last {
            sink.begin(columns.start, rows.start..rows.start + rows.len)?;
        }
        for (y, texels) in lines().enumerate() {
            let texels = if care.turns.is_empty() {
                texels
            } else {
                sum.add(round.turn, y, texels);
                if !last {
                    continue;
                }
                sum.average(y, columns.len)
            };
            sink.write(columns.start, rows.start + y, texels);
        }
        let timestamps = self.timestamps.is_some().then(|| {
            let stamp = |i: usize| {
                let at = pixels + 8 * i;
                u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]))
            };
            stamp(1).saturating_sub(stamp(0))
        });
        drop(bytes);
        self.readback.unmap();
        Ok(Some(Finished { submitted, ended, timestamps }))
    }
}

struct Finished {
    submitted: Instant,
    ended: Instant,
    timestamps: Option<u64>,
}

impl Tiles {
    /// Buffers and textures for pictures that are enlarged by tables that the network was prepared for, with tiles of at
    /// most `tile` pixels.
    pub fn new(
        device: &wgpu::Device,
        network: &GpuNetwork,
        tables: &[ResampleTable; 2],
        tile: usize,
    ) -> Result<Self> {
        let picture = Picture::new(device, network, tables, tile)?;
        let slots = SLOTS.min(picture.plan.tiles());
        let slots = (0..slots).map(|_| Slot::new(device, network, &picture)).collect::<Result<_>>()?;
        Ok(Self { picture, slots })
    }

    /// Number of tiles.
    pub fn len(&self) -> usize {
        self.picture.plan.tiles()
    }

    /// Runs all tiles of a picture. Returns the times of their parts.
    pub fn run(
        &mut self,
        Gpu { device, queue, .. }: &Gpu,
        network: &GpuNetwork,
        care: &mut Care<'_>,
        source: &impl Source,
        sink: &mut impl Sink,
        progress: Progress<'_>,
    ) -> Result<Timing> {
        let start = Instant::now();
        let turns = care.turns.len().max(1);
        let rounds = self.len() * turns;
        let (width, height) = source.size();
        let lengths =
            [(width as usize, self.picture.plan.picture[0]), (height as usize, self.picture.plan.picture[1])];
        let mut texels = Vec::new();
        let mut sum = Sum::default();
        let mut timing = Timing::default();
        let mut last_end = None;
        // Each round takes the result that its slot held, and then uploads a tile.
        for round in 0..rounds + self.slots.len() {
            let slot_count = self.slots.len();
            let slot = &mut self.slots[round % slot_count];
            if let Some(done) = slot.finish(device, &self.picture, care, &mut sum, sink)? {
                timing.readback += done.ended.elapsed();
                timing.gpu += match done.timestamps {
                    Some(ticks) => {
                        Duration::from_secs_f64(ticks as f64 * f64::from(queue.get_timestamp_period()) * 1e-9)
                    }
                    None => done.ended - last_end.unwrap_or(done.submitted).max(done.submitted),
                };
                last_end = Some(done.ended);
                progress((round - slot_count + 1) as u64, rounds as u64);
            }
            if round < rounds {
                let begun = Instant::now();
                let round = Round { tile: round / turns, turn: round % turns };
                let spans @ [columns, rows] = self.picture.plan.tile(round.tile);
                if round.turn == 0 {
                    texels.clear();
                    source.read(columns.source.clone(), rows.source.clone(), &mut texels);
                }
                slot.upload(device, queue, &self.picture, round, &texels)?;
                timing.upload += begun.elapsed();
                if let Some(weights) = care.turns.get(round.turn) {
                    network.set_weights(device, queue, weights)?;
                }
                slot.submit(device, queue, network, &self.picture, round)?;
                if let Some(under_way) = &mut slot.under_way {
                    under_way.varied = care.guard && guard::is_varied(&texels, spans, lengths);
                    let verified = care.verifier.as_ref().is_some_and(|verifier| verifier.wants(round.tile));
                    under_way.source = verified.then(|| texels.clone());
                }
            }
        }
        timing.wall = start.elapsed();
        Ok(timing)
    }
}
