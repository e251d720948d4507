//! The dispatches for the loss of equation 4.

use super::Shape;
use super::buffers::Buffers;
use super::maps::{BatchLayout, Maps};
use super::shaders::{self, Prelude};
use super::slot::Slot;
use crate::error::Result;
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::memory::element_binding;
use crate::gpu::scoped;

/// The dispatches for the loss with its gradient, and for the loss's sum. `normalized` is the size of the last layer's
/// filters if its sums are multiplied by the valid-pixel map, else 0.
///
/// # Errors
/// What the device reports.
pub(super) fn loss(
    compiler @ Compiler { device, .. }: Compiler<'_>,
    prediction: &Maps,
    solution: &Maps,
    gradient: &Maps,
    normalized: usize,
    buffers: &Buffers,
    shape: &Shape,
) -> Result<[Dispatch; 2]> {
    let BatchLayout { batch, channels, height, .. } = prediction.layout;
    let prelude = Prelude::default()
        .numbers([("BATCH", batch), ("CHANNELS", channels), ("NORMALIZED", normalized)])
        .value("PREDICTION", &prediction.layout.wgsl())
        .value("SOLUTION", &solution.layout.wgsl())
        .value("GRADIENT", &gradient.layout.wgsl());
    let kinds = [Binding::Texture, Binding::Texture, super::MAPS, Binding::Write];
    let kernel = Kernel::new(compiler, &shaders::loss(prelude, shape.workgroup), &kinds)?;
    let [f, x, g] = [prediction, solution, gradient].map(|m| wgpu::BindingResource::TextureView(&m.view));
    let resources = [f, x, g, buffers.squares.as_entire_binding()];
    let group = scoped(device, || kernel.bind(device, &resources))?;
    let loss = Dispatch::new(&kernel, group, [batch.div_ceil(shape.workgroup as usize), height, 1])?;

    let prelude = Prelude::default().numbers([("BATCH", batch), ("LENGTH", batch * height)]);
    let kinds = [Binding::Region, Binding::Read, Binding::Write];
    let kernel = Kernel::new(compiler, &shaders::loss_sum(prelude), &kinds)?;
    let resources = [
        element_binding::<Slot>(&buffers.slots),
        buffers.squares.as_entire_binding(),
        buffers.losses.as_entire_binding(),
    ];
    let group = scoped(device, || kernel.bind(device, &resources))?;
    Ok([loss, Dispatch::new(&kernel, group, [1, 1, 1])?.with_element()])
}
