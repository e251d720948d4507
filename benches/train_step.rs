//! Training speed: checks the gradients against the CPU twins, then times steps.
//!
//! `cargo bench --bench train_step [-- NETWORK@BATCH.. SHAPE..]`: networks such as `9-1-5@128`, and shapes such as
//! `7x2,64,8,16,400x1024,8,storage`, which are `spatial texels x quads, inputs of a 1x1 layer, workgroup, parts, sums of a
//! weight gradient for large filters x for 1x1, lanes of a subgroup (or uniform; or none, to run layers 1 and 2
//! separately), storage or sampled maps`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use srcnn_gpu::gpu::kernels::{MapRead, WeightLoad};
use srcnn_gpu::headless::measure::Clock;
use srcnn_gpu::train::gpu::Shape;
use srcnn_gpu::train::measure::Training;
use srcnn_gpu::{Padding, Result};

/// Number of runs; the best counts.
const REPEATS: usize = 5;

fn parse(text: &str) -> Option<Shape> {
    let words: Vec<&str> = text.split(',').collect();
    let [spatial, pointwise, workgroup, parts, weight_sums, lanes, map_read] = words[..] else { return None };
    let pair = |text: &str| {
        let (texels, quads) = text.split_once('x')?;
        Some((texels.parse().ok()?, quads.parse().ok()?))
    };
    Some(Shape {
        spatial: pair(spatial)?,
        pointwise: pointwise.parse().ok()?,
        workgroup: workgroup.parse().ok()?,
        parts: parts.parse().ok()?,
        weight_sums: pair(weight_sums)?,
        weight_load: lanes.parse().map_or(WeightLoad::Uniform, WeightLoad::Subgroup),
        first_layers: lanes != "none",
        map_read: [MapRead::Sampled, MapRead::Storage]
            .into_iter()
            .find(|read| read.to_string() == map_read)?,
    })
}

fn main() -> Result<()> {
    let mut shapes: Vec<_> = std::env::args().filter_map(|arg| parse(&arg)).map(Some).collect();
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
