//! Regions of interest: parts of a result that are computed alone, in textures of their own; kernels that upscalers share,
//! and memory that is given back.

use std::ops::Range;

use image::RgbaImage;
use image::imageops::crop_imm;
use srcnn_gpu::gpu::compiled;
use srcnn_gpu::wgpu::{TextureFormat, TextureUsages};
use srcnn_gpu::{
    Channels, KernelChoice, Padding, RegionOfInterest, TargetAccess, Upscaler, UpscalerOptions, Weights,
};

use crate::common;
use crate::embedding::refused;
use crate::host::{Host, picture, weights, weights_of};

const SIZE: (u32, u32) = (61, 47);
/// Columns and rows of results of 2.3 times that size, 141x109: corners, single pixels, parts in the middle, all.
const PARTS: [[u32; 4]; 7] = [
    [0, 141, 0, 109],
    [0, 5, 0, 7],
    [130, 141, 100, 109],
    [70, 71, 50, 51],
    [33, 97, 21, 90],
    [2, 139, 108, 109],
    [140, 141, 0, 109],
];

fn upscaler(
    host: &Host,
    weights: &Weights,
    change: impl FnOnce(UpscalerOptions) -> UpscalerOptions,
) -> Upscaler {
    let options = change(UpscalerOptions::for_device(&host.device).with_tile(40));
    Upscaler::new(&host.device, &host.queue, weights, options).unwrap()
}

/// The whole result, as a picture.
fn whole(host: &Host, upscaler: &mut Upscaler, picture: &RgbaImage, scale: f64) -> RgbaImage {
    let size = upscaler.prepare(picture.dimensions(), scale).unwrap();
    let usage = upscaler.target_usage() | TextureUsages::COPY_SRC;
    let target = host.texture(size, TextureFormat::Rgba8Unorm, usage);
    let mut encoder = host.encoder();
    upscaler.record(&mut encoder, &host.source(picture), &target).unwrap();
    host.queue.submit([encoder.finish()]);
    RgbaImage::from_raw(size.0, size.1, host.read(&target)).unwrap()
}

/// A region that is recorded into a target with room around it. `cut` gives the upscaler only the part of the source that is
/// read. Returns the region, and whether all around it is untouched.
fn region(
    host: &Host,
    upscaler: &Upscaler,
    picture: &RgbaImage,
    [x0, x1, y0, y1]: [u32; 4],
    cut: bool,
) -> (RgbaImage, bool) {
    let seen = upscaler.region(x0..x1, y0..y1).unwrap().with_target_at((3, 2));
    assert_eq!(seen.part(), [x0..x1, y0..y1]);
    let (source, seen) = if cut {
        let [columns, rows] = seen.source();
        let part =
            crop_imm(picture, columns.start, rows.start, columns.end - columns.start, rows.end - rows.start);
        (host.source(&part.to_image()), seen.with_source_at((columns.start, rows.start)))
    } else {
        (host.source(picture), seen)
    };
    let (width, height) = (x1 - x0, y1 - y0);
    let size = (width + 5, height + 5);
    let usage = upscaler.target_usage() | TextureUsages::COPY_SRC;
    let target = host.texture(size, TextureFormat::Rgba8Unorm, usage);
    let mut encoder = host.encoder();
    // In any order, and nothing is submitted in between.
    for tile in (0..seen.tiles()).rev() {
        upscaler.record_region(&mut encoder, &source, &target, &seen, tile..tile + 1).unwrap();
    }
    host.queue.submit([encoder.finish()]);
    let all = RgbaImage::from_raw(size.0, size.1, host.read(&target)).unwrap();
    let inside = |x: u32, y: u32| (3..3 + width).contains(&x) && (2..2 + height).contains(&y);
    let clean = all.enumerate_pixels().all(|(x, y, pixel)| inside(x, y) || pixel.0 == [0; 4]);
    (crop_imm(&all, 3, 2, width, height).to_image(), clean)
}

