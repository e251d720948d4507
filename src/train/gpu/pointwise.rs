//! One 1x1 convolution over a batch: `conv_pointwise.wgsl`, its filters packed on the device, its dispatch.

use super::Shape;
use super::layer_place::{Direction, LayerPlace};
use super::maps::Maps;
use super::pack::{Packing, packed_buffer};
use super::shaders::{self, Prelude};
use crate::error::{Error, Result};
use crate::gpu::compile::{Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::kernels::WeightStore;
use crate::gpu::scoped;

/// The dispatch of a 1x1 convolution, and the one that packs its filters. `gate` is the output whose ReLU gates the
/// gradient.
///
/// # Errors
/// [`Error::MissingCapability`] for too many filters for one binding, and what the device reports.
pub(super) fn pointwise(
    compiler @ Compiler { device, .. }: Compiler<'_>,
    pack: &Kernel,
    parameters: &wgpu::Buffer,
    place: &LayerPlace,
    direction: Direction,
    [input, gate, output]: [&Maps; 3],
    shape: &Shape,
) -> Result<[Dispatch; 2]> {
    let transposed = direction.transposed();
    let (inputs, planes) = (input.layout.channels, output.layout.channels);
    let (blocks8, groups) = (inputs.div_ceil(8), planes.div_ceil(4));
    // In vec4s.
    let group = (1 + 8 * blocks8).next_multiple_of(shape.weight_load.lanes());
    let weights = groups * group;
    let limits = device.limits();
    let uniform = weights as u64 * 16 <= limits.max_uniform_buffer_binding_size;
    if !uniform && weights as u64 * 16 > limits.max_storage_buffer_binding_size {
        return Err(Error::MissingCapability(format!(
            "storage bindings of {} bytes for {:?}",
            weights * 16,
            place.shape
        )));
    }

    let packed = packed_buffer(device, 4 * weights)?;
    let packing = Packing::new(place, transposed, 4 * group);
    let pack = packing.dispatch(device, pack, parameters, &packed)?;
    let prelude = Prelude::default()
        .numbers([
            ("BATCH", input.layout.batch),
            ("INPUTS", inputs),
            ("PLANES", planes),
            ("BLOCKS8", blocks8),
            ("NORMALIZED", direction.normalized(place)),
            ("LANES", shape.weight_load.lanes()),
            ("FILTER", 1),
            ("WEIGHTS", weights),
            ("GROUP", group),
        ])
        .flag("RELU", direction == Direction::Forward { relu: true })
        .flag("GATED", transposed)
        .value("INPUT", &input.layout.wgsl())
        .value("GATE", &gate.layout.wgsl())
        .value("OUTPUT", &output.layout.wgsl());
    let store = WeightStore::buffer(uniform);
    let maps = shape.map_read.binding();
    let shader = shaders::conv_pointwise(prelude, store, shape);
    let kernel = Kernel::new(compiler, &shader, &[maps, store.binding(shape.map_read), maps, super::MAPS])?;
    let resources = [
        wgpu::BindingResource::TextureView(&input.view),
        packed.as_entire_binding(),
        wgpu::BindingResource::TextureView(&gate.view),
        wgpu::BindingResource::TextureView(&output.view),
    ];
    let bindings = scoped(device, || kernel.bind(device, &resources))?;
    let across = input.layout.batch.div_ceil(shape.workgroup as usize) * output.layout.pixel_texels();
    Ok([Dispatch::new(&kernel, bindings, [across, output.layout.height, 1])?, pack])
}
