//! `conv_forward.wgsl`: one layer of any network.

use super::{MapRead, OutsideValue, Shader, WeightLoad, biases, prelude, word};
use crate::gpu::compose::kernel;
use crate::network::{LayerShape, Padding};
use crate::precision::Precision;

/// Register tiles of `conv_forward.wgsl`: pixels of a row and outputs that an invocation owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registers {
    /// 8 pixels of 4 outputs: the least code.
    P8x4,
    /// 16 pixels of 4 outputs.
    P16x4,
    /// 8 pixels of 8 outputs.
    P8x8,
    /// 8 pixels of 16 outputs.
    P8x16,
}

impl Registers {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::P8x4, Self::P16x4, Self::P8x8, Self::P8x16];

    /// Pixels of a row.
    pub fn pixels(self) -> u32 {
        if self == Registers::P16x4 { 16 } else { 8 }
    }

    /// Outputs, a multiple of 4.
    pub fn outputs(self) -> usize {
        match self {
            Registers::P8x4 | Registers::P16x4 => 4,
            Registers::P8x8 => 8,
            Registers::P8x16 => 16,
        }
    }

    /// Pixels and outputs, as in `16x4`.
    pub(super) fn name(self) -> String {
        format!("{}x{}", self.pixels(), self.outputs())
    }
}

/// Which kernels compute several layers at once, without storing the maps between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fusion {
    /// Those in which an invocation computes 4 pixels of a row by itself, for software adapters: `conv_fused_head.wgsl`,
    /// `conv_fused_body.wgsl`, `conv_winograd.wgsl`. How they load their weights is a parameter.
    Invocation(WeightLoad),
    /// Those in which the invocations of a workgroup compute a block of pixels, for GPUs: `conv_fused_workgroup.wgsl`.
    Workgroup,
}

impl Fusion {
    /// How invocations load weights, where that is a choice.
    pub(crate) fn weight_load(self) -> Option<WeightLoad> {
        match self {
            Self::Invocation(load) => Some(load),
            Self::Workgroup => None,
        }
    }
}

impl From<WeightLoad> for Fusion {
    fn from(load: WeightLoad) -> Self {
        Self::Invocation(load)
    }
}

/// Shape parameters of `conv_forward.wgsl`, to be chosen per adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Register tile of layers with filters larger than a pixel.
    pub spatial: Registers,
    /// Register tile of 1x1 layers.
    pub pointwise: Registers,
    /// Register tiles of a workgroup along a row, and along a column.
    pub workgroup: [u32; 2],
    /// Which fused kernels run, for networks that they cover; `None` runs all networks layer by layer.
    pub fused: Option<Fusion>,
    /// How kernels read maps in single precision.
    pub map_read: MapRead,
}

/// The settings of `conv_forward.wgsl` for one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvVariant {
    /// Input planes.
    pub inputs: usize,
    /// Columns of a filter: f.
    pub filter_columns: usize,
    /// 4 when the outputs of an invocation are four rows of one filter, else 1.
    pub output_rows: usize,
    /// Length of the weight buffer in vec4s.
    pub weights: usize,
    /// Weights in a uniform buffer, or in a storage buffer.
    pub uniform: bool,
    /// max(0, x) at the end.
    pub relu: bool,
    /// Multiplication by the valid-pixel map.
    pub normalized: bool,
    /// What is written outside the picture.
    pub outside: OutsideValue,
    /// Precision of filters, products, sums of a block, and output.
    pub precision: Precision,
    /// How the input is read.
    pub map_read: MapRead,
    /// Register tile.
    pub registers: Registers,
    /// Register tiles of a workgroup along a row, and along a column.
    pub workgroup: [u32; 2],
}

