//! Shared by the tests of training: trainers, shards of sub-images, rounding.

use srcnn_gpu::Padding;
use srcnn_gpu::reference::Maps;
use srcnn_gpu::train::State;
use srcnn_gpu::train::config::Optimizer;
use srcnn_gpu::train::gpu::{Trainer, TrainerOptions};
use srcnn_gpu::train::order::Sample;
use srcnn_gpu::train::shard::{PackedShard, PatchEntry, PictureEntry};

use super::{gpu, noise};

pub fn sgd(layers: usize) -> Optimizer {
    let mut learning_rates = vec![1e-4; layers];
    learning_rates[layers - 1] = 1e-5;
    Optimizer::Sgd { momentum: 0.9, learning_rates }
}

pub fn options(batch: usize, patch: usize, padding: Padding, optimizer: Optimizer) -> TrainerOptions {
    TrainerOptions::new(batch, patch, optimizer).with_padding(padding)
}

pub fn trainer(state: &State, options: &TrainerOptions, shard: &PackedShard) -> Trainer {
    let gpu = gpu();
    let mut trainer = Trainer::new(&gpu.device, &gpu.queue, state, options).unwrap();
    trainer.set_pictures(shard).unwrap();
    trainer
}

/// A shard with one picture per sub-image, with the target in its center.
pub fn shard_of(inputs: &[Maps], targets: &[Maps]) -> PackedShard {
    let mut shard = PackedShard::default();
    for (i, (input, target)) in inputs.iter().zip(targets).enumerate() {
        let Maps { channels, height, width, .. } = *input;
        let offset = shard.inputs.len() as u32;
        shard.pictures.push(PictureEntry { offset, width: width as u32, height: height as u32 });
        shard.patches.push(PatchEntry { picture: i as u32, y: 0, x: 0 });
        shard.inputs.extend(input.data.iter().map(|&v| v as f32));
        let crop = (width - target.width) / 2;
        let at = |c, y: usize, x: usize| {
            let inside = |v: usize| (crop..crop + target.width).contains(&v);
            if inside(x) && inside(y) { target.at(c, y - crop, x - crop) } else { f64::NAN }
        };
        shard.targets.extend(Maps::from_fn([channels, height, width], at).data.iter().map(|&v| v as f32));
    }
    shard
}

/// The batch of all sub-images of a shard, in order.
pub fn in_order(shard: &PackedShard) -> Vec<Sample> {
    (0..shard.patches.len() as u32).map(|patch| Sample { patch, turn: 0 }).collect()
}

/// Numbers around 0.5 that are exact in f32.
pub fn random_maps(seed: u64, count: usize, [channels, height, width]: [usize; 3]) -> Vec<Maps> {
    let mut next = noise(seed);
    let mut map = || Maps::from_fn([channels, height, width], |_, _, _| f64::from(0.5 + 0.4 * next()));
    (0..count)
        .map(|_| map())
        .map(|m| Maps { data: m.data.iter().map(|&v| f64::from(v as f32)).collect(), ..m })
        .collect()
}

/// The planes of each sub-image, from `[sub-image][channel][row][column]`.
pub fn split(values: &[f32], channels: usize, side: usize) -> Vec<Maps> {
    values
        .chunks_exact(channels * side * side)
        .map(|v| Maps { channels, height: side, width: side, data: v.iter().map(|&v| v.into()).collect() })
        .collect()
}

pub fn joined(maps: &[Maps]) -> Vec<f64> {
    maps.iter().flat_map(|m| m.data.iter().copied()).collect()
}

/// Rounding of a sum of products whose absolute values sum up to `total`: each rounding is at most half an ulp of a
/// running sum below `total`, and hundreds of them with random signs add up to a few ulps.
pub fn rounding(total: f64) -> f64 {
    8.0 * f64::from(f32::EPSILON) * total
}

/// Largest sum of absolute products in a convolution or gradient, from the twin's result for absolute values.
pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(1e-30, |most, v| most.max(v.abs()))
}
