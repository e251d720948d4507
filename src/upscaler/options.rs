//! The settings of an [`Upscaler`](super::Upscaler).

use crate::gpu::kernels::{ConvShape, STORED_FORMATS};
use crate::network::Padding;
use crate::precision::Precision;

/// What the source texture holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceKind {
    /// Red, green, blue and alpha in 0..1, gamma-encoded as in picture files. Luminance networks get BT.601 Y;
    /// chrominance and alpha are enlarged bicubically.
    #[default]
    Color,
    /// The network's own channels in red (or red, green and blue if it has three), without any conversion: for example
    /// a video's luma plane. The target gets the result in the same channels.
    Planes,
}

/// How results get into the target texture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetAccess {
    /// A compute kernel stores them. The texture needs `STORAGE_BINDING`; its format is `Rgba8Unorm`, `Rgba16Float`,
    /// `Rgba32Float`, or `R32Float` for luminance only.
    Store,
    /// They are rendered. The texture needs `RENDER_ATTACHMENT`, as surfaces have it; any format with color channels that
    /// are not integers will do. What a larger target holds beside the result stays as it is.
    Render,
}

/// Whether to use a kernel that needs fewer multiplications but longer to compile. Its results are the same up to
/// rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KernelChoice {
    /// On adapters where it is known to be faster, for results that are work enough: a million pixels of 9-1-5, a seventh of that
    /// for 9-5-5.
    #[default]
    Auto,
    /// Wherever it is supported.
    Always,
    /// Not at all.
    Never,
}

impl KernelChoice {
    /// Multiplications that are worth a longer compilation.
    const LARGE: usize = 8_000_000_000;

    /// Whether to use it for a result of this many multiplications, if supported.
    pub(super) fn wants(self, faster: bool, multiplications: usize) -> bool {
        match self {
            Self::Auto => faster && multiplications >= Self::LARGE,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Settings of an [`Upscaler`](super::Upscaler). Start from [`UpscalerOptions::for_device`] and change what you need:
///
/// ```no_run
/// # fn options(device: &srcnn_gpu::wgpu::Device) -> srcnn_gpu::UpscalerOptions {
/// use srcnn_gpu::{Precision, UpscalerOptions, wgpu};
/// UpscalerOptions::for_device(device)
///     .with_target_format(wgpu::TextureFormat::Rgba16Float)
///     .with_precision(Precision::F16)
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UpscalerOptions {
    /// Padding to use instead of the weights'.
    pub padding: Option<Padding>,
    /// Longest side of a tile in result pixels; `None` derives it from the device's limits.
    pub tile: Option<u32>,
    /// Format in which the target is looked at. Values are stored gamma-encoded: a format with sRGB ends in the same bytes
    /// as the one without.
    pub target_format: wgpu::TextureFormat,
    /// How results get into the target; `None` stores to formats for which [`TargetAccess::Store`] can, and renders to all
    /// others.
    pub target_access: Option<TargetAccess>,
    /// Whether a color source gives linear light, which sRGB's function then encodes: that is what views with an sRGB format
    /// give (the result is the same as of their stored bytes), and what scenes rendered to float textures often hold.
    pub linear_source: bool,
    /// Whether a color target without sRGB gets linear light, by sRGB's function, instead of gamma-encoded values: for surfaces in
    /// `ExtendedSrgbLinear`, as most of format `Rgba16Float` are.
    pub linear_target: bool,
    /// What the source texture holds.
    pub source: SourceKind,
    /// Register tile and workgroup of the convolutions.
    pub conv_shape: ConvShape,
    /// Precision of the hidden layers.
    pub precision: Precision,
    /// Whether layer 1 of f1-1-f3 networks and layer 2 of f1-5-f3 networks use Winograd's minimal filtering.
    pub winograd: KernelChoice,
    /// Cache in which compiled kernels are looked up and kept, from the same device. The host loads and stores it.
    pub pipeline_cache: Option<wgpu::PipelineCache>,
}

impl UpscalerOptions {
    /// Defaults for a device: the weights' padding, tiles by the device's limits, color pictures to `Rgba8Unorm`.
    pub fn for_device(device: &wgpu::Device) -> Self {
        Self::for_shape(ConvShape::for_device(device))
    }

    /// The same for kernels of this shape, which need not be those for a device that is there.
    pub(crate) fn for_shape(conv_shape: ConvShape) -> Self {
        Self {
            padding: None,
            tile: None,
            target_format: wgpu::TextureFormat::Rgba8Unorm,
            target_access: None,
            linear_source: false,
            linear_target: false,
            source: SourceKind::Color,
            conv_shape,
            precision: Precision::F32,
            winograd: KernelChoice::Auto,
            pipeline_cache: None,
        }
    }

    /// Sets [`UpscalerOptions::padding`].
    #[must_use]
    pub fn with_padding(self, padding: impl Into<Option<Padding>>) -> Self {
        Self { padding: padding.into(), ..self }
    }

    /// Sets [`UpscalerOptions::tile`], in result pixels.
    #[must_use]
    pub fn with_tile(self, tile: impl Into<Option<u32>>) -> Self {
        Self { tile: tile.into(), ..self }
    }

    /// Sets [`UpscalerOptions::target_format`].
    #[must_use]
    pub fn with_target_format(self, target_format: wgpu::TextureFormat) -> Self {
        Self { target_format, ..self }
    }

    /// Sets [`UpscalerOptions::target_access`].
    #[must_use]
    pub fn with_target_access(self, target_access: impl Into<Option<TargetAccess>>) -> Self {
        Self { target_access: target_access.into(), ..self }
    }

    /// Sets [`UpscalerOptions::linear_source`].
    #[must_use]
    pub fn with_linear_source(self, linear_source: bool) -> Self {
        Self { linear_source, ..self }
    }

    /// Sets [`UpscalerOptions::linear_target`].
    #[must_use]
    pub fn with_linear_target(self, linear_target: bool) -> Self {
        Self { linear_target, ..self }
    }

    /// Whether the source's values are to be encoded.
    pub(super) fn encodes(&self) -> bool {
        self.linear_source && self.source == SourceKind::Color
    }

    /// The target's access, decided.
    pub(super) fn access(&self) -> TargetAccess {
        let stored = STORED_FORMATS.contains(&self.target_format);
        self.target_access.unwrap_or(if stored { TargetAccess::Store } else { TargetAccess::Render })
    }

    /// Sets [`UpscalerOptions::source`].
    #[must_use]
    pub fn with_source(self, source: SourceKind) -> Self {
        Self { source, ..self }
    }

    /// Sets [`UpscalerOptions::conv_shape`].
    #[must_use]
    pub fn with_conv_shape(self, conv_shape: ConvShape) -> Self {
        Self { conv_shape, ..self }
    }

    /// Sets [`UpscalerOptions::precision`].
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Sets [`UpscalerOptions::winograd`].
    #[must_use]
    pub fn with_winograd(self, winograd: KernelChoice) -> Self {
        Self { winograd, ..self }
    }

    /// Sets [`UpscalerOptions::pipeline_cache`].
    #[must_use]
    pub fn with_pipeline_cache(self, pipeline_cache: impl Into<Option<wgpu::PipelineCache>>) -> Self {
        Self { pipeline_cache: pipeline_cache.into(), ..self }
    }
}
