//! Checks that keep wrong results from passing as right ones, and the average over flips and rotations.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common;
use image::{DynamicImage, GrayImage, RgbImage};
use srcnn_gpu::headless::{Headless, HeadlessOptions, Verified, self_test_once};
use srcnn_gpu::video::VideoUpscaler;
use srcnn_gpu::video::y4m::{Frame, Reader};
use srcnn_gpu::{Channels, Error, Metadata, Padding, Planes, Precision, Weights};

fn planes(width: usize, height: usize) -> Planes {
    let mut noise = common::noise(3);
    let data = (0..width * height).map(|i| 0.5 + 0.3 * (i as f32 * 0.7).sin() + 0.1 * noise()).collect();
    Planes::new(width, height, 1, data).unwrap()
}

fn picture() -> DynamicImage {
    RgbImage::from_fn(37, 29, |x, y| image::Rgb([(x * 6) as u8, (y * 8) as u8, (x * y % 256) as u8])).into()
}

/// A picture in one of its 8 symmetries: bit 0 mirrors columns, bit 1 mirrors rows, then bit 2 swaps the two.
fn turn(picture: &Planes, way: usize) -> Planes {
    let Planes { width, height, .. } = *picture;
    let (wide, high) = if way & 4 == 0 { (width, height) } else { (height, width) };
    let data = (0..wide * high).map(|i| {
        let (x, y) = if way & 4 == 0 { (i % wide, i / wide) } else { (i / wide, i % wide) };
        let x = if way & 1 == 0 { x } else { width - 1 - x };
        let y = if way & 2 == 0 { y } else { height - 1 - y };
        picture.data[y * width + x]
    });
    Planes::new(wide, high, 1, data.collect()).unwrap()
}

/// The inverse: swapping the axes exchanges their mirrors.
fn back(picture: &Planes, way: usize) -> Planes {
    let swapped = (way & 1) << 1 | (way & 2) >> 1;
    turn(picture, if way & 4 == 0 { way } else { 4 | swapped })
}

#[test]
fn the_average_is_that_of_turned_pictures() {
    let _alone = common::alone();
    let low = planes(23, 17);
    assert!((0..8).all(|way| back(&turn(&low, way), way) == low), "the test's own turns");
    for padding in [Padding::Replicate, Padding::Normalized, Padding::Valid] {
        let weights = common::network("5-3", "6", 1, padding);
        let options = HeadlessOptions::default().with_tile(Some(20));
        let mut plain = Headless::new(common::gpu(), &weights, options).unwrap();
        let ways: Vec<Planes> =
            (0..8).map(|way| back(&plain.upscale_planes(&turn(&low, way), 2.0).unwrap(), way)).collect();
        let mean: Vec<f64> = (0..ways[0].data.len())
            .map(|i| ways.iter().map(|way| f64::from(way.data[i])).sum::<f64>() / 8.0)
            .collect();
        let options = options.with_tta(true);
        let average =
            Headless::new(common::gpu(), &weights, options).unwrap().upscale_planes(&low, 2.0).unwrap();
        common::assert_close(&format!("{padding}"), &average.data, &mean, common::tolerance(150, 2, 2.0));
        let off = common::difference(&ways[0].data, &mean).0;
        assert!(off > 0.01, "{padding}: the ways do not differ, {off}");
    }
}

/// What the GPU computes passes, for every kind of network, padding and picture.
#[test]
fn right_results_pass() {
    let _alone = common::alone();
    for padding in [Padding::Replicate, Padding::Normalized, Padding::Zero, Padding::Valid] {
        for channels in [1, 3] {
            let weights = common::network("5-1-3", "6-5", channels, padding);
            for (tile, tta) in [(Some(24), false), (None, true)] {
                let options = HeadlessOptions::default().with_tile(tile).with_tta(tta).with_verify(true);
                let mut headless = Headless::new(common::gpu(), &weights, options).unwrap();
                headless.upscale(&picture(), 1.7, &mut |_, _| ()).unwrap();
                let Verified { values, difference } = headless.verified().unwrap();
                assert!(values >= 4 * 16 * 16 && difference < 1e-4, "{padding} {channels}: {difference}");
            }
        }
    }
    let options = HeadlessOptions::default();
    let weights = common::network("5-1-3", "6-5", 1, Padding::Replicate);
    let mut headless = Headless::new(common::gpu(), &weights, options).unwrap();
    headless.upscale_planes(&planes(20, 20), 2.0).unwrap();
    assert_eq!(headless.verified(), None);
}

