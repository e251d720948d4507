//! The inference path on the GPU against its CPU twins and the golden vectors.

use crate::common::{self, assert_close, data, gpu, maps, network, noise, tolerance, twin};
use safetensors::SafeTensors;
use srcnn_gpu::gpu::kernels::{ConvShape, Fusion, MapRead, Registers, WeightLoad};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::reference;
use srcnn_gpu::resample::ResampleTable;
use srcnn_gpu::{Channels, Enlargement, Layer, LayerShape, Metadata, Padding, Planes, Weights};

const PADDINGS: [Padding; 4] = [Padding::Replicate, Padding::Normalized, Padding::Zero, Padding::Valid];

/// Asymmetric and not smooth, so that no transposition or shift goes unnoticed.
fn picture(channels: usize, height: usize, width: usize) -> Planes {
    let mut next = noise(3);
    let mut data = Vec::new();
    for c in 0..channels {
        for y in 0..height {
            for x in 0..width {
                let ramp = (c + 3 * y + 7 * x) as f32 / (channels + 3 * height + 7 * width) as f32;
                data.push(0.7 * ramp + 0.15 * (next() + 1.0));
            }
        }
    }
    Planes::new(width, height, channels, data).unwrap()
}

fn run(
    weights: &Weights,
    planes: &Planes,
    padding: Padding,
    tile: Option<u32>,
    to: impl Into<Enlargement>,
) -> Planes {
    let options = HeadlessOptions::default().with_padding(Some(padding)).with_tile(tile);
    Headless::new(gpu(), weights, options).unwrap().upscale_planes(planes, to).unwrap()
}

/// Tolerance for a whole network whose maps stay around 1.
pub fn network_tolerance(weights: &Weights) -> f64 {
    let layers = weights.architecture().layers();
    tolerance(layers.iter().map(LayerShape::products).max().unwrap_or(1), layers.len(), 1.0)
}

fn check(sizes: &str, filters: &str, channels: usize, [height, width]: [usize; 2]) {
    let planes = picture(channels, height, width);
    for padding in PADDINGS {
        let weights = network(sizes, filters, channels, padding);
        let expected = twin(&weights, &planes, padding);
        let actual = run(&weights, &planes, padding, None, 1.0);
        let what = format!("{sizes} {filters} c={channels} {height}x{width} {padding}");
        assert_close(&what, &actual.data, &expected, network_tolerance(&weights));
    }
}

#[test]
fn paper_network_agrees_with_its_twin() {
    let _alone = common::alone();
    check("9-1-5", "64-32", 1, [29, 37]);
}

#[test]
fn other_shapes_agree_with_their_twins() {
    let _alone = common::alone();
    check("9-3-5", "8-6", 1, [23, 31]);
    check("9-5-5", "10-7", 1, [19, 42]);
    check("11-1-7", "5-3", 1, [33, 20]);
    check("3-3", "4", 1, [9, 11]);
    check("1-1", "1", 1, [5, 3]);
    check("5-3-3-1", "6-5-4", 1, [21, 22]);
    check("7-1-3", "13-9", 1, [17, 64]);
}

/// All ways to compute a network that this device supports: layer by layer, and fused.
fn shapes() -> Vec<ConvShape> {
    let gpu = gpu();
    let lanes = gpu.info.subgroup_min_size;
    let subgroup = (gpu.device.features().contains(wgpu::Features::SUBGROUP)
        && gpu.info.subgroup_max_size == lanes)
        .then_some(WeightLoad::Subgroup(lanes));
    let shape = |fused, workgroup| ConvShape {
        spatial: Registers::P8x8,
        pointwise: Registers::P8x16,
        workgroup,
        fused,
        map_read: MapRead::Sampled,
    };
    let mut shapes = vec![
        shape(None, [1, 8]),
        shape(Some(Fusion::Workgroup), [1, 8]),
        shape(Some(WeightLoad::Uniform.into()), [4, 2]),
        // Not a multiple of a vector's lanes.
        shape(Some(WeightLoad::Uniform.into()), [3, 13]),
    ];
    shapes.extend(subgroup.map(|load| shape(Some(load.into()), [2, lanes])));
    let reads = [MapRead::Sampled, MapRead::Storage];
    shapes.iter().flat_map(|&shape| reads.map(|map_read| ConvShape { map_read, ..shape })).collect()
}

