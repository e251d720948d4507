//! Training speed: checks the gradients against the CPU twins, then times steps.
//!
//! `cargo bench --bench train_step [-- NETWORK@BATCH.. SHAPE..]`: networks such as `9-1-5@128`, and shapes of kernels such as
//! `7x2,64,16,16,400x1024,subgroup16,fused,winograd,storage` (src/train/gpu/shape.rs says what the words are).

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use srcnn_gpu::headless::measure::Clock;
use srcnn_gpu::train::gpu::Shape;
use srcnn_gpu::train::measure::Training;
use srcnn_gpu::{Padding, Result};

/// Number of runs; the best counts.
const REPEATS: usize = 5;

fn main() -> Result<()> {
    let mut shapes: Vec<_> = std::env::args().filter_map(|arg| arg.parse::<Shape>().ok()).map(Some).collect();
    if shapes.is_empty() {
        shapes.push(None);
    }
    let gpu = common::gpu();
    println!("{:?} on {} ({})", gpu.info.backend, gpu.info.name, gpu.info.driver_info);
    let network = |arg: String| {
        let (sizes, batch) = arg.split_once('@')?;
        Some((sizes.to_owned(), batch.parse().ok()?))
    };
    let mut networks: Vec<(String, usize)> = std::env::args().filter_map(network).collect();
    if networks.is_empty() {
        networks = [("9-1-5", 128), ("9-1-5", 32), ("9-5-5", 32)].map(|(s, b)| (s.to_owned(), b)).into();
    }
    for (sizes, batch) in networks {
        let weights = common::network(&sizes, "64-32", 1, Padding::Replicate);
        for &shape in &shapes {
            let begun = Instant::now();
            let mut training = Training::new(&gpu, &weights, batch, shape)?;
            let compiled = begun.elapsed().as_secs_f64();
            let difference = training.check()?;
            print!(
                "{sizes} batch {batch} shape {shape:?}: off by {difference:.1e}, compiled in {compiled:.1} s"
            );
            let own = Clock::for_gpu(&gpu);
            for clock in [Clock::Wall, own].into_iter().take(if own == Clock::Processor { 2 } else { 1 }) {
                let times = training.time(clock, REPEATS)?;
                print!(
                    "; {clock}: {:.0} sub-images/s, {:.1} ms a step, {:.1} GFLOP/s",
                    times.sub_images_per_second(),
                    times.step.as_secs_f64() * 1e3,
                    times.operations * 1e-9 / times.step.as_secs_f64(),
                );
            }
            println!();
            if let Some(times) = std::env::var("SRCNN_PROFILE").ok().and_then(|times| times.parse().ok()) {
                for (name, time) in training.profile(own, times)? {
                    println!("  {name:20} {:8.2} ms", time.as_secs_f64() * 1e3);
                }
            }
        }
    }
    Ok(())
}
