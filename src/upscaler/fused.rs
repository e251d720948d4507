//! Networks of three layers whose last maps stay in registers: `conv_first.wgsl`, `conv_wide.wgsl`, `sum_rows.wgsl`.

use super::pass::{Chunk, PassDescriptor};
use crate::gpu::shaders::{
    self, ConvShape, FirstVariant, PIXEL_WORKGROUP, Settings, Shader, Tail, WeightStore, WideVariant,
};
use crate::network::Padding;
use crate::precision::Precision;
use crate::weights::{Layer, Weights};

/// The passes; `None` for networks that they do not cover, or if `shape` does not ask for fused kernels.
pub(super) fn passes(
    limits: &wgpu::Limits,
    weights: &Weights,
    padding: Padding,
    shape: ConvShape,
) -> Option<Vec<PassDescriptor>> {
    let [first, second, third] = weights.layers() else { return None };
    let (architecture, settings) =
        (weights.architecture(), Settings::new(padding, shape.fused?, shape.workgroup));
    let variant = FirstVariant::new(architecture, settings, limits)?;
    let covers = [4 * settings.workgroup[0], settings.workgroup[1]];
    let (reach, size) = (third.shape.radius(), third.shape.size);

    let mut first_pass = PassDescriptor {
        shader: shaders::conv_first(&variant),
        layer: 0,
        planes: 2 * size,
        reach,
        covers,
        chunks: vec![Chunk::ALL],
        store: variant.store,
        binding: variant.weights() as u64 * 16,
        precision: Precision::F32,
        weights: Vec::new(),
    };
    let mut packed = pack_first(&variant, first, second);
    let mut passes = Vec::new();
    if let Some(tail) = variant.tail {
        pack_tail(&mut packed, &tail, &settings, second, third);
        first_pass.weights = packed;
        passes.push(first_pass);
    } else {
        let wide = WideVariant::new(architecture, settings, limits)?;
        first_pass.planes = first.shape.filters;
        first_pass.reach = reach + second.shape.radius();
        first_pass.weights = packed;
        passes.push(first_pass);
        let mut packed = pack_wide(&wide, second);
        pack_tail(&mut packed, &wide.tail, &settings, second, third);
        passes.push(PassDescriptor {
            shader: shaders::conv_wide(&wide),
            layer: 1,
            planes: 2 * size,
            reach,
            covers,
            chunks: vec![Chunk::ALL],
            store: wide.store,
            binding: wide.weights() as u64 * 16,
            precision: Precision::F32,
            weights: packed,
        });
    }
    passes.push(last_sum(shaders::sum_rows(size, settings.normalized), third));
    Some(passes)
}

/// The last step of layer 3: adds up partial sums.
pub(super) fn last_sum(shader: Shader, third: &Layer) -> PassDescriptor {
    PassDescriptor {
        shader,
        layer: 2,
        planes: 1,
        reach: 0,
        covers: [4 * PIXEL_WORKGROUP[0], PIXEL_WORKGROUP[1]],
        chunks: vec![Chunk::ALL],
        store: WeightStore::Uniform,
        binding: 16,
        precision: Precision::F32,
        weights: vec![third.bias[0], 0.0, 0.0, 0.0],
    }
}

/// Packs groups of 4 filters of layer 1: biases, taps and, with an epilogue, the columns of layer 2. Here and below,
/// padding filters are zero.
fn pack_first(variant: &FirstVariant, first: &Layer, second: &Layer) -> Vec<f32> {
    let mut packed = vec![0.0; 4 * variant.groups * variant.group()];
    let (filters, taps) = (first.shape.filters, variant.filter * variant.filter);
    for n in 0..filters {
        let start = 4 * (n / 4 * variant.group()) + n % 4;
        packed[start] = first.bias[n];
        for tap in 0..taps {
            packed[start + 4 * (1 + tap)] = first.weight[n * taps + tap];
        }
        if variant.tail.is_some() {
            for k in 0..second.shape.filters {
                packed[start + 4 * (1 + taps + k)] = second.weight[k * filters + n];
            }
        }
    }
    packed
}

/// Packs, for each input, the taps of each 4 filters of layer 2.
fn pack_wide(variant: &WideVariant, second: &Layer) -> Vec<f32> {
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
fn pack_tail(packed: &mut Vec<f32>, tail: &Tail, settings: &Settings, second: &Layer, third: &Layer) {
    let start = packed.len();
    let rows = start + 4 * tail.biases(settings);
    packed.resize(rows + 4 * tail.filter * tail.row(settings), 0.0);
    packed[start..][..second.bias.len()].copy_from_slice(&second.bias);
    let size = tail.filter;
    for k in 0..second.shape.filters {
        for i in 0..size {
            for j in 0..size {
                let at = rows + 4 * i * tail.row(settings) + j * 8 * tail.eights + k;
                packed[at] = third.weight[(k * size + i) * size + j];
            }
        }
    }
}
