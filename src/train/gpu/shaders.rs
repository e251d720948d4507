//! The kernels of training: which files in `shaders/` there are, with which constants.

use super::maps::BatchLayout;
pub(super) use crate::gpu::compose::Prelude;
use crate::gpu::compose::{Shader, Template, kernel};
use crate::gpu::dispatch::ELEMENT_WORKGROUP;
use crate::gpu::kernels::WeightStore;

use super::Shape;

impl BatchLayout {
    /// The layout as a WGSL value.
    pub fn wgsl(&self) -> String {
        let Self { width, height, border, across, .. } = self;
        let (texels, rows, left) = (self.texels(), self.rows(), self.left());
        format!("BatchLayout({across}u, {texels}u, {rows}u, {left}u, {border}u, {width}u, {height}u)")
    }
}

/// A kernel whose workgroup has one side.
fn shader(template: Template, prelude: Prelude, workgroup: u32) -> Shader {
    template.prelude(prelude).overrides([("WORKGROUP", f64::from(workgroup))]).compose()
}

/// `gather.wgsl`.
pub(super) fn gather(prelude: Prelude, workgroup: u32) -> Shader {
    shader(kernel!("gather"), prelude, workgroup)
}

/// A kernel that reads maps.
fn over_maps(template: Template, prelude: Prelude, shape: &Shape) -> Shader {
    shader(template.map_read(shape.map_read), prelude, shape.workgroup)
}

/// A kernel that reads maps, with weights that all invocations want.
fn with_weights(template: Template, prelude: Prelude, store: WeightStore, shape: &Shape) -> Shader {
    over_maps(template.weight_load(shape.weight_load, store), prelude, shape)
}

/// `conv_batch.wgsl`.
pub(super) fn conv_batch(prelude: Prelude, store: WeightStore, shape: &Shape) -> Shader {
    with_weights(kernel!("conv_batch"), prelude, store, shape)
}

/// `conv_batch_winograd.wgsl`, weights in a texture.
pub(super) fn conv_batch_winograd(prelude: Prelude, shape: &Shape) -> Shader {
    with_weights(kernel!("conv_batch_winograd"), prelude, WeightStore::Texture, shape)
}

/// `conv_fused_batch.wgsl`, weights in a uniform buffer.
pub(super) fn conv_fused_batch(prelude: Prelude, shape: &Shape) -> Shader {
    with_weights(kernel!("conv_fused_batch"), prelude, WeightStore::Uniform, shape)
}

/// `conv_pointwise.wgsl`.
pub(super) fn conv_pointwise(prelude: Prelude, store: WeightStore, shape: &Shape) -> Shader {
    with_weights(kernel!("conv_pointwise"), prelude, store, shape)
}

/// `loss.wgsl`.
pub(super) fn loss(prelude: Prelude, workgroup: u32) -> Shader {
    shader(kernel!("loss"), prelude, workgroup)
}

/// `loss_sum.wgsl`.
pub(super) fn loss_sum(prelude: Prelude) -> Shader {
    kernel!("loss_sum").prelude(prelude).compose()
}

/// `conv_grad_weight.wgsl`.
pub(super) fn conv_grad_weight(prelude: Prelude, shape: &Shape) -> Shader {
    over_maps(kernel!("conv_grad_weight"), prelude, shape)
}

/// `conv_grad_weight_winograd.wgsl`.
pub(super) fn conv_grad_weight_winograd(prelude: Prelude, shape: &Shape) -> Shader {
    over_maps(kernel!("conv_grad_weight_winograd"), prelude, shape)
}

/// `conv_grad_weight_pointwise.wgsl`.
pub(super) fn conv_grad_weight_pointwise(prelude: Prelude, shape: &Shape) -> Shader {
    over_maps(kernel!("conv_grad_weight_pointwise"), prelude, shape)
}

/// `grad_sum.wgsl`.
pub(super) fn grad_sum(prelude: Prelude) -> Shader {
    shader(kernel!("grad_sum"), prelude, ELEMENT_WORKGROUP)
}

/// `update.wgsl`.
pub(super) fn update(prelude: Prelude) -> Shader {
    shader(kernel!("update"), prelude, ELEMENT_WORKGROUP)
}

/// `spectrum.wgsl`.
pub(super) fn spectrum(prelude: Prelude) -> Shader {
    shader(kernel!("spectrum"), prelude, ELEMENT_WORKGROUP)
}

/// `spectrum_update.wgsl`, which has the prelude of `spectrum.wgsl`.
pub(super) fn spectrum_update(prelude: Prelude) -> Shader {
    shader(kernel!("spectrum_update"), prelude, ELEMENT_WORKGROUP)
}

/// `average.wgsl`.
pub(super) fn average(prelude: Prelude) -> Shader {
    shader(kernel!("average"), prelude, ELEMENT_WORKGROUP)
}

/// `pack.wgsl`.
pub(super) fn pack() -> Shader {
    shader(kernel!("pack"), Prelude::default(), ELEMENT_WORKGROUP)
}

/// `pack_winograd.wgsl`.
pub(super) fn pack_winograd() -> Shader {
    shader(kernel!("pack_winograd"), Prelude::default(), ELEMENT_WORKGROUP)
}

/// A hash of the kernels' text, as far as shapes choose it.
#[cfg(feature = "headless")]
pub(crate) fn training_kernels_hash() -> u64 {
    use crate::gpu::kernels::{MapRead, WeightLoad};
    let none = Prelude::default;
    let uniform = WeightStore::Uniform;
    let ways = [(WeightLoad::Uniform, MapRead::Sampled), (WeightLoad::Subgroup(8), MapRead::Storage)];
    let texts = ways.into_iter().flat_map(|(weight_load, map_read)| {
        let shape = Shape { weight_load, map_read, ..Shape::for_gpus() };
        [
            conv_batch(none(), uniform, &shape),
            conv_batch_winograd(none(), &shape),
            conv_fused_batch(none(), &shape),
            conv_pointwise(none(), uniform, &shape),
            loss(none(), shape.workgroup),
            conv_grad_weight(none(), &shape),
            conv_grad_weight_pointwise(none(), &shape),
            conv_grad_weight_winograd(none(), &shape),
            grad_sum(none()),
            pack(),
            pack_winograd(),
        ]
    });
    crate::hash::fnv(texts.map(|shader| shader.wgsl).collect::<String>())
}
