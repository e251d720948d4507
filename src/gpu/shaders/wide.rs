//! `conv_first.wgsl`, `conv_wide.wgsl` and `sum_rows.wgsl`: networks of three layers in two or three passes, with few
//! maps stored or none.

use super::{
    Constant, Fetch, OutsideValue, PADDING, PIXEL_WORKGROUP, REGION, Shader, WeightStore, with_prelude, word,
    workgroup,
};
use crate::network::{Architecture, Padding};

pub(crate) const TAPS: &str = include_str!("../../../shaders/shared/taps.wgsl");
pub(super) const WIDE: &str = include_str!("../../../shaders/shared/wide.wgsl");
pub(crate) const EIGHTS: &str = include_str!("../../../shaders/shared/eights.wgsl");
pub(crate) const ADD_MAPS: &str = include_str!("../../../shaders/shared/add_maps.wgsl");

/// What kernels that keep maps in registers have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How invocations come by the weights.
    pub fetch: Fetch,
    /// Division by the fraction of valid taps.
    pub normalized: bool,
    /// What the next layer reads outside the picture.
    pub outside: OutsideValue,
    /// Texels of a workgroup along a row, and rows.
    pub workgroup: [u32; 2],
}

impl Settings {
    /// For a padding.
    pub fn new(padding: Padding, fetch: Fetch, workgroup: [u32; 2]) -> Self {
        Self { fetch, normalized: padding == Padding::Normalized, outside: padding.into(), workgroup }
    }

    pub(super) fn aligned(&self, length: usize) -> usize {
        length.next_multiple_of(self.fetch.lanes())
    }

    /// Constants of all kernels, given the length of the longest part of the weights that is staged, in vec4s.
    pub(super) fn prelude(&self, staged: usize) -> Vec<(&'static str, Constant)> {
        let mut prelude = vec![
            ("LANES", Constant::Number(self.fetch.lanes())),
            ("NORMALIZED", Constant::Flag(self.normalized)),
            self.outside.constant(),
        ];
        if self.fetch == Fetch::Workgroup {
            prelude.push(("STAGED", Constant::Number(staged)));
        }
        prelude
    }
}

/// The maps before the last layer, all in registers, and that layer, of one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// Groups of 8 maps.
    pub eights: usize,
    /// Size of the last layer's filter.
    pub filter: usize,
}

impl Tail {
    /// For a network of three layers: up to 32 maps, a last filter up to 5.
    pub(super) fn new(architecture: &Architecture) -> Option<Self> {
        let [_, second, third] = architecture.layers() else { return None };
        let covered = third.filters == 1 && second.filters <= 32 && third.size <= 5;
        covered.then(|| Self { eights: second.filters.div_ceil(8), filter: third.size })
    }

    /// Length of a row of the last layer's filter, in vec4s.
    pub fn row(&self, settings: &Settings) -> usize {
        settings.aligned(2 * self.eights * self.filter)
    }

    /// Length of the maps' biases and the last layer's weights, in vec4s: the biases come first.
    pub(super) fn len(&self, settings: &Settings) -> usize {
        self.biases(settings) + self.filter * self.row(settings)
    }

    /// Length of the biases, in vec4s.
    pub fn biases(&self, settings: &Settings) -> usize {
        settings.aligned(2 * self.eights)
    }

    /// Length of its longest part, in vec4s.
    pub(super) fn staged(&self, settings: &Settings) -> usize {
        self.biases(settings).max(self.row(settings))
    }
}

/// What a network asks of `conv_first.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstVariant {
    /// Size of the filters.
    pub filter: usize,
    /// Groups of 4 filters.
    pub groups: usize,
    /// The other layers, of a network f1-1-f3; without, the maps of layer 1 are stored.
    pub tail: Option<Tail>,
    /// Where the weights are.
    pub store: WeightStore,
    /// Everything else.
    pub settings: Settings,
}

impl FirstVariant {
    /// The variant for a network of three layers on one channel, f1 up to 9. `None` for others, or when the weights do
    /// not fit where `settings` wants them.
    pub fn new(architecture: &Architecture, settings: Settings, limits: &wgpu::Limits) -> Option<Self> {
        let [first, second, _] = architecture.layers() else { return None };
        let tail = Tail::new(architecture)?;
        if first.inputs != 1 || first.size > 9 {
            return None;
        }
        let mut variant = Self {
            filter: first.size,
            groups: first.filters.div_ceil(4),
            tail: (second.size == 1).then_some(tail),
            store: WeightStore::Uniform,
            settings,
        };
        variant.store = settings.fetch.store(variant.weights(), variant.staged(), limits)?;
        Some(variant)
    }

    /// Length of a group of filters of layer 1, in vec4s: biases, taps, columns of layer 2.
    pub fn group(&self) -> usize {
        let columns = self.tail.map_or(0, |tail| 8 * tail.eights);
        self.settings.aligned(1 + self.filter * self.filter + columns)
    }

    /// Length of the longest part of the weights that is staged, in vec4s.
    pub fn staged(&self) -> usize {
        self.group().max(self.tail.map_or(0, |tail| tail.staged(&self.settings)))
    }

    /// Length of the weights, in vec4s.
    pub fn weights(&self) -> usize {
        self.groups * self.group() + self.tail.map_or(0, |tail| tail.len(&self.settings))
    }
}

/// What a network asks of `conv_wide.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WideVariant {
    /// Input planes.
    pub inputs: usize,
    /// Size of the filters.
    pub filter: usize,
    /// The maps, and the last layer.
    pub tail: Tail,
    /// Where the weights are.
    pub store: WeightStore,
    /// Everything else.
    pub settings: Settings,
}

