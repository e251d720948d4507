//! Layers 1 and 2 of an f1-1-f3 network forward in one dispatch: `conv_fused_batch.wgsl`.

use super::Shape;
use super::layer_place::{LayerPlace, aligned};
use super::maps::Maps;
use super::pack::{Packing, packed_buffer};
use super::shaders::{self, Prelude};
use crate::error::Result;
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::scoped;

/// The dispatch of both layers, and those that pack their filters.
#[derive(Debug)]
pub(super) struct FirstLayers {
    pub dispatch: Dispatch,
    pub packs: Vec<Dispatch>,
}

impl FirstLayers {
    /// Compiles the kernel; `maps` are the input and the outputs of both layers. `None` for networks that it does not
    /// cover (more than one channel, a second layer larger than 1x1 or with more than 32 filters, f1 above 9, padding
    /// that is not a multiple of 4), for filters too large for one binding, or if `shape` does not ask for it.
    ///
    /// # Errors
    /// What the device reports.
    pub fn new(
        compiler @ Compiler { device, .. }: Compiler<'_>,
        pack: &Kernel,
        parameters: &wgpu::Buffer,
        places: &[LayerPlace],
        maps: &[Maps],
        shape: &Shape,
    ) -> Result<Option<Self>> {
        let (true, [first, second, _, ..]) = (shape.first_layers, places) else { return Ok(None) };
        let (one, two) = (first.shape, second.shape);
        let (read_texels, shift) = aligned(first.padding);
        if one.inputs != 1 || one.size > 9 || shift != 0 || two.size != 1 || two.filters > 32 {
            return Ok(None);
        }
        let lanes = shape.weight_load.lanes();
        let (groups, blocks8) = (one.filters.div_ceil(4), two.filters.div_ceil(8));
        // In vec4s.
        let group = (1 + one.size * one.size).next_multiple_of(lanes);
        let columns = (1 + 8 * blocks8).next_multiple_of(lanes);
        let columns_start = groups * group;
        let biases = columns_start + groups * columns;
        let weights = (biases + 2 * blocks8).next_multiple_of(lanes);
        if 16 * weights as u64 > device.limits().max_uniform_buffer_binding_size {
            return Ok(None);
        }

        let packed = packed_buffer(device, 4 * weights)?;
        let packings = [
            Packing::new(first, false, 4 * group),
            Packing::new(second, true, 4 * columns).behind(4 * columns_start),
            Packing::biases(second).behind(4 * biases),
        ];
        let packs = packings.map(|packing| packing.dispatch(device, pack, parameters, &packed));
        let [input, output_1, output_2, ..] = maps else { return Ok(None) };
        let prelude = Prelude::default()
            .numbers([
                ("BATCH", input.layout.batch),
                ("FILTER", one.size),
                ("GROUPS", groups),
                ("FILTERS_1", one.filters),
                ("BLOCKS8", blocks8),
                ("FILTERS_2", two.filters),
                ("READ_ROWS", first.padding),
                ("READ_TEXELS", read_texels),
                ("NORMALIZED_1", first.normalized),
                ("NORMALIZED_2", second.normalized),
                ("LANES", lanes),
                ("WEIGHTS", weights),
                ("GROUP", group),
                ("COLUMNS", columns),
                ("COLUMNS_START", columns_start),
                ("BIAS_2", biases),
            ])
            .value("INPUT", &input.layout.wgsl())
            .value("OUTPUT_1", &output_1.layout.wgsl())
            .value("OUTPUT_2", &output_2.layout.wgsl());
        let shader = shaders::conv_fused_batch(prelude, shape);
        let kernel = Kernel::new(
            compiler,
            &shader,
            &[shape.map_read.binding(), Binding::Uniform, super::MAPS, super::MAPS],
        )?;
        let resources = [
            wgpu::BindingResource::TextureView(&input.view),
            packed.as_entire_binding(),
            wgpu::BindingResource::TextureView(&output_1.view),
            wgpu::BindingResource::TextureView(&output_2.view),
        ];
        let bindings = scoped(device, || kernel.bind(device, &resources))?;
        let across = input.layout.batch.div_ceil(shape.workgroup as usize) * output_1.layout.pixel_texels();
        let dispatch = Dispatch::new(&kernel, bindings, [across, output_1.layout.height, 1])?;
        Ok(Some(Self { dispatch, packs: packs.into_iter().collect::<Result<_>>()? }))
    }
}
