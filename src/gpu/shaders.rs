//! The WGSL of every kernel, with the settings that tell its variants apart.
//!
//! A kernel's text is the file in `shaders/` as it is, an optional prelude of `const` lines before it, and the
//! shared declarations behind it (WGSL does not mind the order, so line numbers stay near the file's).

use std::fmt::Write;

use crate::network::{Architecture, LayerShape};

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

const REGION: &str = include_str!("../../shaders/shared/region.wgsl");

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
        };
    }
    parts.iter().for_each(|part| wgsl.push_str(part));
    let settings = settings.iter().filter(|setting| !setting.is_empty());
    let variant = settings.fold(name.to_owned(), |variant, setting| format!("{variant}-{setting}"));
    Shader { name, variant, wgsl, overrides }
}

enum Constant {
    Number(usize),
    Flag(bool),
}

fn workgroup([x, y]: [u32; 2]) -> Vec<(&'static str, f64)> {
    vec![("WORKGROUP_X", f64::from(x)), ("WORKGROUP_Y", f64::from(y))]
}

/// Workgroup of the kernels that do one element an invocation.
pub const PIXEL_WORKGROUP: [u32; 2] = [8, 8];

fn per_pixel(name: &'static str, settings: &[&str], parts: &[&str], more: &[(&'static str, f64)]) -> Shader {
    let mut overrides = workgroup(PIXEL_WORKGROUP);
    overrides.extend_from_slice(more);
    with_prelude(name, settings, &[], parts, overrides)
}

/// A word where a flag is set.
fn word(flag: bool, name: &'static str) -> &'static str {
    if flag { name } else { "" }
}

/// `planes_from_texture.wgsl`: source texture to planes.
pub fn planes_from_texture(ycbcr: bool) -> Shader {
    let text = include_str!("../../shaders/planes_from_texture.wgsl");
    let settings = [word(ycbcr, "ycbcr")];
    per_pixel("planes_from_texture", &settings, &[text, REGION], &[("YCBCR", f64::from(ycbcr))])
}

/// `resample.wgsl`: one axis of bicubic resampling.
pub fn resample(rows: bool) -> Shader {
    let text = include_str!("../../shaders/resample.wgsl");
    let settings = [if rows { "rows" } else { "columns" }];
    per_pixel("resample", &settings, &[text, REGION], &[("ROWS", f64::from(rows))])
}

/// `pad.wgsl`: values outside the picture.
pub fn pad(replicate: bool) -> Shader {
    let text = include_str!("../../shaders/pad.wgsl");
    let settings = [if replicate { "replicate" } else { "zero" }];
    per_pixel("pad", &settings, &[text, REGION], &[("REPLICATE", f64::from(replicate))])
}

/// Formats of target textures that there are kernels for.
pub const TARGET_FORMATS: [wgpu::TextureFormat; 3] =
    [wgpu::TextureFormat::Rgba8Unorm, wgpu::TextureFormat::Rgba16Float, wgpu::TextureFormat::Rgba32Float];

/// `texture_from_planes.wgsl`: planes to the target texture. `None` for formats that it does not write.
pub fn texture_from_planes(
    format: wgpu::TextureFormat,
    ycbcr: bool,
    network_planes: usize,
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
        _ => return None,
    };
    let text = include_str!("../../shaders/texture_from_planes.wgsl");
    let settings = [name, word(ycbcr, "ycbcr"), &format!("planes{network_planes}")];
    let overrides = [("YCBCR", f64::from(ycbcr)), ("NETWORK_PLANES", network_planes as f64)];
    Some(per_pixel("texture_from_planes", &settings, &[text, target, REGION], &overrides))
}

/// Register tiles of `conv_forward.wgsl`: pixels of a row that an invocation owns, for 4 outputs each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Pixels {
    /// 4 pixels.
    Four = 4,
    /// 8 pixels.
    Eight = 8,
    /// 16 pixels.
    Sixteen = 16,
}

/// Shape parameters of `conv_forward.wgsl`, to be chosen per adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Pixels of a row that an invocation owns: 4, 8 or 16.
    pub pixels: Pixels,
    /// Invocations of a workgroup along a row, and along a column.
    pub workgroup: [u32; 2],
}

/// What one layer asks of `conv_forward.wgsl`.
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
    /// Division by the fraction of valid taps.
    pub normalized: bool,
    /// Register tile and workgroup.
    pub shape: ConvShape,
}

