//! Bicubic enlargement by a whole factor folded into the first layer: `conv_fold.wgsl`. It computes the inside of a
//! picture, where nothing reads beyond it; tiles along the borders take the other passes.

use super::pass::{Chunk, Design, MAPS, Pass};
use super::plan::Inside;
use super::when::When;
use super::wide::{pack_tail, sum_rows};
use crate::error::Result;
use crate::gpu::kernel::{Binding, Compiler, Kernel};
use crate::gpu::shaders::{self, ConvShape, Fetch, FoldVariant};
use crate::network::Padding;
use crate::precision::Precision;
use crate::resample::ResampleTable;
use crate::resample::phases::Phases;
use crate::weights::Weights;

/// The passes for one factor.
#[derive(Debug)]
pub(crate) struct FoldedPasses {
    phases: Phases,
    variant: FoldVariant,
    /// The low-resolution luminance.
    pub luminance: Kernel,
    /// From it to the result.
    pub passes: [Pass; 2],
}

impl FoldedPasses {
    /// What of a result is computed so, for tables of columns and rows; `None` where these are not bicubic enlargement by
    /// a whole factor, for networks that `conv_fold.wgsl` does not cover, and where there is nothing to gain. `compiled`
    /// is made, unless it is for this factor already.
    pub fn prepare(
        compiler @ Compiler { device, .. }: Compiler<'_>,
        queue: &wgpu::Queue,
        weights: &Weights,
        padding: Padding,
        (fold, shape, ycbcr): (When, ConvShape, bool),
        tables: &[ResampleTable; 2],
        compiled: &mut Option<Self>,
    ) -> Result<Option<[Inside; 2]>> {
        let pixels = tables[0].output_len * tables[1].output_len;
        let wanted = |&fetch: &Fetch| fold.wants(matches!(fetch, Fetch::Subgroup(_)), pixels);
        let Some(fetch) = shape.fused.filter(wanted) else { return Ok(None) };
        let first = weights.architecture().layers()[0].size;
        let Some(phases) = factor(tables).and_then(|factor| Phases::new(factor, first)) else {
            return Ok(None);
        };
        let (architecture, phase) = (weights.architecture(), phases.shape());
        let variant = FoldVariant::new(architecture, phase, fetch, shape.workgroup, &device.limits());
        let Some(variant) = variant.filter(|_| padding != Padding::Valid) else { return Ok(None) };
        let inside = inside(&phases, &variant, tables);
        if inside.is_some() && compiled.as_ref().is_none_or(|compiled| compiled.variant != variant) {
            let bindings = [Binding::Region, Binding::Texture, MAPS];
            let luminance = Kernel::new(compiler, &shaders::luminance(ycbcr), &bindings)?;
            let [fold, sum] = designs(&phases, &variant, weights);
            let passes = [Pass::new(compiler, queue, fold)?, Pass::new(compiler, queue, sum)?];
            *compiled = Some(Self { phases, variant, luminance, passes });
        }
        Ok(inside)
    }

    /// Puts other weights of the same architecture in place.
    #[cfg(feature = "headless")]
    pub fn set_weights(&self, device: &wgpu::Device, queue: &wgpu::Queue, weights: &Weights) -> Result<()> {
        let designs = designs(&self.phases, &self.variant, weights);
        self.passes.iter().zip(designs).try_for_each(|(old, new)| old.replace(device, queue, new.weights))
    }

    /// The kernels, in the order in which a tile runs them.
    pub fn kernels(&self) -> impl Iterator<Item = &Kernel> {
        [&self.luminance].into_iter().chain(self.passes.iter().map(|pass| &pass.kernel))
    }

    /// Columns and rows that regions begin at multiples of, in the picture.
    pub fn units(&self) -> [usize; 2] {
        [4 * self.factor(), self.factor()]
    }

    pub fn factor(&self) -> usize {
        self.variant.factor
    }

    /// First tap of the first pixel of a region, in low-resolution pixels from it.
    pub fn first(&self) -> i32 {
        self.phases.first(0) as i32
    }

