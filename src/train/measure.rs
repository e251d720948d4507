//! Training steps on synthetic sub-images, to be checked and timed.

use std::time::Duration;

use crate::error::Result;
use crate::headless::Gpu;
use crate::headless::measure::{Clock, best, compare, synthetic};
use crate::network::Padding;
use crate::precision::Precision;
use crate::reference::{self, Maps};
use crate::train::State;
use crate::train::config::Optimizer;
use crate::train::gpu::{Shape, Trainer, TrainerOptions};
use crate::train::order::Sample;
use crate::train::shard::{PackedShard, PatchEntry, PictureEntry};
use crate::weights::{Layer, Weights};

/// Width and height of a sub-image, as in the paper.
const PATCH: usize = 33;
/// Width and height of the one picture that they come from.
const SIDE: usize = 200;
/// Shorter runs are lost in what is around them.
const ENOUGH: Duration = Duration::from_millis(100);
/// The most steps of a run.
const MOST_STEPS: usize = 1024;

/// A network in training: SGD with momentum and valid convolutions on sub-images of 33 x 33 pixels, as in the paper.
#[derive(Debug)]
pub struct Training {
    gpu: Gpu,
    trainer: Trainer,
    state: State,
    batch: usize,
    sub_images: usize,
    /// Steps of a run that is long enough to be timed.
    steps: usize,
}

/// What a training step takes on an adapter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingTimes {
    /// Sub-images of a step.
    pub batch: usize,
    /// Multiplications and additions of a step: forward, and both gradients but that of the network's input.
    pub operations: f64,
    /// A step, from its sub-images to new filters.
    pub step: Duration,
}

impl TrainingTimes {
    /// Sub-images that pass through a step in a second.
    pub fn sub_images_per_second(&self) -> f64 {
        self.batch as f64 / self.step.as_secs_f64()
    }
}

impl Training {
    /// Compiles the kernels for steps of `batch` sub-images, in the device's default shape when `shape` is `None`.
    ///
    /// # Errors
    /// As [`Trainer::new`], also for networks with a receptive field beyond the sub-images.
    pub fn new(gpu: &Gpu, weights: &Weights, batch: usize, shape: Option<Shape>) -> Result<Self> {
        let layers = weights.layers();
        // So small that no number of steps makes anything but ordinary numbers of the parameters.
        let learning_rates = vec![1e-9; layers.len()];
        let options = TrainerOptions::new(batch, PATCH, Optimizer::Sgd { momentum: 0.9, learning_rates })
            .with_shape(shape)
            .with_pipeline_cache(gpu.pipelines.cache().cloned());
        let state = State::new(layers.to_vec(), options.optimizer.slots());
        let mut trainer = Trainer::new(&gpu.device, &gpu.queue, &state, &options)?;
        let shard = shard(weights.architecture().channels())?;
        trainer.set_pictures(&shard)?;
        Ok(Self { gpu: gpu.clone(), trainer, state, batch, sub_images: shard.patches.len(), steps: 1 })
    }

