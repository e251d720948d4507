//! A network on the device: its kernels and filters.

use super::pass::{MAPS, Pass, PassDescriptor};
use super::{KernelChoice, SourceKind, UpscalerOptions, fused, layers, winograd};
use crate::error::{Error, Result};
use crate::gpu::adapter::AdapterKind;
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::kernels::{self, ConvShape, OutsideValue};
use crate::network::{Architecture, Channels, Padding};
use crate::precision::Precision;
use crate::resample::ResampleTable;
use crate::weights::Weights;

/// Which passes compute the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    /// Those of the shape.
    Shape,
    /// `conv_winograd.wgsl`.
    Winograd,
}

/// A network compiled for a device.
#[derive(Debug)]
pub(super) struct GpuNetwork {
    pub architecture: Architecture,
    pub padding: Padding,
    pub precision: Precision,
    pub adapter: AdapterKind,
    shape: ConvShape,
    /// Planes that are resampled.
    pub planes: usize,
    /// What is compiled so far, by [`Path`].
    compiled: [Option<Vec<Pass>>; 2],
    /// The path of the size that was prepared last.
    path: Path,
    /// Radius of the last layer, where its passes are fused.
    aligned: Option<usize>,
    pub resample_columns: Kernel,
    pub resample_rows: Kernel,
    pub to_texture: Kernel,
    pipeline_cache: Option<wgpu::PipelineCache>,
    winograd: KernelChoice,
}

impl GpuNetwork {
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        weights: &Weights,
        options: &UpscalerOptions,
    ) -> Result<Self> {
        let padding = options.padding.unwrap_or(weights.metadata.padding);
        let color = options.source == SourceKind::Color;
        let ycbcr = color && weights.metadata.channels != Channels::Rgb;
        let channels = weights.architecture().channels();
        let format = options.target_format;
        if (color || channels > 1) && format == wgpu::TextureFormat::R32Float {
            return Err(Error::invalid("a target of R32Float holds luminance alone"));
        }
        let planes = if color { 4 } else { channels };
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
            Precision::F16 => KernelChoice::Never,
        };
        let outside = OutsideValue::from(padding);
        let (passes, aligned) = passes(device, weights, padding, options.precision, shape)?;
        let adapter = AdapterKind::of(device);
        // Whether the size decides which passes are compiled.
        let depends = winograd.wants(adapter.software, usize::MAX)
            && winograd::variant(&device.limits(), weights, padding, shape).is_some();
        let compiler = Compiler { device, cache: options.pipeline_cache.as_ref() };
        let resample = [Binding::Region, Binding::Read, Binding::Texture, MAPS];
        Ok(Self {
            architecture: weights.architecture().clone(),
            padding,
            precision: options.precision,
            adapter,
            shape,
            planes,
            compiled: [if depends { None } else { Some(compile(compiler, queue, passes)?) }, None],
            path: Path::Shape,
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
        })
    }

    /// Puts other weights of the same architecture in place, without compiling anything.
    pub fn set_weights(&self, device: &wgpu::Device, queue: &wgpu::Queue, weights: &Weights) -> Result<()> {
        let limits = device.limits();
        let (passes, _) = passes(device, weights, self.padding, self.precision, self.shape)?;
        let winograd = winograd::variant(&limits, weights, self.padding, self.shape);
        let winograd = winograd.map_or(Vec::new(), |variant| winograd::passes(&variant, weights));
        for (compiled, passes) in self.compiled.iter().zip([passes, winograd]) {
            let mut pairs = compiled.iter().flatten().zip(passes);
            pairs.try_for_each(|(old, new)| old.replace(device, queue, new.weights))?;
        }
        Ok(())
    }

    /// Compiles what enlargement by these tables takes beyond what there is, with the network's weights.
    pub fn prepare(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        weights: &Weights,
        tables: &[ResampleTable; 2],
    ) -> Result<()> {
        let compiler = Compiler { device, cache: self.pipeline_cache.as_ref() };
        let pixels = tables[0].output_len * tables[1].output_len;
        let variant = || winograd::variant(&device.limits(), weights, self.padding, self.shape);
        let variant = self.winograd.wants(self.adapter.software, pixels).then(variant).flatten();
        self.path = if variant.is_some() { Path::Winograd } else { Path::Shape };
        let compiled = &mut self.compiled[self.path as usize];
        if compiled.is_none() {
            let passes = match variant {
                Some(variant) => winograd::passes(&variant, weights),
                None => self::passes(device, weights, self.padding, self.precision, self.shape)?.0,
            };
            *compiled = Some(compile(compiler, queue, passes)?);
        }
        Ok(())
    }

    /// What the last layer's passes begin and end at multiples of, in columns and rows of the picture; and its radius,
    /// where that is more than one.
    pub fn units(&self) -> ([usize; 2], usize) {
        match (self.aligned, self.path) {
            (None, _) => ([1, 1], 0),
            (Some(radius), Path::Shape) => ([4, 1], radius),
            (Some(radius), Path::Winograd) => ([winograd::SQUARE; 2], radius),
        }
    }

    /// The passes for the size that was prepared last.
    pub fn passes(&self) -> &[Pass] {
        self.compiled[self.path as usize].as_deref().unwrap_or_default()
    }

    /// The kernels, in the order in which tiles run them.
    pub fn kernels(&self) -> impl Iterator<Item = &Kernel> {
        let passes = self.passes().iter().map(|pass| &pass.kernel);
        [&self.resample_columns, &self.resample_rows].into_iter().chain(passes).chain([&self.to_texture])
    }

    /// Dispatches, and so regions, of one tile.
    pub fn steps(&self) -> usize {
        3 + self.passes().iter().map(|pass| pass.chunks.len()).sum::<usize>()
    }
}

fn compile(compiler: Compiler<'_>, queue: &wgpu::Queue, passes: Vec<PassDescriptor>) -> Result<Vec<Pass>> {
    passes.into_iter().map(|pass| Pass::new(compiler, queue, pass)).collect()
}

/// The passes of a network in its shape, and what [`GpuNetwork::aligned`] says.
fn passes(
    device: &wgpu::Device,
    weights: &Weights,
    padding: Padding,
    precision: Precision,
    shape: ConvShape,
) -> Result<(Vec<PassDescriptor>, Option<usize>)> {
    let limits = device.limits();
    let last = weights.layers().last().map(|layer| layer.shape.radius());
    let fused = match precision {
        Precision::F32 => fused::passes(&limits, weights, padding, shape),
        // Software adapters gain nothing by half precision, and for others there are no fused kernels by default.
        Precision::F16 => None,
    };
    match fused {
        Some(passes) => Ok((passes, last)),
        None => Ok((layers::passes(&limits, weights, padding, precision, shape)?, None)),
    }
}

/// The kernels of the passes that a network takes in a shape.
///
/// # Errors
/// [`Error::MissingCapability`] for filters that no binding of the device takes.
#[cfg(feature = "headless")]
pub(crate) fn pass_shaders(
    device: &wgpu::Device,
    weights: &Weights,
    padding: Padding,
    precision: Precision,
    shape: ConvShape,
) -> Result<Vec<kernels::Shader>> {
    let (passes, _) = passes(device, weights, padding, precision, shape)?;
    Ok(passes.into_iter().map(|pass| pass.shader).collect())
}
