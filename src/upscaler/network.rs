//! What stays on the device: the network's kernels and filters, and the tables of one picture size.

use wgpu::util::DeviceExt;

use super::layers;
use super::layouts::bytes_for_tile;
use super::pass::{Design, MAPS, Pass};
use super::plan::{Plan, valid_factors};
use super::when::When;
use super::{SourceKind, UpscalerOptions, wide, winograd};
use crate::error::{Error, Result};
use crate::gpu::kernel::{Binding, Compiler, Kernel};
use crate::gpu::kernels::{self, ConvShape, OutsideValue, Registers, WeightLoad};
use crate::gpu::scoped;
use crate::network::{Architecture, Channels, Padding};
use crate::precision::Precision;
use crate::resample::ResampleTable;
use crate::weights::Weights;

/// Which passes compute the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Those of the shape.
    Plain,
    /// `conv_winograd.wgsl`.
    Winograd,
}

/// A network compiled for a device.
#[derive(Debug)]
pub(crate) struct GpuNetwork {
    pub architecture: Architecture,
    pub padding: Padding,
    pub precision: Precision,
    shape: ConvShape,
    pub planes: usize,
    /// What is compiled so far, by [`Way`].
    compiled: [Option<Vec<Pass>>; 2],
    /// The way of the size that was prepared last.
    way: Way,
    /// Radius of the last layer, where its passes are fused.
    aligned: Option<usize>,
    pub resample_columns: Kernel,
    pub resample_rows: Kernel,
    pub to_texture: Kernel,
    pipeline_cache: Option<wgpu::PipelineCache>,
    winograd: When,
    /// Whether the adapter is a CPU.
    software: bool,
}