fn run_with(shape: ConvShape, weights: &Weights, planes: &Planes, tile: Option<u32>) -> Planes {
    let options = HeadlessOptions::default().with_tile(tile).with_conv_shape(Some(shape));
    Headless::new(gpu(), weights, options).unwrap().upscale_planes(planes, 1.0).unwrap()
}

#[test]
fn fused_networks_agree_with_their_twins_and_do_not_depend_on_tiles() {
    let _alone = common::alone();
    let networks = [
        ("9-1-5", "13-9", Padding::Normalized),
        ("7-1-5", "6-32", Padding::Replicate),
        ("5-1-3", "7-20", Padding::Valid),
        ("3-1-1", "4-8", Padding::Zero),
        ("1-1-5", "9-17", Padding::Replicate),
        ("9-5-5", "6-9", Padding::Replicate),
        ("7-3-3", "5-20", Padding::Normalized),
        ("5-5-1", "4-8", Padding::Zero),
        ("3-3-5", "7-12", Padding::Valid),
    ];
    // Each network by every third way, so that each way has three networks.
    for (i, (sizes, filters, padding)) in networks.into_iter().enumerate() {
        let planes = picture(1, 23, 37);
        let weights = network(sizes, filters, 1, padding);
        let expected = twin(&weights, &planes, padding);
        for shape in shapes().into_iter().skip(i % 3).step_by(3) {
            let what = format!("{sizes} {filters} {padding} {:?}", shape.fused);
            let whole = run_with(shape, &weights, &planes, None);
            assert_close(&what, &whole.data, &expected, network_tolerance(&weights));
            let tiled = run_with(shape, &weights, &planes, Some(13));
            let bits = |planes: &Planes| planes.data.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&whole), bits(&tiled), "{what}: tiles change the result");
        }
    }
}

#[test]
fn three_channels_agree_with_their_twin() {
    let _alone = common::alone();
    check("9-1-5", "12-6", 3, [23, 26]);
    check("5-5-3", "9-5", 3, [17, 35]);
}

#[test]
fn filters_too_large_for_a_uniform_buffer_agree_with_their_twin() {
    let _alone = common::alone();
    // Layer 2: one group of 4 filters is 128*7*7 vec4s, more than 64 KiB. Layer 1 with 400 filters needs several
    // chunks.
    check("1-7-3", "128-5", 1, [18, 21]);
    check("9-1-3", "400-2", 1, [17, 19]);
}

#[test]
fn tiny_pictures_agree_with_their_twin() {
    let _alone = common::alone();
    for size in [[1, 1], [1, 7], [5, 1], [2, 3]] {
        let planes = picture(1, size[0], size[1]);
        for padding in [Padding::Replicate, Padding::Normalized, Padding::Zero] {
            let weights = network("9-1-5", "6-4", 1, padding);
            let actual = run(&weights, &planes, padding, None, 1.0);
            let what = format!("{size:?} {padding}");
            assert_close(&what, &actual.data, &twin(&weights, &planes, padding), network_tolerance(&weights));
        }
        let options = HeadlessOptions::default().with_padding(Some(Padding::Valid));
        let mut valid = Headless::new(gpu(), &network("9-1-5", "6-4", 1, Padding::Valid), options).unwrap();
        assert!(valid.upscale_planes(&planes, 1.0).is_err(), "{size:?}: nothing is left of it");
    }
}

