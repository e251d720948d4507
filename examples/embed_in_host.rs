//! A host that owns instance, adapter, device and queue: it renders a scene at low resolution and upscales it in the
//! same command encoder. The picture stays on the GPU until the last frame is saved for viewing. `examples/window` does the
//! same in a window.
//!
//! `cargo run --release --example embed_in_host -- [OUTPUT [MODEL]]`
//!
//! Without a weight file, a sharpening filter stands in for a trained network.

mod scene;

use std::path::{Path, PathBuf};

use image::RgbaImage;
use scene::Scene;
use srcnn_gpu::{Upscaler, UpscalerOptions, Weights, wgpu};

const LOW: (u32, u32) = (240, 136);
const SCALE: f64 = 3.0;
const FRAMES: u32 = 3;
/// Format of both textures. The network works on gamma-encoded values, as these are.
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let output =
        args.first().map_or_else(|| std::env::temp_dir().join("srcnn-gpu-embed_in_host.png"), PathBuf::from);
    let weights = match args.get(1) {
        Some(path) => Weights::load(path.as_ref())?,
        None => Weights::from_bytes(include_bytes!("../weights/sharpen.safetensors"))?,
    };

    // The host's own setup; the library only states what it needs in addition.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = wgpu::util::initialize_adapter_from_env_or_default(&instance, None);
    let adapter = pollster::block_on(adapter)?;
    println!("adapter: {}", adapter.get_info().name);
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("host"),
        required_features: Upscaler::required_features(),
        required_limits: Upscaler::required_limits(),
        ..Default::default()
    }))?;

    // Once per network, and once per size.
    let options = UpscalerOptions::for_device(&device).with_target_format(FORMAT);
    let mut upscaler = Upscaler::new(&device, &queue, &weights, options)?;
    let high = upscaler.prepare(LOW, SCALE)?;

    use wgpu::TextureUsages as Usage;
    let rendered = texture(&device, LOW, Usage::RENDER_ATTACHMENT | Usage::TEXTURE_BINDING);
    let upscaled = texture(&device, high, upscaler.target_usage() | Usage::COPY_SRC);
    let scene = Scene::new(&device, FORMAT);
    for frame in 0..FRAMES {
        let mut encoder = device.create_command_encoder(&Default::default());
        scene.draw(&mut encoder, &rendered, frame);
        upscaler.record(&mut encoder, &rendered, &upscaled)?;
        queue.submit([encoder.finish()]);
    }
    save(&device, &queue, &upscaled, &output)?;
    println!("{}: {}x{} from {}x{}", output.display(), high.0, high.1, LOW.0, LOW.1);
    Ok(())
}

fn texture(device: &wgpu::Device, (width, height): (u32, u32), usage: wgpu::TextureUsages) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage,
        view_formats: &[],
    })
}

/// Copies a texture to memory and writes it as a picture file.
fn save(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    texture: &wgpu::Texture,
    path: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let (width, height) = (texture.width(), texture.height());
    let stride = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("picture"),
        size: u64::from(stride * height),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(stride), rows_per_image: None };
    let mut encoder = device.create_command_encoder(&Default::default());
    let to = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), to, texture.size());
    queue.submit([encoder.finish()]);
    buffer.slice(..).map_async(wgpu::MapMode::Read, |_| ());
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let rows = buffer.get_mapped_range(..)?;
    let pixels: Vec<u8> =
        rows.chunks_exact(stride as usize).flat_map(|row| &row[..width as usize * 4]).copied().collect();
    RgbaImage::from_raw(width, height, pixels).ok_or("the picture has another size")?.save(path)?;
    Ok(())
}
