//! That times contain no compilation: which pictures compile kernels, by counting them.

use std::time::Duration;

use crate::common;
use srcnn_gpu::gpu::compiled;
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::{Padding, Planes};

/// The first picture compiles the kernels, within what counts as preparation; the next ones of any usual size compile none,
/// so that a small one before a measurement is enough. Whatever a very large one compiles, it does so once.
#[test]
fn a_small_picture_compiles_for_the_next_ones() {
    let _alone = common::alone();
    let weights = common::network("9-1-5", "8-4", 1, Padding::Replicate);
    let mut headless = Headless::new(common::gpu(), &weights, HeadlessOptions::default()).unwrap();
    let mut run = |width: usize, height: usize| {
        let picture = Planes::new(width, height, 1, vec![0.5; width * height]).unwrap();
        let before = compiled();
        headless.upscale_planes(&picture, 2.0).unwrap();
        (compiled() - before, headless.timing())
    };
    let (first, timing) = run(20, 20);
    assert!(first > 3 && timing.preparation > Duration::ZERO, "{first} {timing:?}");
    assert!(timing.preparation <= timing.wall);
    for (width, height) in [(33, 21), (150, 90), (20, 20)] {
        assert_eq!(run(width, height).0, 0, "{width}x{height}");
    }
    // Above a million pixels other kernels may be faster.
    run(520, 510);
    let (again, timing) = run(520, 510);
    assert_eq!((again, timing.preparation), (0, Duration::ZERO));
}
