//! One plane of a frame, or of one of its fields, on the device: from samples to the samples of the result.

use std::ops::Range;

use wgpu::util::DeviceExt;

use super::format::Mapping;
use crate::error::{Error, Result};
use crate::gpu::kernel::{Binding, Compiler, Kernel};
use crate::gpu::kernels::{self, OutsideValue, PIXEL_WORKGROUP};
use crate::gpu::scoped;
use crate::resample::ResampleTable;
use crate::upscaler::{Enlargement, PlaneLayout, Region, Taps, Upscaler};
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
    columns: Kernel,
    rows: Kernel,
    samples_from_texture: Kernel,
    samples_from_maps: Kernel,
}

impl Kernels {
    pub fn new(compiler: Compiler<'_>, sample_bytes: usize, turns: usize) -> Result<Self> {
        let maps = Binding::Target(wgpu::TextureFormat::Rgba32Float);
        let resample = [Binding::Region, Binding::Read, Binding::Texture, maps];
        let samples = |maps, turns| {
            let shader = kernels::samples_from_texture(sample_bytes, maps, turns);
            let [uniform, write] = [Binding::Uniform, Binding::Write];
            Kernel::new(compiler, &shader, &[uniform, Binding::Texture, write, write, write])
        };
        Ok(Self {
            columns: Kernel::new(compiler, &kernels::resample_columns(false), &resample)?,
            rows: Kernel::new(compiler, &kernels::resample_rows(OutsideValue::None), &resample)?,
            samples_from_texture: samples(false, turns)?,
            samples_from_maps: samples(true, 1)?,
        })
    }
}

/// Where a plane's samples go: rows of the packed frame, in words of 4 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Word at which the first row begins.
    pub first: usize,
    /// Words from one row to the next.
    pub stride: usize,
}

/// What all planes of a frame write to.
#[derive(Debug)]
pub(super) struct Packed {
    /// The samples of a whole frame.
    pub samples: wgpu::Buffer,
    /// One word, not 0 after a value that was no finite number.
    pub fault: wgpu::Buffer,
    /// A float for each sample of luma where results are averaged over; not used otherwise.
    pub sums: wgpu::Buffer,
}

/// A plane's textures and everything bound to them.
#[derive(Debug)]
pub(super) struct Plane {
    source: wgpu::Texture,
    enlarge: Enlarge,
    /// One for each turn.
    pack: Vec<Dispatch>,
}

#[derive(Debug)]
enum Enlarge {
    Network {
        upscaler: Box<Upscaler>,
        /// The network in each of the ways that are averaged over; empty when it is used as it is.
        turns: Vec<Weights>,
        source: wgpu::TextureView,
        target: wgpu::TextureView,
    },
    Bicubic([Dispatch; 2]),
}

#[derive(Debug)]
struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    offsets: Vec<u32>,
    workgroups: [u32; 2],
}

impl Dispatch {
    fn new(kernel: &Kernel, group: wgpu::BindGroup, offsets: Vec<u32>, invocations: [usize; 2]) -> Self {
        let [x, y] = [0, 1].map(|axis| (invocations[axis] as u32).div_ceil(PIXEL_WORKGROUP[axis]));
        Self { pipeline: kernel.pipeline.clone(), group, offsets, workgroups: [x, y] }
    }

    fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &self.offsets);
        pass.dispatch_workgroups(self.workgroups[0], self.workgroups[1], 1);
    }
}

/// What a plane is made from.
pub(super) struct Recipe<'a> {
    pub device: &'a wgpu::Device,
    pub kernels: &'a Kernels,
    pub packed: &'a Packed,
    /// Columns and rows.
    pub tables: [ResampleTable; 2],
    /// From computed values to samples.
    pub mapping: Mapping,
    pub largest: u32,
    pub sample_bytes: usize,
    pub place: Place,
}

