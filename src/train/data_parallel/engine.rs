//! The engine of one rank.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::headless::Gpu;
use crate::ranks::Communicator;
use crate::train::config::TrainConfig;
use crate::train::dataset::Dataset;
use crate::train::engine::GpuEngine;
use crate::train::gradient_mean::{GradientMean, share};
use crate::train::{State, TrainEngine};

/// Takes this rank's share of each batch, and updates by the mean of all ranks' gradients. All ranks do the same steps, from
/// the same state.
#[derive(Debug)]
pub struct RankEngine {
    engine: GpuEngine,
    mean: GradientMean,
}

impl RankEngine {
    /// As [`GpuEngine::new`], for one of several ranks.
    ///
    /// # Errors
    /// As [`GpuEngine::new`] and [`share`].
    pub fn new(
        gpu: &Gpu,
        config: &TrainConfig,
        data: Arc<Dataset>,
        state: &State,
        ranks: Rc<dyn Communicator>,
    ) -> Result<Self> {
        let part = share(config.batch, ranks.rank(), ranks.size())?;
        let mean = GradientMean::new(ranks, config.batch)?;
        Ok(Self { engine: GpuEngine::taking(gpu, config, data, state, part)?, mean })
    }

    /// As [`GpuEngine::with_progress`].
    #[must_use]
    pub fn with_progress(self, progress: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        Self { engine: self.engine.with_progress(progress), ..self }
    }

    /// Goes on from another state.
    ///
    /// # Errors
    /// As [`GpuEngine::restore`].
    pub fn restore(&mut self, state: &State) -> Result<()> {
        self.engine.restore(state)
    }

    /// Time spent in exchanging gradients so far, waits for slower ranks included.
    pub fn exchange_time(&self) -> Duration {
        self.mean.spent()
    }
}

impl TrainEngine for RankEngine {
    fn train(&mut self, factors: &[f32]) -> Result<f64> {
        self.engine.train_exchanged(factors, &mut |values| self.mean.apply(values))
    }

    fn loss_bicubic(&self) -> Option<f64> {
        self.engine.loss_bicubic()
    }

    fn state(&mut self) -> Result<State> {
        self.engine.state()
    }
}
