//! The library inside a host that owns the device: what `record` does, what it leaves alone, and what it refuses.

use crate::common::{self, gpu, network};
use image::{DynamicImage, RgbaImage};
use srcnn_gpu::gpu::kernels::{ConvShape, WeightLoad};
use srcnn_gpu::headless::adapter::{AdapterSelection, find};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::wgpu::{self, TextureFormat, TextureUsages};
use srcnn_gpu::{Error, KernelChoice, Padding, SourceKind, TileSlot, Upscaler, UpscalerOptions, Weights};

/// A host's device, with exactly what the library says it needs. Validation errors panic, as is wgpu's default.
struct Host {
    device: wgpu::Device,
    queue: wgpu::Queue,
}

impl Host {
    fn new() -> Self {
        let (_, adapter) = find(&AdapterSelection::default()).unwrap();
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            required_features: Upscaler::required_features(),
            required_limits: Upscaler::required_limits(),
            ..Default::default()
        }))
        .unwrap();
        Self { device, queue }
    }

    fn upscaler(&self, weights: &Weights) -> Upscaler {
        let options = UpscalerOptions::for_device(&self.device).with_tile(Some(40));
        Upscaler::new(&self.device, &self.queue, weights, options).unwrap()
    }

    fn texture(
        &self,
        (width, height): (u32, u32),
        format: TextureFormat,
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
            view_formats: &[],
        })
    }

    /// A texture that contains a picture.
    fn source(&self, picture: &RgbaImage) -> wgpu::TextureView {
        let usage = TextureUsages::TEXTURE_BINDING | TextureUsages::COPY_DST;
        let texture = self.texture(picture.dimensions(), TextureFormat::Rgba8Unorm, usage);
        let layout =
            wgpu::TexelCopyBufferLayout { bytes_per_row: Some(picture.width() * 4), ..Default::default() };
        self.queue.write_texture(texture.as_image_copy(), picture, layout, texture.size());
        texture.create_view(&Default::default())
    }

    fn target(&self, size: (u32, u32), format: TextureFormat) -> wgpu::TextureView {
        let usage = TextureUsages::STORAGE_BINDING | TextureUsages::COPY_SRC;
        self.texture(size, format, usage).create_view(&Default::default())
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&Default::default())
    }

    /// The bytes of a texture, after everything submitted has finished.
    fn read(&self, view: &wgpu::TextureView) -> Vec<u8> {
        let texture = view.texture();
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
fn picture(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| {
        let wave = |a: u32, b: u32| ((x * a + y * b) % 200 + 28) as u8;
        image::Rgba([wave(11, 3), wave(5, 17), wave(2, 7), 255 - (x + y) as u8])
    })
}

/// Random filters, which the last layer weights by a tenth, around a path that passes luminance through unchanged.
fn weights() -> Weights {
    weights_of("12-6")
}

fn weights_of(filters: &str) -> Weights {
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

/// The result of [`Headless`] for a picture, as bytes.
fn headless(picture: &RgbaImage, scale: f64) -> Vec<u8> {
    let mut headless = Headless::new(gpu(), &weights(), HeadlessOptions::default()).unwrap();
    let picture = DynamicImage::from(picture.clone());
    headless.upscale(&picture, scale, &mut |_, _| ()).unwrap().into_rgba8().into_raw()
}

/// Asserts equality up to one step: the device may round to bytes either way, and values may lie right in the middle.
#[track_caller]
fn assert_one_step(actual: &[u8], expected: &[u8]) {
    assert_eq!(actual.len(), expected.len());
    let steps: Vec<_> = actual.iter().zip(expected).map(|(&a, &e)| a.abs_diff(e)).collect();
    let worst = steps.iter().copied().max().unwrap();
    let differing = steps.iter().filter(|&&d| d > 0).count();
    assert!(worst <= 1 && differing * 100 <= steps.len(), "off by {worst}, {differing} of {}", steps.len());
    // Neither flat nor mostly clamped, so a wrong picture would show.
    let green = expected.iter().skip(1).step_by(4);
    let inside = green.clone().filter(|&g| (1..255).contains(g)).count();
    let (least, most) = (green.clone().min().unwrap(), green.clone().max().unwrap());
    assert!(inside * 10 > green.len() * 9 && most - least > 100, "{inside} inside, {least} to {most}");
}

#[test]
fn records_what_headless_computes() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(37, 29);
    let mut upscaler = host.upscaler(&weights());
    assert_eq!(upscaler.tiles(), 0);
    let size = upscaler.prepare(picture.dimensions(), 2.0).unwrap();
    assert_eq!((size, upscaler.tiles()), ((74, 58), 4));
    let (source, target) = (host.source(&picture), host.target(size, TextureFormat::Rgba8Unorm));
    let mut encoder = host.encoder();
    upscaler.record(&mut encoder, &source, &target).unwrap();
    host.queue.submit([encoder.finish()]);
    let whole = host.read(&target);
    assert_one_step(&whole, &headless(&picture, 2.0));

    // The same, spread over several submissions.
    let target = host.target(size, TextureFormat::Rgba8Unorm);
    for tiles in [0..1, 1..4] {
        let mut encoder = host.encoder();
        upscaler.record_tiles(&mut encoder, &source, &target, tiles).unwrap();
        host.queue.submit([encoder.finish()]);
    }
    assert_eq!(host.read(&target), whole);
}