/// Replaced weights compute as if they had been there from the start; those of another architecture, padding or color
/// space get a network of their own.
#[test]
fn weights_are_replaced() {
    let _alone = common::alone();
    let other = |weights: &Weights, metadata: Metadata| {
        let mut next = noise(99);
        let layers = weights.layers().iter().map(|layer| {
            let mut layer = layer.clone();
            layer.weight.iter_mut().chain(&mut layer.bias).for_each(|v| *v = 0.7 * *v + 0.1 * next());
            layer
        });
        Weights::new(layers.collect(), metadata).unwrap()
    };
    for (sizes, filters, channels) in [("5-1-3", "9-5", 1), ("1-7-3", "128-5", 1), ("3-3", "6", 3)] {
        let first = network(sizes, filters, channels, Padding::Replicate);
        let planes = picture(channels, 18, 21);
        let mut headless = Headless::new(gpu(), &first, HeadlessOptions::default()).unwrap();
        let before = headless.upscale_planes(&planes, 2.0).unwrap();
        let zero = Metadata { padding: Padding::Zero, ..first.metadata.clone() };
        let wider = network("5-3", "7", channels, Padding::Replicate);
        for weights in [other(&first, first.metadata.clone()), other(&first, zero), wider, first.clone()] {
            headless.set_weights(&weights).unwrap();
            let expected = run(&weights, &planes, weights.metadata.padding, None, 2.0);
            let actual = headless.upscale_planes(&planes, 2.0).unwrap();
            assert!(actual == expected, "{sizes} {filters} {}", weights.metadata.padding);
            assert_eq!(actual == before, weights == first);
        }
    }
}

#[test]
fn tiled_equals_untiled_bit_for_bit() {
    let _alone = common::alone();
    for (sizes, filters, channels) in [("9-1-5", "16-8", 1), ("5-3-3", "6-5", 3)] {
        let planes = picture(channels, 31, 45);
        for padding in PADDINGS {
            let weights = network(sizes, filters, channels, padding);
            for scale in [1.0, 2.0, 1.7] {
                let whole = run(&weights, &planes, padding, Some(512), scale);
                for tile in [16, 23, 40] {
                    let tiled = run(&weights, &planes, padding, Some(tile), scale);
                    assert_eq!(
                        whole.data.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
                        tiled.data.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
                        "{sizes} {padding} x{scale} tile {tile}"
                    );
                }
            }
        }
    }
}

/// Rows come from top to bottom, each once, and equal those of the result as a whole, for all tile sizes.
#[test]
fn bands_put_together_are_the_result() {
    let _alone = common::alone();
    let color = image::ColorType::Rgba16;
    let source = image::RgbaImage::from_fn(19, 23, |x, y| {
        image::Rgba([x * 13, y * 11, x * y, 255 - x].map(|v| v as u8))
    });
    let source = image::DynamicImage::from(source);
    let weights = network("5-1-3", "6-5", 1, Padding::Replicate);
    let whole = Headless::new(gpu(), &weights, HeadlessOptions::default()).unwrap();
    let whole = { whole }.upscale_as(&source, color, 2.5, &mut |_, _| ()).unwrap();
    for tile in [16, 30, 100] {
        let options = HeadlessOptions::default().with_tile(Some(tile));
        let mut bytes = Vec::new();
        let mut take = |band: image::DynamicImage| {
            assert_eq!((band.width(), band.color()), (whole.width(), color));
            assert!(band.height() <= tile);
            bytes.extend_from_slice(band.as_bytes());
            Ok(())
        };
        let mut headless = Headless::new(gpu(), &weights, options).unwrap();
        headless.upscale_bands(&source, color, 2.5, &mut take, &mut |_, _| ()).unwrap();
        assert!(bytes == whole.as_bytes(), "tiles of {tile}");
    }
}

/// A network that returns its input, max(0, x) - max(0, -x), for testing resampling alone.
fn identity() -> Weights {
    let layer = |inputs, filters| Layer {
        shape: LayerShape { inputs, filters, size: 1 },
        weight: vec![1.0, -1.0],
        bias: vec![0.0; filters],
    };
    Weights::new(vec![layer(1, 2), layer(2, 1)], Metadata::default()).unwrap()
}

