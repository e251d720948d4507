//! Bicubic enlargement folded into the first layer: within rounding of the two steps by themselves, whatever the size, the
//! padding and the tiles.

mod common;

use common::{assert_close, gpu, network, noise};
use image::{DynamicImage, Rgba32FImage};
use srcnn_gpu::gpu::shaders::{ConvShape, Fetch, Registers};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::reference::{self, Maps, resample::imresize};
use srcnn_gpu::{Padding, Planes, SourceKind, Upscaler, UpscalerOptions, Weights, When};

/// What results may differ by from those of bicubic enlargement and the layers in f64, for values of 0 to 1.
const TOLERANCE: f64 = 1e-5;
const PADDINGS: [Padding; 4] = [Padding::Replicate, Padding::Normalized, Padding::Zero, Padding::Valid];

fn picture(width: usize, height: usize) -> Planes {
    let mut next = noise(5);
    let ramp = |i: usize| (3 * (i / width) + 7 * (i % width)) as f32 / (3 * height + 7 * width) as f32;
    let data = (0..width * height).map(|i| 0.7 * ramp(i) + 0.15 * (next() + 1.0)).collect();
    Planes::new(width, height, 1, data).unwrap()
}

/// Ways to fetch weights that this device has.
fn shapes() -> Vec<ConvShape> {
    let gpu = gpu();
    let lanes = gpu.info.subgroup_min_size;
    let subgroups =
        gpu.device.features().contains(wgpu::Features::SUBGROUP) && gpu.info.subgroup_max_size == lanes;
    let shape = |fetch, workgroup| ConvShape {
        spatial: Registers::P8x8,
        pointwise: Registers::P8x16,
        workgroup,
        fused: Some(fetch),
    };
    let mut shapes =
        vec![shape(Fetch::Uniform, [2, 4]), shape(Fetch::Storage, [1, 8]), shape(Fetch::Workgroup, [3, 5])];
    if subgroups {
        shapes.push(shape(Fetch::Subgroup(lanes), [1, lanes]));
    }
    shapes
}

fn options(padding: Padding, tile: Option<u32>, shape: ConvShape, fold: When) -> HeadlessOptions {
    let (padding, conv_shape) = (Some(padding), Some(shape));
    HeadlessOptions { padding, tile, conv_shape, fold, ..HeadlessOptions::default() }
}

fn enlarged(weights: &Weights, planes: &Planes, factor: usize, options: HeadlessOptions) -> Vec<f32> {
    let mut headless = Headless::new(gpu(), weights, options).unwrap();
    headless.upscale_planes(planes, factor as f64).unwrap().data
}

fn twin(weights: &Weights, planes: &Planes, factor: usize, padding: Padding) -> Vec<f64> {
    let data: Vec<f64> = planes.data.iter().map(|&v| f64::from(v)).collect();
    let (data, height, width) = imresize(&data, planes.height, planes.width, factor as f64).unwrap();
    reference::forward(weights, &Maps { channels: 1, height, width, data }, padding).data
}

/// Whether the kernel that folds is used for a size.
fn folds(weights: &Weights, size: (u32, u32), factor: f64, shape: ConvShape, fold: When) -> bool {
    let gpu = gpu();
    let defaults = UpscalerOptions::for_device(&gpu.device);
    let options = UpscalerOptions { source: SourceKind::Planes, conv_shape: shape, fold, ..defaults };
    let mut upscaler = Upscaler::new(&gpu.device, &gpu.queue, weights, options).unwrap();
    upscaler.prepare(size, factor).unwrap();
    upscaler.kernels().contains(&"conv_fold")
}

#[test]
fn folded_networks_agree_with_bicubic_and_layers_whatever_the_tiles() {
    let _alone = common::alone();
    let networks = [
        ("9-1-5", "13-9", 2, Padding::Replicate),
        ("9-1-5", "7-32", 3, Padding::Normalized),
        ("9-1-5", "6-17", 4, Padding::Zero),
        ("5-1-3", "5-8", 3, Padding::Replicate),
        ("7-1-1", "9-20", 2, Padding::Zero),
        ("3-1-5", "4-4", 4, Padding::Normalized),
        ("1-1-3", "4-9", 3, Padding::Replicate),
    ];
    for (sizes, filters, factor, padding) in networks {
        let weights = network(sizes, filters, 1, padding);
        let planes = picture(43, 31);
        let expected = twin(&weights, &planes, factor, padding);
        for shape in shapes() {
            let what = format!("{sizes} {filters} x{factor} {padding} {:?}", shape.fused);
            let size = (planes.width as u32, planes.height as u32);
            assert!(folds(&weights, size, factor as f64, shape, When::Always), "{what}: not folded");
            let of = |tile, fold| enlarged(&weights, &planes, factor, options(padding, tile, shape, fold));
            let whole = of(None, When::Always);
            assert_close(&what, &whole, &expected, TOLERANCE);
            assert!(whole != of(None, When::Never), "{what}: not another sum");
            for tile in [13, 40] {
                assert!(of(Some(tile), When::Always) == whole, "{what}: tiles of {tile} differ");
            }
        }
    }
}

