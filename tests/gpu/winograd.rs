//! Layers 1 and 2 by Winograd's minimal filtering: within rounding of the twin in f64, for all sizes, paddings and tiles.

use crate::common::{self, assert_close, difference, gpu, network, noise, twin, wrong_in};
use srcnn_gpu::gpu::kernels::{ConvShape, Fusion, MapRead, Registers, WeightLoad};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::{KernelChoice, Padding, Planes, SourceKind, Upscaler, UpscalerOptions, Weights};

/// Allowed difference from the layers in f64, for values of 0 to 1. Of the additions in F(4, 3), those for the points
/// 2 and -2 amplify rounding up to 14 times over that of three products; in F(4, 5) those for 2, -2, 1/2 and -1/2 do up to
/// 30 times over that of five.
const TOLERANCE: f64 = 1e-5;
const PADDINGS: [Padding; 4] = [Padding::Replicate, Padding::Normalized, Padding::Zero, Padding::Valid];

fn picture(width: usize, height: usize) -> Planes {
    let mut next = noise(9);
    let ramp = |i: usize| (3 * (i / width) + 7 * (i % width)) as f32 / (3 * height + 7 * width) as f32;
    let data = (0..width * height).map(|i| 0.7 * ramp(i) + 0.15 * (next() + 1.0)).collect();
    Planes::new(width, height, 1, data).unwrap()
}

/// The ways to load weights that this device supports.
fn shapes() -> Vec<ConvShape> {
    let shape = |load: WeightLoad, workgroup, map_read| ConvShape {
        spatial: Registers::P8x8,
        pointwise: Registers::P8x16,
        workgroup,
        fused: Some(load.into()),
        map_read,
    };
    let lanes = gpu().info.subgroup_min_size;
    let subgroups =
        gpu().device.features().contains(wgpu::Features::SUBGROUP) && gpu().info.subgroup_max_size == lanes;
    let mut shapes = vec![
        shape(WeightLoad::Uniform, [2, 4], MapRead::Sampled),
        shape(WeightLoad::Uniform, [3, 13], MapRead::Storage),
    ];
    if subgroups {
        shapes.push(shape(WeightLoad::Subgroup(lanes), [1, lanes], MapRead::Storage));
    }
    shapes
}

fn options(tile: Option<u32>, shape: ConvShape, winograd: KernelChoice) -> HeadlessOptions {
    HeadlessOptions::default().with_tile(tile).with_conv_shape(Some(shape)).with_winograd(winograd)
}

fn computed(weights: &Weights, planes: &Planes, options: HeadlessOptions) -> Vec<f32> {
    Headless::new(gpu(), weights, options).unwrap().upscale_planes(planes, 1.0).unwrap().data
}

/// Whether the kernel is used for a size.
fn is_used(weights: &Weights, size: (u32, u32), shape: ConvShape, winograd: KernelChoice) -> bool {
    let gpu = gpu();
    let options = UpscalerOptions::for_device(&gpu.device)
        .with_source(SourceKind::Planes)
        .with_conv_shape(shape)
        .with_winograd(winograd);
    let mut upscaler = Upscaler::new(&gpu.device, &gpu.queue, weights, options).unwrap();
    upscaler.prepare(size, 1.0).unwrap();
    upscaler.kernels().iter().any(|kernel| kernel.starts_with("conv_winograd"))
}

#[test]
fn networks_agree_with_their_twins_whatever_the_tiles() {
    let _alone = common::alone();
    let networks = [
        ("9-1-5", "6-32"),
        ("7-1-3", "13-9"),
        ("5-1-5", "9-20"),
        ("9-1-1", "4-8"),
        ("3-1-5", "4-4"),
        ("5-5-3", "6-32"),
        ("9-5-5", "4-5"),
        ("3-5-1", "7-20"),
        ("9-5-5-5", "4-40-8"),
        ("3-5-5-5-5", "5-7-8-11"),
    ];
    let shapes = shapes();
    for (i, (sizes, filters)) in networks.into_iter().enumerate() {
        let (padding, shape) = (PADDINGS[i % 4], shapes[i % shapes.len()]);
        let weights = network(sizes, filters, 1, padding);
        let planes = picture(43, 31);
        let expected = twin(&weights, &planes, padding);
        let what = format!("{sizes} {filters} {padding} {:?}", shape.fused);
        let of = |tile, winograd| computed(&weights, &planes, options(tile, shape, winograd));
        let whole = of(None, KernelChoice::Always);
        assert_close(&what, &whole, &expected, TOLERANCE);
        assert!(whole != of(None, KernelChoice::Never), "{what}: not another sum");
        for tile in [6, 13] {
            assert!(of(Some(tile), KernelChoice::Always) == whole, "{what}: tiles of {tile} differ");
        }
    }
}

