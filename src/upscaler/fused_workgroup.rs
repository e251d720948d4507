//! Networks f1-1-f3 in blocks of a workgroup, for GPUs: `conv_fused_workgroup.wgsl`, `conv_fused_workgroup_sum.wgsl`.

use super::fused::last_sum;
use super::pass::PassDescriptor;
use crate::gpu::kernels::{self, BLOCK, ConvShape, Fusion, WorkgroupVariant};
use crate::network::Padding;
use crate::precision::{Precision, rounded, rounded_filter};
use crate::weights::{Layer, Weights};

/// Planes that the kernel writes: the parts of a result from its block, those to the left, above, and both.
const PLANES: usize = 4;

/// The passes; `None` for networks that they do not cover, or if `shape` asks for others.
pub(super) fn passes(
    limits: &wgpu::Limits,
    weights: &Weights,
    padding: Padding,
    precision: Precision,
    shape: ConvShape,
) -> Option<Vec<PassDescriptor>> {
    let [.., third] = weights.layers() else { return None };
    if shape.fused != Some(Fusion::Workgroup) {
        return None;
    }
    let variant = WorkgroupVariant::new(weights.architecture(), padding, precision, shape.map_read, limits)?;
    let numbers = [0, PLANES, third.shape.radius()];
    let (shader, packed) = (kernels::conv_fused_workgroup(&variant), pack(&variant, weights));
    let pass = PassDescriptor::single(shader, numbers, BLOCK, variant.store, packed).weights_in(precision);
    let sum = last_sum(kernels::conv_fused_workgroup_sum(&variant), 2, third);
    Some(vec![pass.reading(shape.map_read), sum.reading(shape.map_read)])
}

/// Whether a map of layer 1, or its sums in half precision, can overflow for luminance from -1 to 2. The kernel's max(0, x) would hide
/// what comes of it, so such a filter is made to show in the result.
fn could_overflow(filter: &[f32], bias: f32) -> bool {
    2.0 * filter.iter().map(|weight| weight.abs()).sum::<f32>() + bias.abs() > 65504.0
}

/// The weights in the kernel's order: for each group of 8 filters of layer 1 their biases, their taps, and their columns of
/// layer 2; then biases of layer 2; then taps of layer 3. Filters that fill up a group are zero.
fn pack(variant: &WorkgroupVariant, weights: &Weights) -> Vec<f32> {
    let [first, second, third] = weights.layers() else { return Vec::new() };
    let (filters, taps) = (first.shape.filters, variant.filter * variant.filter);
    let maps = 8 * variant.epilogue.blocks8;
    let half = variant.precision == Precision::F16;
    let filters_of = |layer: &Layer| -> Vec<f32> {
        let filters = layer.weight.chunks(layer.shape.inputs * layer.shape.size * layer.shape.size);
        if half { filters.flat_map(rounded_filter).collect() } else { layer.weight.clone() }
    };
    let [weight_1, weight_2, weight_3] = [first, second, third].map(filters_of);
    let mut packed = vec![0.0; 4 * variant.weights()];
    // In half precision the rounding errors of `count` biases come after them.
    let pack_bias = |packed: &mut [f32], at: usize, count: usize, bias: f32| {
        packed[at] = bias;
        if half {
            packed[at + count] = bias - rounded(bias);
        }
    };
    for n in 0..filters {
        let (start, within) = (4 * (n / 8) * variant.group(), n % 8);
        pack_bias(&mut packed, start + within, 8, first.bias[n]);
        for tap in 0..taps {
            packed[start + 4 * variant.first_tap() + 8 * tap + within] = weight_1[n * taps + tap];
        }
        let overflows = half && could_overflow(&first.weight[n * taps..][..taps], first.bias[n]);
        for k in 0..second.shape.filters {
            let weight = if overflows { f32::NAN } else { weight_2[k * filters + n] };
            packed[start + 4 * variant.columns_2() + within * maps + k] = weight;
        }
    }
    let taps = variant.epilogue.filter * variant.epilogue.filter;
    for k in 0..second.shape.filters {
        pack_bias(&mut packed, 4 * variant.bias_2() + k, maps, second.bias[k]);
        for tap in 0..taps {
            packed[4 * variant.taps_3() + tap * maps + k] = weight_3[k * taps + tap];
        }
    }
    packed
}
