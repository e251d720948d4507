//! Networks f1-1-f3 in blocks of a workgroup, for GPUs: `conv_fused_workgroup.wgsl`, `conv_fused_workgroup_sum.wgsl`.

use super::fused::last_sum;
use super::pass::PassDescriptor;
use crate::gpu::kernels::{self, BLOCK, ConvShape, Fusion, WorkgroupVariant};
use crate::network::Padding;
use crate::weights::Weights;

/// Planes that the kernel writes: the parts of a result from its block, those to the left, above, and both.
const PLANES: usize = 4;

/// The passes; `None` for networks that they do not cover, or if `shape` asks for others.
pub(super) fn passes(
    limits: &wgpu::Limits,
    weights: &Weights,
    padding: Padding,
    shape: ConvShape,
) -> Option<Vec<PassDescriptor>> {
    let [.., third] = weights.layers() else { return None };
    if shape.fused != Some(Fusion::Workgroup) {
        return None;
    }
    let variant = WorkgroupVariant::new(weights.architecture(), padding, shape.map_read, limits)?;
    let numbers = [0, PLANES, third.shape.radius()];
    let (shader, packed) = (kernels::conv_fused_workgroup(&variant), pack(&variant, weights));
    let pass = PassDescriptor::single(shader, numbers, BLOCK, variant.store, packed);
    let sum = last_sum(kernels::conv_fused_workgroup_sum(&variant), third);
    Some(vec![pass.reading(shape.map_read), sum.reading(shape.map_read)])
}

/// The weights in the kernel's order: for each group of 8 filters of layer 1 their biases, their taps, and their columns of
/// layer 2; then biases of layer 2; then taps of layer 3. Filters that fill up a group are zero.
fn pack(variant: &WorkgroupVariant, weights: &Weights) -> Vec<f32> {
    let [first, second, third] = weights.layers() else { return Vec::new() };
    let (filters, taps) = (first.shape.filters, variant.filter * variant.filter);
    let maps = 8 * variant.epilogue.blocks8;
    let mut packed = vec![0.0; 4 * variant.weights()];
    for n in 0..filters {
        let (start, within) = (4 * (n / 8) * variant.group(), n % 8);
        packed[start + within] = first.bias[n];
        for tap in 0..taps {
            packed[start + 8 + 8 * tap + within] = first.weight[n * taps + tap];
        }
        for k in 0..second.shape.filters {
            packed[start + 4 * variant.columns_2() + within * maps + k] = second.weight[k * filters + n];
        }
    }
    packed[4 * variant.bias_2()..][..second.bias.len()].copy_from_slice(&second.bias);
    let taps = variant.epilogue.filter * variant.epilogue.filter;
    for k in 0..second.shape.filters {
        for tap in 0..taps {
            packed[4 * variant.taps_3() + tap * maps + k] = third.weight[k * taps + tap];
        }
    }
    packed
}
