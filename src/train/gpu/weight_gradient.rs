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

/// Accumulators that a tile may have. A load of a texel costs as much as some hundred products on software adapters,
/// so that sums in the first level cache, loaded and stored for every four products, are the lesser evil.
const ACCUMULATORS: usize = 400;

/// A tile that needs few loads for its products: filters share texels of the input, tap rows and columns those of
/// the gradient.
fn tile(LayerShape { inputs, filters, size }: LayerShape) -> WeightTile {
    // Larger filters are cut at multiples of 4 columns.
    let columns = if size <= 9 { size } else { 8 };
    if size == 1 {
        return WeightTile { filters: filters.min(16), inputs: inputs.min(16), rows: 1, columns };
    }
    if filters == 1 {
        return WeightTile { filters, inputs: inputs.min(8), rows: 1, columns };
    }
    let fit = (ACCUMULATORS / (size * columns)).max(4).next_power_of_two();
    let fit = if fit * size * columns > ACCUMULATORS && fit > 4 { fit / 2 } else { fit };
    let filters = filters.min(fit);
    let row_groups = (size * columns * filters).div_ceil(ACCUMULATORS);
    WeightTile { filters, inputs: 1, rows: size.div_ceil(row_groups), columns }
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
    let tile = tile(place.shape);
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
        &tile.wgsl(shift, gradient.layout.pixel_texels()),
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
