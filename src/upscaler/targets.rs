//! What the host's textures have to meet.

use crate::error::{Error, Result};

/// Checks a texture's usage, format and size. `format` is the one that it has to have; without, any but sRGB ones.
///
/// # Errors
/// [`Error::InvalidArgument`] that says what is wrong with it.
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
            "the {name} texture is {has:?}: networks work on gamma-encoded values, use the format without sRGB"
        )));
    }
    if texture.width() < width || texture.height() < height {
        return Err(Error::invalid(format!(
            "the {name} texture is {}x{}, {width}x{height} are needed",
            texture.width(),
            texture.height(),
        )));
    }
    match format.filter(|&format| format != has) {
        Some(format) => {
            Err(Error::invalid(format!("the {name} is {has:?}, the upscaler was made for {format:?}")))
        }
        None => Ok(()),
    }
}