#[test]
fn regions_equal_the_crop_of_the_whole_result() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(SIZE.0, SIZE.1);
    for access in [TargetAccess::Store, TargetAccess::Render] {
        for winograd in [KernelChoice::Never, KernelChoice::Always] {
            let mut upscaler = upscaler(&host, &weights(), |options| {
                options.with_target_access(access).with_winograd(winograd)
            });
            let result = whole(&host, &mut upscaler, &picture, 2.3);
            assert_eq!(result.dimensions(), (141, 109));
            for (number, part) in PARTS.into_iter().enumerate() {
                // With whole textures and with tiles prepared, it is the same.
                if number == 4 {
                    upscaler.prepare_tiles(SIZE, 2.3, 1).unwrap();
                }
                let [x0, x1, y0, y1] = part;
                let expected = crop_imm(&result, x0, y0, x1 - x0, y1 - y0).to_image();
                for cut in [false, true] {
                    let (actual, clean) = region(&host, &upscaler, &picture, part, cut);
                    assert!(actual == expected, "{access:?} {winograd:?} {part:?} {cut}");
                    assert!(clean, "{access:?} {part:?}: something beside the region was written");
                }
            }
            // The comparison can fail: the region one pixel further is another one.
            let beside = crop_imm(&result, 34, 21, 64, 69).to_image();
            assert!(region(&host, &upscaler, &picture, PARTS[4], false).0 != beside);
        }
    }
}

#[test]
fn regions_with_every_padding() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(SIZE.0, SIZE.1);
    for padding in [Padding::Valid, Padding::Normalized, Padding::Zero, Padding::Replicate] {
        let mut upscaler = upscaler(&host, &weights(), |options| options.with_padding(padding));
        let result = whole(&host, &mut upscaler, &picture, 2.0);
        let (width, height) = result.dimensions();
        for part in [[0, 30, 0, height], [width - 7, width, 11, 60]] {
            let [x0, x1, y0, y1] = part;
            let expected = crop_imm(&result, x0, y0, x1 - x0, y1 - y0).to_image();
            assert!(region(&host, &upscaler, &picture, part, true).0 == expected, "{padding} {part:?}");
        }
    }
}

/// Regions of two upscalers and two places go into one encoder, and the results of `record` in between stay right.
#[test]
fn several_regions_share_an_encoder() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(SIZE.0, SIZE.1);
    let mut upscaler = upscaler(&host, &weights(), |options| options);
    let result = whole(&host, &mut upscaler, &picture, 2.0);
    let (source, target) =
        (host.source(&picture), host.target(result.dimensions(), TextureFormat::Rgba8Unorm));
    let parts = [[0, 30, 0, 94], [30, 122, 0, 50]];
    let mut encoder = host.encoder();
    for [x0, x1, y0, y1] in parts {
        let seen = upscaler.region(x0..x1, y0..y1).unwrap().with_target_at((x0, y0));
        upscaler.record_region(&mut encoder, &source, &target, &seen, 0..seen.tiles()).unwrap();
    }
    let last = (0..upscaler.tiles()).filter(|&tile| upscaler.tile(tile).unwrap()[1].start >= 40);
    for tile in last {
        upscaler.record_tiles(&mut encoder, &source, &target, tile..tile + 1).unwrap();
    }
    host.queue.submit([encoder.finish()]);
    assert!(host.read(&target) == result.into_raw());
}

