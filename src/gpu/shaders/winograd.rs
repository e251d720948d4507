//! `conv_winograd.wgsl`: networks f1-1-f3 with Winograd's F(4, 3) in layer 1.

use super::wide::{Settings, Tail};
use super::{
    Constant, Fetch, PADDING, PIXEL_WORKGROUP, REGION, Shader, WeightStore, with_prelude, word, workgroup,
};
use crate::network::{Architecture, Padding};

/// Points at which F(4, 3) multiplies: 6 products for 4 neighbours under 3 taps.
pub const POINTS: usize = 6;

/// What a network asks of `conv_winograd.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WinogradVariant {
    /// Size of the filters of layer 1.
    pub filter: usize,
    /// Pairs of them.
    pub pairs: usize,
    /// The other layers.
    pub tail: Tail,
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
        let tail = Tail::new(architecture)?;
        if first.inputs != 1 || second.size != 1 || !(3..=9).contains(&first.size) {
            return None;
        }
        let (filter, pairs) = (first.size, first.filters.div_ceil(2));
        let mut variant = Self { filter, pairs, tail, store: WeightStore::Uniform, settings };
        variant.store = settings.fetch.store(variant.weights(), variant.staged(), limits)?;
        Some(variant)
    }

    /// Blocks of 3 taps in a row.
    pub fn blocks(&self) -> usize {
        self.filter.div_ceil(3)
    }

    /// Length of a filter's weights for one point, in vec4s.
    pub fn point(&self) -> usize {
        (self.blocks() * self.filter).div_ceil(4)
    }

    /// Length of biases and filters of a pair, in vec4s.
    pub fn columns_start(&self) -> usize {
        1 + 2 * POINTS * self.point()
    }

    /// Length of everything for a pair, in vec4s.
    pub fn pair(&self) -> usize {
        self.settings.aligned(self.columns_start() + 4 * self.tail.eights)
    }

    /// Length of the biases of layer 2, and of a tap of layer 3, in vec4s.
    pub fn tap(&self) -> usize {
        self.settings.aligned(2 * self.tail.eights)
    }

    /// Length of the longest part of the weights that is staged, in vec4s.
    pub fn staged(&self) -> usize {
        self.pair().max(self.tap())
    }

    /// Length of the weights, in vec4s.
    pub fn weights(&self) -> usize {
        self.pairs * self.pair() + (1 + self.tail.filter * self.tail.filter) * self.tap()
    }
}

/// `conv_winograd.wgsl`: all layers but for the sum over squares that the last filter reaches.
pub fn conv_winograd(variant: &WinogradVariant) -> Shader {
    let WinogradVariant { filter, pairs, tail, store, settings } = variant;
    let [fetch, weights] = settings.fetch.texts(*store);
    let mut prelude = vec![
        ("FILTER", Constant::Number(*filter)),
        ("PAIRS", Constant::Number(*pairs)),
        ("EIGHTS", Constant::Number(tail.eights)),
        ("FILTER_3", Constant::Number(tail.filter)),
        ("WEIGHTS", Constant::Number(variant.weights())),
    ];
    prelude.extend(settings.prelude(variant.staged()));
    with_prelude(
        "conv_winograd",
        &[
            &format!("{filter}x{filter}"),
            &format!("filters{}", 2 * pairs),
            &format!("filters{}-{1}x{1}", 8 * tail.eights, tail.filter),
            word(settings.normalized, "normalized"),
            settings.outside.name(),
            &settings.fetch.name(*store),
        ],
        &prelude,
        &[
            include_str!("../../../shaders/conv_winograd.wgsl"),
            include_str!("../../../shaders/shared/points.wgsl"),
            include_str!("../../../shaders/shared/squares.wgsl"),
            fetch,
            weights,
            PADDING,
            REGION,
        ],
        workgroup(settings.workgroup),
    )
}

/// `sum_squares.wgsl`: the end of layer 3.
pub fn sum_squares(filter: usize, normalized: bool) -> Shader {
    let prelude = [("FILTER_3", Constant::Number(filter)), ("NORMALIZED", Constant::Flag(normalized))];
    let text = include_str!("../../../shaders/sum_squares.wgsl");
    let settings = [&format!("{filter}x{filter}"), word(normalized, "normalized")];
    with_prelude("sum_squares", &settings, &prelude, &[text, REGION], workgroup(PIXEL_WORKGROUP))
}

/// Every variant for a network, on any device.
pub(super) fn variants(architecture: &Architecture, paddings: &[Padding]) -> Vec<Shader> {
    let mut shaders = Vec::new();
    for &padding in paddings {
        for fetch in Fetch::EVERY {
            for max_uniform_buffer_binding_size in [0, 64 << 10] {
                let limits = wgpu::Limits { max_uniform_buffer_binding_size, ..wgpu::Limits::defaults() };
                let settings = Settings::new(padding, fetch, [1, 8]);
                let variant = WinogradVariant::new(architecture, settings, &limits);
                shaders.extend(variant.as_ref().map(conv_winograd));
                shaders.extend(variant.map(|variant| sum_squares(variant.tail.filter, settings.normalized)));
            }
        }
    }
    shaders
}
