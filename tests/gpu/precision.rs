//! Half precision against the CPU twins and single precision, and what happens on adapters without it.

use crate::common::desk::{Desk, color};
use crate::common::{self, assert_close, difference, gpu, network, noise, tolerance, twin};
use srcnn_gpu::eval::dataset::{Dataset, Picture};
use srcnn_gpu::eval::protocol::Protocol;
use srcnn_gpu::gpu::kernels::{ConvShape, Fusion, MapRead, Registers};
use srcnn_gpu::headless::adapter::{AdapterSelection, find};
use srcnn_gpu::headless::{Gpu, Headless, HeadlessOptions, self_test};
use srcnn_gpu::{
    Channels, Error, LayerShape, Padding, Planes, Precision, Shipped, Upscaler, UpscalerOptions, Weights,
    wgpu,
};

const PADDINGS: [Padding; 4] = [Padding::Replicate, Padding::Normalized, Padding::Zero, Padding::Valid];

/// The device; without support, prints a line and returns `None`.
fn half_precision_gpu() -> Option<Gpu> {
    let gpu = gpu();
    if let Err(error) = Precision::F16.check(&gpu.device) {
        eprintln!("SKIPPED: {error}");
        return None;
    }
    Some(gpu)
}

/// Asymmetric and not smooth, so that no transposition or shift goes unnoticed.
fn picture(channels: usize, height: usize, width: usize) -> Planes {
    let mut next = noise(3);
    let value = |i: usize| {
        let (x, y) = (i % width, i / width);
        0.7 * (3 * y + 7 * x) as f32 / (3 * height * channels + 7 * width) as f32 + 0.15 * (next() + 1.0)
    };
    Planes::new(width, height, channels, (0..width * height * channels).map(value).collect()).unwrap()
}

fn run(gpu: &Gpu, weights: &Weights, planes: &Planes, scale: f64, options: HeadlessOptions) -> Vec<f32> {
    Headless::new(gpu.clone(), weights, options).unwrap().upscale_planes(planes, scale).unwrap().data
}

fn half_precision() -> HeadlessOptions {
    HeadlessOptions::default().with_precision(Precision::F16)
}

/// The rounding errors of a sum's products and partial sums are independent, so they grow with the square root of the
/// number of products. Those of a hidden layer go through the layers after it. A factor of 4 for four standard
/// deviations; maps stay around 1.
fn half_precision_tolerance(weights: &Weights) -> f64 {
    let layers = weights.architecture().layers();
    let hidden = &layers[..layers.len() - 1];
    let products = hidden.iter().map(LayerShape::products).max().unwrap_or(1) as f64;
    4.0 * Precision::F16.unit_roundoff() * products.sqrt() * hidden.len() as f64
}

#[test]
fn networks_agree_with_their_twins_and_do_not_depend_on_tiles() {
    let _alone = common::alone();
    let Some(gpu) = half_precision_gpu() else { return };
    let registers = [Registers::P8x8, Registers::P8x16, Registers::P16x4];
    // The first network with all paddings, the others with some of them.
    let networks = [
        ("9-1-5", "18-9", 1, PADDINGS.as_slice()),
        ("9-5-5", "10-17", 1, &PADDINGS[..2]),
        ("5-3-3", "9-5", 3, &PADDINGS[1..3]),
        ("7-3-1-3", "5-20-16", 1, &PADDINGS[3..]),
    ];
    for (i, (sizes, filters, channels, paddings)) in networks.into_iter().enumerate() {
        let planes = picture(channels, 23, 37);
        for (j, &padding) in paddings.iter().enumerate() {
            // Each register tile is used somewhere for spatial layers, and somewhere for pointwise ones.
            let [spatial, pointwise] = [registers[(i + j) % 3], registers[(i + j + 1) % 3]];
            // How maps are read counts in single precision only.
            let map_read = MapRead::Storage;
            let weights = network(sizes, filters, channels, padding);
            let expected = twin(&weights, &planes, padding);
            // Blocks of a workgroup take long to compile in half precision on software adapters.
            let blocks = (sizes == "9-1-5" && j % 2 == 0).then_some(Some(Fusion::Workgroup));
            for fused in [None].into_iter().chain(blocks) {
                let shape = ConvShape { spatial, pointwise, workgroup: [2, 4], fused, map_read };
                let options = half_precision().with_padding(Some(padding)).with_conv_shape(Some(shape));
                let what = format!("{sizes} {filters} c={channels} {padding} {shape}");
                let whole = run(&gpu, &weights, &planes, 1.0, options);
                assert_close(&what, &whole, &expected, half_precision_tolerance(&weights));
                let products =
                    weights.architecture().layers().iter().map(LayerShape::products).max().unwrap();
                let single = tolerance(products, weights.layers().len(), 1.0);
                assert!(difference(&whole, &expected).0 > single, "{what}: that is not half precision");

                let tiled = run(&gpu, &weights, &planes, 1.0, options.with_tile(Some(19)));
                let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&whole), bits(&tiled), "{what}: tiles change the result");
            }
        }
    }
}