    /// Taps of all phases together on an axis.
    pub fn taps(&self) -> usize {
        self.variant.taps + usize::from(self.variant.moved < self.variant.factor)
    }
}

/// What of the result is computed so, on each axis; `None` for pictures that are too small.
fn inside(phases: &Phases, variant: &FoldVariant, tables: &[ResampleTable; 2]) -> Option<[Inside; 2]> {
    let (factor, reach) = (variant.factor, variant.tail.filter / 2);
    let axis = |table: &ResampleTable, unit: usize, block: usize| {
        let [start, end] = phases.inside(table.input_len, unit);
        let range = start + reach..end.saturating_sub(reach);
        (!range.is_empty()).then_some(Inside { range, margin: unit * factor - 1, block, reach })
    };
    let [x, y] = variant.settings.workgroup.map(|side| side as usize);
    Some([axis(&tables[0], 4, 4 * factor * x)?, axis(&tables[1], 1, factor * y)?])
}

/// The whole factor of an enlargement by ordinary bicubic tables.
fn factor(tables: &[ResampleTable; 2]) -> Option<usize> {
    let factor = tables[0].output_len / tables[0].input_len;
    let ordinary = |table: &ResampleTable| {
        let (from, to) = (table.input_len, table.output_len);
        to == from * factor
            && ResampleTable::bicubic(from, to, factor as f64).is_ok_and(|other| other == *table)
    };
    tables.iter().all(ordinary).then_some(factor)
}

/// `conv_fold.wgsl`, a dispatch for each phase of rows, and the sum over the rows of layer 3.
fn designs(phases: &Phases, variant: &FoldVariant, weights: &Weights) -> [Design; 2] {
    let (factor, size) = (variant.factor, variant.tail.filter);
    let [x, y] = variant.settings.workgroup;
    let third = &weights.layers()[2];
    // Offsets of bindings are multiples of 256 bytes at the most.
    let chunk = (4 * variant.weights()).next_multiple_of(64);
    let mut packed = vec![0.0; factor * chunk];
    for (rows, part) in packed.chunks_exact_mut(chunk).enumerate() {
        let weights = pack(phases, variant, weights, rows);
        part[..weights.len()].copy_from_slice(&weights);
    }
    let chunks =
        (0..factor).map(|phase| Chunk { first_filter: phase, groups: 1, offset: (4 * phase * chunk) as u64 });
    let fold = Design {
        shader: shaders::conv_fold(variant),
        layer: 0,
        planes: 2 * size,
        reach: third.shape.radius(),
        covers: [4 * factor as u32 * x, factor as u32 * y],
        chunks: chunks.collect(),
        store: variant.store,
        binding: variant.weights() as u64 * 16,
        precision: Precision::F32,
        weights: packed,
    };
    let sum = sum_rows(third, factor, false);
    [fold, sum]
}

/// The weights for one phase of rows: for each phase of columns the groups of 4 folded filters, biases first; the columns
/// of layer 2; then what all kernels end with.
fn pack(phases: &Phases, variant: &FoldVariant, weights: &Weights, rows: usize) -> Vec<f32> {
    let [first, second, third] = weights.layers() else { return Vec::new() };
    let FoldVariant { factor, groups, .. } = *variant;
    let columns = 4 * factor * groups * variant.group();
    let mut packed = vec![0.0; columns + 4 * groups * variant.columns()];
    let filters = first.shape.filters;
    for (n, filter) in first.weight.chunks_exact(first.shape.size * first.shape.size).enumerate() {
        for phase in 0..factor {
            let start = 4 * (phase * groups + n / 4) * variant.group() + n % 4;
            packed[start] = first.bias[n];
            for (tap, weight) in phases.fold([rows, phase], filter).into_iter().enumerate() {
                packed[start + 4 * (1 + tap)] = weight as f32;
            }
        }
        for k in 0..second.shape.filters {
            packed[columns + 4 * (n / 4 * variant.columns() + k) + n % 4] = second.weight[k * filters + n];
        }
    }
    pack_tail(&mut packed, &variant.tail, &variant.settings, second, third);
    packed
}
