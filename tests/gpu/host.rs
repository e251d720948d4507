//! A host that owns the device, for the tests of what hosts do.

use image::RgbaImage;
use srcnn_gpu::headless::adapter::{AdapterSelection, find};
use srcnn_gpu::wgpu::{self, TextureFormat, TextureUsages};
use srcnn_gpu::{Padding, Upscaler, UpscalerOptions, Weights};

use crate::common::network;

/// A host's device, with exactly what the library says it needs. Validation errors panic, as is wgpu's default.
pub struct Host {
    pub adapter: wgpu::Adapter,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    /// Whether textures can be looked at in other formats than their own; OpenGL cannot.
    pub view_formats: bool,
}

impl Host {
    pub fn new() -> Self {
        Self::with_features(wgpu::Features::empty())
    }

    /// The same with some of these features, as far as the adapter has them.
    pub fn with_features(features: wgpu::Features) -> Self {
        let (_, adapter) = find(&AdapterSelection::default()).unwrap();
        let downlevel = adapter.get_downlevel_capabilities().flags;
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            required_features: Upscaler::required_features() | (features & adapter.features()),
            required_limits: Upscaler::required_limits(),
            ..Default::default()
        }))
        .unwrap();
        Self { view_formats: downlevel.contains(wgpu::DownlevelFlags::VIEW_FORMATS), adapter, device, queue }
    }

    /// Whether the adapter renders to textures of a format.
    pub fn renders_to(&self, format: TextureFormat) -> bool {
        let features = self.adapter.get_texture_format_features(format);
        features.allowed_usages.contains(TextureUsages::RENDER_ATTACHMENT)
    }

    pub fn upscaler(&self, weights: &Weights) -> Upscaler {
        let options = UpscalerOptions::for_device(&self.device).with_tile(Some(40));
        Upscaler::new(&self.device, &self.queue, weights, options).unwrap()
    }

    pub fn texture(
        &self,
        (width, height): (u32, u32),
        format: TextureFormat,
        usage: TextureUsages,
    ) -> wgpu::Texture {
        self.texture_viewed((width, height), format, format, usage)
    }

    /// A texture that can be looked at in `view` too.
    pub fn texture_viewed(
        &self,
        (width, height): (u32, u32),
        format: TextureFormat,
        view: TextureFormat,
        usage: TextureUsages,
    ) -> wgpu::Texture {
        self.device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage,
            view_formats: if view == format { &[] } else { std::slice::from_ref(&view) },
        })
    }

    /// A texture that contains a picture.
    pub fn source(&self, picture: &RgbaImage) -> wgpu::Texture {
        let usage = TextureUsages::TEXTURE_BINDING | TextureUsages::COPY_DST;
        let texture = self.texture(picture.dimensions(), TextureFormat::Rgba8Unorm, usage);
        self.write(texture.as_image_copy(), picture.dimensions(), picture);
        texture
    }

    /// Writes rows of texels from the upper left corner on.
    pub fn write(&self, to: wgpu::TexelCopyTextureInfo<'_>, (width, height): (u32, u32), texels: &[u8]) {
        let bytes_per_row = Some(texels.len() as u32 / height);
        let layout = wgpu::TexelCopyBufferLayout { bytes_per_row, ..Default::default() };
        let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
        self.queue.write_texture(to, texels, layout, size);
    }

    pub fn target(&self, size: (u32, u32), format: TextureFormat) -> wgpu::Texture {
        self.texture(size, format, TextureUsages::STORAGE_BINDING | TextureUsages::COPY_SRC)
    }

    pub fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&Default::default())
    }

    /// The bytes of a texture, after everything submitted has finished.
    pub fn read(&self, texture: &wgpu::Texture) -> Vec<u8> {
        let row = texture.width() * texture.format().block_copy_size(None).unwrap();
        let stride = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: u64::from(stride * texture.height()),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let layout = wgpu::TexelCopyBufferLayout { bytes_per_row: Some(stride), ..Default::default() };
        let mut encoder = self.encoder();
        let to = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
        encoder.copy_texture_to_buffer(texture.as_image_copy(), to, texture.size());
        self.queue.submit([encoder.finish()]);
        buffer.slice(..).map_async(wgpu::MapMode::Read, |_| ());
        self.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let mapped = buffer.get_mapped_range(..).unwrap();
        mapped.chunks_exact(stride as usize).flat_map(|line| &line[..row as usize]).copied().collect()
    }
}

/// A picture without symmetry, including alpha.
pub fn picture(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| {
        let wave = |a: u32, b: u32| ((x * a + y * b) % 200 + 28) as u8;
        image::Rgba([wave(11, 3), wave(5, 17), wave(2, 7), 255 - (x + y) as u8])
    })
}

/// Random filters, which the last layer weights by a tenth, around a path that passes luminance through unchanged.
pub fn weights() -> Weights {
    weights_of("12-6")
}

pub fn weights_of(filters: &str) -> Weights {
    let noise = network("9-1-5", filters, 1, Padding::Replicate);
    let mut layers = noise.layers().to_vec();
    for layer in &mut layers {
        let products = layer.shape.products();
        layer.weight[..products].fill(0.0);
        layer.weight[layer.shape.size.pow(2) / 2] = 1.0;
        layer.bias[0] = 0.0;
    }
    let kept = noise.layers()[2].shape.size.pow(2);
    let others = noise.layers()[2].weight[kept..].iter().map(|w| w * 0.1);
    layers[2].weight.splice(kept.., others);
    Weights::new(layers, noise.metadata).unwrap()
}

/// Decodes a finite half float, IEEE 754 binary16.
pub fn half(bytes: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bytes);
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023) / 1024.0);
    if exponent == 0 {
        sign * mantissa * 2f32.powi(-14)
    } else {
        sign * (1.0 + mantissa) * 2f32.powi(exponent - 15)
    }
}
