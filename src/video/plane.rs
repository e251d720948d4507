//! One plane of a frame, or of one of its fields, on the device: from source samples to result samples.

use std::ops::Range;

use super::format::Mapping;
use crate::error::{Error, Result};
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::kernels::{self, PIXEL_WORKGROUP};
use crate::gpu::memory::{constant, texture, upload, view};
use crate::gpu::scoped;
use crate::resample::ResampleTable;
use crate::upscaler::{Enlargement, ResampleKernels, Resampler, Upscaler};
use crate::weights::Weights;

/// Mirrors `Samples` in `shaders/samples_from_texture.wgsl`, where the fields are described.
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Samples {
    factor: f32,
    offset: f32,
    largest: f32,
    columns: u32,
    rows: u32,
    first: u32,
    stride: u32,
    turn: u32,
}

/// Kernels that all planes of a stream share.
#[derive(Debug)]
pub(super) struct Kernels {
    resample: ResampleKernels,
    samples_from_texture: Kernel,
    samples_from_maps: Kernel,
    /// For what is left of a luma plane's enlargement after the network, if anything is.
    luma_from_maps: Option<Kernel>,
}

impl Kernels {
    /// For results of `symmetries` networks to average; `rest` tells whether bicubic interpolation follows them.
    pub fn new(compiler: Compiler<'_>, sample_bytes: usize, symmetries: usize, rest: bool) -> Result<Self> {
        let samples = |maps, symmetries| {
            let shader = kernels::samples_from_texture(sample_bytes, maps, symmetries);
            let [uniform, write] = [Binding::Uniform, Binding::Write];
            Kernel::new(compiler, &shader, &[uniform, Binding::Texture, write, write, write])
        };
        Ok(Self {
            resample: ResampleKernels::new(compiler)?,
            samples_from_texture: samples(false, symmetries)?,
            samples_from_maps: samples(true, 1)?,
            luma_from_maps: rest.then(|| samples(true, symmetries)).transpose()?,
        })
    }
}

/// Where a plane's samples go in the packed frame, in words of 4 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackedRows {
    /// Word where the first row begins.
    pub first: usize,
    /// Words from one row to the next.
    pub stride: usize,
}

/// The buffers that all planes of a frame write to.
#[derive(Debug)]
pub(super) struct PackedFrame {
    /// The samples of a whole frame.
    pub samples: wgpu::Buffer,
    /// One word; nonzero once any value was not finite.
    pub fault: wgpu::Buffer,
    /// One float per luma sample to average in, if averaging; unused otherwise.
    pub sums: wgpu::Buffer,
}

/// A plane's textures and everything bound to them.
#[derive(Debug)]
pub(super) struct Plane {
    source: wgpu::Texture,
    /// None for chroma.
    network: Option<Box<Network>>,
    /// Bicubic interpolation: all of chroma's enlargement, or what the network leaves of luma's.
    resampler: Option<Resampler>,
    /// One per symmetry.
    pack: Vec<Dispatch>,
}

#[derive(Debug)]
struct Network {
    upscaler: Upscaler,
    /// The network in each symmetry to average over; empty without averaging.
    symmetries: Vec<Weights>,
    target: wgpu::Texture,
}

/// Everything needed to create a plane.
pub(super) struct PlaneBuilder<'a> {
    pub device: &'a wgpu::Device,
    pub kernels: &'a Kernels,
    pub packed: &'a PackedFrame,
    /// Columns and rows: the enlargement, or the network's part of it.
    pub tables: [ResampleTable; 2],
    /// Columns and rows of what bicubic interpolation does to the network's result.
    pub rest: Option<[ResampleTable; 2]>,
    /// From computed values to samples.
    pub mapping: Mapping,
    pub largest: u32,
    pub sample_bytes: usize,
    pub packed_rows: PackedRows,
}

