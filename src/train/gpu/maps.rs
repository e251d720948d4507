//! How the maps of a batch are laid out in a texture, and their readback.

use super::WHAT;
use crate::error::{Error, Result};
use crate::gpu::memory::{copy_texture, row_stride, staging, texture, view};
use crate::gpu::readback::Readback;
use crate::gpu::scoped;

/// Mirrors `BatchLayout` in `shaders/shared/maps.wgsl`, where the layout is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchLayout {
    pub batch: usize,
    pub channels: usize,
    pub width: usize,
    pub height: usize,
    /// Rows of zeros above and below, and at least that many columns of zeros on each side.
    pub border: usize,
    pub across: usize,
}

impl BatchLayout {
    /// Convolutions compute whole register tiles and so read up to this many texels and rows past the last plane; what
    /// they compute from these is never written.
    const SLACK: [usize; 2] = [12, 12];

    /// A layout in textures of at most `longest` texels per side.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the batch does not fit into such a texture.
    pub fn new(
        batch: usize,
        [channels, height, width]: [usize; 3],
        border: usize,
        longest: u32,
    ) -> Result<Self> {
        let mut layout = Self { batch, channels, width, height, border, across: 1 };
        let columns = longest as usize / batch;
        layout.across = (columns.saturating_sub(Self::SLACK[0]) / layout.texels()).clamp(1, channels);
        match layout.size().into_iter().max() {
            Some(side) if side > longest => Err(Error::invalid(format!(
                "a batch of {batch} sub-images with {channels} maps of {width}x{height} needs a texture of {side} \
                 texels, but the device allows {longest}; use a smaller batch or patch"
            ))),
            _ => Ok(layout),
        }
    }

    /// Texels to the left of the first pixel.
    pub fn left(&self) -> usize {
        self.border.div_ceil(4)
    }

    /// Texels per row of a plane.
    pub fn texels(&self) -> usize {
        self.left() + (self.width + self.border).div_ceil(4)
    }

    /// Texels per row that contain pixels.
    pub fn pixel_texels(&self) -> usize {
        self.width.div_ceil(4)
    }

    /// Rows of a plane.
    pub fn rows(&self) -> usize {
        self.height + 2 * self.border
    }

    /// Width and height of the texture.
    pub fn size(&self) -> [u32; 2] {
        let [texels, rows] = Self::SLACK;
        let width = (self.across * self.texels() + texels).saturating_mul(self.batch);
        let height = self.channels.div_ceil(self.across).saturating_mul(self.rows()) + rows;
        [width, height].map(|side| u32::try_from(side).unwrap_or(u32::MAX))
    }
}

/// Maps on the device.
#[derive(Debug)]
pub(super) struct Maps {
    pub layout: BatchLayout,
    pub view: wgpu::TextureView,
    texture: wgpu::Texture,
}

impl Maps {
    /// Creates maps filled with zeros.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn new(device: &wgpu::Device, label: &str, layout: BatchLayout) -> Result<Self> {
        use wgpu::TextureUsages as Usage;
        let usage = Usage::TEXTURE_BINDING | Usage::STORAGE_BINDING | Usage::COPY_SRC;
        let format = wgpu::TextureFormat::Rgba32Float;
        let texture = scoped(device, || texture(device, label, layout.size(), format, usage))?;
        let view = view(&texture);
        Ok(Self { layout, view, texture })
    }

    /// The values, as `[sub-image][channel][row][column]`.
    ///
    /// # Errors
    /// What the device reports.
    pub fn read(&self, device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Vec<f32>> {
        let BatchLayout { batch, channels, width, height, border, across } = self.layout;
        let size @ [columns, rows] = self.layout.size();
        let stride = row_stride(columns, 16);
        let bytes = u64::from(stride) * u64::from(rows);
        let staging = scoped(device, || staging(device, "srcnn.train.maps", bytes))?;
        let readback = Readback::submit(device, queue, WHAT, &staging, bytes, |encoder| {
            copy_texture(encoder, &self.texture, size, &staging, stride);
        })?;
        let texels: Vec<f32> = readback.finish(device, |bytes| Ok(bytemuck::pod_collect_to_vec(bytes)))?;
        let mut values = Vec::with_capacity(batch * channels * width * height);
        let (left, plane) = (self.layout.left(), self.layout.texels());
        for b in 0..batch {
            for c in 0..channels {
                for y in 0..height {
                    let row = (c / across * self.layout.rows() + border + y) * stride as usize / 4;
                    values.extend((0..width).map(|x| {
                        let texel = (c % across * plane + left + x / 4) * batch + b;
                        texels[row + texel * 4 + x % 4]
                    }));
                }
            }
        }
        Ok(values)
    }
}
