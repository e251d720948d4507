//! Networks of three layers whose last maps stay in registers: `conv_fused_head.wgsl`, `conv_fused_body.wgsl`,
//! `conv_fused_sum.wgsl`.

use std::ops::Range;

use super::pass::PassDescriptor;
use super::steps::PIXELS_COVERED;
use crate::gpu::kernels::{
    self, BodyVariant, ConvShape, EpilogueLayout, HeadVariant, Settings, Shader, WeightStore,
};
use crate::network::Padding;
use crate::weights::{Layer, Weights};

/// The passes; `None` for networks that they do not cover, or if `shape` does not ask for fused kernels.
pub(super) fn passes(
    limits: &wgpu::Limits,
    weights: &Weights,
    padding: Padding,
    shape: ConvShape,
) -> Option<Vec<PassDescriptor>> {
    let [first, second, third] = weights.layers() else { return None };
    let load = shape.fused?.weight_load()?;
    let (architecture, settings) =
        (weights.architecture(), Settings::new(padding, load, shape.map_read, shape.workgroup));
    let variant = HeadVariant::new(architecture, settings, limits)?;
    let covers = covers(&settings);
    let (reach, size) = (third.shape.radius(), third.shape.size);

    let pass = PassDescriptor::single;
    let mut passes = Vec::new();
    if let Some(layout) = variant.epilogue_layout() {
        let mut packed = pack_head(&variant, first, second);
        pack_epilogue(&mut packed, &layout, second, third);
        let head = kernels::conv_fused_head(&variant);
        passes.push(pass(head, [0, 2 * size, reach], covers, variant.store, packed));
    } else {
        let body = BodyVariant::new(architecture, settings, limits)?;
        passes.push(first_layer(&variant, weights)?);
        let mut packed = pack_body(&body, second);
        pack_epilogue(&mut packed, &body.epilogue_layout(), second, third);
        let shader = kernels::conv_fused_body(&body);
        passes.push(pass(shader, [1, 2 * size, reach], covers, body.store, packed));
    }
    passes.push(last_sum(kernels::conv_fused_sum(size, &settings), 2, third));
    Some(passes.into_iter().map(|pass| pass.reading(shape.map_read)).collect())
}

/// Layer 1 alone, whose maps are stored.
pub(super) fn first_layer(variant: &HeadVariant, weights: &Weights) -> Option<PassDescriptor> {
    let [first, second, ..] = weights.layers() else { return None };
    let reach = weights.layers()[1..].iter().map(|layer| layer.shape.radius()).sum();
    let numbers = [0, first.shape.filters, reach];
    let (head, packed) = (kernels::conv_fused_head(variant), pack_head(variant, first, second));
    let pass = PassDescriptor::single(head, numbers, covers(&variant.settings), variant.store, packed);
    Some(pass.reading(variant.settings.map_read))
}

/// Columns and rows that a workgroup computes whose invocations own a texel.
fn covers(settings: &Settings) -> [u32; 2] {
    [4 * settings.workgroup[0], settings.workgroup[1]]
}

/// The last step of the last layer, of this index: adds up partial sums.
pub(super) fn last_sum(shader: Shader, index: usize, last: &Layer) -> PassDescriptor {
    let bias = vec![last.bias[0], 0.0, 0.0, 0.0];
    PassDescriptor::single(shader, [index, 1, 0], PIXELS_COVERED, WeightStore::Uniform, bias)
}

/// Packs groups of 4 filters of layer 1: biases, taps and, with an epilogue, the columns of layer 2. Here and below,
/// padding filters are zero.
fn pack_head(variant: &HeadVariant, first: &Layer, second: &Layer) -> Vec<f32> {
    let mut packed = vec![0.0; 4 * variant.groups * variant.group()];
    let (filters, taps) = (first.shape.filters, variant.filter * variant.filter);
    for n in 0..filters {
        let start = 4 * (n / 4 * variant.group()) + n % 4;
        packed[start] = first.bias[n];
        for tap in 0..taps {
            packed[start + 4 * (1 + tap)] = first.weight[n * taps + tap];
        }
        if variant.epilogue.is_some() {
            for k in 0..second.shape.filters {
                packed[start + 4 * (variant.columns_2() + k)] = second.weight[k * filters + n];
            }
        }
    }
    packed
}

/// Packs, for each input, the taps of each 4 filters of layer 2.
fn pack_body(variant: &BodyVariant, second: &Layer) -> Vec<f32> {
    let mut packed = vec![0.0; 4 * variant.inputs * variant.input()];
    let taps = variant.filter * variant.filter;
    for k in 0..second.shape.filters {
        for c in 0..variant.inputs {
            let start = 4 * (c * variant.input() + k / 4 * taps) + k % 4;
            for tap in 0..taps {
                packed[start + 4 * tap] = second.weight[(k * variant.inputs + c) * taps + tap];
            }
        }
    }
    packed
}

/// Appends the biases of layer 2, and the rows of layer 3's filter as `[i][j][filter of layer 2]`.
fn pack_epilogue(packed: &mut Vec<f32>, layout: &EpilogueLayout, second: &Layer, third: &Layer) {
    packed.resize(4 * layout.end, 0.0);
    write_epilogue(packed, layout, 0..second.shape.filters, second, third);
}

/// Writes those of some filters of layer 2, in a layout for so many.
pub(super) fn write_epilogue(
    packed: &mut [f32],
    layout: &EpilogueLayout,
    filters: Range<usize>,
    second: &Layer,
    third: &Layer,
) {
    let size = third.shape.size;
    let maps = filters.len().next_multiple_of(8);
    packed[4 * layout.bias_2..][..filters.len()].copy_from_slice(&second.bias[filters.clone()]);
    for (n, k) in filters.enumerate() {
        for i in 0..size {
            for j in 0..size {
                let at = 4 * (layout.rows_3 + i * layout.row_3) + j * maps + n;
                packed[at] = third.weight[(k * size + i) * size + j];
            }
        }
    }
}