impl ConvVariant {
    /// The variant for a layer, whose filters go to a uniform buffer if that takes a group of them. Sizes of
    /// bindings are in bytes. `None` when not even a storage buffer takes a group.
    pub fn new(
        layer: &LayerShape,
        relu: bool,
        normalized: bool,
        shape: ConvShape,
        [uniform_binding, storage_binding]: [u64; 2],
    ) -> Option<Self> {
        let mut variant = Self {
            inputs: layer.inputs,
            filter_columns: layer.size,
            // One filter alone would leave three quarters of a vec4 idle: it computes four rows instead.
            output_rows: if layer.filters == 1 { 4 } else { 1 },
            weights: 0,
            uniform: true,
            relu,
            normalized,
            shape,
        };
        let vecs = variant.group_vecs();
        let fit = |bytes: u64| (bytes / (vecs as u64 * 16)) as usize;
        variant.uniform = fit(uniform_binding) > 0;
        let groups = fit(if variant.uniform { uniform_binding } else { storage_binding });
        variant.weights = vecs * groups.min(layer.filters.div_ceil(variant.group_filters()));
        (groups > 0).then_some(variant)
    }

    /// Rows of a filter as the shader sees it: f, or f + 3 with four output rows.
    pub fn filter_rows(&self) -> usize {
        self.filter_columns + self.output_rows - 1
    }

    /// Filters whose outputs an invocation computes: four, or one with four output rows.
    pub fn group_filters(&self) -> usize {
        4 / self.output_rows
    }

    /// Length of a group of filters in vec4s: bias and taps.
    pub fn group_vecs(&self) -> usize {
        1 + self.inputs * self.filter_rows() * self.filter_columns
    }
}

/// `conv_forward.wgsl`: one layer.
pub fn conv_forward(variant: &ConvVariant) -> Shader {
    let weights = if variant.uniform {
        include_str!("../../shaders/shared/weights_uniform.wgsl")
    } else {
        include_str!("../../shaders/shared/weights_storage.wgsl")
    };
    let prelude = [
        ("INPUTS", Constant::Number(variant.inputs)),
        ("FILTER_ROWS", Constant::Number(variant.filter_rows())),
        ("FILTER_COLUMNS", Constant::Number(variant.filter_columns)),
        ("OUTPUT_ROWS", Constant::Number(variant.output_rows)),
        ("WEIGHTS", Constant::Number(variant.weights)),
        ("RELU", Constant::Flag(variant.relu)),
        ("NORMALIZED", Constant::Flag(variant.normalized)),
    ];
    let registers = match variant.shape.pixels {
        Pixels::Four => include_str!("../../shaders/shared/registers_4.wgsl"),
        Pixels::Eight => include_str!("../../shaders/shared/registers_8.wgsl"),
        Pixels::Sixteen => include_str!("../../shaders/shared/registers_16.wgsl"),
    };
    let text = include_str!("../../shaders/conv_forward.wgsl");
    let (size, pixels) = (variant.filter_columns, variant.shape.pixels as u32);
    with_prelude(
        "conv_forward",
        &[
            &format!("{size}x{size}"),
            &format!("inputs{}", variant.inputs),
            &format!("weights{}", variant.weights),
            &format!("rows{}", variant.output_rows),
            word(variant.relu, "relu"),
            word(variant.normalized, "normalized"),
            if variant.uniform { "uniform" } else { "storage" },
            &format!("pixels{pixels}"),
        ],
        &prelude,
        &[text, registers, weights, REGION],
        workgroup(variant.shape.workgroup),
    )
}

/// Every variant of every kernel that a network can come to use, on any device, with any padding and texture: what
/// tests and porters go through. Filters are in uniform bindings of 64 KiB, and in storage bindings of 128 MiB.
pub fn variants(architecture: &Architecture) -> Vec<Shader> {
    const BOTH: [bool; 2] = [false, true];
    let mut shaders = Vec::new();
    for flag in BOTH {
        shaders.extend([planes_from_texture(flag), resample(flag), pad(flag)]);
        let to_texture = |format| texture_from_planes(format, flag, architecture.channels());
        shaders.extend(TARGET_FORMATS.into_iter().filter_map(to_texture));
    }
    let last = architecture.layers().len() - 1;
    for (i, layer) in architecture.layers().iter().enumerate() {
        for pixels in [Pixels::Four, Pixels::Eight, Pixels::Sixteen] {
            for normalized in BOTH {
                for uniform_binding in [0, 64 << 10] {
                    let shape = ConvShape { pixels, workgroup: [8, 8] };
                    let bindings = [uniform_binding, 128 << 20];
                    let variant = ConvVariant::new(layer, i < last, normalized, shape, bindings);
                    shaders.extend(variant.as_ref().map(conv_forward));
                }
            }
        }
    }
    // Layers alike have a kernel in common, and so have both bindings where only storage fits.
    let mut seen = std::collections::HashSet::new();
    shaders.retain(|shader| seen.insert(shader.wgsl.clone() + &shader.variant));
    shaders
}