impl Recipe<'_> {
    fn input(&self) -> [usize; 2] {
        [self.tables[0].input_len, self.tables[1].input_len]
    }

    fn output(&self) -> [usize; 2] {
        [self.tables[0].output_len, self.tables[1].output_len]
    }

    /// The network's result, or the average of several networks' of one architecture.
    pub fn network(self, mut upscaler: Upscaler, turns: Vec<Weights>) -> Result<Plane> {
        let side = |[width, height]: [usize; 2]| (width as u32, height as u32);
        let (width, height) = side(self.output());
        upscaler.prepare_tables(side(self.input()), Enlargement::Size(width, height), &self.tables)?;
        use wgpu::TextureUsages as Usage;
        let format = wgpu::TextureFormat::R32Float;
        let source = self.texture(self.input(), format, Usage::TEXTURE_BINDING | Usage::COPY_DST)?;
        let usage = Usage::TEXTURE_BINDING | Usage::STORAGE_BINDING;
        let target = view(&self.texture(self.output(), format, usage)?);
        let pack = (0..turns.len().max(1))
            .map(|turn| self.pack(&self.kernels.samples_from_texture, &target, turn))
            .collect::<Result<_>>()?;
        let enlarge = Enlarge::Network { upscaler: Box::new(upscaler), turns, source: view(&source), target };
        Ok(Plane { source, enlarge, pack })
    }

    /// Bicubic interpolation.
    pub fn bicubic(self) -> Result<Plane> {
        let (device, output, [_, input_rows]) = (self.device, self.output(), self.input());
        let [columns, rows] = output;
        let longest = device.limits().max_texture_dimension_2d;
        let [across, down] = [input_rows, rows].map(|rows| PlaneLayout::new(1, columns, rows, longest));
        use wgpu::TextureUsages as Usage;
        let both = Usage::TEXTURE_BINDING | Usage::STORAGE_BINDING;
        let float = wgpu::TextureFormat::R32Float;
        let source = self.texture(self.input(), float, Usage::TEXTURE_BINDING | Usage::COPY_DST)?;
        let maps = wgpu::TextureFormat::Rgba32Float;
        let texture = |layout: PlaneLayout| self.texture(layout.size().map(|side| side as usize), maps, both);
        let [horizontal, vertical] = [view(&texture(across)?), view(&texture(down)?)];

        let taps = [Taps::new(device, &self.tables[0])?, Taps::new(device, &self.tables[1])?];
        let picture = output.map(|len| len as i32);
        let region = |rows: usize, axis: usize| Region {
            size: [columns as i32, rows as i32],
            picture,
            taps: taps[axis].count as u32,
            ..Region::default()
        };
        let mut regions = vec![0; 2 * Region::SPACING];
        let list = [
            Region { output: across, ..region(input_rows, 0) },
            Region { input: across, output: down, ..region(rows, 1) },
        ];
        for (slot, region) in regions.chunks_exact_mut(Region::SPACING).zip(&list) {
            slot[..size_of::<Region>()].copy_from_slice(bytemuck::bytes_of(region));
        }
        let passes = scoped(device, || {
            let regions = buffer(device, &regions);
            let bind =
                |kernel: &Kernel, taps: &Taps, input: &wgpu::TextureView, output: &wgpu::TextureView| {
                    let region = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: &regions,
                        offset: 0,
                        size: std::num::NonZeroU64::new(size_of::<Region>() as u64),
                    });
                    let [input, output] = [input, output].map(wgpu::BindingResource::TextureView);
                    kernel.bind(device, &[region, taps.buffer.as_entire_binding(), input, output])
                };
            let Kernels { columns: by_columns, rows: by_rows, .. } = self.kernels;
            let first = bind(by_columns, &taps[0], &view(&source), &horizontal);
            let second = bind(by_rows, &taps[1], &horizontal, &vertical);
            let texels = columns.div_ceil(4);
            [
                Dispatch::new(by_columns, first, vec![0], [texels, input_rows]),
                Dispatch::new(by_rows, second, vec![Region::SPACING as u32], [texels, rows]),
            ]
        })?;
        let pack = vec![self.pack(&self.kernels.samples_from_maps, &vertical, 0)?];
        Ok(Plane { source, enlarge: Enlarge::Bicubic(passes), pack })
    }

    fn pack(&self, kernel: &Kernel, input: &wgpu::TextureView, turn: usize) -> Result<Dispatch> {
        let [columns, rows] = self.output();
        let samples = Samples {
            factor: self.mapping.factor as f32,
            offset: self.mapping.offset as f32,
            largest: self.largest as f32,
            columns: columns as u32,
            rows: rows as u32,
            first: self.place.first as u32,
            stride: self.place.stride as u32,
            turn: turn as u32,
        };
        scoped(self.device, || {
            let samples = buffer(self.device, bytemuck::bytes_of(&samples));
            let resources = [
                samples.as_entire_binding(),
                wgpu::BindingResource::TextureView(input),
                self.packed.samples.as_entire_binding(),
                self.packed.fault.as_entire_binding(),
                self.packed.sums.as_entire_binding(),
            ];
            let words = (columns * self.sample_bytes).div_ceil(4);
            Dispatch::new(kernel, kernel.bind(self.device, &resources), Vec::new(), [words, rows])
        })
    }

    fn texture(
        &self,
        [width, height]: [usize; 2],
        format: wgpu::TextureFormat,
        usage: wgpu::TextureUsages,
    ) -> Result<wgpu::Texture> {
        let longest = self.device.limits().max_texture_dimension_2d as usize;
        if width.max(height) > longest {
            return Err(Error::invalid(format!(
                "video of {width}x{height} pixels: this adapter's textures are {longest} pixels a side at the most"
            )));
        }
        scoped(self.device, || {
            self.device.create_texture(&wgpu::TextureDescriptor {
                label: Some("srcnn.video"),
                size: wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage,
                view_formats: &[],
            })
        })
    }
}

