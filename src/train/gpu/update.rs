//! From partial gradients to new parameters.

use std::ops::Range;

use super::TrainerOptions;
use super::buffers::Buffers;
use super::layer_place::LayerPlace;
use super::shaders::{self, Prelude};
use super::slot::Slot;
use crate::error::Result;
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::kernels::Shader;
use crate::gpu::memory::{buffer, constant, element_binding};
use crate::gpu::scoped;
use crate::train::spectrum::cosines;

const READ: Binding = Binding::Read;
const WRITE: Binding = Binding::Write;

/// The dispatch that sums the partial gradients of a range of the parameters.
///
/// # Errors
/// What the device reports.
pub(super) fn sum(
    compiler @ Compiler { device, .. }: Compiler<'_>,
    buffers: &Buffers,
    parameters: usize,
    parts: usize,
    range: Range<usize>,
) -> Result<Dispatch> {
    let numbers =
        [("PARTS", parts), ("PARAMETERS", parameters), ("START", range.start), ("LENGTH", range.len())];
    let prelude = Prelude::default().numbers(numbers);
    let kernel = Kernel::new(compiler, &shaders::grad_sum(prelude), &[READ, WRITE])?;
    let resources = [&buffers.parts, &buffers.gradients].map(wgpu::Buffer::as_entire_binding);
    let group = scoped(device, || kernel.bind(device, &resources))?;
    Ok(Dispatch::elements(&kernel, group, range.len()))
}

/// The dispatches that update all layers by their gradients, and then their running mean if there is one.
///
/// # Errors
/// What the device reports.
pub(super) fn update(
    compiler: Compiler<'_>,
    buffers: &Buffers,
    places: &[LayerPlace],
    options: &TrainerOptions,
) -> Result<Vec<Dispatch>> {
    let parameters = places.iter().map(|place| place.shape.weights() + place.shape.filters).sum();
    let mut dispatches = match options.optimizer.on_spectra() {
        true => update_spectra(compiler, buffers, places, parameters)?,
        false => vec![update_taps(compiler, buffers, parameters, options.optimizer.slots() == 2)?],
    };
    if let Some(averages) = &buffers.averages {
        let shader = shaders::average(Prelude::default().numbers([("PARAMETERS", parameters)]));
        let bindings = [(READ, &buffers.parameters), (WRITE, averages)];
        dispatches.push(over_elements(compiler, buffers, &shader, &bindings, parameters)?);
    }
    Ok(dispatches)
}

/// The dispatch that updates all parameters by their own gradients.
fn update_taps(compiler: Compiler<'_>, buffers: &Buffers, parameters: usize, adam: bool) -> Result<Dispatch> {
    let shader = shaders::update(Prelude::default().numbers([("PARAMETERS", parameters)]).flag("ADAM", adam));
    let Buffers { gradients, rates, parameters: p, moments, .. } = buffers;
    let bindings = [(READ, gradients), (READ, rates), (WRITE, p), (WRITE, moments)];
    over_elements(compiler, buffers, &shader, &bindings, parameters)
}

/// The dispatches that update each layer by its gradients' spectra.
fn update_spectra(
    compiler @ Compiler { device, .. }: Compiler<'_>,
    buffers: &Buffers,
    places: &[LayerPlace],
    parameters: usize,
) -> Result<Vec<Dispatch>> {
    let mut dispatches = Vec::new();
    let cosines = cosine_table(device, places)?;
    let size = buffers.gradients.size();
    let direction =
        scoped(device, || buffer(device, "srcnn.train.direction", size, wgpu::BufferUsages::STORAGE))?;
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
        let to = shaders::spectrum(prelude.clone());
        dispatches.push(over_elements(compiler, buffers, &to, &forward, length)?);
        let back = [(READ, &cosines), (READ, &direction), (READ, rates), (WRITE, p)];
        let from = shaders::spectrum_update(prelude);
        dispatches.push(over_elements(compiler, buffers, &from, &back, length)?);
    }
    Ok(dispatches)
}

/// The cosine matrix C of each layer, one after another.
fn cosine_table(device: &wgpu::Device, places: &[LayerPlace]) -> Result<wgpu::Buffer> {
    let table: Vec<f32> =
        places.iter().flat_map(|place| cosines(place.shape.size)).map(|c| c as f32).collect();
    let (contents, usage) = (bytemuck::cast_slice(&table), wgpu::BufferUsages::STORAGE);
    scoped(device, || constant(device, "srcnn.train.cosines", contents, usage))
}

/// A kernel over `count` elements whose binding 0 is the step's slot.
fn over_elements(
    compiler @ Compiler { device, .. }: Compiler<'_>,
    buffers: &Buffers,
    shader: &Shader,
    bindings: &[(Binding, &wgpu::Buffer)],
    count: usize,
) -> Result<Dispatch> {
    let kinds = bindings.iter().map(|(kind, _)| *kind);
    let kernel =
        Kernel::new(compiler, shader, &std::iter::once(Binding::Region).chain(kinds).collect::<Vec<_>>())?;
    let own = bindings.iter().map(|(_, buffer)| buffer.as_entire_binding());
    let resources: Vec<_> = std::iter::once(element_binding::<Slot>(&buffers.slots)).chain(own).collect();
    let group = scoped(device, || kernel.bind(device, &resources))?;
    Ok(Dispatch::elements(&kernel, group, count).with_element())
}
