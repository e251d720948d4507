//! `conv_fused_head.wgsl`, `conv_fused_body.wgsl` and `conv_fused_sum.wgsl`: networks of three layers in two or three
//! passes that store few maps or none.

use super::{MapRead, OutsideValue, PIXEL_WORKGROUP, Shader, WeightLoad, WeightStore, word};
use crate::gpu::compose::{Prelude, Template, kernel};
use crate::network::{Architecture, Padding};

/// Settings of all kernels that keep maps in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How invocations load the weights.
    pub weight_load: WeightLoad,
    /// Multiplication by the valid-pixel map.
    pub normalized: bool,
    /// What the next layer reads outside the picture.
    pub outside: OutsideValue,
    /// How maps, and weights in a texture, are read.
    pub map_read: MapRead,
    /// Tiles of a workgroup along a row, and along a column; a tile is what an invocation owns.
    pub workgroup: [u32; 2],
}

impl Settings {
    /// For a padding.
    pub fn new(padding: Padding, weight_load: WeightLoad, map_read: MapRead, workgroup: [u32; 2]) -> Self {
        let normalized = padding == Padding::Normalized;
        Self { weight_load, normalized, outside: padding.into(), map_read, workgroup }
    }

    /// A length of weights in vec4s, rounded up to what is loaded at a time.
    pub(super) fn aligned(&self, length: usize) -> usize {
        length.next_multiple_of(self.weight_load.lanes())
    }

    /// Where a device has room for this many vec4s of weights.
    pub(super) fn store(&self, weights: usize, limits: &wgpu::Limits) -> Option<WeightStore> {
        self.weight_load.store(weights, self.map_read, limits)
    }

    /// A kernel with these settings, whose variant is told by `words` and by them.
    pub(super) fn compose(&self, template: Template, store: WeightStore, words: [String; 3]) -> Shader {
        template
            .weight_load(self.weight_load, store)
            .map_read(self.map_read)
            .workgroup(self.workgroup)
            .named(words.each_ref().map(String::as_str))
            .named([
                word(self.normalized, "normalized"),
                self.outside.name(),
                &self.weight_load.name(store),
                self.map_read.name(),
            ])
            .compose()
    }

    /// All that variants are listed for, each with limits that have no room in uniform buffers, and with others that have.
    pub(super) fn listed(paddings: &[Padding]) -> Vec<(Self, wgpu::Limits)> {
        let mut listed = Vec::new();
        for &padding in paddings {
            for load in WeightLoad::ALL {
                let settings = Self::new(padding, load, MapRead::Sampled, [1, 8]);
                for max_uniform_buffer_binding_size in [0, 64 << 10] {
                    let limits = wgpu::Limits { max_uniform_buffer_binding_size, ..wgpu::Limits::defaults() };
                    listed.push((settings, limits));
                }
            }
        }
        listed
    }

    pub(super) fn prelude(&self) -> Prelude {
        Prelude::default()
            .numbers([
                ("LANES", self.weight_load.lanes()),
                ("WEIGHT_COLUMNS", super::WEIGHT_COLUMNS),
                self.outside.constant(),
            ])
            .flag("NORMALIZED", self.normalized)
    }
}

/// The maps before the last layer, all in registers, and that layer, which has one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epilogue {
    /// Blocks of 8 maps.
    pub blocks8: usize,
    /// Size of the last layer's filter.
    pub filter: usize,
}

impl Epilogue {
    /// For a network of three layers or more: up to 32 maps, a last filter up to 5 x 5.
    pub(super) fn new(architecture: &Architecture) -> Option<Self> {
        let [_, .., before, last] = architecture.layers() else { return None };
        let covered = last.filters == 1 && before.filters <= 32 && last.size <= 5;
        covered.then(|| Self { blocks8: before.filters.div_ceil(8), filter: last.size })
    }

    pub(super) fn layout(&self, settings: &Settings, bias_2: usize) -> EpilogueLayout {
        let rows_3 = bias_2 + settings.aligned(2 * self.blocks8);
        let row_3 = settings.aligned(2 * self.blocks8 * self.filter);
        EpilogueLayout { bias_2, rows_3, row_3, end: rows_3 + self.filter * row_3 }
    }

