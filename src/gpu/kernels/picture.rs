//! The kernels around the network: resampling, the target texture, samples of video; and the measurement of an adapter's
//! rate of multiply-adds.

use super::{OutsideValue, PIXEL_WORKGROUP, Shader, word};
use crate::gpu::compose::{Prelude, kernel};

/// `resample_columns.wgsl`: the source texture's planes, columns resampled, colors converted.
pub fn resample_columns(ycbcr: bool) -> Shader {
    kernel!("resample_columns")
        .workgroup(PIXEL_WORKGROUP)
        .overrides([("YCBCR", f64::from(ycbcr))])
        .named([word(ycbcr, "ycbcr")])
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

/// Formats of target textures that there are kernels for.
pub const TARGET_FORMATS: [wgpu::TextureFormat; 4] = [
    wgpu::TextureFormat::Rgba8Unorm,
    wgpu::TextureFormat::Rgba16Float,
    wgpu::TextureFormat::Rgba32Float,
    wgpu::TextureFormat::R32Float,
];

/// `texture_from_planes.wgsl`: `planes` planes to the target texture, the first `network_planes` of them from the network.
/// `None` for formats other than [`TARGET_FORMATS`].
pub fn texture_from_planes(
    format: wgpu::TextureFormat,
    ycbcr: bool,
    [network_planes, planes]: [usize; 2],
) -> Option<Shader> {
    let (target, name) = match format {
        wgpu::TextureFormat::Rgba8Unorm => ("target_rgba8unorm", "rgba8unorm"),
        wgpu::TextureFormat::Rgba16Float => ("target_rgba16float", "rgba16float"),
        wgpu::TextureFormat::Rgba32Float => ("target_rgba32float", "rgba32float"),
        wgpu::TextureFormat::R32Float => ("target_r32float", "r32float"),
        _ => return None,
    };
    let shader = kernel!("texture_from_planes")
        .part("target", target)
        .workgroup(PIXEL_WORKGROUP)
        .overrides([
            ("YCBCR", f64::from(ycbcr)),
            ("PLANES", planes as f64),
            ("NETWORK_PLANES", network_planes as f64),
        ])
        .named([name, word(ycbcr, "ycbcr"), &format!("planes{network_planes}of{planes}")])
        .compose();
    Some(shader)
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