/// Tiles with source and target textures of their own, two of them in flight: the result equals the whole picture's
/// bit for bit, and textures are no larger than a tile.
#[test]
fn tiles_in_textures_of_their_own_make_the_whole_result() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(61, 47);
    let mut upscaler = host.upscaler(&weights());
    let size = upscaler.prepare(picture.dimensions(), 2.0).unwrap();
    let whole = host.target(size, TextureFormat::Rgba8Unorm);
    let mut encoder = host.encoder();
    upscaler.record(&mut encoder, &host.source(&picture), &whole).unwrap();
    host.queue.submit([encoder.finish()]);
    let expected = host.read(&whole);

    for halved in [false, true] {
        let grid = upscaler.prepare_tiles(picture.dimensions(), 2.0, 2).unwrap();
        assert_eq!((grid.result, grid.tiles), (size, upscaler.tiles()));
        let side = if halved { 20 } else { 40 };
        assert!(grid.target_texture.0 <= side && grid.target_texture.1 <= side, "{grid:?}");
        let mut result = vec![0; expected.len()];
        for first in (0..grid.tiles).step_by(2) {
            // Record both slots before submitting either.
            let in_flight: Vec<_> = (first..grid.tiles.min(first + 2))
                .map(|tile| {
                    let [columns, rows] = upscaler.tile(tile).unwrap().map(|span| span.source.clone());
                    let size = (columns.len() as u32, rows.len() as u32);
                    let part = RgbaImage::from_fn(size.0, size.1, |x, y| {
                        *picture.get_pixel(columns.start as u32 + x, rows.start as u32 + y)
                    });
                    let target = host.target(grid.target_texture, TextureFormat::Rgba8Unorm);
                    let mut encoder = host.encoder();
                    let slot = TileSlot { tile, slot: tile % 2 };
                    upscaler.record_tile(&mut encoder, &host.source(&part), &target, slot, None).unwrap();
                    (tile, target, encoder)
                })
                .collect();
            for (tile, target, encoder) in in_flight {
                host.queue.submit([encoder.finish()]);
                let [columns, rows] = upscaler.tile(tile).unwrap();
                let lines = host.read(&target);
                let lines = lines.chunks_exact(4 * grid.target_texture.0 as usize).take(rows.len);
                for (y, line) in lines.enumerate() {
                    let at = 4 * ((rows.start + y) * size.0 as usize + columns.start);
                    result[at..][..4 * columns.len].copy_from_slice(&line[..4 * columns.len]);
                }
            }
        }
        assert!(result == expected, "tiles differ from the whole");
        assert!(upscaler.halve_tiles());
    }
    assert_eq!(upscaler.tile(0), None, "halving takes back what was prepared");
}

/// Textures and slots that do not fit a tile, and weights of another network, are refused with a reason.
#[test]
fn wrong_tiles_and_weights_are_refused() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(61, 47);
    let source = host.source(&picture);
    let target = host.target((122, 94), TextureFormat::Rgba8Unorm);
    let mut upscaler = host.upscaler(&weights());
    let record = |upscaler: &Upscaler, tile, slot| {
        let slot = TileSlot { tile, slot };
        upscaler.record_tile(&mut host.encoder(), &source, &target, slot, None)
    };
    let refused = |result: srcnn_gpu::Result<()>, word: &str| {
        let error = result.unwrap_err();
        assert!(matches!(&error, Error::InvalidArgument(text) if text.contains(word)), "{error}");
    };
    upscaler.prepare(picture.dimensions(), 2.0).unwrap();
    refused(record(&upscaler, 0, 0), "prepare_tiles");
    let grid = upscaler.prepare_tiles(picture.dimensions(), 2.0, 1).unwrap();
    refused(record(&upscaler, grid.tiles, 0), "tile");
    refused(record(&upscaler, 0, 1), "slot");
    refused(upscaler.record(&mut host.encoder(), &source, &target), "record_tile");
    let small = host.target((8, 8), TextureFormat::Rgba8Unorm);
    let slot = TileSlot { tile: 0, slot: 0 };
    refused(upscaler.record_tile(&mut host.encoder(), &source, &small, slot, None), "8x8");
    assert!(record(&upscaler, 0, 0).is_ok());
    refused(upscaler.set_weights(&weights_of("8-4")), "made for");
}