impl PlaneBuilder<'_> {
    fn input(&self) -> [usize; 2] {
        [self.tables[0].input_len, self.tables[1].input_len]
    }

    /// Columns and rows of the plane's result.
    fn output(&self) -> [usize; 2] {
        let [columns, rows] = self.rest.as_ref().unwrap_or(&self.tables);
        [columns.output_len, rows.output_len]
    }

    /// A plane enlarged by the network, or by the average over its symmetries, and then resampled if there is a rest.
    pub fn network(self, mut upscaler: Upscaler, symmetries: Vec<Weights>) -> Result<Plane> {
        let side = |[width, height]: [usize; 2]| (width as u32, height as u32);
        let enlarged = [self.tables[0].output_len, self.tables[1].output_len];
        let (width, height) = side(enlarged);
        upscaler.prepare_tables(side(self.input()), Enlargement::Size(width, height), &self.tables)?;
        use wgpu::TextureUsages as Usage;
        let source = self.texture(self.input(), Usage::TEXTURE_BINDING | Usage::COPY_DST)?;
        let usage = Usage::TEXTURE_BINDING | Usage::STORAGE_BINDING;
        let target = self.texture(enlarged, usage)?;
        let seen = view(&target);
        let resampler = |tables| Resampler::new(self.device, &self.kernels.resample, tables, &seen);
        let resampler = self.rest.as_ref().map(resampler).transpose()?;
        let (kernel, result) = match (&self.kernels.luma_from_maps, &resampler) {
            (Some(kernel), Some(resampler)) => (kernel, &resampler.result),
            _ => (&self.kernels.samples_from_texture, &seen),
        };
        let pack = (0..symmetries.len().max(1))
            .map(|symmetry| self.pack(kernel, result, symmetry))
            .collect::<Result<_>>()?;
        let network = Some(Box::new(Network { upscaler, symmetries, target }));
        Ok(Plane { source, network, resampler, pack })
    }

    /// A plane enlarged by bicubic interpolation.
    pub fn bicubic(self) -> Result<Plane> {
        use wgpu::TextureUsages as Usage;
        let source = self.texture(self.input(), Usage::TEXTURE_BINDING | Usage::COPY_DST)?;
        let resampler = Resampler::new(self.device, &self.kernels.resample, &self.tables, &view(&source))?;
        let pack = vec![self.pack(&self.kernels.samples_from_maps, &resampler.result, 0)?];
        Ok(Plane { source, network: None, resampler: Some(resampler), pack })
    }

    fn pack(&self, kernel: &Kernel, input: &wgpu::TextureView, symmetry: usize) -> Result<Dispatch> {
        let [columns, rows] = self.output();
        let samples = Samples {
            factor: self.mapping.factor as f32,
            offset: self.mapping.offset as f32,
            largest: self.largest as f32,
            columns: columns as u32,
            rows: rows as u32,
            first: self.packed_rows.first as u32,
            stride: self.packed_rows.stride as u32,
            turn: symmetry as u32,
        };
        let words = (columns * self.sample_bytes).div_ceil(4);
        let [x, y] = PIXEL_WORKGROUP.map(|side| side as usize);
        let group = scoped(self.device, || {
            let usage = wgpu::BufferUsages::UNIFORM;
            let samples = constant(self.device, "srcnn.video", bytemuck::bytes_of(&samples), usage);
            let resources = [
                samples.as_entire_binding(),
                wgpu::BindingResource::TextureView(input),
                self.packed.samples.as_entire_binding(),
                self.packed.fault.as_entire_binding(),
                self.packed.sums.as_entire_binding(),
            ];
            kernel.bind(self.device, &resources)
        })?;
        Dispatch::new(kernel, group, [words.div_ceil(x), rows.div_ceil(y), 1])
    }

    fn texture(&self, [width, height]: [usize; 2], usage: wgpu::TextureUsages) -> Result<wgpu::Texture> {
        let most = self.device.limits().max_texture_dimension_2d as usize;
        if width.max(height) > most {
            return Err(Error::invalid(format!(
                "video of {width}x{height} pixels: this adapter's textures have at most {most} pixels per side"
            )));
        }
        let (size, format) = ([width as u32, height as u32], wgpu::TextureFormat::R32Float);
        scoped(self.device, || texture(self.device, "srcnn.video", size, format, usage))
    }
}

impl Plane {
    /// Columns and rows of the source samples.
    pub fn input_size(&self) -> [usize; 2] {
        [self.source.width() as usize, self.source.height() as usize]
    }

    /// Uploads mapped samples, row by row, before whatever is submitted next.
    pub fn upload(&self, queue: &wgpu::Queue, values: &[f32]) {
        let size = [self.source.width(), self.source.height()];
        upload(queue, &self.source, size, bytemuck::cast_slice(values));
    }

    /// The parts of the work; each must be its own submission.
    pub fn parts(&self) -> Range<usize> {
        0..self.network.as_ref().map_or(1, |network| network.upscaler.tiles() * self.pack.len())
    }

    /// Records one part, which must be submitted before the next one is recorded. The last part of a symmetry also
    /// packs the samples.
    pub fn record(&mut self, encoder: &mut wgpu::CommandEncoder, part: usize) -> Result<()> {
        let mut symmetry = 0;
        if let Some(network) = &mut self.network {
            let Network { upscaler, symmetries, target } = &mut **network;
            let tile = part % upscaler.tiles();
            symmetry = part / upscaler.tiles();
            if tile == 0 && !symmetries.is_empty() {
                upscaler.set_weights(&symmetries[symmetry])?;
            }
            upscaler.record_tiles(encoder, &self.source, &*target, tile..tile + 1)?;
            if tile + 1 < upscaler.tiles() {
                return Ok(());
            }
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("srcnn.video"),
            timestamp_writes: None,
        });
        if let Some(resampler) = &self.resampler {
            resampler.record(&mut pass);
        }
        self.pack[symmetry].record(&mut pass, 0);
        Ok(())
    }
}
