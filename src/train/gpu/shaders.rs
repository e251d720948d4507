//! The WGSL of training: files in `shaders/`, with a prelude of constants before them and what they share behind.

use std::fmt::Write;

use super::maps::MapLayout;
use crate::gpu::dispatch::ELEMENT_WORKGROUP;
use crate::gpu::shaders::{ADD_MAPS, EIGHTS, Fetch, Shader, TAPS, weights_text};

const WRITE_MAP: &str = include_str!("../../../shaders/shared/write_map.wgsl");
const MAPS: &str = include_str!("../../../shaders/shared/maps.wgsl");
const FILTER_SUMS: &str = include_str!("../../../shaders/shared/filter_sums.wgsl");
const LOAD_EIGHT: &str = include_str!("../../../shaders/shared/load_eight.wgsl");
const SLOT: &str = include_str!("../../../shaders/shared/slot.wgsl");

const SPECTRUM: &str = include_str!("../../../shaders/shared/spectrum.wgsl");

/// Constants before a shader's text.
#[derive(Clone, Default)]
pub(super) struct Prelude(String);

impl Prelude {
    pub fn numbers<const N: usize>(mut self, numbers: [(&str, usize); N]) -> Self {
        for (name, value) in numbers {
            // Writing to a String does not fail.
            let _ = writeln!(self.0, "const {name}: u32 = {value}u;");
        }
        self
    }

    pub fn flag(mut self, name: &str, value: bool) -> Self {
        let _ = writeln!(self.0, "const {name}: bool = {value};");
        self
    }

    pub fn maps(mut self, name: &str, maps: &MapLayout) -> Self {
        let MapLayout { width, height, border, across, .. } = maps;
        let (texels, rows, left) = (maps.texels(), maps.rows(), maps.left());
        let _ = writeln!(
            self.0,
            "const {name} = MapLayout({across}u, {texels}u, {rows}u, {left}u, {border}u, {width}u, {height}u);"
        );
        self
    }

    fn shader(self, name: &'static str, parts: &[&str], workgroup: Option<u32>) -> Shader {
        let overrides = workgroup.map(|size| ("WORKGROUP", f64::from(size))).into_iter().collect();
        Shader { name, variant: name.into(), wgsl: self.0 + &parts.concat(), overrides }
    }
}

/// `gather.wgsl`. Prelude: BATCH, CHANNELS, PATCH, CROP, OUTPUT.
pub(super) fn gather(prelude: Prelude, workgroup: u32) -> Shader {
    prelude.shader("gather", &[include_str!("../../../shaders/gather.wgsl"), MAPS, SLOT], Some(workgroup))
}

/// `conv_batch.wgsl`.
pub(super) fn conv_batch(prelude: Prelude, uniform: bool, workgroup: u32) -> Shader {
    let text = include_str!("../../../shaders/conv_batch.wgsl");
    let parts = [text, Fetch::Uniform.buffer_text(), weights_text(uniform), TAPS, WRITE_MAP, MAPS];
    prelude.shader("conv_batch", &parts, Some(workgroup))
}

/// `conv_first_batch.wgsl`. The workgroup has to be of whole subgroups where `fetch` says so.
pub(super) fn conv_first_batch(prelude: Prelude, fetch: Fetch, uniform: bool, workgroup: u32) -> Shader {
    let text = include_str!("../../../shaders/conv_first_batch.wgsl");
    let parts = [text, fetch.buffer_text(), weights_text(uniform), ADD_MAPS, EIGHTS, TAPS, MAPS];
    prelude.shader("conv_first_batch", &parts, Some(workgroup))
}

/// `conv_pointwise.wgsl`. The workgroup has to be of whole subgroups where `fetch` says so.
pub(super) fn conv_pointwise(prelude: Prelude, fetch: Fetch, uniform: bool, workgroup: u32) -> Shader {
    let text = include_str!("../../../shaders/conv_pointwise.wgsl");
    let parts = [text, fetch.buffer_text(), weights_text(uniform), LOAD_EIGHT, EIGHTS, TAPS, WRITE_MAP, MAPS];
    prelude.shader("conv_pointwise", &parts, Some(workgroup))
}

/// `loss.wgsl`. Prelude: BATCH, CHANNELS, PREDICTION, SOLUTION, GRADIENT.
pub(super) fn loss(prelude: Prelude, workgroup: u32) -> Shader {
    prelude.shader("loss", &[include_str!("../../../shaders/loss.wgsl"), MAPS], Some(workgroup))
}

/// `loss_sum.wgsl`. Prelude: BATCH, LENGTH.
pub(super) fn loss_sum(prelude: Prelude) -> Shader {
    prelude.shader("loss_sum", &[include_str!("../../../shaders/loss_sum.wgsl"), SLOT], None)
}

/// `conv_grad_weight.wgsl`.
pub(super) fn conv_grad_weight(prelude: Prelude, workgroup: u32) -> Shader {
    let text = include_str!("../../../shaders/conv_grad_weight.wgsl");
    prelude.shader("conv_grad_weight", &[text, FILTER_SUMS, MAPS], Some(workgroup))
}

/// `conv_grad_weight_last.wgsl`.
pub(super) fn conv_grad_weight_last(prelude: Prelude, workgroup: u32) -> Shader {
    let text = include_str!("../../../shaders/conv_grad_weight_last.wgsl");
    prelude.shader("conv_grad_weight_last", &[text, FILTER_SUMS, MAPS], Some(workgroup))
}

/// `conv_grad_weight_pointwise.wgsl`.
pub(super) fn conv_grad_weight_pointwise(prelude: Prelude, workgroup: u32) -> Shader {
    let text = include_str!("../../../shaders/conv_grad_weight_pointwise.wgsl");
    prelude.shader("conv_grad_weight_pointwise", &[text, LOAD_EIGHT, EIGHTS, MAPS], Some(workgroup))
}

/// `grad_sum.wgsl`. Prelude: PARTS, PARAMETERS.
pub(super) fn grad_sum(prelude: Prelude) -> Shader {
    let text = include_str!("../../../shaders/grad_sum.wgsl");
    prelude.shader("grad_sum", &[text], Some(ELEMENT_WORKGROUP))
}

/// `update.wgsl`. Prelude: PARAMETERS, ADAM.
pub(super) fn update(prelude: Prelude) -> Shader {
    let text = include_str!("../../../shaders/update.wgsl");
    prelude.shader("update", &[text, SLOT], Some(ELEMENT_WORKGROUP))
}

/// `spectrum.wgsl`. Prelude: WEIGHTS, SIZE, START, COSINE_START, LENGTH, PARAMETERS.
pub(super) fn spectrum(prelude: Prelude) -> Shader {
    let text = include_str!("../../../shaders/spectrum.wgsl");
    prelude.shader("spectrum", &[text, SPECTRUM, SLOT], Some(ELEMENT_WORKGROUP))
}

/// `descend.wgsl`. Prelude: that of `spectrum.wgsl`.
pub(super) fn descend(prelude: Prelude) -> Shader {
    let text = include_str!("../../../shaders/descend.wgsl");
    prelude.shader("descend", &[text, SPECTRUM, SLOT], Some(ELEMENT_WORKGROUP))
}

/// `pack.wgsl`.
pub(super) fn pack() -> Shader {
    Prelude::default().shader("pack", &[include_str!("../../../shaders/pack.wgsl")], Some(ELEMENT_WORKGROUP))
}