/// Uniform bindings of 16 KiB cannot hold the weights of the paper's network: they then go to a texture, or the network
/// runs layer by layer.
#[test]
fn every_way_to_load_weights_runs_with_the_least_limits() {
    let _alone = common::alone();
    let host = Host::new();
    let defaults = || UpscalerOptions::for_device(&host.device);
    let weights = weights_of("64-32");
    let source = host.source(&picture(21, 17));
    let run = |fused, winograd: KernelChoice, kernel| {
        let conv_shape = ConvShape { fused, ..defaults().conv_shape };
        let options = defaults().with_conv_shape(conv_shape).with_winograd(winograd);
        let mut upscaler = Upscaler::new(&host.device, &host.queue, &weights, options).unwrap();
        let target = host.target(upscaler.prepare((21, 17), 3.0).unwrap(), TextureFormat::Rgba8Unorm);
        let mut encoder = host.encoder();
        upscaler.record(&mut encoder, &source, &target).unwrap();
        host.queue.submit([encoder.finish()]);
        (host.read(&target), upscaler.kernels().contains(&kernel))
    };
    let plain = (KernelChoice::Never, "conv_fused_head");
    let (layers, fused) = run(None, plain.0, plain.1);
    assert!(!fused);
    let mut ways = vec![(WeightLoad::Uniform, false)];
    if let Some(load @ WeightLoad::Subgroup(_)) = defaults().conv_shape.fused {
        ways.push((load, true));
    }
    for (load, fits) in ways {
        for (when, kernel) in [plain, (KernelChoice::Always, "conv_winograd")] {
            let (result, used) = run(Some(load), when, kernel);
            assert_eq!(used, fits, "{load} {kernel}");
            assert_one_step(&result, &layers);
        }
    }
}

#[test]
fn float_targets_take_what_bytes_round() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(21, 16);
    let expected = headless(&picture, 1.5);
    for format in [TextureFormat::Rgba16Float, TextureFormat::Rgba32Float] {
        let options = UpscalerOptions::for_device(&host.device).with_target_format(format);
        let mut upscaler = Upscaler::new(&host.device, &host.queue, &weights(), options).unwrap();
        let size = upscaler.prepare(picture.dimensions(), 1.5).unwrap();
        let (source, target) = (host.source(&picture), host.target(size, format));
        let mut encoder = host.encoder();
        upscaler.record(&mut encoder, &source, &target).unwrap();
        host.queue.submit([encoder.finish()]);
        let bytes = host.read(&target);
        let values: Vec<f32> = match format {
            TextureFormat::Rgba16Float => bytes.chunks_exact(2).map(|b| half([b[0], b[1]])).collect(),
            _ => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        };
        // The rounding of a byte, and that of a half float below 2: 2^-11.
        for (i, (value, &byte)) in values.iter().zip(&expected).enumerate() {
            let off = (value.clamp(0.0, 1.0) * 255.0 - f32::from(byte)).abs();
            assert!(off < 0.5 + 255.0 / 2048.0, "{format:?}: value {i} is {value}, expected {byte}/255");
        }
        assert_eq!(values.len(), expected.len());
    }
}

/// Decodes a finite half float, IEEE 754 binary16.
fn half(bytes: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bytes);
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023) / 1024.0);
    if exponent == 0 {
        sign * mantissa * 2f32.powi(-14)
    } else {
        sign * (1.0 + mantissa) * 2f32.powi(exponent - 15)
    }
}

#[test]
fn nothing_happens_before_the_host_submits() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(20, 15);
    let mut upscaler = host.upscaler(&weights());
    let size = upscaler.prepare(picture.dimensions(), 2.0).unwrap();
    let (source, target) = (host.source(&picture), host.target(size, TextureFormat::Rgba8Unorm));
    let mut encoder = host.encoder();
    upscaler.record(&mut encoder, &source, &target).unwrap();
    let commands = encoder.finish();
    assert!(host.read(&target).iter().all(|&byte| byte == 0), "something was submitted");
    host.queue.submit([commands]);
    assert_one_step(&host.read(&target), &headless(&picture, 2.0));
}

#[test]
fn two_upscalers_share_an_encoder() {
    let _alone = common::alone();
    let host = Host::new();
    let jobs = [(picture(30, 22), 2.0), (picture(17, 41), 3.0)];
    let mut encoder = host.encoder();
    let targets = jobs.each_ref().map(|(picture, scale)| {
        let mut upscaler = host.upscaler(&weights());
        let size = upscaler.prepare(picture.dimensions(), *scale).unwrap();
        let target = host.target(size, TextureFormat::Rgba8Unorm);
        upscaler.record(&mut encoder, &host.source(picture), &target).unwrap();
        target
    });
    host.queue.submit([encoder.finish()]);
    for (target, (picture, scale)) in targets.iter().zip(&jobs) {
        assert_one_step(&host.read(target), &headless(picture, *scale));
    }
}

