//! Training: configuration, data, the run folder, and the loop over whatever computes the steps.
//!
//! [`gpu::Trainer`] does steps on a host's device, on sub-images of pictures in memory ([`shard`]). All else builds on
//! it: [`config`] and [`recipe`] say what to do, [`order`] which sub-images a step takes. With feature `headless`
//! besides, `dataset` and `stream` read picture folders, `engine` joins them to a trainer, and `session` runs it and keeps
//! a run's folder.

pub mod checkpoint;
pub mod config;
mod config_path;
pub mod gpu;
pub mod init;
mod interval;
pub mod order;
pub mod recipe;
mod scales;
mod schedule;
pub mod shard;
pub mod shuffle;
mod spectrum;
mod time_span;

#[cfg(feature = "headless")]
pub mod curve;
#[cfg(feature = "headless")]
pub mod data_parallel;
#[cfg(feature = "headless")]
pub mod dataset;
#[cfg(feature = "dictionary")]
pub mod dictionary;
#[cfg(feature = "headless")]
pub mod engine;
#[cfg(feature = "headless")]
pub mod event;
#[cfg(feature = "headless")]
mod files;
#[cfg(feature = "headless")]
pub mod filters;
#[cfg(feature = "headless")]
pub mod gradient_mean;
#[cfg(feature = "headless")]
pub mod measure;
#[cfg(feature = "headless")]
mod record;
#[cfg(feature = "headless")]
pub mod run;
#[cfg(feature = "headless")]
pub mod session;
#[cfg(feature = "headless")]
pub mod stream;
#[cfg(feature = "headless")]
pub mod tune;
#[cfg(feature = "headless")]
pub mod validate;

use crate::error::Result;
use crate::weights::Layer;
pub use scales::Scales;

/// Everything that the next step depends on, apart from the configuration and the data.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Steps done.
    pub step: u64,
    /// Parameters, first layer to last.
    pub layers: Vec<Layer>,
    /// What the optimizer keeps for each parameter, [`config::Optimizer::slots`] copies of the shape of `layers`: the
    /// velocity of SGD, or the first and second moments of Adam.
    pub slots: Vec<Vec<Layer>>,
    /// The running mean of the parameters over the steps, if the run keeps one ([`config::TrainConfig::average`]).
    pub average: Option<Vec<Layer>>,
}

impl State {
    /// The first state of a run without a running mean: all slots are zero.
    pub fn new(layers: Vec<Layer>, slots: usize) -> Self {
        let mut zero = layers.clone();
        for layer in &mut zero {
            layer.weight.fill(0.0);
            layer.bias.fill(0.0);
        }
        Self { step: 0, layers, slots: vec![zero; slots], average: None }
    }

    /// The same with a running mean of the parameters, which begins with them as they are.
    #[must_use]
    pub fn with_average(self) -> Self {
        Self { average: Some(self.layers.clone()), ..self }
    }

    /// Whether all numbers are finite.
    pub fn is_finite(&self) -> bool {
        let layers = self.slots.iter().chain(&self.average).flatten().chain(&self.layers);
        layers.flat_map(|layer| layer.weight.iter().chain(&layer.bias)).all(|v| v.is_finite())
    }
}

/// What computes the steps: the GPU, or a stand-in in tests.
pub trait TrainEngine {
    /// Does one step for each factor, which multiplies that step's learning rates, and returns the sum of the steps' losses
    /// (equation 4, each before its update). The parameters do not depend on how steps are grouped into calls.
    ///
    /// # Errors
    /// Whatever prevents the steps. A loss that is not finite is not an error.
    fn train(&mut self, factors: &[f32]) -> Result<f64>;

    /// The loss that plain bicubic interpolation has on the training pictures, once some of them are in use: equation 4 with
    /// the input itself as the result.
    fn loss_bicubic(&self) -> Option<f64> {
        None
    }

    /// A copy of the state after the last step.
    ///
    /// # Errors
    /// What reading it back from the device reports.
    fn state(&mut self) -> Result<State>;
}
