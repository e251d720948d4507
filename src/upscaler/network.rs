//! A network on the device: its kernels and weights.

use super::pass::{MAPS, Pass, PassDescriptor};
use super::target::ToTarget;
use super::{KernelChoice, SourceKind, UpscalerOptions, fused, layers, winograd};
use crate::error::Result;
use crate::gpu::adapter::AdapterKind;
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::kernels::{self, ConvShape, Light, OutsideValue};
use crate::network::{Architecture, Channels, Padding};
use crate::precision::Precision;
use crate::resample::ResampleTable;
use crate::weights::Weights;

/// Which passes compute the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    /// The passes of the [`ConvShape`].
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
    /// Number of planes that are resampled.
    pub planes: usize,
    /// Passes compiled so far, indexed by [`Path`].
    compiled: [Option<Vec<Pass>>; 2],
    /// The path for the size that was prepared last.
    path: Path,
    /// Radius of the last layer if its passes are fused, else `None`.
    aligned: Option<usize>,
    columns: Kernel,
    /// The same for views with an sRGB format, if sources are linear.
    srgb_columns: Option<Kernel>,
    pub resample_rows: Kernel,
    pub to_target: ToTarget,
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
        let planes = if color { 4 } else { channels };
        options.precision.check(device)?;
        let shape = options.conv_shape;
        let winograd = match options.precision {
            Precision::F32 => options.winograd,
            Precision::F16 => KernelChoice::Never,
        };
        let outside = OutsideValue::from(padding);
        let (passes, aligned) = passes(device, weights, padding, options.precision, shape)?;
        let adapter = AdapterKind::of(device);
        // Whether the picture's size decides which passes are compiled.
        let depends = winograd.wants(adapter.favors_winograd(), usize::MAX)
            && winograd::variant(&device.limits(), weights, padding, shape).is_some();
        let compiler = Compiler { device, cache: options.pipeline_cache.as_ref() };
        let to_target = ToTarget::new(compiler, options, ycbcr, [channels, planes])?;
        let resample = [Binding::Region, Binding::Read, Binding::Texture, MAPS];
        let columns = |light| Kernel::new(compiler, &kernels::resample_columns(ycbcr, light), &resample);
        let linear = options.encodes();
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
            columns: columns(if linear { Light::Linear } else { Light::Encoded })?,
            srgb_columns: linear.then(|| columns(Light::LinearBytes)).transpose()?,
            resample_rows: Kernel::new(compiler, &kernels::resample_rows(outside), &resample)?,
            to_target,
            pipeline_cache: options.pipeline_cache.clone(),
            winograd,
        })
    }

    /// Replaces the weights with others of the same architecture, without compiling anything.
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

    /// Compiles the passes for enlargement with these tables, unless they are compiled already.
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
        let variant = self.winograd.wants(self.adapter.favors_winograd(), pixels).then(variant).flatten();
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

    /// The multiples at which passes must begin and end, in columns and rows of the picture, and the radius of the
    /// last layer if such alignment applies, else 0.
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

    /// The kernel that reads a source of this format.
    pub fn resample_columns(&self, format: wgpu::TextureFormat) -> &Kernel {
        self.srgb_columns.as_ref().filter(|_| format.is_srgb()).unwrap_or(&self.columns)
    }

    /// Names of the kernels, in the order in which a tile runs them.
    pub fn kernels(&self) -> impl Iterator<Item = &'static str> {
        let ends = [&self.columns, &self.resample_rows].into_iter();
        let kernels = ends.chain(self.passes().iter().map(|pass| &pass.kernel));
        kernels.map(|kernel| kernel.shader.name).chain([self.to_target.name()])
    }

    /// Number of dispatches, and so of regions, per tile.
    pub fn steps(&self) -> usize {
        3 + self.passes().iter().map(|pass| pass.chunks.len()).sum::<usize>()
    }
}

fn compile(compiler: Compiler<'_>, queue: &wgpu::Queue, passes: Vec<PassDescriptor>) -> Result<Vec<Pass>> {
    passes.into_iter().map(|pass| Pass::new(compiler, queue, pass)).collect()
}

/// The passes of a network for a shape, and the value of [`GpuNetwork::aligned`].
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
        // Software adapters gain nothing from half precision, and other adapters do not use fused kernels by default.
        Precision::F16 => None,
    };
    match fused {
        Some(passes) => Ok((passes, last)),
        None => Ok((layers::passes(&limits, weights, padding, precision, shape)?, None)),
    }
}

/// The kernels of a network's passes for a shape.
///
/// # Errors
/// [`Error::MissingCapability`] for filters too large for any binding of the device.
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
