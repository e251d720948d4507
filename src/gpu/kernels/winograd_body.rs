//! `conv_winograd_body.wgsl`: layers 2 and 3 of networks f1-5-f3 with Winograd's F(4, 5) in layer 2.

use super::fused::{Epilogue, EpilogueLayout, Settings};
use super::winograd::POINTS;
use super::{Shader, WeightStore};
use crate::gpu::compose::kernel;
use crate::network::{Architecture, Padding};

/// Size of layer 2's filters.
const FILTER: usize = 5;

/// Most blocks of 8 filters whose sums an invocation keeps, 64 vec4s each. Twice as many are 4 % faster on llvmpipe, and take
/// twice as long to compile.
const GROUP_BLOCKS8: usize = 2;

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
    /// The variant for layers 2 and 3 of a network of three layers, with filters of 5 x 5 in layer 2, f3 up to 5. `None` for
    /// others, and when the weights do not fit where `settings` wants them.
    pub fn new(architecture: &Architecture, settings: Settings, limits: &wgpu::Limits) -> Option<Self> {
        let [_, second, _] = architecture.layers() else { return None };
        let all = Epilogue::new(architecture)?;
        if second.size != FILTER {
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

    /// Where the weights of 8 filters for a row at a point begin among those of an input, whose length [`Self::input`] is. All
    /// lengths and positions here and below are in vec4s.
    pub fn row(&self, block8: usize, point: usize, row: usize) -> usize {
        2 * ((block8 * POINTS + point) * FILTER + row)
    }

    /// Length of the weights of an input for a group.
    pub fn input(&self) -> usize {
        self.settings.aligned(self.row(self.epilogue.blocks8, 0, 0))
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

/// `conv_winograd_body.wgsl`: layers 2 and 3 except for the sum over the squares that the last filter reaches.
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
