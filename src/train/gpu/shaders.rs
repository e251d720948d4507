//! The kernels of training: which files in `shaders/` there are, with which constants.

use super::maps::BatchLayout;
pub(super) use crate::gpu::compose::Prelude;
use crate::gpu::compose::{Shader, Template, kernel};
use crate::gpu::dispatch::ELEMENT_WORKGROUP;
use crate::gpu::kernels::{WeightLoad, WeightStore};

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

/// `conv_batch.wgsl`.
pub(super) fn conv_batch(prelude: Prelude, uniform: bool, workgroup: u32) -> Shader {
    let template = kernel!("conv_batch").part("weight_load", "weight_load_uniform").weights(uniform);
    shader(template, prelude, workgroup)
}

/// `conv_fused_batch.wgsl`, weights in a uniform buffer. The workgroup has to be of whole subgroups where `load` says so.
pub(super) fn conv_fused_batch(prelude: Prelude, load: WeightLoad, workgroup: u32) -> Shader {
    shader(kernel!("conv_fused_batch").weight_load(load, WeightStore::Uniform), prelude, workgroup)
}

/// `conv_pointwise.wgsl`. The workgroup has to be of whole subgroups where `load` says so.
pub(super) fn conv_pointwise(
    prelude: Prelude,
    load: WeightLoad,
    store: WeightStore,
    workgroup: u32,
) -> Shader {
    shader(kernel!("conv_pointwise").weight_load(load, store), prelude, workgroup)
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
pub(super) fn conv_grad_weight(prelude: Prelude, workgroup: u32) -> Shader {
    shader(kernel!("conv_grad_weight"), prelude, workgroup)
}

/// `conv_grad_weight_pointwise.wgsl`.
pub(super) fn conv_grad_weight_pointwise(prelude: Prelude, workgroup: u32) -> Shader {
    shader(kernel!("conv_grad_weight_pointwise"), prelude, workgroup)
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

/// `pack.wgsl`.
pub(super) fn pack() -> Shader {
    shader(kernel!("pack"), Prelude::default(), ELEMENT_WORKGROUP)
}