    /// Compares the gradients of a step with those of the CPU twin; returns the largest difference, as a part of the
    /// layer's largest gradient.
    ///
    /// # Errors
    /// [`Error::WrongResult`](crate::Error::WrongResult) when they differ by more than rounding can; also what the device reports.
    pub fn check(&mut self) -> Result<f64> {
        // Sub-images taken for each other would show; the mean over the batch is that over two of them.
        let different = if self.batch.is_multiple_of(2) { 2 } else { 1 };
        let samples = (0..self.batch).map(|i| Sample { patch: 7 + 90 * (i % different) as u32, turn: 0 });
        self.trainer.step(&samples.collect::<Vec<_>>(), 1.0)?;
        let channels = self.state.layers[0].shape.inputs;
        let maps = |values: Vec<f32>| {
            let side = ((values.len() / channels / self.batch) as f64).sqrt().round() as usize;
            let maps = values.chunks_exact(channels * side * side).take(different);
            let data = |map: &[f32]| map.iter().map(|&value| f64::from(value)).collect();
            maps.map(|map| Maps { channels, height: side, width: side, data: data(map) }).collect::<Vec<_>>()
        };
        let (inputs, targets) = (maps(self.trainer.maps(0)?), maps(self.trainer.map_gradients(0)?));
        let (_, expected) = reference::backward(&self.state.layers, &inputs, &targets, Padding::Valid);
        let mut worst = 0.0f64;
        for (layer, (weight, bias)) in self.trainer.gradients()?.iter().zip(&expected) {
            for (actual, expected) in [(&layer.weight, weight), (&layer.bias, bias)] {
                let largest = expected.iter().fold(f64::MIN_POSITIVE, |most, value| most.max(value.abs()));
                let actual: Vec<f32> =
                    actual.iter().map(|&value| (f64::from(value) / largest) as f32).collect();
                let expected = expected.iter().map(|value| value / largest);
                worst = worst.max(compare(&actual, expected, Precision::F32)?);
            }
        }
        self.trainer.restore(&self.state)?;
        self.gpu.faults.check()?;
        Ok(worst)
    }

    /// Times steps, the best of `repeats` runs of several. There are no timestamps in steps: where the clock is
    /// [`Clock::Timestamps`], the wall's counts, from the first submission until the last loss has come back.
    ///
    /// # Errors
    /// What the device reports.
    pub fn time(&mut self, clock: Clock, repeats: usize) -> Result<TrainingTimes> {
        let mut run = |steps: usize| {
            let sample = |i: usize| Sample { patch: (i * 7919 % self.sub_images) as u32, turn: i as u32 % 8 };
            let samples: Vec<_> = (0..steps * self.batch).map(sample).collect();
            let elapsed = clock.start();
            self.trainer.steps(&samples, &vec![1.0; steps])?;
            let time = elapsed();
            self.gpu.faults.check()?;
            Ok(time.max(Duration::from_nanos(1)))
        };
        // The first runs also find out how many steps go into a submission.
        let mut steps = self.steps;
        while run(steps)? < ENOUGH && steps < MOST_STEPS {
            steps *= 2;
        }
        let step = best(repeats, || run(steps))? / steps as u32;
        self.steps = steps;
        self.trainer.restore(&self.state)?;
        Ok(TrainingTimes {
            batch: self.batch,
            operations: operations(&self.state.layers) * self.batch as f64,
            step,
        })
    }

    /// What each kernel of a step takes by itself, in their order: the mean of `times` runs.
    ///
    /// # Errors
    /// What the device reports.
    pub fn profile(&mut self, clock: Clock, times: u32) -> Result<Vec<(&'static str, Duration)>> {
        let elapsed = clock.start();
        let kernels = self.trainer.profile(times, &|| elapsed().as_secs_f64())?;
        self.trainer.restore(&self.state)?;
        Ok(kernels.into_iter().map(|(name, time)| (name, Duration::from_secs_f64(time.max(0.0)))).collect())
    }
}

/// Operations of a step for one sub-image.
fn operations(layers: &[Layer]) -> f64 {
    let mut side = PATCH;
    let mut all = 0;
    for (l, Layer { shape, .. }) in layers.iter().enumerate() {
        let input = side;
        side -= shape.size - 1;
        let pixels = 2 * side * side + if l == 0 { 0 } else { input * input };
        all += 2 * shape.weights() * pixels;
    }
    all as f64
}

/// One picture with a sub-image at every second place; the target is the picture mirrored.
fn shard(channels: usize) -> Result<PackedShard> {
    let inputs = synthetic(SIDE, SIDE, channels)?.data;
    let targets = inputs.iter().rev().copied().collect();
    let places = (0..=(SIDE - PATCH) as u32).step_by(2);
    let patches = places.clone().flat_map(|y| places.clone().map(move |x| PatchEntry { picture: 0, y, x }));
    Ok(PackedShard {
        inputs,
        targets,
        pictures: vec![PictureEntry { offset: 0, width: SIDE as u32, height: SIDE as u32 }],
        patches: patches.collect(),
    })
}