/// The means of the two results agree to an eighth of an 8-bit step, and values to two steps.
#[test]
fn trained_networks_keep_their_brightness() {
    let _alone = common::alone();
    let Some(gpu) = half_precision_gpu() else { return };
    let smooth = |i: usize| 0.5 + 0.3 * ((i % 40) as f32 * 0.21).sin() * ((i / 40) as f32 * 0.13).cos();
    let planes = Planes::new(40, 30, 1, (0..40 * 30).map(smooth).collect()).unwrap();
    let weights = Shipped::Small.nearest(3.0).unwrap();
    let single = run(&gpu, &weights, &planes, 3.0, HeadlessOptions::default());
    let single: Vec<f64> = single.into_iter().map(f64::from).collect();
    for fused in [None, Some(Fusion::Workgroup)] {
        let shape = ConvShape { fused, ..ConvShape::for_device(&gpu.device) };
        let options = half_precision().with_verify(true).with_conv_shape(Some(shape));
        let half = run(&gpu, &weights, &planes, 3.0, options);
        let shift = half.iter().zip(&single).map(|(&h, s)| f64::from(h) - s).sum::<f64>() / half.len() as f64;
        assert!(255.0 * shift.abs() < 0.125, "{shape}: {shift:e}");
        let (largest, _) = difference(&half, &single);
        assert!((1e-5..2.0 / 255.0).contains(&largest), "{shape}: {largest:e}");
    }
}

/// What it costs in PSNR at x3 on the smallest picture of Set5, layer by layer and in blocks of a workgroup.
#[test]
fn it_costs_hundredths_of_a_decibel() {
    let _alone = common::alone();
    let (Some(gpu), Some(set5)) = (half_precision_gpu(), common::data("data/Set5")) else { return };
    let weights = Shipped::Small.nearest(3.0).unwrap();
    let protocol = Protocol::new(3.0, None, Channels::Y).unwrap();
    let set = Dataset::open(&set5).unwrap();
    let path = set.pictures.iter().find(|path| path.to_string_lossy().contains("butterfly")).unwrap();
    let picture = Picture::read(path).unwrap();
    let psnr = |options: HeadlessOptions| {
        let mut headless = Headless::new(gpu.clone(), &weights, options).unwrap();
        protocol.measure(&picture, &mut headless).unwrap().score.psnr
    };
    let single = psnr(HeadlessOptions::default());
    for fused in [None, Some(Fusion::Workgroup)] {
        let shape = ConvShape { fused, ..ConvShape::for_device(&gpu.device) };
        let half = psnr(half_precision().with_conv_shape(Some(shape)));
        eprintln!("{shape}: {:+.4} dB", half - single);
        assert!((half - single).abs() < 0.02, "{shape}: {half} instead of {single} dB");
    }
}

#[test]
fn the_adapter_passes_its_self_test() {
    let _alone = common::alone();
    let Some(gpu) = half_precision_gpu() else { return };
    self_test(&gpu, Precision::F16).unwrap();
}

/// Maps beyond the range of 16 bits are an error, not a picture.
#[test]
fn maps_that_overflow_are_refused() {
    let _alone = common::alone();
    let Some(gpu) = half_precision_gpu() else { return };
    let mut layers = network("5-1-3", "6-5", 1, Padding::Replicate).layers().to_vec();
    layers[0].bias.fill(1e5);
    let weights = Weights::new(layers, Default::default()).unwrap();
    let planes = picture(1, 20, 20);
    assert!(run(&gpu, &weights, &planes, 1.0, HeadlessOptions::default()).iter().all(|v| v.is_finite()));
    for fused in [None, Some(Fusion::Workgroup)] {
        let shape = ConvShape { fused, ..ConvShape::for_device(&gpu.device) };
        let options = half_precision().with_conv_shape(Some(shape));
        let error =
            Headless::new(gpu.clone(), &weights, options).unwrap().upscale_planes(&planes, 1.0).unwrap_err();
        assert!(error.to_string().contains("not finite"), "{shape}: {error}");
    }
}

