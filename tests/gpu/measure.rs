//! Times of kernels and of training steps, by every clock that there is.

use std::time::Duration;

use crate::common;
use srcnn_gpu::headless::HeadlessOptions;
use srcnn_gpu::headless::measure::{self, Clock};
use srcnn_gpu::train::measure::Training;
use srcnn_gpu::wgpu::{DeviceType, Features};
use srcnn_gpu::{Error, Padding};

/// Software adapters have timestamps too, though processor time tells more there: they are what all other adapters are
/// measured with.
#[test]
fn kernels_are_timed_by_every_clock() {
    let _alone = common::alone();
    let gpu = common::gpu();
    let weights = common::network("5-1-3", "6-5", 1, Padding::Replicate);
    let mut clocks = vec![Clock::Wall, Clock::for_gpu(&gpu)];
    if gpu.device.features().contains(Features::TIMESTAMP_QUERY) {
        clocks.push(Clock::Timestamps);
    } else {
        println!("skipped: this adapter has no timestamps");
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
        // A hundred times the pixels, so by far more time in sum.
        let ratio = large.network().as_secs_f64() / small.network().as_secs_f64();
        assert!(ratio > 3.0, "{clock}: {ratio}");
        let ceilings = measure::ceilings(&gpu, clock).unwrap();
        let plausible = |rate: f64| (1e7..1e16).contains(&rate);
        assert!(plausible(ceilings.operations) && plausible(ceilings.copied), "{clock}: {ceilings:?}");
    }
}

/// The device's own clock agrees with the wall's on work that takes long, so its ticks are counted right.
#[test]
fn timestamps_agree_with_the_wall() {
    let _alone = common::alone();
    let gpu = common::gpu();
    if !gpu.device.features().contains(Features::TIMESTAMP_QUERY) {
        println!("skipped: this adapter has no timestamps");
        return;
    }
    let weights = common::network("9-1-5", "64-32", 1, Padding::Replicate);
    let time = |clock| {
        measure::network(&gpu, clock, &weights, HeadlessOptions::default(), (512, 384), 1.0, 3).unwrap().whole
    };
    let ratio = time(Clock::Timestamps).as_secs_f64() / time(Clock::Wall).as_secs_f64();
    // Submitting and waiting come on top of the wall's; other programs may slow down either.
    assert!((0.1..3.0).contains(&ratio), "{ratio}");
}

/// Gradients are the CPU twin's, a larger batch takes longer, and steps leave the network as it was.
#[test]
fn training_steps_are_checked_and_timed() {
    let _alone = common::alone();
    let gpu = common::gpu();
    let colours = common::network("3-1-5", "5-4", 3, Padding::Replicate);
    assert!(Training::new(&gpu, &colours, 3, None).unwrap().check().unwrap() < 1e-4);

    let weights = common::network("5-1-3", "8-4", 1, Padding::Replicate);
    for clock in [Clock::Wall, Clock::for_gpu(&gpu)] {
        let [small, large] = [2, 64].map(|batch| {
            let mut training = Training::new(&gpu, &weights, batch, None).unwrap();
            let before = training.check().unwrap();
            let times = training.time(clock, 2).unwrap();
            assert_eq!(training.check().unwrap(), before, "{clock}: other gradients after the steps");
            assert!((0.0..1e-4).contains(&before) && times.batch == batch, "{before}: {times:?}");
            // Layers of 25, 1 and 9 taps on 29, 29 and 27 pixels a side, forward and for both gradients,
            // less the input's.
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