    pub(super) fn name(&self) -> String {
        format!("filters{}-{1}x{1}", 8 * self.blocks8, self.filter)
    }

    pub(super) fn prelude(&self, prelude: Prelude) -> Prelude {
        prelude.numbers([("BLOCKS8", self.blocks8), ("FILTER_3", self.filter)])
    }
}

/// Where the weights of an [`Epilogue`] are, in vec4s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpilogueLayout {
    /// Where the biases of layer 2 begin.
    pub bias_2: usize,
    /// Where the rows of layer 3's filter begin.
    pub rows_3: usize,
    /// Length of such a row: `[j][filter of layer 2]`.
    pub row_3: usize,
    /// Where all of it ends.
    pub end: usize,
}

impl EpilogueLayout {
    pub(super) fn prelude(&self, prelude: Prelude) -> Prelude {
        prelude.numbers([("BIAS_2", self.bias_2), ("ROWS_3", self.rows_3), ("ROW_3", self.row_3)])
    }
}

/// The settings of `conv_fused_head.wgsl` for a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadVariant {
    /// Size of the filters.
    pub filter: usize,
    /// Groups of 4 filters.
    pub groups: usize,
    /// The other layers, of a network f1-1-f3; without them, the maps of layer 1 are stored.
    pub epilogue: Option<Epilogue>,
    /// Where the weights are.
    pub store: WeightStore,
    /// Everything else.
    pub settings: Settings,
}

impl HeadVariant {
    /// The variant for a network of three layers or more on one channel, f1 up to 9. `None` for others, or when the weights do
    /// not fit where `settings` wants them.
    pub fn new(architecture: &Architecture, settings: Settings, limits: &wgpu::Limits) -> Option<Self> {
        let [first, others @ ..] = architecture.layers() else { return None };
        let epilogue = Epilogue::new(architecture)?;
        if first.inputs != 1 || first.size > 9 {
            return None;
        }
        let mut variant = Self {
            filter: first.size,
            groups: first.filters.div_ceil(4),
            epilogue: matches!(others, [second, _] if second.size == 1).then_some(epilogue),
            store: WeightStore::Uniform,
            settings,
        };
        variant.store = settings.store(variant.weights(), limits)?;
        Some(variant)
    }

    /// Where a group's columns of layer 2 begin: after its biases and taps. All lengths and positions here and below are
    /// in vec4s.
    pub fn columns_2(&self) -> usize {
        1 + self.filter * self.filter
    }

    /// Length of a group of filters of layer 1: biases, taps, columns of layer 2.
    pub fn group(&self) -> usize {
        self.settings.aligned(self.columns_2() + self.epilogue.map_or(0, |epilogue| 8 * epilogue.blocks8))
    }

    /// Where the weights of the other layers are.
    pub fn epilogue_layout(&self) -> Option<EpilogueLayout> {
        self.epilogue.map(|epilogue| epilogue.layout(&self.settings, self.groups * self.group()))
    }

    /// Length of all weights.
    pub fn weights(&self) -> usize {
        self.epilogue_layout().map_or(self.groups * self.group(), |layout| layout.end)
    }
}

/// The settings of `conv_fused_body.wgsl` for a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyVariant {
    /// Input planes.
    pub inputs: usize,
    /// Size of the filters.
    pub filter: usize,
    /// The maps, and the last layer.
    pub epilogue: Epilogue,
    /// Where the weights are.
    pub store: WeightStore,
    /// Everything else.
    pub settings: Settings,
}

impl BodyVariant {
    /// The variant for layers 2 and 3 of a network, with filters of 3 x 3 or 5 x 5 in layer 2. `None` for others, and when
    /// the weights do not fit where `settings` wants them.
    pub fn new(architecture: &Architecture, settings: Settings, limits: &wgpu::Limits) -> Option<Self> {
        let [_, second, _] = architecture.layers() else { return None };
        let (inputs, filter) = (second.inputs, second.size);
        let (epilogue, store) = (Epilogue::new(architecture)?, WeightStore::Uniform);
        let mut variant = Self { inputs, filter, epilogue, store, settings };
        variant.store = settings.store(variant.weights(), limits)?;
        [3, 5].contains(&filter).then_some(variant)
    }