/// A network with the same output whatever its input, as from a broken driver.
fn constant(value: f32) -> Weights {
    let network = common::network("3-3", "2", 1, Padding::Replicate);
    let mut layers = network.layers().to_vec();
    layers[1].weight.fill(0.0);
    layers[1].bias.fill(value);
    Weights::new(layers, Metadata { channels: Channels::Y, ..Metadata::default() }).unwrap()
}

#[test]
fn flat_results_are_refused() {
    let _alone = common::alone();
    for value in [0.0, 0.5, 100.0] {
        let mut headless =
            Headless::new(common::gpu(), &constant(value), HeadlessOptions::default()).unwrap();
        let error = headless.upscale(&picture(), 2.0, &mut |_, _| ()).unwrap_err();
        assert!(
            matches!(&error, Error::WrongResult(text) if text.contains("one flat color")),
            "{value}: {error}"
        );
        // A flat picture cannot have any other result.
        let flat = DynamicImage::from(GrayImage::from_pixel(20, 20, image::Luma([90])));
        headless.upscale(&flat, 2.0, &mut |_, _| ()).unwrap();
    }
}

#[test]
fn frames_without_contrast_or_numbers_are_refused() {
    let _alone = common::alone();
    let mut stream = b"YUV4MPEG2 W16 H12 Cmono\nFRAME\n".to_vec();
    stream.extend((0..16 * 12).map(|i: u32| (i * 7 % 256) as u8));
    let mut reader = Reader::new(stream.as_slice()).unwrap();
    let mut frame = Frame::default();
    assert!(reader.read(&mut frame).unwrap());
    let mut overflowing = constant(0.5).layers().to_vec();
    overflowing.iter_mut().for_each(|layer| layer.weight.fill(1e38));
    let overflowing = Weights::new(overflowing, Metadata::default()).unwrap();
    let good =
        Weights::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/sharpen.safetensors")).unwrap();
    for (weights, reason) in [(good, ""), (constant(0.5), "one flat grey"), (overflowing, "not finite")] {
        let options = HeadlessOptions::default();
        let mut upscaler =
            VideoUpscaler::new(common::gpu(), &weights, options, reader.header(), 2.0).unwrap();
        upscaler.submit(&frame).unwrap();
        match upscaler.finish(&mut Frame::default()) {
            Ok(done) => assert!(done && reason.is_empty(), "{reason}"),
            Err(error) => {
                assert!(!reason.is_empty() && error.to_string().contains(reason), "'{reason}': {error}")
            }
        }
    }
}

#[test]
fn a_driver_is_tested_once() {
    let _alone = common::alone();
    let gpu = common::gpu();
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("new/cache");
    assert!(self_test_once(&gpu, Precision::F32, Some(&cache)).unwrap());
    assert!(!self_test_once(&gpu, Precision::F32, Some(&cache)).unwrap());
    // Another driver, or a damaged file.
    let marker = fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&marker).unwrap();
    assert!(text.contains(&gpu.info.driver_info) && text.contains(env!("CARGO_PKG_VERSION")), "{text}");
    fs::write(&marker, text.replace(env!("CARGO_PKG_VERSION"), "0.0.0")).unwrap();
    assert!(self_test_once(&gpu, Precision::F32, Some(&cache)).unwrap());
    assert!(!self_test_once(&gpu, Precision::F32, Some(&cache)).unwrap());
    // A folder that cannot be written.
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(self_test_once(&gpu, Precision::F32, Some(&file.join("cache"))).unwrap());
}

fn program(folder: &Path, args: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
    command.current_dir(folder).args(args.split_whitespace());
    command.env_remove("SRCNN_GPU").env_remove("RUST_LOG").env("XDG_RUNTIME_DIR", folder);
    command.env("XDG_CACHE_HOME", folder.join("cache"));
    command.output().unwrap()
}

#[test]
fn the_program() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    picture().save(folder.path().join("a.png")).unwrap();
    fs::write(folder.path().join("flat.safetensors"), constant(0.0).to_safetensors().unwrap()).unwrap();
    let good = common::network("5-1-3", "6-5", 1, Padding::Replicate).to_safetensors().unwrap();
    fs::write(folder.path().join("good.safetensors"), good).unwrap();

    fs::write(folder.path().join("b.png"), "old").unwrap();
    let output = program(folder.path(), "-v upscale a.png -o b.png -m flat.safetensors");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("one flat color") && text.contains("passed its self test"), "{text}");
    assert_eq!(fs::read(folder.path().join("b.png")).unwrap(), b"old");

    let output = program(folder.path(), "-v upscale a.png -o b.png -m good.safetensors -x --verify");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("verified: ") && !text.contains("self test"), "{text}");
    assert!(image::open(folder.path().join("b.png")).is_ok());
}
