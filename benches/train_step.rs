//! Training speed: checks the gradients against the CPU twins, then times steps.
//!
//! `cargo bench --bench train_step [-- NETWORK@BATCH.. SHAPE..]`: networks such as `9-1-5@128`, and shapes as
//! `spatial texels x quads, inputs of a 1x1 layer, workgroup, parts, sums of a weight gradient for large filters x for
//! 1x1, lanes of a subgroup (or uniform; or none, for layers 1 and 2 apart)`: `7x2,64,8,16,400x1024,8`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use srcnn_gpu::gpu::shaders::Fetch;
use srcnn_gpu::reference::{self, Maps};
use srcnn_gpu::train::State;
use srcnn_gpu::train::config::Optimizer;
use srcnn_gpu::train::dataset::{PackedShard, PatchEntry, PictureEntry};
use srcnn_gpu::train::gpu::{Shape, Trainer, TrainerOptions};
use srcnn_gpu::train::stream::Sample;
use srcnn_gpu::{Architecture, Padding, Result};

const PATCH: usize = 33;
/// Steps that are timed at a time; the best of several times counts.
const STEPS: usize = 2;
const REPEATS: usize = 5;

fn parse(text: &str) -> Option<Shape> {
    let words: Vec<&str> = text.split(',').collect();
    let [spatial, pointwise, workgroup, parts, weight_sums, lanes] = words[..] else { return None };
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
        fetch: lanes.parse().map_or(Fetch::Uniform, Fetch::Subgroup),
        first_layers: lanes != "none",
    })
}

/// One picture with a sub-image at every second place.
fn pictures() -> PackedShard {
    let side = 200u32;
    let mut next = common::noise(5);
    let inputs: Vec<f32> = (0..side * side).map(|_| 0.5 + 0.5 * next()).collect();
    let targets = inputs.iter().map(|v| v + 0.05 * next()).collect();
    let places = (0..=side - PATCH as u32).step_by(2);
    let patches = places.clone().flat_map(|y| places.clone().map(move |x| PatchEntry { picture: 0, y, x }));
    PackedShard {
        inputs,
        targets,
        pictures: vec![PictureEntry { offset: 0, width: side, height: side }],
        patches: patches.collect(),
    }
}

/// Operations of a step for one sub-image: forward, and both gradients but the first layer's input's.
fn operations(architecture: &Architecture) -> f64 {
    let mut side = PATCH;
    let mut all = 0;
    for (l, layer) in architecture.layers().iter().enumerate() {
        let input = side;
        side -= layer.size - 1;
        let pixels = side * side * 2 + if l == 0 { 0 } else { input * input };
        all += 2 * layer.weights() * pixels;
    }
    all as f64
}

/// Time that the process has used on all processors, in seconds; where the system does not tell, not a number.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name in brackets, user and system time are the 12th and 13th word, in hundredths of a second.
    let words: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |i: usize| words.get(i).and_then(|word| word.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(11) + ticks(12)) / 100.0
}

fn check(trainer: &mut Trainer, state: &State, batch: usize) -> Result<()> {
    let samples = vec![Sample { patch: 7, turn: 0 }; batch];
    trainer.step(&samples, 1.0)?;
    let planes = |values: Vec<f32>, side: usize| Maps {
        channels: 1,
        height: side,
        width: side,
        data: values[..side * side].iter().map(|&v| f64::from(v)).collect(),
    };
    let input = planes(trainer.maps(0)?, PATCH);
    let targets = trainer.map_gradients(0)?;
    let side = ((targets.len() / batch) as f64).sqrt() as usize;
    // The same sub-image all over: the batch's mean is any one's.
    let (_, expected) =
        reference::backward(&state.layers, &[input], &[planes(targets, side)], Padding::Valid);
    for (i, (layer, (weight, _))) in trainer.gradients()?.iter().zip(&expected).enumerate() {
        let largest = weight.iter().fold(0.0f64, |most, v| most.max(v.abs()));
        common::assert_close(&format!("conv{}", i + 1), &layer.weight, weight, 1e-4 * largest);
    }
    trainer.restore(state)
}

fn main() -> Result<()> {
    let mut shapes: Vec<_> = std::env::args().filter_map(|arg| parse(&arg)).map(Some).collect();
    if shapes.is_empty() {
        shapes.push(None);
    }
    let gpu = common::gpu();
    println!("{:?} on {} ({})", gpu.info.backend, gpu.info.name, gpu.info.driver_info);
    let shard = pictures();
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
        let state = State::new(weights.layers().to_vec(), 1);
        for &shape in &shapes {
            let optimizer = Optimizer::Sgd { momentum: 0.9, learning_rates: vec![1e-6; 3] };
            let options = TrainerOptions {
                batch,
                patch: PATCH,
                padding: Padding::Valid,
                optimizer,
                shape,
                pipeline_cache: None,
            };
            let begun = Instant::now();
            let mut trainer = Trainer::new(&gpu.device, &gpu.queue, &state, &options)?;
            let compiled = begun.elapsed().as_secs_f64();
            trainer.set_pictures(&shard)?;
            check(&mut trainer, &state, batch)?;
            let count = shard.patches.len();
            let samples: Vec<_> = (0..STEPS * batch)
                .map(|i| Sample { patch: (i * 7919 % count) as u32, turn: i as u32 % 8 })
                .collect();
            let (mut wall, mut processor) = (f64::INFINITY, f64::INFINITY);
            for _ in 0..REPEATS {
                let (begun, used) = (Instant::now(), processor_time());
                trainer.steps(&samples, &[1.0; STEPS])?;
                wall = wall.min(begun.elapsed().as_secs_f64());
                processor = processor.min(processor_time() - used);
            }
            if let Some(times) = std::env::var("SRCNN_PROFILE").ok().and_then(|times| times.parse().ok()) {
                for (name, time) in trainer.profile(times, &processor_time)? {
                    println!("  {name:20} {:8.2} ms", time * 1e3);
                }
            }
            let work = operations(weights.architecture()) * (STEPS * batch) as f64;
            println!(
                "{sizes} batch {batch} shape {shape:?}: {:.0} sub-images/s, {:.1} GFLOP/s; \
                 processors busy for {:.1} ms a step, {:.1} GFLOP/s a processor; compiled in {compiled:.1} s",
                (STEPS * batch) as f64 / wall,
                work / wall * 1e-9,
                processor / STEPS as f64 * 1e3,
                work / processor * 1e-9
            );
        }
    }
    Ok(())
}
