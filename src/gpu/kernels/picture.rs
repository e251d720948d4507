//! The kernels around the network: resampling, the target texture, samples of video; and the measurement of an adapter's
//! rate of multiply-adds.

use super::{OutsideValue, PIXEL_WORKGROUP, Shader, word};
use crate::gpu::compose::{Prelude, Template, kernel};

/// `resample_columns.wgsl`: the source texture's planes, columns resampled, colors converted.
pub fn resample_columns(ycbcr: bool, light: Light) -> Shader {
    kernel!("resample_columns")
        .workgroup(PIXEL_WORKGROUP)
        .overrides([("YCBCR", f64::from(ycbcr)), ("LIGHT", f64::from(light as u8))])
        .named([word(ycbcr, "ycbcr"), light.name()])
        .compose()
}

/// `resample_rows.wgsl`: rows resampled, padded for the first layer.
pub fn resample_rows(outside: OutsideValue) -> Shader {
    kernel!("resample_rows")
        .prelude(Prelude::default().numbers([outside.constant()]))
        .workgroup(PIXEL_WORKGROUP)
        .named([outside.name()])
        .compose()
}

/// Formats of target textures that a compute kernel stores to, on every device.
pub const STORED_FORMATS: [wgpu::TextureFormat; 4] = [
    wgpu::TextureFormat::Rgba8Unorm,
    wgpu::TextureFormat::Rgba16Float,
    wgpu::TextureFormat::Rgba32Float,
    wgpu::TextureFormat::R32Float,
];

/// What a texture gives to kernels, or takes from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// Gamma-encoded values, as the network has them.
    Encoded,
    /// Linear light.
    Linear,
    /// Linear light that the format makes of 8-bit gamma-encoded values, or they of it.
    LinearBytes,
}

impl Light {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Encoded, Self::Linear, Self::LinearBytes];

    fn name(self) -> &'static str {
        match self {
            Self::Encoded => "",
            Self::Linear => "linear",
            Self::LinearBytes => "linearbytes",
        }
    }
}

/// The planes that go into a target texture, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetPlanes {
    /// Whether they are luminance and chrominance, and the target gets red, green and blue.
    pub ycbcr: bool,
    /// How many of them come from the network; the others are bicubic.
    pub network: usize,
    /// Number of planes.
    pub planes: usize,
    /// What becomes of the values.
    pub light: Light,
}

impl TargetPlanes {
    fn variant(self, template: Template, target: &str) -> Template {
        let Self { ycbcr, network, planes, light } = self;
        let overrides = [
            ("YCBCR", f64::from(ycbcr)),
            ("PLANES", planes as f64),
            ("NETWORK_PLANES", network as f64),
            ("LIGHT", f64::from(light as u8)),
        ];
        let planes = format!("planes{network}of{planes}");
        template.overrides(overrides).named([target, word(ycbcr, "ycbcr"), &planes, light.name()])
    }
}

/// `texture_from_planes.wgsl`: planes to a target texture that is stored to. `None` for formats other than
/// [`STORED_FORMATS`].
pub fn texture_from_planes(format: wgpu::TextureFormat, planes: TargetPlanes) -> Option<Shader> {
    let (target, name) = match format {
        wgpu::TextureFormat::Rgba8Unorm => ("target_rgba8unorm", "rgba8unorm"),
        wgpu::TextureFormat::Rgba16Float => ("target_rgba16float", "rgba16float"),
        wgpu::TextureFormat::Rgba32Float => ("target_rgba32float", "rgba32float"),
        wgpu::TextureFormat::R32Float => ("target_r32float", "r32float"),
        _ => return None,
    };
    let template = kernel!("texture_from_planes").part("target", target).workgroup(PIXEL_WORKGROUP);
    Some(planes.variant(template, name).compose())
}

/// `render_from_planes.wgsl`: planes to a target texture of any format that is rendered to.
pub fn render_from_planes(planes: TargetPlanes) -> Shader {
    planes.variant(kernel!("render_from_planes").fragment(), "").compose()
}

/// `samples_from_texture.wgsl`: rounded to samples of one or two bytes; from maps, 4 pixels a texel, or from a texture
/// with a pixel a texel; the average of the results for several symmetries.
pub fn samples_from_texture(bytes: usize, maps: bool, symmetries: usize) -> Shader {
    kernel!("samples_from_texture")
        .workgroup(PIXEL_WORKGROUP)
        .overrides([("BYTES", bytes as f64), ("MAPS", f64::from(maps)), ("SYMMETRIES", symmetries as f64)])
        .named([&format!("bytes{bytes}"), word(maps, "maps"), &format!("symmetries{symmetries}")])
        .compose()
}

/// `ceiling.wgsl`: multiply-adds and nothing else, [`CEILING_OPERATIONS`] in each invocation.
pub fn ceiling() -> Shader {
    kernel!("ceiling").overrides([("WORKGROUP", 64.0)]).compose()
}

/// Multiplications and additions of an invocation of [`ceiling`].
pub const CEILING_OPERATIONS: u64 = 1000 * 8 * 12 * 2;