#[test]
fn resampling_agrees_with_its_twin() {
    let _alone = common::alone();
    let planes = picture(1, 29, 37);
    let input = maps(&planes).data;
    for (height, width) in [(58, 74), (87, 111), (44, 56), (30, 37), (15, 13), (29, 100), (1, 1)] {
        let actual = run(&identity(), &planes, Padding::Replicate, Some(24), (width as u32, height as u32));
        let expected = reference::resample::imresize_to(&input, (29, 37), (height, width)).unwrap();
        let taps = ResampleTable::bicubic(37, width, width as f64 / 37.0).unwrap().taps;
        assert_close(&format!("{width}x{height}"), &actual.data, &expected, tolerance(2 * taps, 2, 1.0));
    }
}

fn tensor(file: &SafeTensors<'_>, name: &str) -> (Vec<usize>, Vec<f64>) {
    let view = file.tensor(name).unwrap();
    let values = match view.dtype() {
        safetensors::Dtype::F64 => {
            view.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
        }
        safetensors::Dtype::F32 => {
            view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect()
        }
        other => panic!("{name}: {other:?}"),
    };
    (view.shape().to_vec(), values)
}

fn planes_of(shape: &[usize], values: &[f64]) -> Planes {
    let n = shape.len();
    Planes::new(shape[n - 1], shape[n - 2], 1, values.iter().map(|&v| v as f32).collect()).unwrap()
}

#[test]
fn resampling_agrees_with_the_golden_vectors() {
    let _alone = common::alone();
    let Some(path) = data("reference/imresize.safetensors") else { return };
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (shape, values) = tensor(&file, "in");
    let input = planes_of(&shape, &values);
    let mut cases = 0;
    for name in file.names() {
        let scale = match name.split_once('_') {
            Some(("up", factor)) => factor.parse().unwrap(),
            Some(("down", "0.4")) => 0.4,
            Some(("down", fraction)) => 1.0 / fraction.strip_prefix("1_").unwrap().parse::<f64>().unwrap(),
            _ => continue,
        };
        let (out_shape, expected) = tensor(&file, name);
        let (cpu, height, width) = reference::resample::imresize(&values, shape[0], shape[1], scale).unwrap();
        assert_eq!(out_shape, [height, width], "{name}");
        let worst = cpu.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-12, "{name}: the twin is off by {worst:e}");
        let actual = run(&identity(), &input, Padding::Replicate, None, scale);
        assert_close(name, &actual.data, &expected, tolerance(24, 2, 1.0));
        cases += 1;
    }
    assert_eq!(cases, 9);

    let (shape, values) = tensor(&file, "chain_in_3");
    let (_, expected) = tensor(&file, "chain_3");
    let small = run(&identity(), &planes_of(&shape, &values), Padding::Replicate, None, 1.0 / 3.0);
    let back = run(&identity(), &small, Padding::Replicate, None, 3.0);
    assert_close("chain_3", &back.data, &expected, tolerance(32, 4, 1.0));
}

#[test]
fn forward_passes_agree_with_the_golden_vectors() {
    let _alone = common::alone();
    let Some(path) = data("reference/forward.safetensors") else { return };
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (shape, values) = tensor(&file, "input");
    let input = planes_of(&shape, &values);
    let layers = (1..=3).map(|i| {
        let (shape, weight) = tensor(&file, &format!("conv{i}.weight"));
        let (_, bias) = tensor(&file, &format!("conv{i}.bias"));
        Layer {
            shape: LayerShape { inputs: shape[1], filters: shape[0], size: shape[2] },
            weight: weight.iter().map(|&v| v as f32).collect(),
            bias: bias.iter().map(|&v| v as f32).collect(),
        }
    });
    let metadata = Metadata { channels: Channels::Y, ..Metadata::default() };
    let weights = Weights::new(layers.collect(), metadata).unwrap();
    for padding in PADDINGS {
        let (_, expected) = tensor(&file, &format!("output_{padding}"));
        let allowed = network_tolerance(&weights);
        let cpu: Vec<f32> = twin(&weights, &input, padding).iter().map(|&v| v as f32).collect();
        assert_close(&format!("twin, {padding}"), &cpu, &expected, allowed);
        for tile in [None, Some(16)] {
            let actual = run(&weights, &input, padding, tile, 1.0);
            assert_close(&format!("{padding}, tile {tile:?}"), &actual.data, &expected, allowed);
        }
    }
}
