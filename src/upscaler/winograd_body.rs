//! The weights of `conv_winograd_body.wgsl`.

use super::fused::write_epilogue;
use super::minimal_filtering::five;
use crate::gpu::kernels::WinogradBodyVariant;
use crate::weights::Weights;

/// The weights in the kernel's order: for each group of filters of layer 2 and each input their rows, transformed at the points
/// of F(4, 5); then for each group the biases, and the rows of layer 3.
pub(super) fn pack(variant: &WinogradBodyVariant, weights: &Weights) -> Vec<f32> {
    let [_, second, third] = weights.layers() else { return Vec::new() };
    let (inputs, size, group_filters) = (second.shape.inputs, second.shape.size, variant.group());
    let mut packed = vec![0.0; 4 * variant.weights()];
    for (k, filter) in second.weight.chunks_exact(inputs * size * size).enumerate() {
        let (group, n) = (k / group_filters, k % group_filters);
        for (c, plane) in filter.chunks_exact(size * size).enumerate() {
            let start = (group * inputs + c) * variant.input();
            for (i, row) in plane.chunks_exact(size).enumerate() {
                for (point, value) in five(row).into_iter().enumerate() {
                    packed[4 * (start + variant.row(n / 8, point, i)) + n % 8] = value as f32;
                }
            }
        }
    }
    let mut layout = variant.epilogue_layout();
    for first in (0..second.shape.filters).step_by(group_filters) {
        let filters = first..(first + group_filters).min(second.shape.filters);
        write_epilogue(&mut packed, &layout, filters, second, third);
        layout.bias_2 += variant.epilogue_length();
        layout.rows_3 += variant.epilogue_length();
    }
    packed
}
