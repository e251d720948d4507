//! Training steps over a set of pictures on the GPU: what a session runs.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::config::TrainConfig;
use super::dataset::Dataset;
use super::gpu::{Shape, Trainer, TrainerOptions};
use super::order::Order;
use super::stream::ShardStream;
use super::{State, TrainEngine, tune};
use crate::error::{Error, Result};
use crate::headless::Gpu;

/// Gets the pictures done and of all.
type Progress = dyn Fn(usize, usize) + Send + Sync;

/// Replaces a layer's gradients by what the update goes by.
pub type Exchange<'a> = dyn FnMut(&mut [f32]) -> Result<()> + 'a;

/// A [`Trainer`] that takes its batches from a training set, in the order given by the configuration's seed.
pub struct GpuEngine {
    gpu: Gpu,
    trainer: Trainer,
    order: Order,
    shards: ShardStream,
    turns: bool,
    /// The shard on the device, and its number of sub-images.
    loaded: Option<((u32, u32), u32)>,
    /// Sub-image, border of its target, and channels.
    shape: (usize, usize, usize),
    loss_bicubic: Option<f64>,
    progress: Box<Progress>,
    /// The part of each batch that is taken.
    part: Range<usize>,
}

impl fmt::Debug for GpuEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GpuEngine").field("trainer", &self.trainer).finish_non_exhaustive()
    }
}

/// The shape of the kernels that the run began with.
fn kernels(gpu: &Gpu, config: &TrainConfig) -> Result<Option<Shape>> {
    let Some(word) = &config.kernels else { return Ok(None) };
    let shape: Shape = word.parse()?;
    if !tune::is_possible(gpu, shape) {
        log::warn!(
            "this adapter has no kernels of the shape {word}, which the run began with; last bits may differ"
        );
        return Ok(None);
    }
    Ok(Some(shape))
}

impl GpuEngine {
    /// Takes a state to the device and compiles everything; pictures are read when the first step needs them.
    ///
    /// # Errors
    /// As [`Trainer::new`] and [`Order::new`].
    pub fn new(gpu: &Gpu, config: &TrainConfig, data: Arc<Dataset>, state: &State) -> Result<Self> {
        Self::taking(gpu, config, data, state, 0..config.batch)
    }

    /// As [`GpuEngine::new`], but takes only a part of each batch, by positions in it: others take the rest, and
    /// [`GpuEngine::train_exchanged`] has them exchange their gradients.
    ///
    /// # Errors
    /// As [`GpuEngine::new`], and [`Error::InvalidArgument`] for a part that is not inside of a batch.
    pub fn taking(
        gpu: &Gpu,
        config: &TrainConfig,
        data: Arc<Dataset>,
        state: &State,
        part: Range<usize>,
    ) -> Result<Self> {
        if part.end > config.batch {
            return Err(Error::invalid(format!("there is no part {part:?} of {} sub-images", config.batch)));
        }
        let options = TrainerOptions::new(part.len(), config.patch, config.optimizer.clone())
            .with_padding(config.train_padding)
            .with_average(config.average)
            .with_shape(kernels(gpu, config)?)
            .with_pipeline_cache(gpu.pipelines.cache().cloned());
        let trainer = Trainer::new(&gpu.device, &gpu.queue, state, &options)?;
        // A run may take days and be killed: keep the compiled kernels now.
        gpu.pipelines.keep();
        Ok(Self {
            trainer,
            order: Order::new(config.seed, config.batch, data.lengths())?,
            shards: ShardStream::new(data),
            turns: config.augmentation.turns,
            loaded: None,
            shape: (config.patch, config.border()?, config.channels.count()),
            loss_bicubic: None,
            progress: Box::new(|_, _| ()),
            gpu: gpu.clone(),
            part,
        })
    }
}

impl GpuEngine {
    /// Calls `progress` with the pictures done and of all, from any thread, while steps wait for pictures to be degraded.
    #[must_use]
    pub fn with_progress(self, progress: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        Self { progress: Box::new(progress), ..self }
    }

    /// Goes on from another state.
    ///
    /// # Errors
    /// As [`Trainer::restore`].
    pub fn restore(&mut self, state: &State) -> Result<()> {
        self.trainer.restore(state)?;
        self.gpu.faults.check()
    }

    /// Does steps as [`TrainEngine::train`] does, and hands their gradients to `exchange` as
    /// [`Trainer::steps_exchanged`] does; the losses are those that come back.
    ///
    /// # Errors
    /// As [`TrainEngine::train`], and those of `exchange`.
    pub fn train_exchanged(&mut self, factors: &[f32], exchange: &mut Exchange<'_>) -> Result<f64> {
        self.steps(factors, Some(exchange))
    }

    fn steps(&mut self, factors: &[f32], mut exchange: Option<&mut Exchange<'_>>) -> Result<f64> {
        let mut loss = 0.0;
        let mut done = 0;
        while done < factors.len() {
            let step = self.trainer.steps_done();
            let place = self.order.place(step);
            let length = match self.loaded {
                Some((key, length)) if key == self.shards.key(&place) => length,
                _ => {
                    let shard = self.shards.get(&place, &*self.progress)?;
                    self.trainer.set_pictures(&shard)?;
                    let (patch, border, channels) = self.shape;
                    self.loss_bicubic.get_or_insert_with(|| shard.loss_bicubic(patch, border, channels));
                    let length = shard.patches.len() as u32;
                    self.loaded = Some((self.shards.key(&place), length));
                    length
                }
            };
            let count = (factors.len() - done).min(usize::try_from(place.steps_left).unwrap_or(usize::MAX));
            let batch = |step| self.order.batch(&self.order.place(step), length, self.turns);
            let batches = (step..step + count as u64).map(batch);
            let factors = &factors[done..done + count];
            let samples: Vec<_> = batches.flat_map(|batch| batch[self.part.clone()].to_vec()).collect();
            let losses = match &mut exchange {
                None => self.trainer.steps(&samples, factors)?,
                Some(exchange) => self.trainer.steps_exchanged(&samples, factors, *exchange)?,
            };
            self.gpu.faults.check()?;
            loss += losses.into_iter().map(f64::from).sum::<f64>();
            done += count;
        }
        Ok(loss)
    }
}

impl TrainEngine for GpuEngine {
    fn train(&mut self, factors: &[f32]) -> Result<f64> {
        self.steps(factors, None)
    }

    fn loss_bicubic(&self) -> Option<f64> {
        self.loss_bicubic
    }

    fn state(&mut self) -> Result<State> {
        let state = self.trainer.state()?;
        self.gpu.faults.check()?;
        Ok(state)
    }
}
