//! Several networks in passes, and wishes to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use image::{ColorType, DynamicImage, Rgb, Rgb32FImage, RgbImage};
use srcnn_gpu::enlarge::{Alpha, EnlargeOptions, Enlarger, Model};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::reference::resample::{Axis, resample};
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

/// Between the trained scales a picture is enlarged by the next one, and then shrunk as MATLAB does; in bands as well.
#[test]
fn bicubic_interpolation_does_the_rest() {
    let _alone = common::alone();
    let gpu = common::gpu();
    let models: Arc<[Model]> = Model::shipped(Shipped::Small).unwrap().into();
    let tiled = HeadlessOptions::default().with_tile(48);
    let mut enlarger = Enlarger::new(gpu.clone(), models, tiled, |_, _, options| Ok(options));
    let small = picture(53, 41);
    let mut network =
        Headless::new(gpu, &Shipped::Small.nearest(2.0).unwrap(), HeadlessOptions::default()).unwrap();
    let mut floats = |factor: f64| {
        network.upscale_as(&small, ColorType::Rgb32F, factor, &mut |_, _| ()).unwrap().into_rgb32f()
    };
    for (enlargement, size, factors) in [
        (Enlargement::Factor(1.5), (80, 62), [0.75; 2]),
        (Enlargement::Size(70, 90), (70, 90), [70.0 / 106.0, 90.0 / 82.0]),
    ] {
        let options = |color| EnlargeOptions { enlargement, compressed: None, color, alpha: Alpha::Auto };
        let result = enlarger.enlarge(&small, &options(ColorType::Rgb32F), &mut |_, _| ()).unwrap();
        let result = result.into_rgb32f();
        assert_eq!(result.dimensions(), size);
        assert_eq!(enlarger.result_size((53, 41), &options(ColorType::Rgb8)).unwrap(), size);
        let expected = |twice: &Rgb32FImage, channel: usize| {
            let axis = |input: u32, output: u32, scale| Axis {
                input: input as usize,
                output: output as usize,
                scale,
                site: 0.5,
            };
            let plane: Vec<f64> = twice.pixels().map(|pixel| f64::from(pixel.0[channel])).collect();
            let rows = axis(twice.height(), size.1, factors[1]);
            resample(&plane, rows, axis(twice.width(), size.0, factors[0])).unwrap()
        };
        let worst = |twice: &Rgb32FImage| {
            let channels = (0..3).flat_map(|channel| {
                let values = result.pixels().map(move |pixel| f64::from(pixel.0[channel]));
                values.zip(expected(twice, channel)).map(|(value, expected)| (value - expected).abs())
            });
            channels.fold(0.0, f64::max)
        };
        // Sums of at most 11 x 11 products.
        assert!(worst(&floats(2.0)) < 1e-5, "{enlargement:?}: off by {}", worst(&floats(2.0)));
        let mut other = floats(2.0);
        other.get_pixel_mut(60, 50).0[1] += 0.01;
        assert!(worst(&other) > 1e-3, "the comparison cannot fail");

        for color in [ColorType::Rgb8, ColorType::Rgb16, ColorType::L8] {
            let whole = enlarger.enlarge(&small, &options(color), &mut |_, _| ()).unwrap();
            assert_eq!((whole.color(), whole.width(), whole.height()), (color, size.0, size.1));
            let (mut bytes, mut bands) = (Vec::new(), 0);
            let mut take = |band: DynamicImage| {
                bytes.extend_from_slice(band.as_bytes());
                bands += 1;
                Ok(())
            };
            enlarger.enlarge_in_bands(&small, &options(color), &mut take, &mut |_, _| ()).unwrap();
            assert!(bytes == whole.as_bytes() && bands == 2, "{color:?} in {bands} bands");
        }
        let rounded = enlarger.enlarge(&small, &options(ColorType::Rgb16), &mut |_, _| ()).unwrap();
        let close = rounded.into_rgb16().pixels().zip(result.pixels()).all(|(integer, float)| {
            integer.0.iter().zip(float.0).all(|(&integer, float)| {
                (f64::from(integer) - f64::from(float.clamp(0.0, 1.0)) * 65535.0).abs() < 0.51
            })
        });
        assert!(close, "{enlargement:?}");
    }
    // Alpha goes the same way.
    let mut rgba = small.to_rgba8();
    rgba.enumerate_pixels_mut().for_each(|(x, _, pixel)| pixel.0[3] = (4 * x) as u8);
    let (rgba, options) = (DynamicImage::from(rgba), |alpha| EnlargeOptions {
        enlargement: Enlargement::Factor(1.5),
        compressed: None,
        color: ColorType::Rgba8,
        alpha,
    });
    for alpha in [Alpha::Net, Alpha::Bicubic] {
        let large = enlarger.enlarge(&rgba, &options(alpha), &mut |_, _| ()).unwrap().into_rgba8();
        let even = |(x, _, pixel): (u32, u32, &image::Rgba<u8>)| {
            // The ramp goes on in steps of 4 / 1.5.
            let expected = 4.0 * ((f64::from(x) + 0.5) / 1.5 - 0.5);
            (f64::from(pixel.0[3]) - expected).abs() < 4.0
        };
        assert!(large.enumerate_pixels().filter(|(x, ..)| (8..70).contains(x)).all(even), "{alpha:?}");
    }
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
