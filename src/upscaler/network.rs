//! A network on the device: its kernels and weights.

use super::UpscalerOptions;
use super::outline::Outline;
use super::pass::{Pass, PassDescriptor};
use super::selection::{Path, RESAMPLE, Selection};
use super::target::ToTarget;
use crate::error::Result;
use crate::gpu::adapter::AdapterKind;
use crate::gpu::compile::{Compiler, Kernel};
use crate::gpu::kernels::Light;
use crate::network::Padding;
use crate::resample::ResampleTable;
use crate::weights::Weights;

/// A network compiled for a device.
#[derive(Debug)]
pub(super) struct GpuNetwork {
    selection: Selection,
    /// The passes for the size that was prepared last; none before, if the size decides which are compiled.
    pub outline: Outline,
    /// Passes compiled so far, indexed by [`Path`].
    compiled: [Option<Vec<Pass>>; 2],
    /// The path for the size that was prepared last.
    path: Path,
    columns: Kernel,
    /// The same for views with an sRGB format, if sources are linear.
    srgb_columns: Option<Kernel>,
    pub resample_rows: Kernel,
    pub to_target: ToTarget,
    pipeline_cache: Option<wgpu::PipelineCache>,
}

impl GpuNetwork {
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        weights: &Weights,
        options: &UpscalerOptions,
    ) -> Result<Self> {
        options.precision.check(device)?;
        let selection = Selection::new(device.limits(), AdapterKind::of(device), weights, options);
        let (passes, mut outline) = selection.passes(weights, Path::Shape)?;
        // Whether the picture's size decides which passes are compiled.
        let depends = selection.path(weights, usize::MAX) == Path::Winograd;
        let compiler = Compiler { device, cache: options.pipeline_cache.as_ref() };
        let planes = selection.target_planes(weights);
        let to_target = ToTarget::new(compiler, options, selection.ycbcr(weights), planes)?;
        let columns = |light| Kernel::new(compiler, &selection.columns(weights, light), &RESAMPLE);
        let compiled = if depends {
            outline.passes.clear();
            None
        } else {
            Some(compile(compiler, queue, passes)?)
        };
        Ok(Self {
            outline,
            compiled: [compiled, None],
            path: Path::Shape,
            columns: columns(selection.light())?,
            srgb_columns: options.encodes().then(|| columns(Light::LinearBytes)).transpose()?,
            resample_rows: Kernel::new(compiler, &selection.rows(), &RESAMPLE)?,
            to_target,
            pipeline_cache: options.pipeline_cache.clone(),
            selection,
        })
    }

    /// The padding in use.
    pub fn padding(&self) -> Padding {
        self.selection.padding
    }

    /// Replaces the weights with others of the same architecture, without compiling anything.
    pub fn set_weights(&self, device: &wgpu::Device, queue: &wgpu::Queue, weights: &Weights) -> Result<()> {
        for (compiled, path) in self.compiled.iter().zip([Path::Shape, Path::Winograd]) {
            let Some(compiled) = compiled else { continue };
            let (passes, _) = self.selection.passes(weights, path)?;
            let mut pairs = compiled.iter().zip(passes);
            pairs.try_for_each(|(old, new)| old.replace(device, queue, new.weights))?;
        }
        Ok(())
    }

    /// A network with the same kernels and other weights of the same architecture.
    pub fn with_weights(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        weights: &Weights,
    ) -> Result<Self> {
        let mut compiled = [None, None];
        for ((new, old), path) in compiled.iter_mut().zip(&self.compiled).zip([Path::Shape, Path::Winograd]) {
            let Some(old) = old else { continue };
            let (passes, _) = self.selection.passes(weights, path)?;
            let pairs = old.iter().zip(passes);
            *new = Some(pairs.map(|(old, new)| old.with_weights(device, queue, new)).collect::<Result<_>>()?);
        }
        Ok(Self {
            selection: self.selection.clone(),
            outline: self.outline.clone(),
            compiled,
            path: self.path,
            columns: self.columns.clone(),
            srgb_columns: self.srgb_columns.clone(),
            resample_rows: self.resample_rows.clone(),
            to_target: self.to_target.clone(),
            pipeline_cache: self.pipeline_cache.clone(),
        })
    }

    /// The padding for weights.
    pub fn padding_of(&self, weights: &Weights) -> Padding {
        self.selection.padding_of(weights)
    }

    /// Bytes of the weights on the device.
    pub fn bytes(&self) -> u64 {
        self.compiled.iter().flatten().flatten().map(Pass::bytes).sum()
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
        self.path = self.selection.path(weights, tables[0].output_len * tables[1].output_len);
        let (passes, outline) = self.selection.passes(weights, self.path)?;
        let compiled = &mut self.compiled[self.path as usize];
        if compiled.is_none() {
            *compiled = Some(compile(compiler, queue, passes)?);
        }
        self.outline = outline;
        Ok(())
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
        3 + self.outline.passes.iter().map(|pass| pass.chunks.len()).sum::<usize>()
    }
}

fn compile(compiler: Compiler<'_>, queue: &wgpu::Queue, passes: Vec<PassDescriptor>) -> Result<Vec<Pass>> {
    passes.into_iter().map(|pass| Pass::new(compiler, queue, pass)).collect()
}
