//! `conv_fold.wgsl` and `luminance.wgsl`: bicubic enlargement by a whole factor folded into the first layer.

use super::wide::{ADD_MAPS, EIGHTS, Settings, TAPS, Tail, WIDE};
use super::{
    Constant, Fetch, PADDING, PIXEL_WORKGROUP, REGION, Shader, WeightStore, YCBCR, with_prelude, word,
    workgroup,
};
use crate::network::{Architecture, Padding};

/// What a network and a factor ask of `conv_fold.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldVariant {
    /// The factor, 2 to 4.
    pub factor: usize,
    /// Taps of a phase on each axis.
    pub taps: usize,
    /// The first phase whose taps begin a pixel later; the factor if there is none.
    pub moved: usize,
    /// Groups of 4 filters.
    pub groups: usize,
    /// The other layers.
    pub tail: Tail,
    /// Where the weights are.
    pub store: WeightStore,
    /// How weights are fetched, and the workgroup.
    pub settings: Settings,
}

impl FoldVariant {
    /// The variant for a network f1-1-f3 on one channel, f3 up to 5, whose folded filters have so many taps. `None` for
    /// others, and when the weights for a row do not fit into the buffer that `fetch` wants.
    pub fn new(
        architecture: &Architecture,
        [factor, taps, moved]: [usize; 3],
        fetch: Fetch,
        workgroup: [u32; 2],
        limits: &wgpu::Limits,
    ) -> Option<Self> {
        let [first, second, _] = architecture.layers() else { return None };
        let settings = Settings::new(Padding::Valid, fetch, workgroup);
        let groups = first.filters.div_ceil(4);
        let (tail, store) = (Tail::new(architecture)?, WeightStore::Uniform);
        let mut variant = Self { factor, taps, moved, groups, tail, store, settings };
        variant.store = fetch.store(variant.weights(), variant.staged(), limits)?;
        // Four pixels and the taps of all phases lie in three texels.
        let columns = 3 + taps + usize::from(moved < factor);
        let covered =
            first.inputs == 1 && second.size == 1 && (2..=4).contains(&factor) && taps <= 9 && columns <= 12;
        // Each row of phases has weights of its own, behind one another in a buffer.
        (covered && variant.store != WeightStore::Texture).then_some(variant)
    }

    /// Length of a group of filters of layer 1, in vec4s: biases and taps.
    pub fn group(&self) -> usize {
        self.settings.aligned(1 + self.taps * self.taps)
    }

    /// Length of the columns of layer 2 for a group, in vec4s.
    pub fn columns(&self) -> usize {
        self.settings.aligned(8 * self.tail.eights)
    }

    /// Length of the longest part of the weights that is staged, in vec4s.
    pub fn staged(&self) -> usize {
        self.group().max(self.columns()).max(self.tail.staged(&self.settings))
    }

    /// Length of the weights for one phase of rows, in vec4s.
    pub fn weights(&self) -> usize {
        self.groups * (self.factor * self.group() + self.columns()) + self.tail.len(&self.settings)
    }
}

/// `conv_fold.wgsl`: bicubic enlargement and all layers but for the sum over the rows of the last filter.
pub fn conv_fold(variant: &FoldVariant) -> Shader {
    let FoldVariant { factor, taps, moved, groups, tail, store, settings } = variant;
    let [fetch, weights] = settings.fetch.texts(*store);
    let mut prelude = vec![
        ("FACTOR", Constant::Number(*factor)),
        ("FILTER", Constant::Number(*taps)),
        ("MOVED", Constant::Number(*moved)),
        ("GROUPS", Constant::Number(*groups)),
        ("EIGHTS", Constant::Number(tail.eights)),
        ("FILTER_3", Constant::Number(tail.filter)),
        ("WEIGHTS", Constant::Number(variant.weights())),
    ];
    prelude.extend(settings.prelude(variant.staged()));
    with_prelude(
        "conv_fold",
        &[
            &format!("x{factor}"),
            &format!("{taps}x{taps}"),
            &format!("filters{}", 4 * groups),
            &format!("filters{}-{1}x{1}", 8 * tail.eights, tail.filter),
            &settings.fetch.name(*store),
        ],
        &prelude,
        &[
            include_str!("../../../shaders/conv_fold.wgsl"),
            fetch,
            weights,
            ADD_MAPS,
            EIGHTS,
            WIDE,
            TAPS,
            PADDING,
            REGION,
        ],
        workgroup(settings.workgroup),
    )
}

/// `luminance.wgsl`: the source texture's luminance, not enlarged.
pub fn luminance(ycbcr: bool) -> Shader {
    let text = include_str!("../../../shaders/luminance.wgsl");
    let mut overrides = workgroup(PIXEL_WORKGROUP);
    overrides.push(("YCBCR", f64::from(ycbcr)));
    let settings = [word(ycbcr, "ycbcr")];
    with_prelude("luminance", &settings, &[], &[text, YCBCR, REGION], overrides)
}

/// Every variant for a network, on any device, given the taps of its folded filters.
pub(super) fn variants(architecture: &Architecture, phases: &[[usize; 3]]) -> Vec<Shader> {
    let mut shaders = Vec::new();
    for &phases in phases {
        for fetch in Fetch::EVERY {
            let variant = FoldVariant::new(architecture, phases, fetch, [1, 8], &wgpu::Limits::defaults());
            shaders.extend(variant.as_ref().map(conv_fold));
            shaders.extend(variant.map(|variant| super::sum_rows(variant.tail.filter, phases[0], false)));
        }
    }
    if !shaders.is_empty() {
        shaders.extend([false, true].map(luminance));
    }
    shaders
}
