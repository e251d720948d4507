//! The settings of a [`Headless`](super::Headless).

use crate::gpu::kernels::ConvShape;
use crate::headless::Gpu;
use crate::network::Padding;
use crate::precision::Precision;
use crate::upscaler::{KernelChoice, SourceKind, UpscalerOptions};

/// Settings of an upscaling run. Start from the default and change what you need:
///
/// ```
/// use srcnn_gpu::{Padding, headless::HeadlessOptions};
/// let options = HeadlessOptions::default().with_tile(512).with_padding(Padding::Zero);
/// assert_eq!(options.tile, Some(512));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct HeadlessOptions {
    /// Padding to use instead of the weight file's.
    pub padding: Option<Padding>,
    /// Longest side of a tile in result pixels; `None` derives it from the adapter's limits.
    pub tile: Option<u32>,
    /// Register tile and workgroup of the convolutions; `None` takes the adapter's default.
    pub conv_shape: Option<ConvShape>,
    /// Precision of the hidden layers.
    pub precision: Precision,
    /// Whether layer 1 uses Winograd's minimal filtering.
    pub winograd: KernelChoice,
    /// Average over the picture's 8 flips and rotations, before any rounding; takes 8 times as long.
    pub tta: bool,
    /// Recompute parts of each result on the CPU and compare; see [`Headless::verified`].
    ///
    /// [`Headless::verified`]: super::Headless::verified
    pub verify: bool,
}

impl HeadlessOptions {
    /// Sets [`HeadlessOptions::padding`].
    #[must_use]
    pub fn with_padding(self, padding: impl Into<Option<Padding>>) -> Self {
        Self { padding: padding.into(), ..self }
    }

    /// Sets [`HeadlessOptions::tile`], in result pixels.
    #[must_use]
    pub fn with_tile(self, tile: impl Into<Option<u32>>) -> Self {
        Self { tile: tile.into(), ..self }
    }

    /// Sets [`HeadlessOptions::conv_shape`].
    #[must_use]
    pub fn with_conv_shape(self, conv_shape: impl Into<Option<ConvShape>>) -> Self {
        Self { conv_shape: conv_shape.into(), ..self }
    }

    /// Sets [`HeadlessOptions::precision`].
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Sets [`HeadlessOptions::winograd`].
    #[must_use]
    pub fn with_winograd(self, winograd: KernelChoice) -> Self {
        Self { winograd, ..self }
    }

    /// Sets [`HeadlessOptions::tta`].
    #[must_use]
    pub fn with_tta(self, tta: bool) -> Self {
        Self { tta, ..self }
    }

    /// Sets [`HeadlessOptions::verify`].
    #[must_use]
    pub fn with_verify(self, verify: bool) -> Self {
        Self { verify, ..self }
    }

    /// The matching options of an [`Upscaler`](crate::Upscaler) on this device.
    pub(crate) fn upscaler(
        &self,
        gpu: &Gpu,
        source: SourceKind,
        target_format: wgpu::TextureFormat,
    ) -> UpscalerOptions {
        let defaults = UpscalerOptions::for_device(&gpu.device);
        UpscalerOptions {
            padding: self.padding,
            tile: self.tile,
            target_format,
            source,
            conv_shape: self.conv_shape.unwrap_or(defaults.conv_shape),
            precision: self.precision,
            winograd: self.winograd,
            pipeline_cache: gpu.pipelines.cache().cloned(),
            ..defaults
        }
    }
}
