//! Blocks of pixels that a workgroup computes, for GPUs: within rounding of the twin in f64, for all sizes, paddings and tiles.

use crate::common::{self, assert_close, difference, gpu, network, noise, twin, wrong_in};
use crate::forward::network_tolerance;
use srcnn_gpu::gpu::kernels::{ConvShape, Fusion, MapRead};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::{Padding, Planes, SourceKind, Upscaler, UpscalerOptions, Weights};

const PADDINGS: [Padding; 4] = [Padding::Replicate, Padding::Normalized, Padding::Zero, Padding::Valid];

fn picture(width: usize, height: usize) -> Planes {
    let mut next = noise(9);
    let data = (0..width * height).map(|_| 0.5 * (next() + 1.0)).collect();
    Planes::new(width, height, 1, data).unwrap()
}

fn shape(map_read: MapRead) -> ConvShape {
    ConvShape { fused: Some(Fusion::Workgroup), map_read, ..ConvShape::for_device(&gpu().device) }
}

fn computed(weights: &Weights, planes: &Planes, map_read: MapRead, tile: Option<u32>) -> Vec<f32> {
    let options = HeadlessOptions::default().with_tile(tile).with_conv_shape(Some(shape(map_read)));
    Headless::new(gpu(), weights, options).unwrap().upscale_planes(planes, 1.0).unwrap().data
}

/// The kernels of a network with a shape.
fn kernels(weights: &Weights, shape: ConvShape) -> Vec<&'static str> {
    let gpu = gpu();
    let options =
        UpscalerOptions::for_device(&gpu.device).with_source(SourceKind::Planes).with_conv_shape(shape);
    let mut upscaler = Upscaler::new(&gpu.device, &gpu.queue, weights, options).unwrap();
    upscaler.prepare((40, 40), 1.0).unwrap();
    upscaler.kernels()
}

#[test]
fn networks_agree_with_their_twins_whatever_the_tiles() {
    let _alone = common::alone();
    let networks = [
        ("9-1-5", "13-9"),
        ("9-1-5", "6-32"),
        ("7-1-3", "5-8"),
        ("5-1-5", "9-20"),
        ("3-1-3", "17-24"),
        ("1-1-5", "4-4"),
    ];
    for (i, (sizes, filters)) in networks.into_iter().enumerate() {
        // All paddings of the first network, one of each other.
        let paddings = if i == 0 { &PADDINGS[..] } else { &PADDINGS[i % 4..][..1] };
        for &padding in paddings {
            let weights = network(sizes, filters, 1, padding);
            // Wider and higher than two blocks, and no multiple of anything.
            let planes = picture(75, 43);
            let expected = twin(&weights, &planes, padding);
            let what = format!("{sizes} {filters} {padding}");
            let read = if i % 2 == 0 { MapRead::Sampled } else { MapRead::Storage };
            let whole = computed(&weights, &planes, read, None);
            assert_close(&what, &whole, &expected, network_tolerance(&weights));
            for tile in [6, 31] {
                let tiled = computed(&weights, &planes, read, Some(tile));
                assert!(tiled == whole, "{what}: tiles of {tile} differ");
            }
        }
    }
}

/// Around the sides of a block, 32 x 16, and of what is padded.
#[test]
fn pictures_of_all_sizes_agree() {
    let _alone = common::alone();
    let sizes = [
        (1, 1),
        (2, 1),
        (1, 2),
        (3, 40),
        (29, 13),
        (30, 14),
        (31, 15),
        (32, 16),
        (33, 17),
        (34, 18),
        (61, 30),
        (62, 31),
        (63, 5),
        (64, 32),
        (66, 7),
    ];
    for padding in &PADDINGS[..3] {
        for layers in ["9-1-5", "7-1-3"] {
            let weights = network(layers, "8-8", 1, *padding);
            let options = HeadlessOptions::default().with_conv_shape(Some(shape(MapRead::Sampled)));
            let mut headless = Headless::new(gpu(), &weights, options).unwrap();
            for (width, height) in sizes {
                let planes = picture(width, height);
                let expected = twin(&weights, &planes, *padding);
                let actual = headless.upscale_planes(&planes, 1.0).unwrap();
                let what = format!("{layers}, {width}x{height} {padding}");
                assert_close(&what, &actual.data, &expected, network_tolerance(&weights));
            }
        }
    }
}

#[test]
fn a_wrong_weight_is_noticed() {
    let _alone = common::alone();
    let weights = network("9-1-5", "8-8", 1, Padding::Replicate);
    let planes = picture(37, 21);
    let expected = twin(&weights, &planes, Padding::Replicate);
    for layer in 0..3 {
        let wrong = wrong_in(&weights, layer);
        let actual = computed(&wrong, &planes, MapRead::Sampled, None);
        let (off, _) = difference(&actual, &expected);
        assert!(off.is_finite() && off > network_tolerance(&weights), "layer {}: {off:.1e}", layer + 1);
    }
}

#[test]
fn only_networks_that_it_covers_use_it() {
    let _alone = common::alone();
    let uses = |weights: &Weights, shape| kernels(weights, shape).contains(&"conv_fused_workgroup");
    let paper = network("9-1-5", "64-32", 1, Padding::Replicate);
    let fused = shape(MapRead::Sampled);
    assert!(uses(&paper, fused));
    assert!(!uses(&paper, ConvShape { fused: None, ..fused }));
    for (sizes, filters, channels) in [
        ("9-5-5", "8-8", 1),
        ("9-1-1", "8-8", 1),
        ("9-1-7", "8-8", 1),
        ("11-1-5", "8-8", 1),
        ("9-1-5", "8-33", 1),
        ("9-1-5", "8-8", 3),
    ] {
        let weights = network(sizes, filters, channels, Padding::Replicate);
        assert!(!uses(&weights, fused), "{sizes} {filters}");
    }
}
