//! From the parts of the gradients to new parameters.

use wgpu::util::DeviceExt;

use super::buffers::Buffers;
use super::convolution::LayerPlace;
use super::shaders::{self, Prelude};
use super::steps::{Dispatch, Slot};
use crate::error::Result;
use crate::gpu::kernel::{Binding, Compiler, Kernel};
use crate::gpu::kernels::Shader;
use crate::gpu::scoped;
use crate::reference::cosines;
use crate::train::config::Optimizer;

const READ: Binding = Binding::Read;
const WRITE: Binding = Binding::Write;

/// The sum of the gradients' parts, and the update of all layers.
///
/// # Errors
/// What the device reports.
pub(super) fn update(
    compiler @ Compiler { device, .. }: Compiler<'_>,
    buffers: &Buffers,
    places: &[LayerPlace],
    parts: usize,
    optimizer: &Optimizer,
) -> Result<Vec<Dispatch>> {
    let parameters = places.iter().map(|place| place.shape.weights() + place.shape.filters).sum();
    let prelude = Prelude::default().numbers([("PARTS", parts), ("PARAMETERS", parameters)]);
    let kernel = Kernel::new(compiler, &shaders::grad_sum(prelude), &[READ, WRITE])?;
    let resources = [&buffers.parts, &buffers.gradients].map(wgpu::Buffer::as_entire_binding);
    let sum = Dispatch::elements(&kernel, scoped(device, || kernel.bind(device, &resources))?, parameters);
    let mut dispatches = vec![sum];

    if !optimizer.on_spectra() {
        let adam = optimizer.slots() == 2;
        let shader =
            shaders::update(Prelude::default().numbers([("PARAMETERS", parameters)]).flag("ADAM", adam));
        let Buffers { gradients, rates, parameters: p, moments, .. } = buffers;
        let bindings = [(READ, gradients), (READ, rates), (WRITE, p), (WRITE, moments)];
        dispatches.push(with_slot(compiler, buffers, &shader, bindings, parameters)?);
        return Ok(dispatches);
    }
    let cosines = cosine_table(device, places)?;
    let direction = scoped(device, || {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("srcnn.train.direction"),
            size: buffers.gradients.size(),
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        })
    })?;
    let mut cosine_start = 0;
    for place in places {
        let (weights, size) = (place.shape.weights(), place.shape.size);
        let length = weights + place.shape.filters;
        let prelude = Prelude::default().numbers([
            ("PARAMETERS", parameters),
            ("START", place.weight_start),
            ("LENGTH", length),
            ("WEIGHTS", weights),
            ("SIZE", size),
            ("COSINE_START", cosine_start),
        ]);
        cosine_start += size * size;
        let Buffers { gradients, rates, parameters: p, moments, .. } = buffers;
        let forward = [(READ, &cosines), (READ, gradients), (WRITE, moments), (WRITE, &direction)];
        dispatches.push(with_slot(compiler, buffers, &shaders::spectrum(prelude.clone()), forward, length)?);
        let back = [(READ, &cosines), (READ, &direction), (READ, rates), (WRITE, p)];
        dispatches.push(with_slot(compiler, buffers, &shaders::spectrum_update(prelude), back, length)?);
    }
    Ok(dispatches)
}

/// C of each layer, one after the other.
fn cosine_table(device: &wgpu::Device, places: &[LayerPlace]) -> Result<wgpu::Buffer> {
    let table: Vec<f32> =
        places.iter().flat_map(|place| cosines(place.shape.size)).map(|c| c as f32).collect();
    scoped(device, || {
        device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("srcnn.train.cosines"),
            contents: bytemuck::cast_slice(&table),
            usage: wgpu::BufferUsages::STORAGE,
        })
    })
}

/// A kernel over `count` elements whose binding 0 is the step's slot.
fn with_slot(
    compiler @ Compiler { device, .. }: Compiler<'_>,
    buffers: &Buffers,
    shader: &Shader,
    bindings: [(Binding, &wgpu::Buffer); 4],
    count: usize,
) -> Result<Dispatch> {
    let [a, b, c, d] = bindings.map(|(kind, _)| kind);
    let kernel = Kernel::new(compiler, shader, &[Binding::Region, a, b, c, d])?;
    let slot = wgpu::BufferBinding { buffer: &buffers.slots, offset: 0, size: Slot::SIZE };
    let [a, b, c, d] = bindings.map(|(_, buffer)| buffer.as_entire_binding());
    let resources = [wgpu::BindingResource::Buffer(slot), a, b, c, d];
    let group = scoped(device, || kernel.bind(device, &resources))?;
    Ok(Dispatch::elements(&kernel, group, count).with_slot())
}
