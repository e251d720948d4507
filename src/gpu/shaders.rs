//! The WGSL of every kernel, with the settings that tell its variants apart.
//!
//! A kernel's text is the file in `shaders/` as it is, an optional prelude of `const` lines before it, and the
//! shared declarations behind it (WGSL does not mind the order, so line numbers stay near the file's).

use std::fmt::Write;

/// A variant of a kernel: complete WGSL with an entry point `main`, and values for its `override`s.
#[derive(Debug, Clone, PartialEq)]
pub struct Shader {
    /// Name of the kernel, the file's without `.wgsl`.
    pub name: &'static str,
    /// The whole text.
    pub wgsl: String,
    /// Values of override constants, by name.
    pub overrides: Vec<(&'static str, f64)>,
}

const REGION: &str = include_str!("../../shaders/shared/region.wgsl");

fn with_prelude(
    name: &'static str,
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
    Shader { name, wgsl, overrides }
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

fn per_pixel(name: &'static str, parts: &[&str], more: &[(&'static str, f64)]) -> Shader {
    let mut overrides = workgroup(PIXEL_WORKGROUP);
    overrides.extend_from_slice(more);
    with_prelude(name, &[], parts, overrides)
}

/// `planes_from_texture.wgsl`: source texture to planes.
pub fn planes_from_texture(ycbcr: bool) -> Shader {
    let text = include_str!("../../shaders/planes_from_texture.wgsl");
    per_pixel("planes_from_texture", &[text, REGION], &[("YCBCR", f64::from(ycbcr))])
}

/// `resample.wgsl`: one axis of bicubic resampling.
pub fn resample(rows: bool) -> Shader {
    let text = include_str!("../../shaders/resample.wgsl");
    per_pixel("resample", &[text, REGION], &[("ROWS", f64::from(rows))])
}

/// `pad.wgsl`: values outside the picture.
pub fn pad(replicate: bool) -> Shader {
    let text = include_str!("../../shaders/pad.wgsl");
    per_pixel("pad", &[text, REGION], &[("REPLICATE", f64::from(replicate))])
}

/// `texture_from_planes.wgsl`: planes to the target texture. `None` for formats that it does not write.
pub fn texture_from_planes(
    format: wgpu::TextureFormat,
    ycbcr: bool,
    network_planes: usize,
) -> Option<Shader> {
    let target = match format {
        wgpu::TextureFormat::Rgba8Unorm => include_str!("../../shaders/shared/target_rgba8unorm.wgsl"),
        wgpu::TextureFormat::Rgba16Float => include_str!("../../shaders/shared/target_rgba16float.wgsl"),
        wgpu::TextureFormat::Rgba32Float => include_str!("../../shaders/shared/target_rgba32float.wgsl"),
        _ => return None,
    };
    let text = include_str!("../../shaders/texture_from_planes.wgsl");
    let settings = [("YCBCR", f64::from(ycbcr)), ("NETWORK_PLANES", network_planes as f64)];
    Some(per_pixel("texture_from_planes", &[text, target, REGION], &settings))
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
    /// Rows of a filter as the shader sees it: f, or f + 3 with four output rows.
    pub fn filter_rows(&self) -> usize {
        self.filter_columns + self.output_rows - 1
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
    with_prelude(
        "conv_forward",
        &prelude,
        &[text, registers, weights, REGION],
        workgroup(variant.shape.workgroup),
    )
}