    /// Length of the taps of an input, in vec4s.
    pub fn input(&self) -> usize {
        self.settings.aligned(2 * self.epilogue.blocks8 * self.filter * self.filter)
    }

    /// Where the other weights are.
    pub fn epilogue_layout(&self) -> EpilogueLayout {
        self.epilogue.layout(&self.settings, self.inputs * self.input())
    }

    /// Length of all weights, in vec4s.
    pub fn weights(&self) -> usize {
        self.epilogue_layout().end
    }
}

/// `conv_fused_head.wgsl`: layer 1; or with an epilogue all layers except for the sum over the rows of the last filter.
pub fn conv_fused_head(variant: &HeadVariant) -> Shader {
    let HeadVariant { filter, groups, store, settings, .. } = variant;
    let none = EpilogueLayout { bias_2: 0, rows_3: 0, row_3: 0, end: variant.weights() };
    let prelude = settings
        .prelude()
        .numbers([
            ("FILTER", *filter),
            ("GROUPS", *groups),
            ("GROUP", variant.group()),
            ("COLUMNS_2", variant.columns_2()),
        ])
        .flag("FUSED", variant.epilogue.is_some());
    let prelude = prelude.numbers([("WEIGHTS", variant.weights())]);
    let prelude = variant.epilogue.unwrap_or(Epilogue { blocks8: 1, filter: 1 }).prelude(prelude);
    let template =
        kernel!("conv_fused_head").prelude(variant.epilogue_layout().unwrap_or(none).prelude(prelude));
    let words = [
        format!("{filter}x{filter}"),
        format!("filters{}", 4 * groups),
        variant.epilogue.map_or(String::new(), |epilogue| epilogue.name()),
    ];
    settings.compose(template, *store, words)
}

/// `conv_fused_body.wgsl`: layer 2, and layer 3 except for the sum over the rows of its filter.
pub fn conv_fused_body(variant: &BodyVariant) -> Shader {
    let BodyVariant { inputs, filter, epilogue, store, settings } = variant;
    let prelude = settings.prelude().numbers([
        ("INPUTS", *inputs),
        ("FILTER", *filter),
        ("INPUT", variant.input()),
        ("WEIGHTS", variant.weights()),
    ]);
    let template =
        kernel!("conv_fused_body").prelude(variant.epilogue_layout().prelude(epilogue.prelude(prelude)));
    let words = [format!("{filter}x{filter}"), format!("inputs{inputs}"), epilogue.name()];
    settings.compose(template, *store, words)
}

/// `conv_fused_sum.wgsl`: the end of layer 3.
pub fn conv_fused_sum(filter: usize, settings: &Settings) -> Shader {
    last_layer_sum(kernel!("conv_fused_sum"), filter, settings)
}

/// A kernel that ends layer 3.
pub(super) fn last_layer_sum(template: Template, filter: usize, settings: &Settings) -> Shader {
    let &Settings { normalized, map_read, .. } = settings;
    template
        .prelude(Prelude::default().numbers([("FILTER_3", filter)]).flag("NORMALIZED", normalized))
        .map_read(map_read)
        .workgroup(PIXEL_WORKGROUP)
        .named([&format!("{filter}x{filter}"), word(normalized, "normalized"), map_read.name()])
        .compose()
}

/// Every variant for a network, on any device.
pub(super) fn variants(architecture: &Architecture, paddings: &[Padding]) -> Vec<Shader> {
    let mut shaders = Vec::new();
    for (settings, limits) in Settings::listed(paddings) {
        let body = BodyVariant::new(architecture, settings, &limits);
        let head = HeadVariant::new(architecture, settings, &limits)
            .filter(|head| head.epilogue.is_some() || body.is_some());
        if let (Some(head), Some(epilogue)) = (head, Epilogue::new(architecture)) {
            shaders.push(conv_fused_head(&head));
            shaders.push(conv_fused_sum(epilogue.filter, &settings));
        }
        shaders.extend(body.as_ref().map(conv_fused_body));
    }
    shaders
}