impl GpuNetwork {
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        weights: &Weights,
        options: &UpscalerOptions,
    ) -> Result<Self> {
        let padding = options.padding.unwrap_or(weights.metadata.padding);
        let colour = options.source == SourceKind::Colour;
        let ycbcr = colour && weights.metadata.channels != Channels::Rgb;
        let channels = weights.architecture().channels();
        let format = options.target_format;
        if (colour || channels > 1) && format == wgpu::TextureFormat::R32Float {
            return Err(Error::invalid("a target of R32Float holds luminance alone"));
        }
        let planes = if colour { 4 } else { channels };
        let to_texture =
            kernels::texture_from_planes(format, ycbcr, [channels, planes]).ok_or_else(|| {
                Error::invalid(format!(
                    "target format {format:?}: one of Rgba8Unorm, Rgba16Float, Rgba32Float, R32Float"
                ))
            })?;
        options.precision.check(device)?;
        let shape = options.conv_shape;
        let winograd = match options.precision {
            Precision::F32 => options.winograd,
            Precision::F16 => When::Never,
        };
        let outside = OutsideValue::from(padding);
        let (plain, aligned) = designs(device, weights, padding, options.precision, shape)?;
        let software = device.adapter_info().device_type == wgpu::DeviceType::Cpu;
        // Whether the size decides which passes are compiled.
        let depends = winograd.wants(software, usize::MAX)
            && winograd::variant(&device.limits(), weights, padding, shape).is_some();
        let compiler = Compiler { device, cache: options.pipeline_cache.as_ref() };
        let resample = [Binding::Region, Binding::Read, Binding::Texture, MAPS];
        Ok(Self {
            architecture: weights.architecture().clone(),
            padding,
            precision: options.precision,
            shape,
            planes,
            compiled: [if depends { None } else { Some(compile(compiler, queue, plain)?) }, None],
            way: Way::Plain,
            aligned,
            resample_columns: Kernel::new(compiler, &kernels::resample_columns(ycbcr), &resample)?,
            resample_rows: Kernel::new(compiler, &kernels::resample_rows(outside), &resample)?,
            to_texture: Kernel::new(
                compiler,
                &to_texture,
                &[Binding::Region, Binding::Texture, Binding::Texture, Binding::Target(format)],
            )?,
            pipeline_cache: options.pipeline_cache.clone(),
            winograd,
            software,
        })
    }

    /// Puts other weights of the same architecture in place, without compiling anything.
    #[cfg(feature = "headless")]
    pub fn set_weights(&self, device: &wgpu::Device, queue: &wgpu::Queue, weights: &Weights) -> Result<()> {
        let limits = device.limits();
        let (plain, _) = designs(device, weights, self.padding, self.precision, self.shape)?;
        let winograd = winograd::variant(&limits, weights, self.padding, self.shape);
        let winograd = winograd.map_or(Vec::new(), |variant| winograd::passes(&variant, weights));
        for (passes, designs) in self.compiled.iter().zip([plain, winograd]) {
            let mut pairs = passes.iter().flatten().zip(designs);
            pairs.try_for_each(|(old, new)| old.replace(device, queue, new.weights))?;
        }
        Ok(())
    }

    /// Compiles what enlargement by these tables takes beyond what there is. To be called before a [`Picture`] of these
    /// tables is made, with the network's weights.
    pub fn prepare(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        weights: &Weights,
        tables: &[ResampleTable; 2],
    ) -> Result<()> {
        let compiler = Compiler { device, cache: self.pipeline_cache.as_ref() };
        let wanted = self.winograd.wants(self.software, tables[0].output_len * tables[1].output_len);
        let variant = || winograd::variant(&device.limits(), weights, self.padding, self.shape);
        let variant = wanted.then(variant).flatten();
        self.way = if variant.is_some() { Way::Winograd } else { Way::Plain };
        let compiled = &mut self.compiled[self.way as usize];
        if compiled.is_none() {
            let designs = match variant {
                Some(variant) => winograd::passes(&variant, weights),
                None => self::designs(device, weights, self.padding, self.precision, self.shape)?.0,
            };
            *compiled = Some(compile(compiler, queue, designs)?);
        }
        Ok(())
    }

    /// What the last layer's passes begin and end at multiples of, in columns and rows of the picture; and its radius,
    /// where that is more than one.
    pub fn units(&self) -> ([usize; 2], usize) {
        match (self.aligned, self.way) {
            (None, _) => ([1, 1], 0),
            (Some(radius), Way::Plain) => ([4, 1], radius),
            (Some(radius), Way::Winograd) => ([winograd::SQUARE; 2], radius),
        }
    }

    /// The passes for the size that was prepared last.
    pub fn passes(&self) -> &[Pass] {
        self.compiled[self.way as usize].as_deref().unwrap_or_default()
    }

    /// The kernels, in the order in which tiles run them.
    pub fn kernels(&self) -> impl Iterator<Item = &Kernel> {
        let passes = self.passes().iter().map(|pass| &pass.kernel);
        [&self.resample_columns, &self.resample_rows].into_iter().chain(passes).chain([&self.to_texture])
    }

    /// Dispatches, and so regions, of one tile at the most.
    pub fn region_count(&self) -> usize {
        3 + self.passes().iter().map(|pass| pass.chunks.len()).sum::<usize>()
    }

    /// A tile size that the device's limits allow for what was prepared last, with bounded memory and work for one tile.
    pub fn default_tile(&self, device: &wgpu::Device) -> usize {
        let longest = device.limits().max_texture_dimension_2d;
        let software = device.adapter_info().device_type == wgpu::DeviceType::Cpu;
        // A few hundred milliseconds at most at 20 GFLOP/s in software, and on a slow GPU of 200.
        let (all, work, largest) = if software { (48 << 20, 2.0e9, 512) } else { (512 << 20, 2.0e10, 1024) };
        let by_work = (work / self.architecture.multiply_adds() as f64).sqrt() as usize;
        let mut tile = by_work.clamp(16, largest);
        while tile > 16 && bytes_for_tile(self, tile, longest).is_none_or(|bytes| bytes > all) {
            tile = tile * 7 / 8;
        }
        tile
    }
}

fn compile(compiler: Compiler<'_>, queue: &wgpu::Queue, designs: Vec<Design>) -> Result<Vec<Pass>> {
    designs.into_iter().map(|design| Pass::new(compiler, queue, design)).collect()
}