#[test]
fn pictures_of_all_sizes_and_paddings_agree() {
    let _alone = common::alone();
    let shape = shapes().pop().unwrap();
    for (i, (width, height)) in
        [(1, 1), (3, 40), (11, 9), (12, 10), (19, 8), (40, 5), (26, 17)].into_iter().enumerate()
    {
        let (factor, padding) = (2 + i % 3, PADDINGS[i % 3]);
        let weights = network("9-1-5", "8-8", 1, padding);
        let planes = picture(width, height);
        let expected = twin(&weights, &planes, factor, padding);
        let actual = enlarged(&weights, &planes, factor, options(padding, None, shape, When::Always));
        assert_close(&format!("{width}x{height} x{factor} {padding}"), &actual, &expected, TOLERANCE);
    }
}

#[test]
fn only_what_can_be_folded_is() {
    let _alone = common::alone();
    let shape = shapes().pop().unwrap();
    let large = (40, 40);
    let paper = network("9-1-5", "8-8", 1, Padding::Replicate);
    assert!(folds(&paper, large, 3.0, shape, When::Always));
    assert!(!folds(&paper, large, 3.0, shape, When::Never));
    assert!(!folds(&paper, large, 3.0, shape, When::Auto), "too small to be worth compiling for");
    assert!(!folds(&paper, large, 2.5, shape, When::Always));
    assert!(!folds(&paper, large, 5.0, shape, When::Always));
    assert!(!folds(&paper, (9, 40), 3.0, shape, When::Always), "nothing is inside");
    assert!(!folds(&paper, large, 3.0, ConvShape { fused: None, ..shape }, When::Always));
    let valid = network("9-1-5", "8-8", 1, Padding::Valid);
    assert!(!folds(&valid, large, 3.0, shape, When::Always));
    let wide = network("9-5-5", "8-8", 1, Padding::Replicate);
    assert!(!folds(&wide, large, 3.0, shape, When::Always));
}

#[test]
fn colours_are_those_of_the_plain_path() {
    let _alone = common::alone();
    let shape = shapes().pop().unwrap();
    let weights = network("9-1-5", "8-8", 1, Padding::Replicate);
    let mut next = noise(11);
    let texels = (0..4 * 37 * 29).map(|_| 0.5 + 0.5 * next()).collect();
    let picture = DynamicImage::ImageRgba32F(Rgba32FImage::from_raw(37, 29, texels).unwrap());
    let of = |tile, fold| {
        let options = options(Padding::Replicate, tile, shape, fold);
        let mut headless = Headless::new(gpu(), &weights, options).unwrap();
        headless.upscale(&picture, 3.0, &mut |_, _| ()).unwrap().into_rgba32f().into_raw()
    };
    let plain: Vec<f64> = of(None, When::Never).into_iter().map(f64::from).collect();
    let folded = of(None, When::Always);
    assert_close("colours", &folded, &plain, 2.0 * TOLERANCE);
    assert!(of(Some(31), When::Always) == folded, "tiles differ");
}

#[test]
fn other_weights_and_sizes_follow() {
    let _alone = common::alone();
    let shape = shapes().pop().unwrap();
    let options = options(Padding::Replicate, None, shape, When::Always);
    let first = network("9-1-5", "8-8", 1, Padding::Replicate);
    let mut layers = first.layers().to_vec();
    layers.iter_mut().flat_map(|layer| &mut layer.weight).for_each(|weight| *weight *= -0.75);
    let second = Weights::new(layers, first.metadata.clone()).unwrap();
    let mut headless = Headless::new(gpu(), &first, options).unwrap();
    for (weights, factor, size) in
        [(&first, 3, 30), (&second, 3, 30), (&second, 2, 33), (&first, 2, 30), (&first, 4, 8)]
    {
        headless.set_weights(weights).unwrap();
        let planes = picture(size, size);
        let actual = headless.upscale_planes(&planes, factor as f64).unwrap();
        let expected = twin(weights, &planes, factor, Padding::Replicate);
        assert_close(&format!("x{factor}"), &actual.data, &expected, TOLERANCE);
    }
}
