//! Networks f1-1-f3 in two passes: `conv_fused.wgsl` and `sum_rows.wgsl`.

use super::layers::{Chunk, Design};
use crate::gpu::shaders::{self, ConvShape, FusedVariant, PIXEL_WORKGROUP};
use crate::network::Padding;
use crate::weights::{Layer, Weights};

/// Columns of the input left and right of what the first pass computes.
const MARGIN: usize = 4;

/// Columns and rows around a tile that the first pass reads.
pub(super) fn input_reach(weights: &Weights) -> [usize; 2] {
    let radius = weights.architecture().radius();
    let third = weights.layers().last().map_or(0, |layer| layer.shape.radius());
    [third + MARGIN, radius]
}

/// The passes; `None` for networks that they do not cover, and where `shape` does not ask for them.
pub(super) fn passes(
    limits: &wgpu::Limits,
    weights: &Weights,
    padding: Padding,
    shape: ConvShape,
) -> Option<Vec<Design>> {
    let [first, second, third] = weights.layers() else { return None };
    let bindings = [limits.max_uniform_buffer_binding_size, limits.max_storage_buffer_binding_size];
    let variant =
        FusedVariant::new(weights.architecture(), padding, shape.fused?, shape.workgroup, bindings)?;
    let [x, y] = variant.workgroup;
    let fused = Design {
        shader: shaders::conv_fused(&variant),
        layer: 0,
        planes: 2 * variant.filter_3,
        reach: third.shape.radius(),
        covers: [4 * x, y],
        chunks: vec![Chunk::ALL],
        uniform: variant.uniform,
        binding: variant.weights() as u64 * 16,
        weights: pack(&variant, first, second, third),
    };
    let [x, y] = PIXEL_WORKGROUP;
    let sum_rows = Design {
        shader: shaders::sum_rows(variant.filter_3, variant.normalized),
        layer: 2,
        planes: 1,
        reach: 0,
        covers: [4 * x, y],
        chunks: vec![Chunk::ALL],
        uniform: true,
        binding: 16,
        weights: vec![third.bias[0], 0.0, 0.0, 0.0],
    };
    Some(vec![fused, sum_rows])
}

/// Lays the weights out as `conv_fused.wgsl` describes; filters that there are not are zero.
fn pack(variant: &FusedVariant, first: &Layer, second: &Layer, third: &Layer) -> Vec<f32> {
    let mut packed = vec![0.0; 4 * variant.weights()];
    let taps = variant.filter_1 * variant.filter_1;
    for n in 0..first.shape.filters {
        let start = 4 * (n / 4 * variant.group()) + n % 4;
        packed[start] = first.bias[n];
        for tap in 0..taps {
            packed[start + 4 * (1 + tap)] = first.weight[n * taps + tap];
        }
        for k in 0..second.shape.filters {
            packed[start + 4 * (1 + taps + k)] = second.weight[k * first.shape.filters + n];
        }
    }
    packed[4 * variant.bias_2()..][..second.bias.len()].copy_from_slice(&second.bias);
    let size = variant.filter_3;
    for k in 0..second.shape.filters {
        for i in 0..size {
            for j in 0..size {
                let at = 4 * (variant.rows_3() + i * variant.row_3()) + j * 8 * variant.eights + k;
                packed[at] = third.weight[(k * size + i) * size + j];
            }
        }
    }
    packed
}
