//! `conv_winograd.wgsl`: networks f1-1-f3 with Winograd's F(4, 5) and F(4, 4) in layer 1.

use super::fused::{Epilogue, EpilogueLayout, Settings, last_layer_sum};
use super::{Shader, WeightStore};
use crate::gpu::compose::kernel;
use crate::network::{Architecture, Padding};

/// Points at which F(4, 5) multiplies: 8 products for 4 neighbors under 5 taps.
pub const POINTS: usize = 8;

/// The settings of `conv_winograd.wgsl` for a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WinogradVariant {
    /// Size of the filters of layer 1.
    pub filter: usize,
    /// Fours of them.
    pub quads: usize,
    /// The other layers.
    pub epilogue: Epilogue,
    /// Where the weights are.
    pub store: WeightStore,
    /// Everything else.
    pub settings: Settings,
}

impl WinogradVariant {
    /// The variant for a network f1-1-f3 on one channel, f1 of 3 to 9, f3 up to 5. `None` for others, or when the weights
    /// do not fit where `settings` wants them.
    pub fn new(architecture: &Architecture, settings: Settings, limits: &wgpu::Limits) -> Option<Self> {
        let [first, second, _] = architecture.layers() else { return None };
        let epilogue = Epilogue::new(architecture)?;
        if first.inputs != 1 || second.size != 1 || !(3..=9).contains(&first.size) {
            return None;
        }
        let (filter, quads) = (first.size, first.filters.div_ceil(4));
        let mut variant = Self { filter, quads, epilogue, store: WeightStore::Uniform, settings };
        variant.store = settings.store(variant.weights(), limits)?;
        Some(variant)
    }

    /// Blocks of taps in a row: of 5, and of 4.
    pub fn blocks(&self) -> usize {
        self.filter.div_ceil(5)
    }

    /// Length of a filter's weights for one point. All lengths and positions here and below are in vec4s.
    pub fn point(&self) -> usize {
        (self.blocks() * self.filter).div_ceil(4)
    }

    /// Where a four's columns of layer 2 begin: after its biases and filters.
    pub fn columns_2(&self) -> usize {
        1 + 4 * POINTS * self.point()
    }

    /// Length of everything for a four.
    pub fn quad(&self) -> usize {
        self.settings.aligned(self.columns_2() + 8 * self.epilogue.blocks8)
    }

    /// Where the weights of the other layers are.
    pub fn epilogue_layout(&self) -> EpilogueLayout {
        self.epilogue.layout(&self.settings, self.quads * self.quad())
    }

    /// Length of all weights.
    pub fn weights(&self) -> usize {
        self.epilogue_layout().end
    }
}

/// `conv_winograd.wgsl`: all layers except for the sum over the squares that the last filter reaches.
pub fn conv_winograd(variant: &WinogradVariant) -> Shader {
    let WinogradVariant { filter, quads, epilogue, store, settings } = variant;
    let prelude = settings.prelude().numbers([
        ("FILTER", *filter),
        ("QUADS", *quads),
        ("POINT", variant.point()),
        ("QUAD", variant.quad()),
        ("COLUMNS_2", variant.columns_2()),
        ("WEIGHTS", variant.weights()),
    ]);
    let template =
        kernel!("conv_winograd").prelude(variant.epilogue_layout().prelude(epilogue.prelude(prelude)));
    let words = [format!("{filter}x{filter}"), format!("filters{}", 4 * quads), epilogue.name()];
    settings.compose(template, *store, words)
}

/// `conv_winograd_sum.wgsl`: the end of layer 3.
pub fn conv_winograd_sum(filter: usize, settings: &Settings) -> Shader {
    last_layer_sum(kernel!("conv_winograd_sum"), filter, settings)
}

/// Every variant for a network, on any device.
pub(super) fn variants(architecture: &Architecture, paddings: &[Padding]) -> Vec<Shader> {
    let mut shaders = Vec::new();
    for (settings, limits) in Settings::listed(paddings) {
        if let Some(variant) = WinogradVariant::new(architecture, settings, &limits) {
            shaders.push(conv_winograd(&variant));
            shaders.push(conv_winograd_sum(variant.epilogue.filter, &settings));
        }
    }
    shaders
}
