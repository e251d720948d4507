//! The host's textures, and what they must meet.

use crate::error::{Error, Reason, Result};
use crate::gpu::scoped;

/// A texture of the host's, and how to look at it. wgpu does not tell a view's format or mip level, so this takes the
/// texture, and the engine makes the view.
///
/// A `&wgpu::Texture` is its first mip level and first layer, in its own format:
///
/// ```no_run
/// # fn record(upscaler: &srcnn_gpu::Upscaler, encoder: &mut srcnn_gpu::wgpu::CommandEncoder,
/// #     rendered: &srcnn_gpu::wgpu::Texture, target: &srcnn_gpu::wgpu::Texture) -> srcnn_gpu::Result<()> {
/// use srcnn_gpu::{TextureRef, wgpu::TextureFormat};
/// // The stored values of a texture of Rgba8UnormSrgb that names Rgba8Unorm among its view formats.
/// let source = TextureRef::new(rendered).with_format(TextureFormat::Rgba8Unorm);
/// upscaler.record(encoder, source, target)
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TextureRef<'a> {
    texture: &'a wgpu::Texture,
    format: wgpu::TextureFormat,
    mip_level: u32,
    layer: u32,
}

impl<'a> From<&'a wgpu::Texture> for TextureRef<'a> {
    fn from(texture: &'a wgpu::Texture) -> Self {
        Self::new(texture)
    }
}

impl<'a> TextureRef<'a> {
    /// The first mip level and first layer of a texture, in its own format.
    pub fn new(texture: &'a wgpu::Texture) -> Self {
        Self { texture, format: texture.format(), mip_level: 0, layer: 0 }
    }

    /// Looks at it in another format: one of the `view_formats` with which the texture was created.
    #[must_use]
    pub fn with_format(self, format: wgpu::TextureFormat) -> Self {
        Self { format, ..self }
    }

    /// Takes another mip level, 0 is the largest.
    #[must_use]
    pub fn with_mip_level(self, mip_level: u32) -> Self {
        Self { mip_level, ..self }
    }

    /// Takes another layer of an array, counted from 0. wgpu cannot read single layers on OpenGL, only write them.
    #[must_use]
    pub fn with_layer(self, layer: u32) -> Self {
        Self { layer, ..self }
    }

    /// The format in which it is looked at.
    pub fn format(&self) -> wgpu::TextureFormat {
        self.format
    }

    /// Width and height of the mip level.
    pub fn size(&self) -> (u32, u32) {
        let side = |side: u32| side.checked_shr(self.mip_level).unwrap_or(0).max(1);
        (side(self.texture.width()), side(self.texture.height()))
    }

    /// The view as a source, if it has at least `size` pixels.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] saying what is wrong.
    pub(super) fn source(
        &self,
        device: &wgpu::Device,
        size: (u32, u32),
        linear: bool,
    ) -> Result<wgpu::TextureView> {
        let Self { format, .. } = self;
        let kind = format.sample_type(Some(wgpu::TextureAspect::All), Some(device.features()));
        if !matches!(kind, Some(wgpu::TextureSampleType::Float { .. })) {
            return Err(Error::invalid(format!(
                "the source texture is {format:?}; formats with float values are needed, such as Rgba8Unorm"
            )));
        }
        if format.is_srgb() && !linear {
            let plain = format.remove_srgb_suffix();
            return Err(Error::invalid(format!(
                "the source texture is {format:?}, which gives linear light; set \
                 UpscalerOptions::linear_source, or look at the texture as {plain:?} with TextureRef::with_format"
            )));
        }
        let on_opengl = device.adapter_info().backend == wgpu::Backend::Gl;
        if on_opengl && self.texture.depth_or_array_layers() > 1 {
            return Err(Error::invalid(
                "the source texture is an array, and wgpu cannot read one layer of it on OpenGL; copy the layer to a \
                 texture of its own",
            ));
        }
        self.view(device, "source", wgpu::TextureUsages::TEXTURE_BINDING, size)
    }

    /// The view as a target of a format, if it has at least `size` pixels. `usage` is what it is used for.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] saying what is wrong.
    pub(super) fn target(
        &self,
        device: &wgpu::Device,
        size: (u32, u32),
        made_for: wgpu::TextureFormat,
        usage: wgpu::TextureUsages,
    ) -> Result<wgpu::TextureView> {
        if self.format != made_for {
            return Err(Error::invalid(format!(
                "the target texture is {:?}, but the upscaler was made for {made_for:?}; set \
                 UpscalerOptions::target_format, or use TextureRef::with_format",
                self.format
            )));
        }
        self.view(device, "target", usage, size)
    }

    fn view(
        &self,
        device: &wgpu::Device,
        name: &str,
        usage: wgpu::TextureUsages,
        (width, height): (u32, u32),
    ) -> Result<wgpu::TextureView> {
        let Self { texture, format, mip_level, layer } = *self;
        let refuse = |what: String| Err(Error::invalid(format!("the {name} texture {what}")));
        if !texture.usage().contains(usage) {
            let instead = match usage {
                wgpu::TextureUsages::STORAGE_BINDING => {
                    "; for one with RENDER_ATTACHMENT set UpscalerOptions::target_access to TargetAccess::Render"
                }
                _ => "",
            };
            return refuse(format!("lacks the usage {usage:?}{instead}"));
        }
        if texture.dimension() != wgpu::TextureDimension::D2 || texture.sample_count() != 1 {
            let (dimension, samples) = (texture.dimension(), texture.sample_count());
            return refuse(format!("is {dimension:?} with {samples} samples; D2 with 1 is needed"));
        }
        let (levels, layers) = (texture.mip_level_count(), texture.depth_or_array_layers());
        if mip_level >= levels || layer >= layers {
            return refuse(format!(
                "has {levels} mip levels and {layers} layers: {mip_level} or {layer} is out of range"
            ));
        }
        let has = self.size();
        if has.0 < width || has.1 < height {
            return refuse(format!("is {}x{}, but {width}x{height} is needed", has.0, has.1));
        }
        let view = scoped(device, || {
            texture.create_view(&wgpu::TextureViewDescriptor {
                label: Some("srcnn"),
                format: Some(format),
                dimension: Some(wgpu::TextureViewDimension::D2),
                usage: Some(usage),
                aspect: wgpu::TextureAspect::All,
                base_mip_level: mip_level,
                mip_level_count: Some(1),
                base_array_layer: layer,
                array_layer_count: Some(1),
            })
        });
        view.map_err(|error| match error {
            Error::Gpu(reason) if format != texture.format() => {
                let place =
                    format!("the {name} texture of {:?} cannot be looked at as {format:?}", texture.format());
                Error::InvalidArgument(Reason::from(Error::Gpu(reason)).within(place))
            }
            other => other,
        })
    }
}