impl Plane {
    /// Columns and rows of the samples that it takes.
    pub fn input_size(&self) -> [usize; 2] {
        [self.source.width() as usize, self.source.height() as usize]
    }

    /// Uploads mapped samples, row by row; takes effect before what is submitted next.
    pub fn upload(&self, queue: &wgpu::Queue, values: &[f32]) {
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(4 * self.source.width()),
            rows_per_image: None,
        };
        let bytes = bytemuck::cast_slice(values);
        queue.write_texture(self.source.as_image_copy(), bytes, layout, self.source.size());
    }

    /// Parts of the work: each is to be its own submission.
    pub fn parts(&self) -> Range<usize> {
        match &self.enlarge {
            Enlarge::Network { upscaler, .. } => 0..upscaler.tiles() * self.pack.len(),
            Enlarge::Bicubic(_) => 0..1,
        }
    }

    /// Records one part; it has to be submitted before the next one is recorded. With the last one, the samples are
    /// packed.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder, part: usize) -> Result<()> {
        let mut turn = 0;
        if let Enlarge::Network { upscaler, turns, source, target } = &self.enlarge {
            let tile = part % upscaler.tiles();
            turn = part / upscaler.tiles();
            if tile == 0 && !turns.is_empty() {
                upscaler.set_weights(&turns[turn])?;
            }
            upscaler.record_tiles(encoder, source, target, tile..tile + 1)?;
            if tile + 1 < upscaler.tiles() {
                return Ok(());
            }
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("srcnn.video"),
            timestamp_writes: None,
        });
        if let Enlarge::Bicubic(passes) = &self.enlarge {
            passes.iter().for_each(|dispatch| dispatch.record(&mut pass));
        }
        self.pack[turn].record(&mut pass);
        Ok(())
    }
}

fn view(texture: &wgpu::Texture) -> wgpu::TextureView {
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

fn buffer(device: &wgpu::Device, contents: &[u8]) -> wgpu::Buffer {
    device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some("srcnn.video"),
        contents,
        usage: wgpu::BufferUsages::UNIFORM,
    })
}
