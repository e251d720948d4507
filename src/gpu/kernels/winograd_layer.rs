//! `conv_winograd_layer.wgsl`: a layer between the first and the last two of networks f1-5-5-f4, f1-5-5-5-f5 and so on, with
//! Winograd's F(4, 5).

use super::fused::Settings;
use super::winograd::POINTS;
use super::{Shader, WeightStore};
use crate::gpu::compose::kernel;
use crate::network::{Architecture, LayerShape, Padding};

/// Size of the filters.
pub(super) const FILTER: usize = 5;

/// Most blocks of 8 filters whose sums an invocation keeps, 64 vec4s each. Twice as many are 4 % faster on llvmpipe, and take
/// twice as long to compile.
pub(super) const GROUP_BLOCKS8: usize = 2;

/// Where the weights of 8 filters for a row at a point begin among those of an input, in vec4s.
pub(crate) fn row(block8: usize, point: usize, row: usize) -> usize {
    2 * ((block8 * POINTS + point) * FILTER + row)
}

/// The settings of `conv_winograd_layer.wgsl` for a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WinogradLayerVariant {
    /// Input planes.
    pub inputs: usize,
    /// Groups of filters, one after the other.
    pub groups: usize,
    /// Blocks of 8 filters in a group.
    pub blocks8: usize,
    /// Where the weights are.
    pub store: WeightStore,
    /// Everything else.
    pub settings: Settings,
}

impl WinogradLayerVariant {
    /// The variant for a layer with filters of 5 x 5. `None` for others, and when the weights do not fit where `settings` wants
    /// them.
    pub fn new(layer: &LayerShape, settings: Settings, limits: &wgpu::Limits) -> Option<Self> {
        if layer.size != FILTER {
            return None;
        }
        let all = layer.filters.div_ceil(8);
        let groups = all.div_ceil(GROUP_BLOCKS8);
        let (inputs, blocks8, store) = (layer.inputs, all.div_ceil(groups), WeightStore::Uniform);
        let mut variant = Self { inputs, groups, blocks8, store, settings };
        variant.store = settings.store(variant.weights(), limits)?;
        Some(variant)
    }

    /// Filters in a group.
    pub fn group(&self) -> usize {
        8 * self.blocks8
    }

    /// Length of the weights of an input for a group. All lengths and positions here and below are in vec4s.
    pub fn input(&self) -> usize {
        self.settings.aligned(row(self.blocks8, 0, 0))
    }

    /// Where the biases of the first group are.
    pub fn bias(&self) -> usize {
        self.groups * self.inputs * self.input()
    }

    /// Length of the biases of a group.
    pub fn biases(&self) -> usize {
        self.settings.aligned(2 * self.blocks8)
    }

    /// Length of all weights.
    pub fn weights(&self) -> usize {
        self.bias() + self.groups * self.biases()
    }
}

/// `conv_winograd_layer.wgsl`: one layer, whose maps are stored.
pub fn conv_winograd_layer(variant: &WinogradLayerVariant) -> Shader {
    let WinogradLayerVariant { inputs, groups, blocks8, store, settings } = variant;
    let prelude = settings.prelude().numbers([
        ("INPUTS", *inputs),
        ("GROUPS", *groups),
        ("BLOCKS8", *blocks8),
        ("INPUT", variant.input()),
        ("BIAS", variant.bias()),
        ("BIASES", variant.biases()),
        ("WEIGHTS", variant.weights()),
    ]);
    let words = [format!("inputs{inputs}"), format!("groups{groups}"), format!("filters{}", variant.group())];
    settings.compose(kernel!("conv_winograd_layer").prelude(prelude), *store, words)
}

/// Every variant for a network, on any device.
pub(super) fn variants(architecture: &Architecture, paddings: &[Padding]) -> Vec<Shader> {
    let [_, between @ .., _, _] = architecture.layers() else { return Vec::new() };
    let mut shaders = Vec::new();
    for (settings, limits) in Settings::listed(paddings) {
        let variants = between.iter().filter_map(|layer| WinogradLayerVariant::new(layer, settings, &limits));
        shaders.extend(variants.map(|variant| conv_winograd_layer(&variant)));
    }
    shaders
}