/// Weights that are exchanged are rounded as the first ones were.
#[test]
fn another_upscaler_has_its_weights_in_the_same_precision() {
    let _alone = common::alone();
    let Some(gpu) = half_precision_gpu() else { return };
    for fused in [None, Some(Fusion::Workgroup)] {
        let shape = ConvShape { fused, ..ConvShape::for_device(&gpu.device) };
        let options =
            UpscalerOptions::for_device(&gpu.device).with_precision(Precision::F16).with_conv_shape(shape);
        let weights = network("3-1-3", "9-8", 1, Padding::Replicate);
        let first = Upscaler::new(&gpu.device, &gpu.queue, &weights, options).unwrap();
        let second = first.with_weights(&weights).unwrap();
        assert_eq!(second.device_bytes(), first.device_bytes(), "{shape}");
    }
}

/// A device that was opened without the feature, on any adapter.
#[test]
fn a_device_without_it_is_an_error() {
    let _alone = common::alone();
    let (_, adapter) = find(&AdapterSelection::default()).unwrap();
    let limits = Upscaler::required_limits();
    let descriptor = wgpu::DeviceDescriptor { required_limits: limits, ..Default::default() };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    let weights = network("5-1-3", "6-5", 1, Padding::Replicate);
    let options = UpscalerOptions::for_device(&device).with_precision(Precision::F16);
    let refused = |error: Error| {
        let text = error.to_string();
        assert!(matches!(error, Error::MissingCapability(_)), "{text}");
        assert!(text.contains("SHADER_F16") && text.contains("f32"), "{text}");
    };
    refused(Upscaler::new(&device, &queue, &weights, options).unwrap_err());
    let gpu = Gpu { device, queue, ..gpu() };
    refused(Headless::new(gpu, &weights, half_precision()).unwrap_err());
}

/// A host that requests what a precision needs can use that precision.
#[test]
fn a_host_s_device_with_it_runs_it() {
    let _alone = common::alone();
    let (_, adapter) = find(&AdapterSelection::default()).unwrap();
    let wanted = Precision::F16.required_features();
    if !adapter.features().contains(wanted) {
        eprintln!("SKIPPED: {} has no 16-bit floats in shaders", adapter.get_info().name);
        return;
    }
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: Upscaler::required_features() | wanted,
        required_limits: Upscaler::required_limits(),
        ..Default::default()
    }))
    .unwrap();
    let options = UpscalerOptions::for_device(&device).with_precision(Precision::F16);
    let weights = network("9-5-5", "10-7", 3, Padding::Zero);
    let mut upscaler = Upscaler::new(&device, &queue, &weights, options).unwrap();
    upscaler.prepare((20, 15), 2.0).unwrap();
}

#[test]
fn the_program() {
    let _alone = common::alone();
    let desk = Desk::new();
    let listed = desk.run("devices --json");
    let devices: Vec<serde_json::Value> = serde_json::from_str(&listed.stdout).unwrap();
    let (index, _) = find(&AdapterSelection::default()).unwrap();
    desk.save("in.png", color(12, 9));
    let run = |precision: &str, more: &str| {
        desk.run(&format!("upscale in.png -o out/ -s 2 --precision {precision} --verify -m small {more}"))
    };
    if devices[index]["half_precision"] == false {
        eprintln!("SKIPPED: {} has no 16-bit floats in shaders", devices[index]["name"]);
        let refused = run("f16", "");
        assert_eq!(refused.code, Some(3), "{}", refused.stderr);
        assert!(refused.stderr.contains("--precision f32"), "{}", refused.stderr);
        return;
    }
    let made = run("f16", "");
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(made.stderr.contains("verified: "), "{}", made.stderr);
    let half = desk.open("out/in.png").to_rgb8();
    // The precision is one of the settings recorded for a result in a folder.
    assert_eq!(run("f16", "").stdout, "");
    assert!(run("f32", "").stdout.contains("in.png"));
    let single = desk.open("out/in.png").to_rgb8();
    assert!(half.as_raw().iter().zip(single.as_raw()).all(|(h, s)| h.abs_diff(*s) <= 2));
    assert_eq!(desk.run("upscale in.png --precision f8").code, Some(2));
}
