//! How the maps of a batch lie in a texture, and their readback.

use crate::error::{Error, Result};
use crate::gpu::scoped;

/// Mirrors `BatchLayout` in `shaders/shared/maps.wgsl`, where the layout is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchLayout {
    pub batch: usize,
    pub channels: usize,
    pub width: usize,
    pub height: usize,
    /// Rows of zeros above and below, and at least so many columns on each side.
    pub border: usize,
    pub across: usize,
}

impl BatchLayout {
    /// Convolutions compute whole register tiles and so read up to this many texels and rows past the last plane;
    /// what they compute from it is not written.
    const SLACK: [usize; 2] = [12, 12];

    /// A layout in textures of at most `longest` texels a side.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the batch does not fit in such a texture.
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
                 texels, the device allows {longest}; use a smaller --batch or --patch"
            ))),
            _ => Ok(layout),
        }
    }

    /// Texels to the left of the first pixel.
    pub fn left(&self) -> usize {
        self.border.div_ceil(4)
    }

    /// Texels of a row of a plane.
    pub fn texels(&self) -> usize {
        self.left() + (self.width + self.border).div_ceil(4)
    }

    /// Texels that hold pixels of a row.
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
    /// All zeros.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(device: &wgpu::Device, label: &str, layout: BatchLayout) -> Result<Self> {
        let [width, height] = layout.size();
        let texture = scoped(device, || {
            device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: wgpu::TextureFormat::Rgba32Float,
                usage: wgpu::TextureUsages::TEXTURE_BINDING
                    | wgpu::TextureUsages::STORAGE_BINDING
                    | wgpu::TextureUsages::COPY_SRC,
                view_formats: &[],
            })
        })?;
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Ok(Self { layout, view, texture })
    }

    /// The values, `[sub-image][channel][row][column]`.
    ///
    /// # Errors
    /// What the device reports.
    pub fn read(&self, device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Vec<f32>> {
        let BatchLayout { batch, channels, width, height, border, across } = self.layout;
        let [columns, rows] = self.layout.size();
        let stride = (columns * 16).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let staging = staging(device, u64::from(stride) * u64::from(rows))?;
        let bytes = read_back(device, queue, &staging, |encoder| {
            let layout =
                wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(stride), rows_per_image: None };
            let to = wgpu::TexelCopyBufferInfo { buffer: &staging, layout };
            encoder.copy_texture_to_buffer(self.texture.as_image_copy(), to, self.texture.size());
        })?;
        let mut values = Vec::with_capacity(batch * channels * width * height);
        let (left, texels) = (self.layout.left(), self.layout.texels());
        for b in 0..batch {
            for c in 0..channels {
                for y in 0..height {
                    let row = (c / across * self.layout.rows() + border + y) * stride as usize / 4;
                    values.extend((0..width).map(|x| {
                        let texel = (c % across * texels + left + x / 4) * batch + b;
                        bytes[row + texel * 4 + x % 4]
                    }));
                }
            }
        }
        Ok(values)
    }
}

/// A buffer to copy results to and map.
pub(super) fn staging(device: &wgpu::Device, size: u64) -> Result<wgpu::Buffer> {
    scoped(device, || {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("srcnn.train.staging"),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    })
}

/// Work that was submitted, and the floats that it copies to a staging buffer.
#[derive(Debug)]
pub(super) struct UnderWay {
    staging: wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    mapped: std::sync::mpsc::Receiver<std::result::Result<(), wgpu::BufferAsyncError>>,
}

impl UnderWay {
    /// Submits what `record` records.
    pub fn submit(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        staging: &wgpu::Buffer,
        record: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> Result<Self> {
        let (sender, mapped) = std::sync::mpsc::channel();
        let submission = scoped(device, || {
            let mut encoder =
                device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("srcnn.train") });
            record(&mut encoder);
            let submission = queue.submit([encoder.finish()]);
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
                // The receiver is gone only when waiting has failed.
                let _ = sender.send(result);
            });
            submission
        })?;
        Ok(Self { staging: staging.clone(), submission, mapped })
    }

    /// Waits for the end, and returns the floats in the staging buffer.
    pub fn finish(self, device: &wgpu::Device) -> Result<Vec<f32>> {
        let Self { staging, submission, mapped } = self;
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(super::TIMEOUT) };
        device.poll(wait).map_err(|e| Error::Gpu(format!("waiting for training steps: {e}")))?;
        // Another thread that polls the device may be the one that runs the callback.
        match mapped.recv_timeout(super::TIMEOUT) {
            Ok(Ok(())) => {}
            _ => return Err(Error::Gpu("the device was lost while it trained".into())),
        }
        let range =
            staging.get_mapped_range(..).map_err(|e| Error::Gpu(format!("reading training results: {e}")))?;
        let values = bytemuck::pod_collect_to_vec(&range[..]);
        drop(range);
        staging.unmap();
        Ok(values)
    }
}

/// Submits what `record` records, waits for it, and returns the floats in `staging`.
pub(super) fn read_back(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    staging: &wgpu::Buffer,
    record: impl FnOnce(&mut wgpu::CommandEncoder),
) -> Result<Vec<f32>> {
    UnderWay::submit(device, queue, staging, record)?.finish(device)
}
