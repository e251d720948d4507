//! What the device does for the view: a few steps a frame, those in the middle first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use eframe::wgpu;
use srcnn_gpu::{Result, Upscaler};

use super::pages::{CELL, GUTTER, Key, Pages};
use crate::picture::Picture;

/// Frames that follow each other this fast can take more steps ..
const FAST: Duration = Duration::from_millis(25);
/// .. and those that are slower than this take fewer.
const SLOW: Duration = Duration::from_millis(34);
/// Steps of a frame, at most.
const MOST: usize = 32;
/// Sides of textures for sources are multiples of this.
const STRIDE: u32 = 64;

/// The device, as far as the view needs it.
pub struct Work {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    /// Steps that the device has not finished.
    in_flight: Arc<AtomicUsize>,
    /// Steps that a frame may have on the device.
    pace: usize,
    last_frame: Instant,
    /// The part of the picture that a step reads.
    source: Option<wgpu::Texture>,
}

impl Work {
    pub fn new(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        Self { device, queue, in_flight: Arc::default(), pace: 1, last_frame: Instant::now(), source: None }
    }

    /// How many steps may be begun in this frame: as many as the device does from one frame to the next without slowing these
    /// down, at least one.
    pub fn allowed(&mut self) -> usize {
        // Nothing else asks whether the device has finished.
        let _ = self.device.poll(wgpu::PollType::Poll);
        let waiting = self.in_flight.load(Ordering::Relaxed);
        let frame = std::mem::replace(&mut self.last_frame, Instant::now()).elapsed();
        if waiting > 0 || frame > SLOW {
            self.pace = (self.pace / 2).max(1);
        } else if frame < FAST {
            self.pace = (2 * self.pace).min(MOST);
        }
        self.pace.saturating_sub(waiting)
    }

    /// Whether the device has not finished.
    pub fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0
    }

    /// Begins the next step of a cell: a part of it, from the picture on the host to the page, by way of the device alone.
    ///
    /// # Errors
    /// Those of the device.
    pub fn step(
        &mut self,
        pages: &mut Pages,
        key: Key,
        upscaler: &Upscaler,
        picture: &Picture,
        size: [u32; 2],
    ) -> Result<()> {
        // A cell with what is around it, but not beyond the result.
        let start = [key.column, key.row].map(|cell| cell * CELL);
        let low = start.map(|first| first.saturating_sub(GUTTER));
        let high: [u32; 2] = std::array::from_fn(|axis| (start[axis] + CELL + GUTTER).min(size[axis]));
        let region = upscaler.region(low[0]..high[0], low[1]..high[1])?;
        let cell = pages.claim(key);
        (cell.steps, cell.done) = (region.tiles(), cell.done.min(region.tiles()));
        let (texel, tile) = (cell.texel(), cell.done);
        if cell.is_complete() {
            return Ok(());
        }
        let [columns, rows] = region.source();
        let at = (columns.start, rows.start);
        let extent = [columns.end - columns.start, rows.end - rows.start];
        let (format, texels) = picture.part([columns, rows]);
        let source = self.upload(format, extent, &texels);
        let region = region
            .with_source_at(at)
            .with_target_at((texel.0 - (start[0] - low[0]), texel.1 - (start[1] - low[1])));
        let Some(target) = pages.texture(key) else { return Ok(()) };
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("view") });
        upscaler.record_region(&mut encoder, &source, target, &region, tile..tile + 1)?;
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.queue.submit([encoder.finish()]);
        let in_flight = self.in_flight.clone();
        self.queue.on_submitted_work_done(move || {
            in_flight.fetch_sub(1, Ordering::Relaxed);
        });
        pages.claim(key).done = tile + 1;
        Ok(())
    }

    /// Puts texels into the texture for sources, from texel (0, 0) on. What was submitted before has its own.
    fn upload(
        &mut self,
        format: wgpu::TextureFormat,
        [width, height]: [u32; 2],
        texels: &[u8],
    ) -> wgpu::Texture {
        let fits = |texture: &wgpu::Texture| {
            texture.format() == format && texture.width() >= width && texture.height() >= height
        };
        let texture = match self.source.take().filter(fits) {
            Some(texture) => texture,
            None => self.device.create_texture(&wgpu::TextureDescriptor {
                label: Some("view.source"),
                size: wgpu::Extent3d {
                    width: width.next_multiple_of(STRIDE),
                    height: height.next_multiple_of(STRIDE),
                    depth_or_array_layers: 1,
                },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
                view_formats: &[],
            }),
        };
        write(&self.queue, &texture, (0, 0), [width, height], texels);
        self.source = Some(texture.clone());
        texture
    }

    /// Uploads a cell of the picture itself.
    pub fn copy(&self, pages: &mut Pages, key: Key, picture: &Picture, level: usize, size: [u32; 2]) {
        let start = [key.column, key.row].map(|cell| cell * CELL);
        let low = start.map(|first| first.saturating_sub(GUTTER));
        let high: [u32; 2] = std::array::from_fn(|axis| (start[axis] + CELL + GUTTER).min(size[axis]));
        let texels = picture.level_part(level, [low[0]..high[0], low[1]..high[1]]);
        let cell = pages.claim(key);
        (cell.steps, cell.done) = (1, 1);
        let (x, y) = cell.texel();
        let at = (x - (start[0] - low[0]), y - (start[1] - low[1]));
        if let Some(texture) = pages.texture(key) {
            write(&self.queue, texture, at, [high[0] - low[0], high[1] - low[1]], &texels);
        }
    }
}

fn write(
    queue: &wgpu::Queue,
    texture: &wgpu::Texture,
    (x, y): (u32, u32),
    [width, height]: [u32; 2],
    texels: &[u8],
) {
    let bytes_per_row = Some(texels.len() as u32 / height.max(1));
    queue.write_texture(
        wgpu::TexelCopyTextureInfo { origin: wgpu::Origin3d { x, y, z: 0 }, ..texture.as_image_copy() },
        texels,
        wgpu::TexelCopyBufferLayout { bytes_per_row, ..Default::default() },
        wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
    );
}