impl WideVariant {
    /// The variant for layer 2 and 3 of a network: filters of layer 2 of 3 or 5. `None` for others, and when the weights do
    /// not fit where `settings` wants them.
    pub fn new(architecture: &Architecture, settings: Settings, limits: &wgpu::Limits) -> Option<Self> {
        let [_, second, _] = architecture.layers() else { return None };
        let (inputs, filter) = (second.inputs, second.size);
        let (tail, store) = (Tail::new(architecture)?, WeightStore::Uniform);
        let mut variant = Self { inputs, filter, tail, store, settings };
        variant.store = settings.fetch.store(variant.weights(), variant.staged(), limits)?;
        [3, 5].contains(&filter).then_some(variant)
    }

    /// Length of the taps of an input, in vec4s.
    pub fn input(&self) -> usize {
        self.settings.aligned(2 * self.tail.eights * self.filter * self.filter)
    }

    /// Length of the longest part of the weights that is staged, in vec4s.
    pub fn staged(&self) -> usize {
        self.input().max(self.tail.staged(&self.settings))
    }

    /// Length of the weights, in vec4s.
    pub fn weights(&self) -> usize {
        self.inputs * self.input() + self.tail.len(&self.settings)
    }
}

/// `conv_first.wgsl`: layer 1, or with a tail all layers but for the sum over the rows of the last filter.
pub fn conv_first(variant: &FirstVariant) -> Shader {
    let tail = variant.tail.unwrap_or(Tail { eights: 1, filter: 1 });
    let mut prelude = vec![
        ("FILTER", Constant::Number(variant.filter)),
        ("GROUPS", Constant::Number(variant.groups)),
        ("FUSED", Constant::Flag(variant.tail.is_some())),
        ("EIGHTS", Constant::Number(tail.eights)),
        ("FILTER_3", Constant::Number(tail.filter)),
        ("WEIGHTS", Constant::Number(variant.weights())),
    ];
    prelude.extend(variant.settings.prelude(variant.staged()));
    let name = match variant.tail {
        Some(tail) => format!("filters{}-{1}x{1}", 8 * tail.eights, tail.filter),
        None => String::new(),
    };
    let [fetch, weights] = variant.settings.fetch.texts(variant.store);
    with_prelude(
        "conv_first",
        &[
            &format!("{0}x{0}", variant.filter),
            &format!("filters{}", 4 * variant.groups),
            &name,
            word(variant.settings.normalized, "normalized"),
            variant.settings.outside.name(),
            &variant.settings.fetch.name(variant.store),
        ],
        &prelude,
        &[
            include_str!("../../../shaders/conv_first.wgsl"),
            fetch,
            weights,
            ADD_MAPS,
            EIGHTS,
            WIDE,
            TAPS,
            PADDING,
            REGION,
        ],
        workgroup(variant.settings.workgroup),
    )
}

/// `conv_wide.wgsl`: layer 2, and layer 3 but for the sum over the rows of its filter.
pub fn conv_wide(variant: &WideVariant) -> Shader {
    let mut prelude = vec![
        ("INPUTS", Constant::Number(variant.inputs)),
        ("FILTER", Constant::Number(variant.filter)),
        ("EIGHTS", Constant::Number(variant.tail.eights)),
        ("FILTER_3", Constant::Number(variant.tail.filter)),
        ("WEIGHTS", Constant::Number(variant.weights())),
    ];
    prelude.extend(variant.settings.prelude(variant.staged()));
    let [fetch, weights] = variant.settings.fetch.texts(variant.store);
    with_prelude(
        "conv_wide",
        &[
            &format!("{0}x{0}", variant.filter),
            &format!("inputs{}", variant.inputs),
            &format!("filters{}", 8 * variant.tail.eights),
            &format!("{0}x{0}", variant.tail.filter),
            word(variant.settings.normalized, "normalized"),
            variant.settings.outside.name(),
            &variant.settings.fetch.name(variant.store),
        ],
        &prelude,
        &[
            include_str!("../../../shaders/conv_wide.wgsl"),
            fetch,
            weights,
            EIGHTS,
            WIDE,
            TAPS,
            PADDING,
            REGION,
        ],
        workgroup(variant.settings.workgroup),
    )
}

/// `sum_rows.wgsl`: the end of layer 3.
pub fn sum_rows(filter: usize, normalized: bool) -> Shader {
    let prelude = [("FILTER_3", Constant::Number(filter)), ("NORMALIZED", Constant::Flag(normalized))];
    let text = include_str!("../../../shaders/sum_rows.wgsl");
    let settings = [&format!("{filter}x{filter}"), word(normalized, "normalized")];
    with_prelude("sum_rows", &settings, &prelude, &[text, REGION], workgroup(PIXEL_WORKGROUP))
}

/// Every variant for a network, on any device.
pub(super) fn variants(architecture: &Architecture, paddings: &[Padding]) -> Vec<Shader> {
    let mut shaders = Vec::new();
    for &padding in paddings {
        for fetch in Fetch::EVERY {
            let settings = Settings::new(padding, fetch, [1, 8]);
            for max_uniform_buffer_binding_size in [0, 64 << 10] {
                let limits = wgpu::Limits { max_uniform_buffer_binding_size, ..wgpu::Limits::defaults() };
                let wide = WideVariant::new(architecture, settings, &limits);
                let first = FirstVariant::new(architecture, settings, &limits);
                let first = first.filter(|first| first.tail.is_some() || wide.is_some());
                shaders.extend(first.as_ref().map(conv_first));
                shaders.extend(
                    first.and(Tail::new(architecture)).map(|tail| sum_rows(tail.filter, settings.normalized)),
                );
                shaders.extend(wide.as_ref().map(conv_wide));
            }
        }
    }
    shaders
}