/// The passes of a network in its shape, and what [`GpuNetwork::aligned`] says.
fn designs(
    device: &wgpu::Device,
    weights: &Weights,
    padding: Padding,
    precision: Precision,
    shape: ConvShape,
) -> Result<(Vec<Design>, Option<usize>)> {
    let limits = device.limits();
    let last = weights.layers().last().map(|layer| layer.shape.radius());
    let fused = match precision {
        Precision::F32 => wide::passes(&limits, weights, padding, shape),
        // Software adapters gain nothing by half precision, and for others there are no fused kernels by default.
        Precision::F16 => None,
    };
    match fused {
        Some(designs) => Ok((designs, last)),
        None => Ok((layers::layers(&limits, weights, padding, precision, shape)?, None)),
    }
}

/// The kernels of the passes that a network takes in a shape.
#[cfg(feature = "headless")]
pub(crate) fn pass_shaders(
    device: &wgpu::Device,
    weights: &Weights,
    padding: Padding,
    precision: Precision,
    shape: ConvShape,
) -> Result<Vec<kernels::Shader>> {
    Ok(designs(device, weights, padding, precision, shape)?
        .0
        .into_iter()
        .map(|design| design.shader)
        .collect())
}

/// The taps of one axis on the device.
#[derive(Debug)]
pub(crate) struct Taps {
    pub count: usize,
    pub buffer: wgpu::Buffer,
}

/// The tables of one picture size: taps of the resampling, valid-pixel normalization maps.
#[derive(Debug)]
pub(crate) struct Picture {
    pub plan: Plan,
    pub taps: [Taps; 2],
    /// One a layer: factors of the columns, then of the rows.
    pub valid_maps: Vec<wgpu::Buffer>,
}

impl Picture {
    /// For tables of columns and rows that the network was prepared for.
    pub fn new(
        device: &wgpu::Device,
        network: &GpuNetwork,
        tables: &[ResampleTable; 2],
        tile: usize,
    ) -> Result<Self> {
        let margin = network.units().0.map(|unit| unit - 1);
        let plan = Plan::new(tables, &network.architecture, network.padding, tile, margin)?;
        let [columns, rows] = tables;
        let taps = [Taps::new(device, columns)?, Taps::new(device, rows)?];
        let normalized = network.padding == Padding::Normalized;
        let valid_maps = scoped(device, || {
            let map = |size: usize| {
                let factors: Vec<f32> = if normalized {
                    let [width, height] = plan.picture;
                    valid_factors(width, size).chain(valid_factors(height, size)).collect()
                } else {
                    vec![1.0; 4]
                };
                storage(device, "srcnn.valid_map", bytemuck::cast_slice(&factors))
            };
            network.architecture.layers().iter().map(|layer| map(layer.size)).collect()
        })?;
        Ok(Self { plan, taps, valid_maps })
    }
}

impl Taps {
    pub fn new(device: &wgpu::Device, table: &ResampleTable) -> Result<Self> {
        let taps: Vec<[u32; 2]> = table
            .indices
            .iter()
            .zip(&table.weights)
            .map(|(&index, &weight)| [index, (weight as f32).to_bits()])
            .collect();
        Ok(Self {
            count: table.taps,
            buffer: scoped(device, || storage(device, "srcnn.taps", bytemuck::cast_slice(&taps)))?,
        })
    }
}

fn storage(device: &wgpu::Device, label: &str, contents: &[u8]) -> wgpu::Buffer {
    device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some(label),
        contents,
        usage: wgpu::BufferUsages::STORAGE,
    })
}

/// Register tile and workgroup for an adapter, before any measurement.
pub(crate) fn default_conv_shape(device: &wgpu::Device) -> ConvShape {
    let info = device.adapter_info();
    if info.device_type == wgpu::DeviceType::Cpu {
        // Invocations are lanes of one vector: neighbours in a column, so that narrow tiles fill the lanes.
        let load = WeightLoad::software_subgroup(device).unwrap_or(WeightLoad::Uniform);
        let workgroup = [1, load.lanes().max(8) as u32];
        ConvShape { spatial: Registers::P16x4, pointwise: Registers::P8x16, workgroup, fused: Some(load) }
    } else {
        ConvShape { spatial: Registers::P8x8, pointwise: Registers::P8x8, workgroup: [4, 16], fused: None }
    }
}
