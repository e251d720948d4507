//! One 1x1 convolution over a batch: `conv_pointwise.wgsl`, its filters packed on the device, its dispatch.

use super::Shape;
use super::layer_place::{Direction, LayerPlace};
use super::maps::Maps;
use super::pack::{Packing, packed_buffer};
use super::shaders::{self, Prelude};
use crate::error::{Error, Result};
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::scoped;
use crate::gpu::shaders::Fetch;

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
    let (eights, groups) = (inputs.div_ceil(8), planes.div_ceil(4));
    // In vec4s, as in the shader.
    let group = (1 + 8 * eights).next_multiple_of(shape.fetch.lanes());
    let weights = groups * group;
    let limits = device.limits();
    let uniform =
        shape.fetch != Fetch::Storage && weights as u64 * 16 <= limits.max_uniform_buffer_binding_size;
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
            ("EIGHTS", eights),
            ("NORMALIZED", direction.normalized(place)),
            ("LANES", shape.fetch.lanes()),
            ("FILTER", 1),
            ("WEIGHTS", weights),
            ("STAGED", group),
        ])
        .flag("RELU", direction == Direction::Forward { relu: true })
        .flag("GATED", transposed)
        .maps("INPUT", &input.layout)
        .maps("GATE", &gate.layout)
        .maps("OUTPUT", &output.layout);
    let shader = shaders::conv_pointwise(prelude, shape.fetch, uniform, shape.workgroup);
    let weights_kind = if uniform { Binding::Uniform } else { Binding::Read };
    let kernel =
        Kernel::new(compiler, &shader, &[Binding::Texture, weights_kind, Binding::Texture, super::MAPS])?;
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
