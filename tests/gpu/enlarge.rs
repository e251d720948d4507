//! Several networks in passes, and wishes to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use image::{ColorType, DynamicImage, Rgb, RgbImage};
use srcnn_gpu::enlarge::{Alpha, EnlargeOptions, Enlarger, Model};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::{Enlargement, Error, Shipped};

use crate::common;

fn picture(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([7 * x, 5 * y, 3 * x * y].map(|v| (v % 256) as u8))).into()
}

/// 6 is 3 and 2, with floats between them, and alpha that is enlarged like a grey picture.
#[test]
fn large_factors_take_passes() {
    let _alone = common::alone();
    let gpu = common::gpu();
    let models: Arc<[Model]> = Model::shipped(Shipped::Small).unwrap().into();
    let mut enlarger =
        Enlarger::new(gpu.clone(), models, HeadlessOptions::default(), |_, _, options| Ok(options));
    let options = |picture: &DynamicImage, factor: f64| EnlargeOptions {
        enlargement: Enlargement::Factor(factor),
        compressed: None,
        color: picture.color(),
        alpha: Alpha::Auto,
    };
    let upscale = |picture: &DynamicImage, color, factor: f64| {
        let weights = Shipped::Small.nearest(factor).unwrap();
        let mut network = Headless::new(gpu.clone(), &weights, HeadlessOptions::default()).unwrap();
        network.upscale_as(picture, color, factor, &mut |_, _| ()).unwrap()
    };
    let small = picture(11, 9);
    let mut told = Vec::new();
    let large =
        enlarger.enlarge(&small, &options(&small, 6.0), &mut |done, all| told.push((done, all))).unwrap();
    let between = upscale(&small, ColorType::Rgb32F, 3.0);
    assert_eq!(large, upscale(&between, ColorType::Rgb8, 2.0));
    assert!(told.is_sorted() && told.last().is_some_and(|(done, all)| done == all), "{told:?}");

    let mut rgba = small.to_rgba8();
    rgba.enumerate_pixels_mut().for_each(|(x, _, pixel)| pixel.0[3] = (20 * x) as u8);
    let rgba = DynamicImage::from(rgba);
    let large = enlarger.enlarge(&rgba, &options(&rgba, 3.0), &mut |_, _| ()).unwrap().into_rgba8();
    let alpha = DynamicImage::from(image::GrayImage::from_fn(11, 9, |x, _| image::Luma([(20 * x) as u8])));
    let alpha = upscale(&alpha, ColorType::L8, 3.0).into_luma8();
    let soft = large.pixels().zip(alpha.pixels()).filter(|(pixel, _)| (1..255).contains(&pixel.0[3]));
    assert!(soft.clone().count() > 500 && soft.clone().all(|(pixel, alpha)| pixel.0[3] == alpha.0[0]));
    assert!(enlarger.engine(3).is_err());
}

/// A picture ends after the tile in which the wish comes, and the next one is as ever.
#[test]
fn a_wish_to_stop_ends_a_picture() {
    let _alone = common::alone();
    let stop = Arc::new(AtomicBool::new(false));
    let weights = Shipped::Small.nearest(2.0).unwrap();
    let options = HeadlessOptions::default().with_tile(16);
    let network = Headless::new(common::gpu(), &weights, options).unwrap();
    let mut network = network.with_stop(stop.clone());
    let small = picture(30, 20);
    let expected = network.upscale(&small, 2.0, &mut |_, _| ()).unwrap();
    let mut done = 0;
    let ended = network.upscale(&small, 2.0, &mut |tiles, _| {
        done = tiles;
        stop.store(tiles == 2, Ordering::Relaxed);
    });
    assert!(matches!(ended, Err(Error::Stopped)) && done == 2, "{ended:?} after {done}");
    assert!(matches!(network.upscale(&small, 2.0, &mut |_, _| ()), Err(Error::Stopped)));
    stop.store(false, Ordering::Relaxed);
    assert_eq!(network.upscale(&small, 2.0, &mut |_, _| ()).unwrap(), expected);
}
