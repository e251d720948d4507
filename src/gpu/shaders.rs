//! The WGSL of every kernel, with the settings that tell its variants apart.
//!
//! A kernel's text is the file in `shaders/` as it is, an optional prelude of `const` lines before it, and the
//! shared declarations behind it (WGSL does not mind the order, so line numbers stay near the file's).

mod fetch;
mod forward;
mod shape;
mod wide;
mod winograd;

use std::fmt::Write;

pub use fetch::{Fetch, WEIGHT_COLUMNS, WeightStore};
pub use forward::{ConvShape, ConvVariant, Registers, conv_forward};
#[cfg(feature = "train")]
pub(crate) use wide::{ADD_MAPS, EIGHTS, TAPS};
pub use wide::{FirstVariant, Settings, Tail, WideVariant, conv_first, conv_wide, sum_rows};
pub use winograd::{POINTS, WinogradVariant, conv_winograd, sum_squares};

use crate::network::{Architecture, Padding};
use crate::precision::Precision;

/// A variant of a kernel: complete WGSL with an entry point `main`, and values for its `override`s.
#[derive(Debug, Clone, PartialEq)]
pub struct Shader {
    /// Name of the kernel, the file's without `.wgsl`.
    pub name: &'static str,
    /// Name of the variant, fit for a file name: the kernel's and its settings.
    pub variant: String,
    /// The whole text.
    pub wgsl: String,
    /// Values of override constants, by name.
    pub overrides: Vec<(&'static str, f64)>,
}

impl Shader {
    /// Whether it computes with 16-bit floats, and needs [`wgpu::Features::SHADER_F16`].
    pub fn uses_half_precision(&self) -> bool {
        self.wgsl.starts_with("enable f16;")
    }
}

const REGION: &str = include_str!("../../shaders/shared/region.wgsl");
const YCBCR: &str = include_str!("../../shaders/shared/ycbcr.wgsl");
const PADDING: &str = include_str!("../../shaders/shared/padding.wgsl");

fn with_prelude(
    name: &'static str,
    settings: &[&str],
    prelude: &[(&str, Constant)],
    parts: &[&str],
    overrides: Vec<(&'static str, f64)>,
) -> Shader {
    let mut wgsl = String::new();
    for (name, value) in prelude {
        // Writing to a String does not fail.
        let _ = match value {
            Constant::Number(value) => writeln!(wgsl, "const {name}: u32 = {value}u;"),
            Constant::Flag(value) => writeln!(wgsl, "const {name}: bool = {value};"),
            Constant::Extension => writeln!(wgsl, "enable {name};"),
        };
    }
    parts.iter().for_each(|part| wgsl.push_str(part));
    let settings = settings.iter().filter(|setting| !setting.is_empty());
    let variant = settings.fold(name.to_owned(), |variant, setting| format!("{variant}-{setting}"));
    Shader { name, variant, wgsl, overrides }
}

/// A word where a flag is set.
fn word(flag: bool, name: &'static str) -> &'static str {
    if flag { name } else { "" }
}

enum Constant {
    Number(usize),
    Flag(bool),
    /// An extension of WGSL; before everything else.
    Extension,
}

fn workgroup([x, y]: [u32; 2]) -> Vec<(&'static str, f64)> {
    vec![("WORKGROUP_X", f64::from(x)), ("WORKGROUP_Y", f64::from(y))]
}

/// Workgroup of the kernels that do one element an invocation.
pub const PIXEL_WORKGROUP: [u32; 2] = [8, 8];

/// What a kernel writes at positions outside the picture, for the layer that reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutsideValue {
    /// Nothing of use: no layer reads them.
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

    fn constant(self) -> (&'static str, Constant) {
        ("PADDING", Constant::Number(self as usize))
    }
}

/// `resample_columns.wgsl`: the source texture's planes, columns resampled, colors converted.
pub fn resample_columns(ycbcr: bool) -> Shader {
    let text = include_str!("../../shaders/resample_columns.wgsl");
    let mut overrides = workgroup(PIXEL_WORKGROUP);
    overrides.push(("YCBCR", f64::from(ycbcr)));
    with_prelude("resample_columns", &[word(ycbcr, "ycbcr")], &[], &[text, YCBCR, REGION], overrides)
}

/// `resample_rows.wgsl`: rows resampled, padded for the first layer.
pub fn resample_rows(outside: OutsideValue) -> Shader {
    let text = include_str!("../../shaders/resample_rows.wgsl");
    let parts = [text, PADDING, REGION];
    let overrides = workgroup(PIXEL_WORKGROUP);
    with_prelude("resample_rows", &[outside.name()], &[outside.constant()], &parts, overrides)
}

/// Formats of target textures that there are kernels for.
pub const TARGET_FORMATS: [wgpu::TextureFormat; 4] = [
    wgpu::TextureFormat::Rgba8Unorm,
    wgpu::TextureFormat::Rgba16Float,
    wgpu::TextureFormat::Rgba32Float,
    wgpu::TextureFormat::R32Float,
];

/// `texture_from_planes.wgsl`: `planes` planes to the target texture, of which the first ones are the network's. `None`
/// for formats that it does not write.
pub fn texture_from_planes(
    format: wgpu::TextureFormat,
    ycbcr: bool,
    [network_planes, planes]: [usize; 2],
) -> Option<Shader> {
    let (target, name) = match format {
        wgpu::TextureFormat::Rgba8Unorm => {
            (include_str!("../../shaders/shared/target_rgba8unorm.wgsl"), "rgba8unorm")
        }
        wgpu::TextureFormat::Rgba16Float => {
            (include_str!("../../shaders/shared/target_rgba16float.wgsl"), "rgba16float")
        }
        wgpu::TextureFormat::Rgba32Float => {
            (include_str!("../../shaders/shared/target_rgba32float.wgsl"), "rgba32float")
        }
        wgpu::TextureFormat::R32Float => {
            (include_str!("../../shaders/shared/target_r32float.wgsl"), "r32float")
        }
        _ => return None,
    };
    let text = include_str!("../../shaders/texture_from_planes.wgsl");
    let mut overrides = workgroup(PIXEL_WORKGROUP);
    overrides.extend([
        ("YCBCR", f64::from(ycbcr)),
        ("PLANES", planes as f64),
        ("NETWORK_PLANES", network_planes as f64),
    ]);
    let settings = [name, word(ycbcr, "ycbcr"), &format!("planes{network_planes}of{planes}")];
    Some(with_prelude("texture_from_planes", &settings, &[], &[text, target, REGION], overrides))
}

/// `samples_from_texture.wgsl`: rounded to samples of one or two bytes; from maps, 4 pixels a texel, or from a texture
/// with a pixel a texel; the average of several results.
pub fn samples_from_texture(bytes: usize, maps: bool, turns: usize) -> Shader {
    let text = include_str!("../../shaders/samples_from_texture.wgsl");
    let mut overrides = workgroup(PIXEL_WORKGROUP);
    overrides.extend([("BYTES", bytes as f64), ("MAPS", f64::from(maps)), ("TURNS", turns as f64)]);
    let settings = [&format!("bytes{bytes}"), word(maps, "maps"), &format!("turns{turns}")];
    with_prelude("samples_from_texture", &settings, &[], &[text], overrides)
}

/// `ceiling.wgsl`: multiply-adds and nothing else, [`CEILING_OPERATIONS`] of them an invocation.
pub fn ceiling() -> Shader {
    let text = include_str!("../../shaders/ceiling.wgsl");
    with_prelude("ceiling", &[], &[], &[text], vec![("WORKGROUP", 64.0)])
}

/// Multiplications and additions of an invocation of [`ceiling`].
pub const CEILING_OPERATIONS: u64 = 1000 * 8 * 12 * 2;

pub(crate) fn weights_text(uniform: bool) -> &'static str {
    if uniform {
        include_str!("../../shaders/shared/weights_uniform.wgsl")
    } else {
        include_str!("../../shaders/shared/weights_storage.wgsl")
    }
}

/// Every variant of every kernel that a network can come to use, on any device, with any padding and texture: what
/// tests and porters go through. Filters are in uniform bindings of 64 KiB, and in storage bindings of 128 MiB.
pub fn variants(architecture: &Architecture) -> Vec<Shader> {
    const PADDINGS: [Padding; 4] = [Padding::Replicate, Padding::Normalized, Padding::Zero, Padding::Valid];
    variants_with(architecture, &PADDINGS)
}

/// The same for some paddings; what is in the kernels' files is all there with any.
pub(crate) fn variants_with(architecture: &Architecture, paddings: &[Padding]) -> Vec<Shader> {
    let mut shaders = vec![ceiling()];
    for bytes in [1, 2] {
        let kinds = [(false, 1), (false, 8), (true, 1)];
        shaders.extend(kinds.map(|(maps, turns)| samples_from_texture(bytes, maps, turns)));
    }
    shaders.extend(paddings.iter().map(|&padding| resample_rows(padding.into())));
    for ycbcr in [false, true] {
        shaders.push(resample_columns(ycbcr));
        for planes in [architecture.channels(), 4] {
            let to_texture = |format| texture_from_planes(format, ycbcr, [architecture.channels(), planes]);
            shaders.extend(TARGET_FORMATS.into_iter().filter_map(to_texture));
        }
    }
    let last = architecture.layers().len() - 1;
    for (i, layer) in architecture.layers().iter().enumerate() {
        for registers in Registers::ALL {
            let shape =
                ConvShape { spatial: registers, pointwise: registers, workgroup: [8, 8], fused: None };
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
    shaders.extend(wide::variants(architecture, paddings));
    shaders.extend(winograd::variants(architecture, paddings));
    // Settings that make no difference, and layers alike, have a kernel in common.
    let mut seen = std::collections::HashSet::new();
    shaders.retain(|shader| seen.insert(shader.wgsl.clone() + &shader.variant));
    shaders
}
