//! One convolution over a batch: its register tile, its filters packed on the device, its dispatches.

use super::layer_place::{Direction, LayerPlace, aligned};
use super::maps::Maps;
use super::pack::{Packing, packed_buffer};
use super::pointwise::pointwise;
use super::shaders::{self, Prelude};
use super::winograd::winograd;
use super::{MAPS, Shape};
use crate::error::{Error, Result};
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::kernels::WeightStore;
use crate::gpu::memory::constant;
use crate::gpu::scoped;
use crate::network::LayerShape;

/// Register tile of the convolution: texels per row, and outputs / 4.
fn tile(shape: &Shape, texels: usize, outputs: usize) -> (usize, usize) {
    let (most_texels, most_quads) = (shape.spatial.0.clamp(1, 7), shape.spatial.1.clamp(1, 4));
    let tiles = texels.div_ceil(most_texels);
    let groups = outputs.div_ceil(4).div_ceil(most_quads);
    (texels.div_ceil(tiles), outputs.div_ceil(4).div_ceil(groups))
}

/// The dispatches of one convolution, and those that pack its filters.
#[derive(Debug)]
pub(super) struct Convolution {
    pub dispatches: Vec<Dispatch>,
    pub packs: Vec<Dispatch>,
}

impl Convolution {
    /// Compiles the kernel for these maps. `gate` is the output whose ReLU gates the gradient.
    ///
    /// # Errors
    /// [`Error::MissingCapability`] for filters too large for one binding, and what the device reports.
    pub fn new(
        compiler @ Compiler { device, .. }: Compiler<'_>,
        pack: &Kernel,
        parameters: &wgpu::Buffer,
        place: &LayerPlace,
        direction: Direction,
        [input, gate, output]: [&Maps; 3],
        shape: &Shape,
    ) -> Result<Self> {
        let LayerShape { size, .. } = place.shape;
        if size == 1 && input.layout.channels <= shape.pointwise.min(64) {
            let maps = [input, gate, output];
            let [dispatch, pack] = pointwise(compiler, pack, parameters, place, direction, maps, shape)?;
            return Ok(Self { dispatches: vec![dispatch], packs: vec![pack] });
        }
        let maps = [input, gate, output];
        if let Some([dispatch, pack]) = winograd(compiler, parameters, place, direction, maps, shape)? {
            return Ok(Self { dispatches: vec![dispatch], packs: vec![pack] });
        }
        let (transposed, normalized) = (direction.transposed(), direction.normalized(place));
        let reach = if transposed { size - 1 - place.padding } else { place.padding };
        let (read_texels, shift) = aligned(reach);
        let (inputs, planes) = (input.layout.channels, output.layout.channels);
        // A single filter would leave three quarters of a vec4 idle, so it computes four rows instead.
        let output_rows = if planes == 1 { 4 } else { 1 };
        // Taps of a row, in blocks as wide as the kernel takes at a time.
        let columns = size + shift;
        let (block, blocks) = if columns <= 9 { (columns, 1) } else { (8, columns.div_ceil(8)) };
        let rows = size + output_rows - 1;
        let row_texels = output.layout.pixel_texels();
        let (texels, quads) = tile(shape, row_texels, planes * output_rows);
        let row_tiles = row_texels.div_ceil(texels);

        let group_planes = 4 / output_rows;
        let groups = planes.div_ceil(group_planes).next_multiple_of(quads);
        let group_length = (1 + inputs * rows * block * blocks) * 4;
        let limits = device.limits();
        // Subgroups load past the last weights.
        let past = shape.weight_load.lanes() - 1;
        let fit = |bytes: u64| {
            (bytes.saturating_sub(16 * past as u64) / (group_length as u64 * 4)) as usize / quads * quads
        };
        let uniform = fit(limits.max_uniform_buffer_binding_size) > 0;
        let (fitting, alignment) = if uniform {
            (fit(limits.max_uniform_buffer_binding_size), limits.min_uniform_buffer_offset_alignment)
        } else {
            (fit(limits.max_storage_buffer_binding_size), limits.min_storage_buffer_offset_alignment)
        };
        if fitting == 0 {
            return Err(Error::MissingCapability(format!(
                "storage bindings of {} bytes for {:?}",
                quads * group_length * 4,
                place.shape
            )));
        }
        let chunks = groups.div_ceil(fitting);
        let chunk_groups = groups.div_ceil(chunks).next_multiple_of(quads);
        let chunk_length = (chunk_groups * group_length).next_multiple_of(alignment.max(16) as usize / 4);
        let length = chunks * chunk_length;

        let packed = packed_buffer(device, length + 4 * past)?;
        let packing = Packing {
            columns: (block * blocks) as u32,
            shift: shift as u32,
            output_rows: output_rows as u32,
            chunk_groups: chunk_groups as u32,
            chunk_length: chunk_length as u32,
            length: length as u32,
            ..Packing::new(place, transposed, group_length)
        };
        let pack = packing.dispatch(device, pack, parameters, &packed)?;

        let weights = chunk_groups * group_length / 4 + past;
        let prelude = Prelude::default()
            .numbers([
                ("BATCH", input.layout.batch),
                ("INPUTS", inputs),
                ("PLANES", planes),
                ("FILTER_ROWS", rows),
                ("FILTER", block),
                ("BLOCKS", blocks),
                ("OUTPUT_ROWS", output_rows),
                ("READ_ROWS", reach),
                ("READ_TEXELS", read_texels),
                ("NORMALIZED", normalized),
                ("TEXELS", texels),
                ("TILES", row_tiles),
                ("QUADS", quads),
                ("LANES", shape.weight_load.lanes()),
                ("GROUP", group_length / 4),
                ("WEIGHTS", weights),
            ])
            .flag("RELU", direction == Direction::Forward { relu: true })
            .flag("GATED", transposed)
            .value("INPUT", &input.layout.wgsl())
            .value("GATE", &gate.layout.wgsl())
            .value("OUTPUT", &output.layout.wgsl());
        let store = WeightStore::buffer(uniform);
        let shader = shaders::conv_batch(prelude, store, shape);
        let maps = shape.map_read.binding();
        let bindings = [Binding::Uniform, store.binding(shape.map_read), maps, maps, MAPS];
        let kernel = Kernel::new(compiler, &shader, &bindings)?;

        let across = input.layout.batch.div_ceil(shape.workgroup as usize) * row_tiles;
        let down = output.layout.height.div_ceil(output_rows);
        let dispatches = (0..chunks).map(|chunk| {
            let groups = chunk_groups.min(groups - chunk * chunk_groups);
            let first = [(chunk * chunk_groups * group_planes) as u32, 0, 0, 0];
            let first = scoped(device, || {
                let contents = bytemuck::cast_slice(&first);
                constant(device, "srcnn.train.first", contents, wgpu::BufferUsages::UNIFORM)
            })?;
            let weights = wgpu::BufferBinding {
                buffer: &packed,
                offset: (chunk * chunk_length * 4) as u64,
                size: std::num::NonZeroU64::new(weights as u64 * 16),
            };
            let resources = [
                first.as_entire_binding(),
                wgpu::BindingResource::Buffer(weights),
                wgpu::BindingResource::TextureView(&input.view),
                wgpu::BindingResource::TextureView(&gate.view),
                wgpu::BindingResource::TextureView(&output.view),
            ];
            let group = scoped(device, || kernel.bind(device, &resources))?;
            Dispatch::new(&kernel, group, [across, down, groups / quads])
        });
        Ok(Self { dispatches: dispatches.collect::<Result<_>>()?, packs: vec![pack] })
    }
}