impl ConvVariant {
    /// The variant for a layer. Its filters go to a uniform buffer if that holds a group of them. Sizes of bindings are
    /// in bytes. `None` when not even a storage buffer holds a group.
    pub fn new(
        layer: &LayerShape,
        last: bool,
        padding: Padding,
        precision: Precision,
        shape: ConvShape,
        [uniform_binding, storage_binding]: [u64; 2],
    ) -> Option<Self> {
        let wide = if layer.size == 1 { shape.pointwise } else { shape.spatial };
        let mut variant = Self {
            inputs: layer.inputs,
            filter_columns: layer.size,
            // One filter alone would leave three quarters of a vec4 idle: it computes four rows instead. (Not where
            // rows outside the picture are computed from the nearest one inside, one by one.)
            output_rows: if last && layer.filters == 1 { 4 } else { 1 },
            weights: 0,
            uniform: true,
            relu: !last,
            normalized: padding == Padding::Normalized,
            outside: if last { OutsideValue::None } else { padding.into() },
            precision: if last { Precision::F32 } else { precision },
            // The maps of a network in half precision have another format.
            map_read: if precision == Precision::F32 { shape.map_read } else { MapRead::Sampled },
            registers: if wide.outputs() > 4 && layer.filters < wide.outputs() {
                Registers::P16x4
            } else {
                wide
            },
            workgroup: shape.workgroup,
        };
        let floats = variant.group_floats();
        let fit = |bytes: u64| (bytes / (floats * variant.precision.bytes()) as u64) as usize;
        // In a uniform buffer, vec4s of 16 bits would be padded.
        variant.uniform = variant.precision == Precision::F32 && fit(uniform_binding) > 0;
        let groups = fit(if variant.uniform { uniform_binding } else { storage_binding });
        variant.weights = floats / 4 * groups.min(layer.filters.div_ceil(variant.group_filters()));
        (groups > 0).then_some(variant)
    }

    /// Filters whose outputs an invocation computes.
    pub fn group_filters(&self) -> usize {
        self.registers.outputs() / self.output_rows
    }

    /// Length of such a group of filters, in floats: biases, then taps.
    pub fn group_floats(&self) -> usize {
        self.first_tap() + self.inputs * self.filter_rows() * self.filter_columns * self.registers.outputs()
    }

    /// Where the taps of a group begin, in floats.
    pub fn first_tap(&self) -> usize {
        biases(self.precision) * self.registers.outputs()
    }

    /// Rows of a filter whose products are summed in half precision before they are added to sums in single precision
    /// (`shared/products_half.wgsl`): as many as come to 9 to 22 products.
    fn turn_rows(&self) -> usize {
        match self.filter_columns {
            3 | 5 => 3,
            7..=11 => 2,
            _ => 1,
        }
    }

    /// Rows of a filter as the shader sees it: f, or f + 3 with four output rows.
    pub fn filter_rows(&self) -> usize {
        self.filter_columns + self.output_rows - 1
    }
}

/// `conv_forward.wgsl`: one layer.
pub fn conv_forward(variant: &ConvVariant) -> Shader {
    let (size, half) = (variant.filter_columns, variant.precision == Precision::F16);
    let prelude = prelude(variant.precision)
        .numbers([
            ("PIXELS", variant.registers.pixels() as usize),
            ("OUTPUTS", variant.registers.outputs()),
            ("INPUTS", variant.inputs),
            ("TURN_ROWS", variant.turn_rows()),
            ("FILTER_ROWS", variant.filter_rows()),
            ("FILTER_COLUMNS", size),
            ("OUTPUT_ROWS", variant.output_rows),
            ("GROUP", variant.group_floats() / 4),
            ("FIRST_TAP", variant.first_tap() / 4),
            ("WEIGHTS", variant.weights),
            variant.outside.constant(),
        ])
        .flag("RELU", variant.relu)
        .flag("NORMALIZED", variant.normalized);
    kernel!("conv_forward")
        .prelude(prelude)
        .part("precision", if half { "precision_half" } else { "precision_single" })
        .weights(variant.uniform)
        .map_read(variant.map_read)
        .workgroup(variant.workgroup)
        .named([
            &format!("{size}x{size}"),
            &format!("inputs{}", variant.inputs),
            &format!("weights{}", variant.weights),
            &format!("rows{}", variant.output_rows),
            word(variant.relu, "relu"),
            word(variant.normalized, "normalized"),
            variant.outside.name(),
            if variant.uniform { "uniform" } else { "storage" },
            &format!("registers{}", variant.registers.name()),
            word(half, "f16"),
            variant.map_read.name(),
        ])
        .compose()
}
