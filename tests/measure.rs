//! Times of kernels, by every clock that there is, and the choice of the kernels' shape.

mod common;

use std::time::Duration;

use srcnn_gpu::Padding;
use srcnn_gpu::headless::HeadlessOptions;
use srcnn_gpu::headless::measure::{self, Clock};
use srcnn_gpu::wgpu::{DeviceType, Features};

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
