//! A network layer by layer: one convolution kernel per layer, with its filters packed for it.

use super::outline::{Chunk, PassShape};
use super::pass::PassDescriptor;
use crate::error::{Error, Result};
use crate::gpu::kernels::{self, ConvShape, ConvVariant, WeightStore};
use crate::network::Padding;
use crate::precision::{Precision, rounded, rounded_filter};
use crate::weights::{Layer, Weights};

/// The pass of a single layer: its index, and the number of pixels it computes beyond each side of a tile.
fn layer(
    limits: &wgpu::Limits,
    layer: &Layer,
    [index, reach]: [usize; 2],
    last: bool,
    padding: Padding,
    precision: Precision,
    shape: ConvShape,
) -> Result<PassDescriptor> {
    let (variant, weights, chunks) = pack(layer, last, padding, precision, shape, limits)?;
    let ConvVariant { registers, output_rows, workgroup: [x, y], uniform, precision, map_read, .. } = variant;
    Ok(PassDescriptor {
        map_read,
        shader: kernels::conv_forward(&variant),
        shape: PassShape {
            layer: index,
            terms: layer.shape.inputs,
            planes: layer.shape.filters,
            reach,
            covers: [x * registers.pixels(), y * output_rows as u32],
            chunks,
        },
        store: WeightStore::buffer(uniform),
        binding: (variant.weights * 4 * precision.bytes()) as u64,
        weight_precision: precision,
        precision,
        weights,
    })
}

/// Chooses the kernel's variant and packs the filters for it, with chunks aligned for bindings:
/// `[chunk][group][biases, then taps as input, row, column][outputs]`.
fn pack(
    layer: &Layer,
    last: bool,
    padding: Padding,
    precision: Precision,
    shape: ConvShape,
    limits: &wgpu::Limits,
) -> Result<(ConvVariant, Vec<f32>, Vec<Chunk>)> {
    let (size, inputs, filters) = (layer.shape.size, layer.shape.inputs, layer.shape.filters);
    let bindings = [limits.max_uniform_buffer_binding_size, limits.max_storage_buffer_binding_size];
    let variant =
        ConvVariant::new(&layer.shape, last, padding, precision, shape, bindings).ok_or_else(|| {
            Error::MissingCapability(format!("storage bindings large enough for {:?}", layer.shape))
        })?;
    let ConvVariant { output_rows, uniform, precision, .. } = variant;
    let (filter_rows, outputs) = (variant.filter_rows(), variant.registers.outputs());
    let (group_filters, group_floats) = (variant.group_filters(), variant.group_floats());
    let groups = filters.div_ceil(group_filters);
    let chunk_groups = variant.weights * 4 / group_floats;
    let alignment = if uniform {
        limits.min_uniform_buffer_offset_alignment
    } else {
        limits.min_storage_buffer_offset_alignment
    };
    let chunk_floats =
        (chunk_groups * group_floats).next_multiple_of(alignment.max(16) as usize / precision.bytes());

    let weight: Vec<f32> = match precision {
        Precision::F32 => layer.weight.clone(),
        Precision::F16 => layer.weight.chunks(inputs * size * size).flat_map(rounded_filter).collect(),
    };
    let chunk_count = groups.div_ceil(chunk_groups);
    let mut packed = vec![0.0; chunk_count * chunk_floats];
    for filter in 0..filters {
        let (group, within) = (filter / group_filters, filter % group_filters);
        let start = group / chunk_groups * chunk_floats + group % chunk_groups * group_floats;
        for row in 0..output_rows {
            let output = within * output_rows + row;
            packed[start + output] = layer.bias[filter];
            if precision == Precision::F16 {
                packed[start + outputs + output] = layer.bias[filter] - rounded(layer.bias[filter]);
            }
            for c in 0..inputs {
                for i in 0..size {
                    for j in 0..size {
                        let tap = (c * filter_rows + i + row) * size + j;
                        packed[start + variant.first_tap() + tap * outputs + output] =
                            weight[((filter * inputs + c) * size + i) * size + j];
                    }
                }
            }
        }
    }
    let chunks = (0..chunk_count)
        .map(|chunk| Chunk {
            first_filter: chunk * chunk_groups * group_filters,
            groups: chunk_groups.min(groups - chunk * chunk_groups),
            offset: (chunk * chunk_floats * precision.bytes()) as u64,
        })
        .collect();
    Ok((variant, packed, chunks))
}

/// One pass for each layer of a network.
pub(super) fn passes(
    limits: &wgpu::Limits,
    weights: &Weights,
    padding: Padding,
    precision: Precision,
    shape: ConvShape,
) -> Result<Vec<PassDescriptor>> {
    let last = weights.layers().len() - 1;
    let mut reach = weights.architecture().radius();
    let layers = weights.layers().iter().enumerate().map(|(i, one)| {
        reach -= one.shape.radius();
        layer(limits, one, [i, reach], i == last, padding, precision, shape)
    });
    layers.collect()
}
