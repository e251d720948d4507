//! `conv_winograd_body.wgsl`: the last two layers of networks f1-5-f3, f1-5-5-f4 and so on, with Winograd's F(4, 5) in the first of
//! the two.

use super::fused::{Epilogue, EpilogueLayout, Settings};
use super::winograd_layer::{FILTER, GROUP_BLOCKS8, row};
use super::{Shader, WeightStore};
use crate::gpu::compose::kernel;
use crate::network::{Architecture, Padding};

/// The settings of `conv_winograd_body.wgsl` for a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WinogradBodyVariant {
    /// Input planes.
    pub inputs: usize,
    /// Groups of filters, one after the other.
    pub groups: usize,
    /// The maps of a group, and the last layer.
    pub epilogue: Epilogue,
    /// Where the weights are.
    pub store: WeightStore,
    /// Everything else.
    pub settings: Settings,
}

impl WinogradBodyVariant {
    /// The variant for the last two layers of a network of three layers or more, with filters of 5 x 5 in all layers between the
    /// first and the last, which has them up to 5 x 5. `None` for others, and when the weights do not fit where `settings` wants
    /// them.
    pub fn new(architecture: &Architecture, settings: Settings, limits: &wgpu::Limits) -> Option<Self> {
        let [_, hidden @ .., _] = architecture.layers() else { return None };
        let (all, second) = (Epilogue::new(architecture)?, hidden.last()?);
        if hidden.iter().any(|layer| layer.size != FILTER) {
            return None;
        }
        let groups = all.blocks8.div_ceil(GROUP_BLOCKS8);
        let epilogue = Epilogue { blocks8: all.blocks8.div_ceil(groups), ..all };
        let (inputs, store) = (second.inputs, WeightStore::Uniform);
        let mut variant = Self { inputs, groups, epilogue, store, settings };
        variant.store = settings.store(variant.weights(), limits)?;
        Some(variant)
    }

    /// Filters in a group.
    pub fn group(&self) -> usize {
        8 * self.epilogue.blocks8
    }

    /// Length of the weights of an input for a group. All lengths and positions here and below are in vec4s.
    pub fn input(&self) -> usize {
        self.settings.aligned(row(self.epilogue.blocks8, 0, 0))
    }

    /// Where the other weights of the first group are.
    pub fn epilogue_layout(&self) -> EpilogueLayout {
        self.epilogue.layout(&self.settings, self.groups * self.inputs * self.input())
    }

    /// Length of these for a group.
    pub fn epilogue_length(&self) -> usize {
        let EpilogueLayout { bias_2, end, .. } = self.epilogue_layout();
        end - bias_2
    }

    /// Length of all weights.
    pub fn weights(&self) -> usize {
        self.epilogue_layout().bias_2 + self.groups * self.epilogue_length()
    }
}

/// `conv_winograd_body.wgsl`: the last two layers except for the sum over the squares that the last filter reaches.
pub fn conv_winograd_body(variant: &WinogradBodyVariant) -> Shader {
    let WinogradBodyVariant { inputs, groups, epilogue, store, settings } = variant;
    let prelude = settings.prelude().numbers([
        ("INPUTS", *inputs),
        ("GROUPS", *groups),
        ("INPUT", variant.input()),
        ("EPILOGUE", variant.epilogue_length()),
        ("WEIGHTS", variant.weights()),
    ]);
    let template =
        kernel!("conv_winograd_body").prelude(variant.epilogue_layout().prelude(epilogue.prelude(prelude)));
    let words = [format!("inputs{inputs}"), format!("groups{groups}"), epilogue.name()];
    settings.compose(template, *store, words)
}

/// Every variant for a network, on any device.
pub(super) fn variants(architecture: &Architecture, paddings: &[Padding]) -> Vec<Shader> {
    let variant = |(settings, limits)| WinogradBodyVariant::new(architecture, settings, &limits);
    Settings::listed(paddings)
        .into_iter()
        .filter_map(variant)
        .map(|variant| conv_winograd_body(&variant))
        .collect()
}