#[test]
fn pictures_of_all_sizes_agree() {
    let _alone = common::alone();
    let shape = shapes().pop().unwrap();
    // A first layer and a body, a layer on its own, a chain of them.
    for (sizes, filters, padding) in [
        ("9-1-5", "8-8", Padding::Replicate),
        ("9-1-5", "8-8", Padding::Normalized),
        ("9-5-5", "8-8", Padding::Zero),
        ("9-5-5-5", "8-8-8", Padding::Replicate),
        ("9-5-5-5", "8-8-8", Padding::Normalized),
    ] {
        let weights = network(sizes, filters, 1, padding);
        let mut headless =
            Headless::new(gpu(), &weights, options(None, shape, KernelChoice::Always)).unwrap();
        for (width, height) in [(1, 1), (2, 3), (3, 40), (5, 4), (4, 5), (19, 8), (40, 7), (33, 129)] {
            let planes = picture(width, height);
            let expected = twin(&weights, &planes, padding);
            let actual = headless.upscale_planes(&planes, 1.0).unwrap();
            // The valid-pixel maps of tiny pictures make values larger, layer by layer.
            let largest = expected.iter().fold(1.0, |most: f64, value| most.max(value.abs()));
            let what = format!("{sizes} {width}x{height} {padding}");
            assert_close(&what, &actual.data, &expected, largest * TOLERANCE);
        }
    }
}

#[test]
fn a_wrong_weight_is_noticed() {
    let _alone = common::alone();
    let shape = shapes().pop().unwrap();
    for (sizes, filters) in [("9-1-5", "8-8"), ("9-5-5", "8-8"), ("9-5-5-5", "8-8-8")] {
        let weights = network(sizes, filters, 1, Padding::Replicate);
        let planes = picture(21, 17);
        let expected = twin(&weights, &planes, Padding::Replicate);
        for layer in 0..weights.layers().len() {
            let wrong = wrong_in(&weights, layer);
            let actual = computed(&wrong, &planes, options(None, shape, KernelChoice::Always));
            let (off, _) = difference(&actual, &expected);
            assert!(off.is_finite() && off > TOLERANCE, "{sizes}, layer {}: {off:.1e}", layer + 1);
        }
    }
}

#[test]
fn only_networks_that_it_covers_use_it() {
    let _alone = common::alone();
    let shape = shapes().pop().unwrap();
    let paper = network("9-1-5", "8-8", 1, Padding::Replicate);
    let small = (40, 40);
    assert!(is_used(&paper, small, shape, KernelChoice::Always));
    assert!(!is_used(&paper, small, shape, KernelChoice::Never));
    assert!(!is_used(&paper, small, shape, KernelChoice::Auto), "too small to be worth compiling for");
    assert!(!is_used(&paper, small, ConvShape { fused: None, ..shape }, KernelChoice::Always));
    let software = gpu().info.device_type == wgpu::DeviceType::Cpu;
    let whole = network("9-1-5", "64-32", 1, Padding::Replicate);
    assert_eq!(is_used(&whole, (1000, 1000), shape, KernelChoice::Auto), software);
    let larger = network("9-5-5", "64-32", 1, Padding::Replicate);
    let fits = matches!(shape.fused, Some(Fusion::Invocation(WeightLoad::Subgroup(_))));
    assert_eq!(is_used(&larger, (400, 400), shape, KernelChoice::Auto), software && fits);
    for (sizes, filters, channels) in [
        ("9-3-5", "8-8", 1),
        ("9-5-5", "8-33", 1),
        ("9-5-3-5", "8-8-8", 1),
        ("9-5-5-5", "8-8-33", 1),
        ("1-1-3", "4-8", 1),
        ("9-1-7", "8-8", 1),
        ("9-1-5", "8-33", 1),
        ("9-1-5", "8-8", 3),
    ] {
        let weights = network(sizes, filters, channels, Padding::Replicate);
        assert!(!is_used(&weights, small, shape, KernelChoice::Always), "{sizes} {filters}");
    }
}

#[test]
fn other_weights_and_sizes_follow() {
    let _alone = common::alone();
    let shape = shapes().pop().unwrap();
    let first = network("9-1-5", "8-8", 1, Padding::Replicate);
    let mut layers = first.layers().to_vec();
    layers.iter_mut().flat_map(|layer| &mut layer.weight).for_each(|weight| *weight *= -0.75);
    let second = Weights::new(layers, first.metadata.clone()).unwrap();
    let mut headless = Headless::new(gpu(), &first, options(None, shape, KernelChoice::Always)).unwrap();
    for (weights, size) in [(&first, 30), (&second, 30), (&second, 33), (&first, 8)] {
        headless.set_weights(weights).unwrap();
        let planes = picture(size, size);
        let actual = headless.upscale_planes(&planes, 1.0).unwrap();
        let expected = twin(weights, &planes, Padding::Replicate);
        assert_close(&format!("{size}"), &actual.data, &expected, TOLERANCE);
    }
}
