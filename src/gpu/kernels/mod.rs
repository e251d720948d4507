//! The kernels of inference and their variants: which files in `shaders/` there are, with which settings.

mod forward;
mod fused;
mod fused_workgroup;
mod maps;
mod picture;
mod shape;
mod weights;
mod winograd;
mod winograd_body;
mod winograd_layer;

pub use crate::gpu::compose::{Shader, ShaderStage};
pub use forward::{ConvShape, ConvVariant, Fusion, Registers, conv_forward};
pub use fused::{
    BodyVariant, Epilogue, EpilogueLayout, HeadVariant, Settings, conv_fused_body, conv_fused_head,
    conv_fused_sum,
};
pub use fused_workgroup::{BLOCK, WorkgroupVariant, conv_fused_workgroup, conv_fused_workgroup_sum};
pub use maps::MapRead;
pub use picture::{
    CEILING_OPERATIONS, Light, STORED_FORMATS, TargetPlanes, ceiling, render_from_planes, resample_columns,
    resample_rows, samples_from_texture, texture_from_planes,
};
#[cfg(feature = "train")]
pub(crate) use shape::serde_word;
pub use weights::{WEIGHT_COLUMNS, WeightLoad, WeightStore};
pub use winograd::{POINTS, WinogradVariant, conv_winograd, conv_winograd_sum};
pub use winograd_body::{WinogradBodyVariant, conv_winograd_body};
pub(crate) use winograd_layer::row;
pub use winograd_layer::{WinogradLayerVariant, conv_winograd_layer};

use crate::gpu::compose::Prelude;
use crate::network::{Architecture, Padding};
use crate::precision::Precision;

/// The beginning of the constants of a kernel that computes in a precision.
fn prelude(precision: Precision) -> Prelude {
    match precision {
        Precision::F32 => Prelude::default(),
        Precision::F16 => Prelude::default().enable("f16"),
    }
}

/// Numbers that make up a bias: in half precision, the second one is the rounding error of the first.
fn biases(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 1,
        Precision::F16 => 2,
    }
}

/// A word where a flag is set, for the name of a variant.
fn word(flag: bool, name: &'static str) -> &'static str {
    if flag { name } else { "" }
}

/// Workgroup of the kernels whose invocations own a texel or a word.
pub const PIXEL_WORKGROUP: [u32; 2] = [8, 8];

/// What a kernel writes at positions outside the picture, for the layer that reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutsideValue {
    /// Nothing useful: no layer reads them.
    None,
    /// The value of the nearest pixel of the picture.
    Replicate,
    /// Zero.
    Zero,
}

impl From<Padding> for OutsideValue {
    fn from(padding: Padding) -> Self {
        match padding {
            Padding::Replicate => Self::Replicate,
            Padding::Normalized | Padding::Zero => Self::Zero,
            Padding::Valid => Self::None,
        }
    }
}

impl OutsideValue {
    fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Replicate => "replicate",
            Self::Zero => "zero",
        }
    }

    fn constant(self) -> (&'static str, usize) {
        ("PADDING", self as usize)
    }
}

/// Every variant of every kernel that inference with a network may use, on any device, with any padding and texture, for
/// tests and for porting. Filters are in uniform bindings of 64 KiB, and in storage bindings of 128 MiB.
pub fn variants(architecture: &Architecture) -> Vec<Shader> {
    const PADDINGS: [Padding; 4] = [Padding::Replicate, Padding::Normalized, Padding::Zero, Padding::Valid];
    variants_with(architecture, &PADDINGS)
}

/// The same for some paddings. Any padding brings in every file.
pub(crate) fn variants_with(architecture: &Architecture, paddings: &[Padding]) -> Vec<Shader> {
    let mut shaders = vec![ceiling()];
    for bytes in [1, 2] {
        let kinds = [(false, 1), (false, 8), (true, 1)];
        shaders.extend(kinds.map(|(maps, symmetries)| samples_from_texture(bytes, maps, symmetries)));
    }
    shaders.extend(paddings.iter().map(|&padding| resample_rows(padding.into())));
    for ycbcr in [false, true] {
        shaders.extend(Light::ALL.map(|light| resample_columns(ycbcr, light)));
        for (planes, light) in [architecture.channels(), 4]
            .into_iter()
            .flat_map(|planes| Light::ALL.map(|light| (planes, light)))
        {
            let planes = TargetPlanes { ycbcr, network: architecture.channels(), planes, light };
            // Formats that encode their values are never stored to.
            let stored = STORED_FORMATS.into_iter().filter(|_| light != Light::LinearBytes);
            shaders.extend(stored.filter_map(|format| texture_from_planes(format, planes)));
            shaders.push(render_from_planes(planes));
        }
    }
    let last = architecture.layers().len() - 1;
    for (i, layer) in architecture.layers().iter().enumerate() {
        for registers in Registers::ALL {
            let shape = ConvShape {
                spatial: registers,
                pointwise: registers,
                workgroup: [8, 8],
                fused: None,
                map_read: MapRead::Sampled,
            };
            for &padding in paddings {
                for (precision, uniform_binding) in
                    [(Precision::F32, 0), (Precision::F32, 64 << 10), (Precision::F16, 0)]
                {
                    let bindings = [uniform_binding, 128 << 20];
                    let variant = ConvVariant::new(layer, i == last, padding, precision, shape, bindings);
                    shaders.extend(variant.as_ref().map(conv_forward));
                }
            }
        }
    }
    shaders.extend(fused::variants(architecture, paddings));
    shaders.extend(fused_workgroup::variants(architecture, paddings));
    shaders.extend(winograd::variants(architecture, paddings));
    shaders.extend(winograd_body::variants(architecture, paddings));
    shaders.extend(winograd_layer::variants(architecture, paddings));
    // Equal layers, and settings that make no difference, give the same kernel.
    let mut seen = std::collections::HashSet::new();
    shaders.retain(|shader| seen.insert(shader.wgsl.clone() + &shader.variant));
    shaders
}