/// Buffer writes take effect before all commands of a submission: those for the second size must not affect what was
/// recorded for the first.
#[test]
fn one_upscaler_records_two_sizes_into_an_encoder() {
    let _alone = common::alone();
    let host = Host::new();
    let jobs = [(picture(30, 22), 2.0), (picture(17, 41), 3.0), (picture(30, 22), 2.0)];
    let mut upscaler = host.upscaler(&weights());
    let mut encoder = host.encoder();
    let targets = jobs.each_ref().map(|(picture, scale)| {
        let size = upscaler.prepare(picture.dimensions(), *scale).unwrap();
        let target = host.target(size, TextureFormat::Rgba8Unorm);
        upscaler.record(&mut encoder, &host.source(picture), &target).unwrap();
        target
    });
    drop(upscaler);
    host.queue.submit([encoder.finish()]);
    for (target, (picture, scale)) in targets.iter().zip(&jobs) {
        assert_one_step(&host.read(target), &headless(picture, *scale));
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: srcnn_gpu::Result<T>, word: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
    assert!(error.to_string().contains(word), "'{word}' is not in: {error}");
}

#[test]
fn unfit_textures_are_errors() {
    let _alone = common::alone();
    let host = Host::new();
    let format = TextureFormat::Rgba8Unorm;
    let mut upscaler = host.upscaler(&weights());
    let mut encoder = host.encoder();
    let (source, target) = (host.source(&picture(20, 15)), host.target((40, 30), format));
    refused(upscaler.record(&mut encoder, &source, &target), "prepare");
    upscaler.prepare((20, 15), 2.0).unwrap();

    let mut record = |source: &wgpu::TextureView, target: &wgpu::TextureView| {
        upscaler.record(&mut encoder, source, target)
    };
    refused(record(&source, &host.target((40, 30), TextureFormat::Rgba32Float)), "Rgba32Float");
    refused(record(&source, &host.target((39, 30), format)), "39x30");
    refused(record(&host.source(&picture(20, 14)), &target), "20x14");
    let view = |usage| host.texture((40, 30), format, usage).create_view(&Default::default());
    refused(record(&source, &view(TextureUsages::COPY_SRC)), "STORAGE_BINDING");
    refused(record(&view(TextureUsages::COPY_SRC), &target), "TEXTURE_BINDING");
    // Integer textures are left for the device to refuse.
    let usage = TextureUsages::TEXTURE_BINDING;
    let integers = host.texture((20, 15), TextureFormat::Rgba8Uint, usage).create_view(&Default::default());
    assert!(matches!(record(&integers, &target), Err(Error::Gpu(_))));
    refused(upscaler.record_tiles(&mut encoder, &source, &target, 0..9), "tiles 0..9");

    // None of these has spoiled the encoder.
    upscaler.record(&mut encoder, &source, &target).unwrap();
    host.queue.submit([encoder.finish()]);
    assert_one_step(&host.read(&target), &headless(&picture(20, 15), 2.0));
}

#[test]
fn unfit_settings_are_errors() {
    let _alone = common::alone();
    let host = Host::new();
    let defaults = UpscalerOptions::for_device(&host.device);
    let new = |options| Upscaler::new(&host.device, &host.queue, &weights(), options);
    let bytes = defaults.clone().with_target_format(TextureFormat::Bgra8Unorm);
    refused(new(bytes), "Bgra8Unorm");
    let planes = defaults.with_source(SourceKind::Planes).with_padding(Some(Padding::Valid));
    let mut upscaler = new(planes).unwrap();
    for (size, scale) in [((0, 5), 2.0), ((5, 5), f64::NAN), ((5, 5), -1.0), ((5, 5), 1e12), ((5, 5), 2.0)] {
        refused(upscaler.prepare(size, scale), "");
        let view = host.target((8, 8), TextureFormat::Rgba8Unorm);
        refused(upscaler.record(&mut host.encoder(), &view, &view), "prepare");
    }
}

#[test]
fn a_device_with_too_little_is_an_error() {
    let _alone = common::alone();
    let (_, adapter) = find(&AdapterSelection::default()).unwrap();
    let limits = wgpu::Limits { max_storage_buffers_per_shader_stage: 2, ..Upscaler::required_limits() };
    let descriptor = wgpu::DeviceDescriptor { required_limits: limits, ..Default::default() };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    let result = Upscaler::new(&device, &queue, &weights(), UpscalerOptions::for_device(&device));
    assert!(matches!(result, Err(Error::MissingCapability(_))), "{result:?}");
}
