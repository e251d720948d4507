//! Packs filters on the device, the way the convolutions read them.

use super::layer_place::LayerPlace;
use crate::error::Result;
use crate::gpu::compile::Kernel;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::memory::{buffer, constant};
use crate::gpu::scoped;

/// Mirrors `Packing` in `shaders/pack.wgsl`. Lengths are in floats.
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct Packing {
    pub weight_start: u32,
    pub bias_start: u32,
    pub filters: u32,
    pub inputs: u32,
    pub size: u32,
    pub columns: u32,
    pub shift: u32,
    pub output_rows: u32,
    pub chunk_groups: u32,
    pub group_length: u32,
    pub chunk_length: u32,
    pub length: u32,
    pub start: u32,
    pub transposed: u32,
}

impl Packing {
    /// All of a layer's output planes in one chunk, in groups of 4 with `group_length` floats each; transposed for the
    /// gradient of the input.
    pub fn new(place: &LayerPlace, transposed: bool, group_length: usize) -> Self {
        let shape = place.shape;
        let groups = if transposed { shape.inputs } else { shape.filters }.div_ceil(4);
        let length = (groups * group_length) as u32;
        Self {
            weight_start: place.weight_start as u32,
            bias_start: place.bias_start as u32,
            filters: shape.filters as u32,
            inputs: shape.inputs as u32,
            size: shape.size as u32,
            columns: shape.size as u32,
            shift: 0,
            output_rows: 1,
            chunk_groups: groups as u32,
            group_length: group_length as u32,
            chunk_length: length,
            length,
            start: 0,
            transposed: transposed.into(),
        }
    }

    /// Only a layer's biases, without taps.
    pub fn biases(place: &LayerPlace) -> Self {
        Self { inputs: 0, ..Self::new(place, false, 4) }
    }

    /// The same, placed after the first `start` floats.
    pub fn behind(self, start: usize) -> Self {
        Self { start: start as u32, ..self }
    }

    /// The dispatch that writes this part of `packed`.
    ///
    /// # Errors
    /// What the device reports.
    pub fn dispatch(
        self,
        device: &wgpu::Device,
        kernel: &Kernel,
        parameters: &wgpu::Buffer,
        packed: &wgpu::Buffer,
    ) -> Result<Dispatch> {
        let group = scoped(device, || {
            let (contents, usage) = (bytemuck::bytes_of(&self), wgpu::BufferUsages::UNIFORM);
            let packing = constant(device, "srcnn.train.packing", contents, usage);
            kernel.bind(device, &[&packing, parameters, packed].map(wgpu::Buffer::as_entire_binding))
        })?;
        Ok(Dispatch::elements(kernel, group, self.length as usize))
    }
}

/// A buffer for packed filters of `length` floats.
///
/// # Errors
/// What the device reports.
pub(super) fn packed_buffer(device: &wgpu::Device, length: usize) -> Result<wgpu::Buffer> {
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM;
    scoped(device, || buffer(device, "srcnn.train.filters", length as u64 * 4, usage))
}
