//! What the host's textures must meet.

use crate::error::{Error, Result};

/// Checks a texture's usage, format and size (width, height, at least). `format` is the required format; `None` allows
/// any but sRGB formats.
///
/// # Errors
/// [`Error::InvalidArgument`] saying what is wrong.
pub(super) fn check_texture(
    name: &str,
    view: &wgpu::TextureView,
    usage: wgpu::TextureUsages,
    (width, height): (u32, u32),
    format: Option<wgpu::TextureFormat>,
) -> Result<()> {
    let texture = view.texture();
    if !texture.usage().contains(usage) {
        return Err(Error::invalid(format!("the {name} texture lacks the usage {usage:?}")));
    }
    let has = texture.format();
    if has.is_srgb() {
        return Err(Error::invalid(format!(
            "the {name} texture is {has:?}; networks work on gamma-encoded values, so use the format without sRGB"
        )));
    }
    if texture.width() < width || texture.height() < height {
        return Err(Error::invalid(format!(
            "the {name} texture is {}x{}, but {width}x{height} is needed",
            texture.width(),
            texture.height(),
        )));
    }
    match format.filter(|&format| format != has) {
        Some(format) => Err(Error::invalid(format!(
            "the {name} texture is {has:?}, but the upscaler was made for {format:?}"
        ))),
        None => Ok(()),
    }
}
