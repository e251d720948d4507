//! The gradient of one layer's filters and biases: its kernel, its tile and its dispatch.

use super::layer_place::{LayerPlace, aligned};
use super::maps::Maps;
use super::shaders::{self, Prelude};
use super::{Shape, parts};
use crate::error::Result;
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::scoped;
use crate::network::LayerShape;

/// The weights that an invocation computes, chosen so that many products share few loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tile {
    /// `conv_grad_weight_pointwise.wgsl`: blocks of 8 filters and of 8 inputs.
    Pointwise { filters: usize, inputs: usize },
    /// `conv_grad_weight_winograd.wgsl`: filters of 5 x 5 share pixels of an input.
    Winograd { filters: usize },
    /// `conv_grad_weight.wgsl`: filters share texels of the input, tap rows and columns those of the gradient.
    Taps { filters: usize, rows: usize, columns: usize },
}

impl Tile {
    /// A tile of at most `spatial` or `pointwise` sums, or a few more.
    fn new(place: &LayerPlace, shape: &Shape) -> Self {
        let LayerShape { inputs, filters, size } = place.shape;
        let (spatial, pointwise) = shape.weight_sums;
        let (_, shift) = aligned(place.padding);
        if shape.winograd && size == 5 && filters >= 8 && shift == 0 && place.normalized == 0 {
            return Self::Winograd { filters: filters.min(16) };
        }
        if size == 1 {
            let side = (pointwise.isqrt() / 8).clamp(1, 4);
            return Self::Pointwise {
                filters: side.min(filters.div_ceil(8)),
                inputs: side.min(inputs.div_ceil(8)),
            };
        }
        // Larger filters are cut at multiples of 4 columns.
        let columns = if size <= 9 { size } else { 8 };
        let filters = filters.min((spatial / (size * columns)).clamp(4, 16));
        let row_groups = (size * columns * filters).div_ceil(spatial).max(size.div_ceil(9));
        Self::Taps { filters, rows: size.div_ceil(row_groups), columns }
    }
}

/// The dispatch that writes a layer's partial sums to `sums`, as `[part][parameter]`.
///
/// # Errors
/// What the device reports.
pub(super) fn weight_gradient(
    compiler @ Compiler { device, .. }: Compiler<'_>,
    place: &LayerPlace,
    parameters: usize,
    [input, gradient]: [&Maps; 2],
    sums: &wgpu::Buffer,
    shape: &Shape,
) -> Result<Dispatch> {
    let LayerShape { inputs, filters, size } = place.shape;
    let batch = input.layout.batch;
    let parts = parts(batch, shape);
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
        .value("INPUT", &input.layout.wgsl())
        .value("GRADIENT", &gradient.layout.wgsl());
    let (shader, y, z) = match Tile::new(place, shape) {
        Tile::Pointwise { filters: fs, inputs: cs } => {
            let prelude = prelude.numbers([("FILTER_BLOCKS8", fs), ("INPUT_BLOCKS8", cs)]);
            let shader = shaders::conv_grad_weight_pointwise(prelude, shape);
            (shader, filters.div_ceil(8 * fs), inputs.div_ceil(8 * cs))
        }
        Tile::Winograd { filters: fs } => {
            let masked = gradient.layout.border < 3 && !gradient.layout.height.is_multiple_of(4);
            let prelude = prelude.numbers([("TILE_FILTERS", fs)]).flag("MASKED", masked);
            (shaders::conv_grad_weight_winograd(prelude, shape), filters.div_ceil(fs), inputs)
        }
        Tile::Taps { filters: fs, rows, columns } => {
            let prelude = prelude.numbers([
                ("SHIFT", shift),
                ("WINDOW", (shift + columns + 2) / 4 + 1),
                ("TILE_FILTERS", fs),
                ("TILE_ROWS", rows),
                ("TILE_COLUMNS", columns),
            ]);
            let groups = inputs * size.div_ceil(rows) * size.div_ceil(columns);
            (shaders::conv_grad_weight(prelude, shape), filters.div_ceil(fs), groups)
        }
    };
    let maps = shape.map_read.binding();
    let kernel = Kernel::new(compiler, &shader, &[maps, maps, Binding::Write])?;
    let resources = [
        wgpu::BindingResource::TextureView(&input.view),
        wgpu::BindingResource::TextureView(&gradient.view),
        sums.as_entire_binding(),
    ];
    let group = scoped(device, || kernel.bind(device, &resources))?;
    Dispatch::new(&kernel, group, [parts.div_ceil(shape.workgroup as usize), y, z])
}
