//! A host that shows a part of a picture that is larger than any texture: only what is seen is computed, a tile a frame. The
//! next network is made on another thread while frames go by, and what is not needed any more is given back.
//!
//! `cargo run --release --example view_part -- [OUTPUT]`

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use image::{Rgba, RgbaImage};
use srcnn_gpu::{RegionOfInterest, Shipped, Upscaler, UpscalerOptions, wgpu};

/// A picture of 108 million pixels; at x3 its result has nearly a thousand million.
const PICTURE: (u32, u32) = (12_000, 9_000);
const SCALE: f64 = 3.0;
/// What the window shows of the result: columns and rows.
const SEEN: [std::ops::Range<u32>; 2] = [20_010..20_650, 9_003..9_363];
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let output = std::env::args().nth(1).map(PathBuf::from);
    let output = output.unwrap_or_else(|| std::env::temp_dir().join("srcnn-gpu-view_part.png"));
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = pollster::block_on(wgpu::util::initialize_adapter_from_env_or_default(&instance, None))?;
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_limits: Upscaler::required_limits(),
        ..Default::default()
    }))?;

    // Small tiles are short frames.
    let options = UpscalerOptions::for_device(&device).with_target_format(FORMAT).with_tile(128);
    let mut upscaler = Upscaler::new(&device, &queue, &Shipped::Small.nearest(SCALE)?, options)?;
    upscaler.prepare_tiles(PICTURE, SCALE, 1)?;
    let [columns, rows] = SEEN;
    let seen = upscaler.region(columns.clone(), rows.clone())?;
    let (source, seen) = upload(&device, &queue, seen);
    let size = wgpu::Extent3d {
        width: columns.end - columns.start,
        height: rows.end - rows.start,
        depth_or_array_layers: 1,
    };
    let usage = upscaler.target_usage() | wgpu::TextureUsages::COPY_SRC;
    let target = texture(&device, size, usage);
    println!("{} tiles, {} MiB on the device", seen.tiles(), upscaler.device_bytes() >> 20);
    show(&device, &queue, &upscaler, [&source, &target], &seen)?;

    // Another network of the same shape shares the kernels; one of another shape would be made by `Upscaler::new` there.
    let weights = Shipped::Small.nearest(4.0)?;
    let mut next = upscaler.with_weights(&weights)?;
    let next = thread::spawn(move || next.prepare_tiles(PICTURE, SCALE, 1).map(|_| next));
    while !next.is_finished() {
        // Frames with what is there.
        thread::sleep(Duration::from_millis(16));
    }
    upscaler.release();
    println!("{} KiB after release", upscaler.device_bytes() >> 10);
    let upscaler = next.join().map_err(|_| "the thread has panicked")??;
    show(&device, &queue, &upscaler, [&source, &target], &seen)?;
    save(&device, &queue, &target)?.save(&output)?;
    println!("{}: {}x{} of {PICTURE:?} at x{SCALE}", output.display(), size.width, size.height);
    Ok(())
}

/// A tile a frame, until all of the region is there.
fn show(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    upscaler: &Upscaler,
    [source, target]: [&wgpu::Texture; 2],
    seen: &RegionOfInterest,
) -> srcnn_gpu::Result<()> {
    let mut longest = Duration::ZERO;
    for tile in 0..seen.tiles() {
        let begun = Instant::now();
        let mut encoder = device.create_command_encoder(&Default::default());
        upscaler.record_region(&mut encoder, source, target, seen, tile..tile + 1)?;
        queue.submit([encoder.finish()]);
        // A window would draw and present here, which waits for the device as well.
        let _ = device.poll(wgpu::PollType::wait_indefinitely());
        longest = longest.max(begun.elapsed());
    }
    println!("{} frames, the longest took {longest:.1?}", seen.tiles());
    Ok(())
}

/// A texture with nothing but the pixels that the region reads.
fn upload(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    seen: RegionOfInterest,
) -> (wgpu::Texture, RegionOfInterest) {
    let [columns, rows] = seen.source();
    let size = wgpu::Extent3d {
        width: columns.end - columns.start,
        height: rows.end - rows.start,
        depth_or_array_layers: 1,
    };
    // The picture is rings around its middle.
    let pixels = RgbaImage::from_fn(size.width, size.height, |x, y| {
        let [x, y] = [(columns.start + x, PICTURE.0), (rows.start + y, PICTURE.1)]
            .map(|(at, side)| f64::from(at) - f64::from(side) / 2.0);
        let ring = |wave: f64| (127.5 + 100.0 * (x.hypot(y) / wave).cos()) as u8;
        Rgba([ring(3.0), ring(5.0), ring(7.0), 255])
    });
    let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST;
    let source = texture(device, size, usage);
    let layout = wgpu::TexelCopyBufferLayout { bytes_per_row: Some(4 * size.width), ..Default::default() };
    queue.write_texture(source.as_image_copy(), &pixels, layout, size);
    (source, seen.with_source_at((columns.start, rows.start)))
}

fn texture(device: &wgpu::Device, size: wgpu::Extent3d, usage: wgpu::TextureUsages) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage,
        view_formats: &[],
    })
}

/// Copies a texture to memory, to look at.
fn save(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    texture: &wgpu::Texture,
) -> Result<RgbaImage, Box<dyn std::error::Error>> {
    let (width, height) = (texture.width(), texture.height());
    // The window is 640 pixels wide, so that rows are multiples of 256 bytes, as copies want them.
    let layout = wgpu::TexelCopyBufferLayout { bytes_per_row: Some(4 * width), ..Default::default() };
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(4 * width * height),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    let to = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), to, texture.size());
    queue.submit([encoder.finish()]);
    buffer.slice(..).map_async(wgpu::MapMode::Read, |_| ());
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let pixels = buffer.get_mapped_range(..)?.to_vec();
    Ok(RgbaImage::from_raw(width, height, pixels).ok_or("the picture has another size")?)
}
