//! The gradient of one layer's filters and biases: its tile and its dispatch.

use super::convolution::{LayerPlace, aligned};
use super::maps::Maps;
use super::shaders::{self, Prelude};
use super::steps::Dispatch;
use super::tiles::WeightTile;
use super::{Shape, parts};
use crate::error::Result;
use crate::gpu::kernel::{Binding, Kernel};
use crate::gpu::scoped;
use crate::network::LayerShape;

/// A tile that needs few loads for its products, of at most `spatial` or `pointwise` sums, or not many more: filters
/// share texels of the input, tap rows and columns those of the gradient. `zeros` tells that the gradient has zeros
/// around it wherever the filter reaches.
fn tile(
    LayerShape { inputs, filters, size }: LayerShape,
    (spatial, pointwise): (usize, usize),
    zeros: bool,
) -> WeightTile {
    // Larger filters are cut at multiples of 4 columns.
    let columns = if size <= 9 { size } else { 8 };
    let by_input = false;
    if size == 1 {
        let side = pointwise.isqrt();
        return WeightTile {
            filters: filters.min(side),
            inputs: inputs.min(side),
            rows: 1,
            columns,
            by_input,
        };
    }
    if filters == 1 && size == columns && zeros && size * size <= spatial {
        // Half as many inputs as there could be: 200 sums ran as fast as 400.
        let inputs = inputs.min((spatial / 2).div_ceil(size * size));
        return WeightTile { filters, inputs, rows: size, columns, by_input: true };
    }
    let fit = (spatial / (size * columns)).max(4).next_power_of_two();
    let fit = if fit * size * columns > spatial && fit > 4 { fit / 2 } else { fit };
    let filters = filters.min(fit);
    let row_groups = (size * columns * filters).div_ceil(spatial);
    WeightTile { filters, inputs: 1, rows: size.div_ceil(row_groups), columns, by_input }
}

/// The dispatch that writes a layer's partial sums to `sums`, `[part][parameter]`.
///
/// # Errors
/// What the device reports.
pub(super) fn weight_gradient(
    device: &wgpu::Device,
    place: &LayerPlace,
    parameters: usize,
    [input, gradient]: [&Maps; 2],
    sums: &wgpu::Buffer,
    shape: &Shape,
) -> Result<Dispatch> {
    let LayerShape { inputs, filters, size } = place.shape;
    let batch = input.layout.batch;
    let parts = parts(batch, shape);
    let tile = tile(place.shape, shape.weight_sums, gradient.layout.border + place.padding + 1 >= size);
    let (read_texels, shift) = aligned(place.padding);
    let prelude = Prelude::default()
        .numbers([
            ("BATCH", batch),
            ("PARTS", parts),
            ("PARAMETERS", parameters),
            ("WEIGHT_START", place.weight_start),
            ("BIAS_START", place.bias_start),
            ("FILTERS", filters),
            ("INPUTS", inputs),
            ("SIZE", size),
            ("NORMALIZED", place.normalized),
            ("READ_ROWS", place.padding),
            ("READ_TEXELS", read_texels),
        ])
        .maps("INPUT", &input.layout)
        .maps("GRADIENT", &gradient.layout);
    let shader = shaders::conv_grad_weight(
        prelude,
        &tile.wgsl(place.padding, shift, gradient.layout.pixel_texels()),
        shape.workgroup,
    );
    let kernel = Kernel::new(device, &shader, &[Binding::Texture, Binding::Texture, Binding::Write])?;
    let resources = [
        wgpu::BindingResource::TextureView(&input.view),
        wgpu::BindingResource::TextureView(&gradient.view),
        sums.as_entire_binding(),
    ];
    let group = scoped(device, || kernel.bind(device, &resources))?;
    let taps = size.div_ceil(tile.rows) * size.div_ceil(tile.columns);
    let workgroups = [
        parts.div_ceil(shape.workgroup as usize),
        filters.div_ceil(tile.filters),
        inputs.div_ceil(tile.inputs) * taps,
    ];
    Dispatch::new(&kernel, group, workgroups)
}
