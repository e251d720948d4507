//! Convolutions with filters of 5 x 5 over a batch by Winograd's F(4, 5): `conv_batch_winograd.wgsl`, the filters packed for
//! it on the device, its dispatch.

use super::layer_place::{Direction, LayerPlace, aligned};
use super::maps::Maps;
use super::shaders::{self, Prelude};
use super::{MAPS, Shape};
use crate::error::Result;
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::kernels::{POINTS, WEIGHT_COLUMNS, WeightStore};
use crate::gpu::memory::{constant, texture, view};
use crate::gpu::scoped;

/// Size of the filters.
const SIZE: usize = 5;
/// Blocks of 8 outputs whose sums an invocation keeps.
const BLOCKS8: usize = 2;

/// Mirrors `Packing` in `shaders/pack_winograd.wgsl`. Lengths are in vec4s.
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct WinogradPacking {
    weight_start: u32,
    bias_start: u32,
    filters: u32,
    inputs: u32,
    transposed: u32,
    groups: u32,
    quads: u32,
    group: u32,
    biases: u32,
    input_weights: u32,
}

/// The dispatch of a convolution, and the one that packs its filters; `None` where `shape` does not want it or it does not
/// cover the layer. `gate` is the output whose ReLU gates the gradient.
///
/// # Errors
/// What the device reports.
pub(super) fn winograd(
    compiler @ Compiler { device, .. }: Compiler<'_>,
    parameters: &wgpu::Buffer,
    place: &LayerPlace,
    direction: Direction,
    [input, gate, output]: [&Maps; 3],
    shape: &Shape,
) -> Result<Option<[Dispatch; 2]>> {
    let transposed = direction.transposed();
    let reach = if transposed { SIZE - 1 - place.padding } else { place.padding };
    let (read_texels, shift) = aligned(reach);
    let (inputs, planes) = (input.layout.channels, output.layout.channels);
    // One input or a few outputs are over before the transforms pay.
    let covered = place.shape.size == SIZE && shift == 0 && inputs > 1 && planes >= 8;
    if !shape.winograd || !covered {
        return Ok(None);
    }
    let blocks8 = planes.div_ceil(8).min(BLOCKS8);
    let groups = planes.div_ceil(8 * blocks8);
    let lanes = shape.weight_load.lanes();
    let biases = (2 * blocks8).next_multiple_of(lanes);
    let input_weights = (2 * blocks8 * POINTS * SIZE).next_multiple_of(lanes);
    let group = biases + inputs * input_weights;
    let rows = (groups * group).div_ceil(WEIGHT_COLUMNS);
    if rows > device.limits().max_texture_dimension_2d as usize {
        return Ok(None);
    }

    let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::STORAGE_BINDING;
    let size = [WEIGHT_COLUMNS as u32, rows as u32];
    let format = wgpu::TextureFormat::Rgba32Float;
    let packed = view(&scoped(device, || texture(device, "srcnn.train.filters", size, format, usage))?);
    let packing = WinogradPacking {
        weight_start: place.weight_start as u32,
        bias_start: place.bias_start as u32,
        filters: place.shape.filters as u32,
        inputs: place.shape.inputs as u32,
        transposed: transposed.into(),
        groups: groups as u32,
        quads: 2 * blocks8 as u32,
        group: group as u32,
        biases: biases as u32,
        input_weights: input_weights as u32,
    };
    let pack = Kernel::new(compiler, &shaders::pack_winograd(), &[Binding::Uniform, Binding::Read, MAPS])?;
    let bindings = scoped(device, || {
        let (contents, usage) = (bytemuck::bytes_of(&packing), wgpu::BufferUsages::UNIFORM);
        let packing = constant(device, "srcnn.train.packing", contents, usage);
        let packed = wgpu::BindingResource::TextureView(&packed);
        pack.bind(device, &[packing.as_entire_binding(), parameters.as_entire_binding(), packed])
    })?;
    let pack = Dispatch::elements(&pack, bindings, groups * 2 * blocks8 * (inputs * SIZE + 1));

    let prelude = Prelude::default()
        .numbers([
            ("BATCH", input.layout.batch),
            ("INPUTS", inputs),
            ("PLANES", planes),
            ("READ_ROWS", reach),
            ("READ_TEXELS", read_texels),
            ("NORMALIZED", direction.normalized(place)),
            ("BLOCKS8", blocks8),
            ("LANES", lanes),
            ("GROUP", group),
            ("BIASES", biases),
            ("INPUT_WEIGHTS", input_weights),
            ("WEIGHTS", groups * group),
            ("WEIGHT_COLUMNS", WEIGHT_COLUMNS),
        ])
        .flag("RELU", direction == Direction::Forward { relu: true })
        .flag("GATED", transposed)
        .value("INPUT", &input.layout.wgsl())
        .value("GATE", &gate.layout.wgsl())
        .value("OUTPUT", &output.layout.wgsl());
    let shader = shaders::conv_batch_winograd(prelude, shape);
    let maps = shape.map_read.binding();
    let weights = WeightStore::Texture.binding(shape.map_read);
    let kernel = Kernel::new(compiler, &shader, &[maps, weights, maps, MAPS])?;
    let resources = [&input.view, &packed, &gate.view, &output.view].map(wgpu::BindingResource::TextureView);
    let bindings = scoped(device, || kernel.bind(device, &resources))?;
    let across = input.layout.batch.div_ceil(shape.workgroup as usize) * output.layout.pixel_texels();
    let convolution = Dispatch::new(&kernel, bindings, [across, output.layout.height.div_ceil(4), groups])?;
    Ok(Some([convolution, pack]))
}
