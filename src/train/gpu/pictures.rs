//! Pictures on the device, and the dispatches that gather a batch from them.

use super::MAPS;
use super::maps::{BatchLayout, Maps};
use super::shaders::{self, Prelude};
use super::slot::Slot;
use crate::error::{Error, Result};
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::memory::{constant, element_binding};
use crate::gpu::scoped;
use crate::train::order::Sample;
use crate::train::shard::PackedShard;

/// The kernel that gathers one side of a batch, inputs or targets, from pictures.
#[derive(Debug)]
pub(super) struct Gather {
    pub kernel: Kernel,
    workgroups: [usize; 3],
}

impl Gather {
    /// For sub-images of `patch` pixels per side, of which `output` gets the center.
    pub fn new(compiler: Compiler<'_>, patch: usize, output: &BatchLayout, workgroup: u32) -> Result<Self> {
        let prelude = Prelude::default()
            .numbers([
                ("BATCH", output.batch),
                ("CHANNELS", output.channels),
                ("PATCH", patch),
                ("CROP", (patch - output.width) / 2),
            ])
            .value("OUTPUT", &output.wgsl());
        let shader = shaders::gather(prelude, workgroup);
        let read = Binding::Read;
        let kernel = Kernel::new(compiler, &shader, &[Binding::Region, read, read, read, read, MAPS])?;
        let across = output.batch.div_ceil(workgroup as usize);
        let workgroups = [across, output.height, output.pixel_texels() * output.channels];
        Ok(Self { kernel, workgroups })
    }
}

/// A shard on the device.
#[derive(Debug)]
pub(super) struct Pictures {
    /// Number of sub-images.
    pub patches: usize,
    /// Write the inputs and the targets of a batch.
    pub gathers: [Dispatch; 2],
}

impl Pictures {
    /// Uploads a shard.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a shard with a picture or sub-image out of range, [`Error::MissingCapability`]
    /// for one too large for a binding, and what the device reports.
    pub fn new(
        device: &wgpu::Device,
        shard: &PackedShard,
        patch: usize,
        gathers: &[Gather; 2],
        slots: &wgpu::Buffer,
        samples: &wgpu::Buffer,
        outputs: [&Maps; 2],
    ) -> Result<Self> {
        let channels = outputs[0].layout.channels;
        check(shard, patch, channels)?;
        let (size, most) =
            (size_of_val(&shard.inputs[..]) as u64, device.limits().max_storage_buffer_binding_size);
        if size > most {
            return Err(Error::MissingCapability(format!(
                "storage bindings of {size} bytes for a shard of pictures, where {most} are allowed"
            )));
        }
        let upload = |label: &str, contents: &[u8]| {
            scoped(device, || constant(device, label, contents, wgpu::BufferUsages::STORAGE))
        };
        let pictures = upload("srcnn.train.pictures", bytemuck::cast_slice(&shard.pictures))?;
        let patches = upload("srcnn.train.patches", bytemuck::cast_slice(&shard.patches))?;
        let gather = |side: usize, values: &[f32]| {
            let pixels = upload("srcnn.train.pixels", bytemuck::cast_slice(values))?;
            let resources = [
                element_binding::<Slot>(slots),
                pixels.as_entire_binding(),
                pictures.as_entire_binding(),
                patches.as_entire_binding(),
                samples.as_entire_binding(),
                wgpu::BindingResource::TextureView(&outputs[side].view),
            ];
            let Gather { kernel, workgroups } = &gathers[side];
            let group = scoped(device, || kernel.bind(device, &resources))?;
            Ok::<_, Error>(Dispatch::new(kernel, group, *workgroups)?.with_element())
        };
        let gathers = [gather(0, &shard.inputs)?, gather(1, &shard.targets)?];
        Ok(Self { patches: shard.patches.len(), gathers })
    }

    /// Checks that there are samples for so many steps of `batch` sub-images, all of them in range.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn check(&self, samples: &[Sample], steps: usize, batch: usize) -> Result<()> {
        let inside = |sample: &Sample| (sample.patch as usize) < self.patches && sample.turn <= 7;
        if samples.len() == steps * batch && samples.iter().all(inside) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{steps} steps need {batch} samples each, from {} sub-images in 8 symmetries",
            self.patches
        )))
    }
}

/// What to say before there are pictures.
pub(super) fn no_pictures() -> Error {
    Error::invalid("the trainer has no pictures: call set_pictures first")
}

/// Checks what the gather kernel relies on.
fn check(shard: &PackedShard, patch: usize, channels: usize) -> Result<()> {
    let wrong = |what: &str| Err(Error::invalid(format!("a shard of training pictures {what}")));
    if shard.patches.is_empty() {
        return wrong("without sub-images");
    }
    if shard.inputs.len() != shard.targets.len() {
        return wrong("whose inputs and targets differ in length");
    }
    let fits = |p: &crate::train::shard::PictureEntry| {
        let values = (p.width as usize).saturating_mul(p.height as usize).saturating_mul(channels);
        (p.offset as usize).saturating_add(values) <= shard.inputs.len()
    };
    if !shard.pictures.iter().all(fits) {
        return wrong("with a picture that reaches beyond its values");
    }
    let inside = |p: &crate::train::shard::PatchEntry| {
        let end = |first: u32| first as usize + patch;
        shard
            .pictures
            .get(p.picture as usize)
            .is_some_and(|picture| end(p.x) <= picture.width as usize && end(p.y) <= picture.height as usize)
    };
    if shard.patches.iter().all(inside) { Ok(()) } else { wrong("with a sub-image outside of its picture") }
}