#[test]
fn what_is_no_region_is_refused() {
    let _alone = common::alone();
    let host = Host::new();
    let source = host.source(&picture(SIZE.0, SIZE.1));
    let target = host.target((40, 30), TextureFormat::Rgba8Unorm);
    let mut upscaler = upscaler(&host, &weights(), |options| options);
    refused(upscaler.region(0..1, 0..1), "prepare");
    upscaler.prepare(SIZE, 2.0).unwrap();
    let reversed = Range { start: 9, end: 3 };
    for (columns, rows) in [(0..0, 0..9), (0..123, 0..9), (0..9, 95..95), (reversed, 0..9), (0..9, 90..95)] {
        refused(upscaler.region(columns, rows), "122x94");
    }
    let record = |upscaler: &Upscaler, seen: &RegionOfInterest, tiles| {
        upscaler.record_region(&mut host.encoder(), &source, &target, seen, tiles)
    };
    let seen = upscaler.region(50..90, 20..50).unwrap();
    assert_eq!(seen.tiles(), 1);
    record(&upscaler, &seen, 0..1).unwrap();
    refused(record(&upscaler, &seen, 0..2), "out of range");
    refused(record(&upscaler, &seen.clone().with_target_at((1, 0)), 0..1), "41x30");
    refused(record(&upscaler, &seen.clone().with_target_at((u32::MAX, 0)), 0..1), "is needed");
    refused(record(&upscaler, &seen.clone().with_source_at((50, 0)), 0..1), "begins at pixel (50, 0)");
    let part = host.source(&picture(20, 15));
    let small = upscaler.record_region(&mut host.encoder(), &part, &target, &seen, 0..1);
    refused(small, "20x15");
    upscaler.prepare(SIZE, 3.0).unwrap();
    refused(record(&upscaler, &seen, 0..1), "call region again");
    upscaler.release();
    refused(record(&upscaler, &seen, 0..1), "prepare");
}

/// An upscaler made from another compiles nothing, on any thread, and computes what one of its own would.
#[test]
fn upscalers_share_their_kernels() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(30, 22);
    let other = {
        let mut layers = weights().layers().to_vec();
        layers[0].weight.iter_mut().for_each(|weight| *weight *= 0.75);
        Weights::new(layers, weights().metadata).unwrap()
    };
    for winograd in [KernelChoice::Never, KernelChoice::Always] {
        let new = |weights: &Weights| upscaler(&host, weights, |options| options.with_winograd(winograd));
        let mut first = new(&weights());
        let of_first = whole(&host, &mut first, &picture, 2.0);
        let of_other = whole(&host, &mut new(&other), &picture, 3.0);
        let (second, result) = std::thread::scope(|scope| {
            let made = scope.spawn(|| {
                let before = compiled();
                let mut second = first.with_weights(&other).unwrap();
                let result = whole(&host, &mut second, &picture, 3.0);
                assert_eq!(compiled(), before, "{winograd:?}: kernels were compiled again");
                (second, result)
            });
            made.join().unwrap()
        });
        assert!(result == of_other && second.device_bytes() > 0);
        // They have weights of their own.
        assert!(whole(&host, &mut first, &picture, 2.0) == of_first);
    }
    let upscaler = upscaler(&host, &weights(), |options| options);
    refused(upscaler.with_weights(&weights_of("8-4")), "made for");
    let changed = |change: fn(&mut srcnn_gpu::Metadata)| {
        let mut weights = weights();
        change(&mut weights.metadata);
        weights
    };
    refused(upscaler.with_weights(&changed(|metadata| metadata.padding = Padding::Valid)), "padding valid");
    refused(upscaler.with_weights(&changed(|metadata| metadata.channels = Channels::Rgb)), "channels rgb");
}

#[test]
fn memory_is_counted_and_given_back() {
    let _alone = common::alone();
    let host = Host::new();
    let mut upscaler = upscaler(&host, &weights(), |options| options.with_winograd(KernelChoice::Never));
    let empty = upscaler.device_bytes();
    // The weights of the network, packed.
    let least = 4 * weights().layers().iter().map(|layer| layer.weight.len() as u64).sum::<u64>();
    assert!(empty >= least && empty < 16 * least, "{empty} for {least}");
    upscaler.prepare((100, 80), 2.0).unwrap();
    let prepared = upscaler.device_bytes();
    // At least the bicubic planes of a tile: four, of 40x40 floats and a halo.
    assert!(prepared > empty + 4 * 4 * 40 * 40, "{prepared}");
    upscaler.prepare((300, 200), 3.0).unwrap();
    assert!(upscaler.device_bytes() > prepared, "tables grow with the picture");
    upscaler.release();
    assert_eq!((upscaler.device_bytes(), upscaler.tiles()), (empty, 0));
    let before = compiled();
    whole(&host, &mut upscaler, &picture(30, 22), 2.0);
    assert_eq!(compiled(), before);
}
