//! The library inside a host that owns the device: what `record` does, what it leaves alone, and what it refuses.

use crate::common::{self, gpu};
use crate::host::{Host, half, picture, weights, weights_of};
use image::{DynamicImage, RgbaImage};
use srcnn_gpu::gpu::kernels::{ConvShape, Fusion, WeightLoad};
use srcnn_gpu::headless::adapter::{AdapterSelection, find};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::wgpu::{self, TextureFormat, TextureUsages};
use srcnn_gpu::{
    Error, KernelChoice, Padding, SourceKind, TargetAccess, TextureRef, Upscaler, UpscalerOptions,
};

/// The result of [`Headless`] for a picture, as bytes.
fn headless(picture: &RgbaImage, scale: f64) -> Vec<u8> {
    let mut headless = Headless::new(gpu(), &weights(), HeadlessOptions::default()).unwrap();
    let picture = DynamicImage::from(picture.clone());
    headless.upscale(&picture, scale, &mut |_, _| ()).unwrap().into_rgba8().into_raw()
}

/// Asserts equality up to one step: the device may round to bytes either way, and values may lie right in the middle.
#[track_caller]
pub fn assert_one_step(actual: &[u8], expected: &[u8]) {
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

/// Uniform bindings of 16 KiB cannot hold the weights of the paper's network: they then go to a texture, or the network
/// runs layer by layer.
#[test]
fn every_way_to_load_weights_runs_with_the_least_limits() {
    let _alone = common::alone();
    let host = Host::new();
    let defaults = || UpscalerOptions::for_device(&host.device);
    let weights = weights_of("64-32");
    let source = host.source(&picture(21, 17));
    let run = |load: Option<WeightLoad>, winograd: KernelChoice, kernel| {
        let fused = load.map(Fusion::Invocation);
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
    if let Some(Fusion::Invocation(load @ WeightLoad::Subgroup(_))) = defaults().conv_shape.fused {
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

/// Made on one thread, used on others: each records its own frame, all with the same upscaler.
#[test]
fn threads_share_an_upscaler() {
    fn can_be_moved<T: Send>() {}
    fn can_be_shared<T: Sync>() {}
    can_be_moved::<Upscaler>();
    can_be_moved::<Headless>();
    can_be_moved::<srcnn_gpu::train::gpu::Trainer>();
    can_be_shared::<Upscaler>();
    let _alone = common::alone();
    let host = Host::new();
    let pictures = [picture(30, 22), picture(30, 22), RgbaImage::from_pixel(30, 22, image::Rgba([90; 4]))];
    let (upscaler, size) = std::thread::scope(|scope| {
        let made = scope.spawn(|| {
            let mut upscaler = host.upscaler(&weights());
            let size = upscaler.prepare((30, 22), 2.0).unwrap();
            (upscaler, size)
        });
        made.join().unwrap()
    });
    let record = |picture: &RgbaImage| {
        let target = host.target(size, TextureFormat::Rgba8Unorm);
        let mut encoder = host.encoder();
        upscaler.record(&mut encoder, &host.source(picture), &target).unwrap();
        (encoder.finish(), target)
    };
    let recorded: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = pictures.iter().map(|picture| scope.spawn(|| record(picture))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (commands, targets): (Vec<_>, Vec<_>) = recorded.into_iter().unzip();
    host.queue.submit(commands);
    let results: Vec<Vec<u8>> = targets.iter().map(|target| host.read(target)).collect();
    assert_one_step(&results[0], &headless(&pictures[0], 2.0));
    assert!(results[0] == results[1] && results[0] != results[2]);
}

#[track_caller]
pub fn refused<T: std::fmt::Debug>(result: srcnn_gpu::Result<T>, word: &str) {
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

    let mut record =
        |source: &wgpu::Texture, target: &wgpu::Texture| upscaler.record(&mut encoder, source, target);
    refused(record(&source, &host.target((40, 30), TextureFormat::Rgba32Float)), "Rgba32Float");
    refused(record(&source, &host.target((39, 30), format)), "39x30");
    refused(record(&host.source(&picture(20, 14)), &target), "20x14");
    let of = |usage| host.texture((40, 30), format, usage);
    refused(record(&source, &of(TextureUsages::COPY_SRC)), "STORAGE_BINDING");
    refused(record(&of(TextureUsages::COPY_SRC), &target), "TEXTURE_BINDING");
    let source_of = |format| host.texture((20, 15), format, TextureUsages::TEXTURE_BINDING);
    refused(record(&source_of(TextureFormat::Rgba8Uint), &target), "float");
    refused(record(&source_of(TextureFormat::Depth32Float), &target), "float");
    refused(record(&source_of(TextureFormat::Rgba8UnormSrgb), &target), "linear_source");
    refused(upscaler.record(&mut encoder, TextureRef::new(&source).with_mip_level(1), &target), "mip");
    refused(upscaler.record(&mut encoder, &source, TextureRef::new(&target).with_layer(1)), "layers");
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
    let to = |format, access: Option<TargetAccess>| {
        new(defaults.clone().with_target_format(format).with_target_access(access))
    };
    refused(to(TextureFormat::Bgra8UnormSrgb, Some(TargetAccess::Store)), "TargetAccess::Render");
    refused(to(TextureFormat::Depth32Float, None), "Depth32Float");
    refused(to(TextureFormat::Rgba8Uint, None), "rendered to");
    refused(to(TextureFormat::Bc7RgbaUnorm, None), "rendered to");
    refused(to(TextureFormat::R32Float, None), "channels");
    refused(to(TextureFormat::Rg8Unorm, None), "channels");
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
