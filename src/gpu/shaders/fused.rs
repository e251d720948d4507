//! `conv_fused.wgsl` and `sum_rows.wgsl`: the three layers of a network f1-1-f3 in two passes.

use super::{
    Constant, OutsideValue, PADDING, PIXEL_WORKGROUP, REGION, Shader, weights_text, with_prelude, word,
    workgroup,
};
use crate::network::{Architecture, Padding};

/// How the invocations of `conv_fused.wgsl` come by weights that all of them want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fetch {
    /// Each loads them: for GPUs, where that is one load for many invocations.
    Uniform,
    /// The invocations of a subgroup, this many, load different ones and hand them round: for software adapters, which
    /// load lane by lane. Needs [`wgpu::Features::SUBGROUP`], subgroups of one size, and workgroups of whole subgroups.
    Subgroup(u32),
}

impl Fetch {
    fn lanes(self) -> usize {
        match self {
            Self::Uniform => 1,
            Self::Subgroup(lanes) => lanes as usize,
        }
    }
}

/// What a network asks of `conv_fused.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FusedVariant {
    /// Size of the filters of layer 1.
    pub filter_1: usize,
    /// Size of the filters of layer 3.
    pub filter_3: usize,
    /// Groups of 4 filters of layer 1.
    pub groups: usize,
    /// Groups of 8 filters of layer 2.
    pub eights: usize,
    /// Weights in a uniform buffer, or in a storage buffer.
    pub uniform: bool,
    /// How invocations come by the weights.
    pub fetch: Fetch,
    /// Division by the fraction of valid taps.
    pub normalized: bool,
    /// What layer 3 reads outside the picture.
    pub outside: OutsideValue,
    /// Texels of a workgroup along a row, and rows.
    pub workgroup: [u32; 2],
}

impl FusedVariant {
    /// The variant for a network, `None` when it is not one that the kernel covers: f1-1-f3 on one channel with f1 up
    /// to 9, f3 up to 5 and 32 filters in layer 2; or when its weights, in bytes, do not fit into one binding.
    pub fn new(
        architecture: &Architecture,
        padding: Padding,
        fetch: Fetch,
        workgroup: [u32; 2],
        [uniform_binding, storage_binding]: [u64; 2],
    ) -> Option<Self> {
        let [first, second, third] = architecture.layers() else { return None };
        let covered = (first.inputs, third.filters) == (1, 1)
            && first.size <= 9
            && second.size == 1
            && second.filters <= 32
            && third.size <= 5;
        let mut variant = Self {
            filter_1: first.size,
            filter_3: third.size,
            groups: first.filters.div_ceil(4),
            eights: second.filters.div_ceil(8),
            uniform: true,
            fetch,
            normalized: padding == Padding::Normalized,
            outside: padding.into(),
            workgroup,
        };
        let bytes = variant.weights() as u64 * 16;
        variant.uniform = bytes <= uniform_binding;
        (covered && (variant.uniform || bytes <= storage_binding)).then_some(variant)
    }

    /// Length of a group of filters of layer 1, in vec4s as all the following: biases, taps, columns of layer 2.
    pub fn group(&self) -> usize {
        self.aligned(1 + self.filter_1 * self.filter_1 + 8 * self.eights)
    }

    /// Where the biases of layer 2 begin.
    pub fn bias_2(&self) -> usize {
        self.groups * self.group()
    }

    /// Where the rows of layer 3's filter begin.
    pub fn rows_3(&self) -> usize {
        self.bias_2() + self.aligned(2 * self.eights)
    }

    /// Length of such a row.
    pub fn row_3(&self) -> usize {
        self.aligned(2 * self.eights * self.filter_3)
    }

    /// Length of the weight buffer.
    pub fn weights(&self) -> usize {
        self.rows_3() + self.filter_3 * self.row_3()
    }

    fn aligned(&self, length: usize) -> usize {
        length.next_multiple_of(self.fetch.lanes())
    }
}

/// `conv_fused.wgsl`: all layers, but for the sum over the rows of layer 3's filter.
pub fn conv_fused(variant: &FusedVariant) -> Shader {
    let (fetch, fetch_name) = match variant.fetch {
        Fetch::Uniform => (include_str!("../../../shaders/shared/fetch_uniform.wgsl"), String::new()),
        Fetch::Subgroup(lanes) => {
            (include_str!("../../../shaders/shared/fetch_subgroup.wgsl"), format!("subgroup{lanes}"))
        }
    };
    let prelude = [
        ("FILTER_1", Constant::Number(variant.filter_1)),
        ("FILTER_3", Constant::Number(variant.filter_3)),
        ("GROUPS", Constant::Number(variant.groups)),
        ("EIGHTS", Constant::Number(variant.eights)),
        ("WEIGHTS", Constant::Number(variant.weights())),
        ("LANES", Constant::Number(variant.fetch.lanes())),
        ("NORMALIZED", Constant::Flag(variant.normalized)),
        variant.outside.constant(),
    ];
    let text = include_str!("../../../shaders/conv_fused.wgsl");
    with_prelude(
        "conv_fused",
        &[
            &format!("{0}x{0}", variant.filter_1),
            &format!("{0}x{0}", variant.filter_3),
            &format!("filters{}", 4 * variant.groups),
            &format!("filters{}", 8 * variant.eights),
            word(variant.normalized, "normalized"),
            variant.outside.name(),
            if variant.uniform { "uniform" } else { "storage" },
            &fetch_name,
        ],
        &prelude,
        &[text, fetch, weights_text(variant.uniform), PADDING, REGION],
        workgroup(variant.workgroup),
    )
}

/// `sum_rows.wgsl`: the end of layer 3.
pub fn sum_rows(filter_3: usize, normalized: bool) -> Shader {
    let prelude = [("FILTER_3", Constant::Number(filter_3)), ("NORMALIZED", Constant::Flag(normalized))];
    let text = include_str!("../../../shaders/sum_rows.wgsl");
    let settings = [&format!("{filter_3}x{filter_3}"), word(normalized, "normalized")];
    with_prelude("sum_rows", &settings, &prelude, &[text, REGION], workgroup(PIXEL_WORKGROUP))
}

/// Every variant for a network, on any device.
pub(super) fn variants(architecture: &Architecture, paddings: &[Padding]) -> Vec<Shader> {
    let mut shaders = Vec::new();
    for &padding in paddings {
        for fetch in [Fetch::Uniform, Fetch::Subgroup(8)] {
            for uniform_binding in [0, 64 << 10] {
                let bindings = [uniform_binding, 128 << 20];
                let variant = FusedVariant::new(architecture, padding, fetch, [1, 8], bindings);
                shaders.extend(variant.as_ref().map(conv_fused));
                shaders.extend(variant.map(|variant| sum_rows(variant.filter_3, variant.normalized)));
            }
        }
    }
    shaders
}
