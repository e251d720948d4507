//! Times of kernels and of training steps, with every available clock.

use std::time::Duration;

use crate::common;
use srcnn_gpu::headless::HeadlessOptions;
use srcnn_gpu::headless::measure::{self, Clock};
use srcnn_gpu::train::measure::Training;
use srcnn_gpu::wgpu::{DeviceType, Features};
use srcnn_gpu::{Error, Padding};

/// Software adapters are tested with timestamps too, although processor time tells more there, because all other
/// adapters are measured with timestamps.
#[test]
fn kernels_are_timed_by_every_clock() {
    let _alone = common::alone();
    let gpu = common::gpu();
    let weights = common::network("5-1-3", "6-5", 1, Padding::Replicate);
    let mut clocks = vec![Clock::Wall, Clock::for_gpu(&gpu)];
    if gpu.device.features().contains(Features::TIMESTAMP_QUERY) {
        clocks.push(Clock::Timestamps);
    } else {
        println!("SKIPPED: this adapter has no timestamps");
    }
    let software = gpu.info.device_type == DeviceType::Cpu;
    assert_eq!(Clock::for_gpu(&gpu) == Clock::Timestamps, !software && clocks.len() == 3);
    for clock in clocks {
        let time =
            |size| measure::network(&gpu, clock, &weights, HeadlessOptions::default(), size, 1.0, 3).unwrap();
        let (small, large) = (time((64, 48)), time((640, 480)));
        for times in [&small, &large] {
            assert!(times.kernels.iter().all(|(_, time)| *time > Duration::ZERO), "{clock}: {times:?}");
            assert!(times.whole >= times.kernels.iter().map(|(_, time)| *time).max().unwrap() / 2, "{clock}");
        }
        // A hundred times the pixels, so far more time in total.
        let ratio = large.network().as_secs_f64() / small.network().as_secs_f64();
        assert!(ratio > 3.0, "{clock}: {ratio}");
        let ceilings = measure::ceilings(&gpu, clock).unwrap();
        let plausible = |rate: f64| (1e7..1e16).contains(&rate);
        assert!(plausible(ceilings.operations) && plausible(ceilings.copied), "{clock}: {ceilings:?}");
    }
}

/// The device's own clock agrees with wall time on long work, so its ticks are converted correctly.
#[test]
fn timestamps_agree_with_the_wall() {
    let _alone = common::alone();
    let gpu = common::gpu();
    if !gpu.device.features().contains(Features::TIMESTAMP_QUERY) {
        println!("SKIPPED: this adapter has no timestamps");
        return;
    }
    let weights = common::network("9-1-5", "64-32", 1, Padding::Replicate);
    let time = |clock| {
        measure::network(&gpu, clock, &weights, HeadlessOptions::default(), (512, 384), 1.0, 3).unwrap().whole
    };
    let ratio = time(Clock::Timestamps).as_secs_f64() / time(Clock::Wall).as_secs_f64();
    // Wall time includes submission and waiting, and other programs may slow down either.
    assert!((0.1..3.0).contains(&ratio), "{ratio}");
}

/// Gradients equal the CPU twin's, a larger batch takes longer, and steps leave the network unchanged.
#[test]
fn training_steps_are_checked_and_timed() {
    let _alone = common::alone();
    let gpu = common::gpu();
    let colors = common::network("3-1-5", "5-4", 3, Padding::Replicate);
    assert!(Training::new(&gpu, &colors, 3, None).unwrap().check().unwrap() < 1e-4);

    let weights = common::network("5-1-3", "8-4", 1, Padding::Replicate);
    for clock in [Clock::Wall, Clock::for_gpu(&gpu)] {
        let [small, large] = [2, 64].map(|batch| {
            let mut training = Training::new(&gpu, &weights, batch, None).unwrap();
            let before = training.check().unwrap();
            let times = training.time(clock, 2).unwrap();
            assert_eq!(training.check().unwrap(), before, "{clock}: other gradients after the steps");
            assert!((0.0..1e-4).contains(&before) && times.batch == batch, "{before}: {times:?}");
            // Layers of 25, 1 and 9 taps on 29, 29 and 27 pixels per side, forward and for both gradients, except the
            // input's.
            let products = 2 * 25 * 8 * 29 * 29 + (2 * 29 * 29 + 29 * 29) * 8 * 4;
            let products = products + (2 * 27 * 27 + 29 * 29) * 9 * 4;
            assert_eq!(times.operations, (2 * products * batch) as f64);
            times
        });
        assert!(large.step > small.step, "{clock}: {small:?}, {large:?}");
        let rate = 64.0 / large.step.as_secs_f64();
        assert!((large.sub_images_per_second() - rate).abs() < 1e-6 * rate);
    }
    let wide = common::network("33-1-3", "2-2", 1, Padding::Replicate);
    let refused = Training::new(&gpu, &wide, 2, None).map(drop);
    assert!(matches!(&refused, Err(Error::InvalidArgument(_))), "{refused:?}");
}
