//! Rank 0: an engine and a validation that have the other ranks do the same.

use std::time::{Duration, Instant};

use super::engine::RankEngine;
use super::link::{Command, Link};
use crate::error::Result;
use crate::eval::Score;
use crate::ranks::gather;
use crate::train::validate::{Evaluation, Scores, SetInfo, Validate, Validator};
use crate::train::{State, TrainEngine, checkpoint};
use crate::weights::Weights;

/// Gets the exit code of a signal that has asked another rank to end.
type Wish = dyn Fn(u8);

/// The engine of rank 0, which trains with those of the other ranks.
pub struct Leader {
    engine: RankEngine,
    link: Link,
    wish: Box<Wish>,
    /// Steps done, and the time that they took, after the first call: that one compiles kernels and reads pictures.
    timed: Option<(u64, Duration)>,
    /// Time that the first call spent in exchanges.
    untimed: Duration,
}

impl std::fmt::Debug for Leader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leader").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl Leader {
    /// `wish` gets the exit code of a signal that has asked
    /// another rank to end.
    pub fn new(engine: RankEngine, link: Link, wish: impl Fn(u8) + 'static) -> Self {
        Self { engine, link, wish: Box::new(wish), timed: None, untimed: Duration::ZERO }
    }

    /// What the exchange of gradients took of the steps so far; `None` before the second call of [`TrainEngine::train`].
    pub fn exchange(&self) -> Option<Exchange> {
        let (steps, time) = self.timed.filter(|&(steps, _)| steps > 0)?;
        let per_step = |time: Duration| time.as_secs_f64() / steps as f64;
        let exchange = self.engine.exchange_time().saturating_sub(self.untimed);
        Some(Exchange { ranks: self.link.ranks.size(), step: per_step(time), exchange: per_step(exchange) })
    }
}

/// Times of a step, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exchange {
    /// Number of ranks.
    pub ranks: usize,
    /// A step of rank 0.
    pub step: f64,
    /// What it spends in the exchange of gradients, waits for slower ranks included.
    pub exchange: f64,
}

impl TrainEngine for Leader {
    fn train(&mut self, factors: &[f32]) -> Result<f64> {
        let begun = Instant::now();
        let wish = self.link.send(&Command::Train(factors.to_vec()))?;
        let loss = self.engine.train(factors)?;
        self.link.done();
        match &mut self.timed {
            Some((steps, time)) => (*steps, *time) = (*steps + factors.len() as u64, *time + begun.elapsed()),
            none => {
                *none = Some((0, Duration::ZERO));
                self.untimed = self.engine.exchange_time();
            }
        }
        if wish > 0 {
            (self.wish)(wish);
        }
        Ok(loss)
    }

    fn loss_bicubic(&self) -> Option<f64> {
        self.engine.loss_bicubic()
    }

    /// The state, which the others go on from too: adapters of different kinds round their updates differently.
    fn state(&mut self) -> Result<State> {
        let state = self.engine.state()?;
        if state.is_finite() {
            self.link.send(&Command::Restore(checkpoint::state_to_bytes(&state)?))?;
            self.link.done();
        }
        Ok(state)
    }
}

/// The validation of rank 0: each rank measures its part of the pictures.
#[derive(Debug)]
pub struct LeaderValidation {
    validator: Validator,
    link: Link,
}

impl LeaderValidation {
    /// Measures with the validators of the other ranks.
    pub fn new(validator: Validator, link: Link) -> Self {
        Self { validator, link }
    }
}

impl Validate for LeaderValidation {
    fn sets(&self) -> &[SetInfo] {
        self.validator.sets()
    }

    fn evaluate(&mut self, weights: &Weights) -> Result<Evaluation> {
        self.link.send(&Command::Evaluate(weights.to_safetensors()?))?;
        let Scores { sets, samples } = measure(&mut self.validator, weights, &self.link)?;
        self.link.done();
        Ok(Evaluation { sets: self.validator.averages(&sets), samples })
    }
}

/// Measures this rank's part of the pictures, and returns the scores of all ranks: of each set, in the order of its pictures.
/// Samples are those of this rank.
///
/// # Errors
/// Whatever keeps the network from running, and [`Error::Ranks`](crate::Error::Ranks).
pub(super) fn measure(validator: &mut Validator, weights: &Weights, link: &Link) -> Result<Scores> {
    let (rank, size) = (link.ranks.rank(), link.ranks.size());
    let Scores { sets, samples } = validator.measure(weights, (rank, size))?;
    let own: Vec<[f64; 7]> = sets.iter().flatten().map(Score::figures).collect();
    let all = gather(&*link.ranks, bytemuck::cast_slice(&own))?;
    let mut all: Vec<_> = all
        .iter()
        .map(|bytes| bytemuck::pod_collect_to_vec::<u8, [f64; 7]>(bytes).into_iter().map(Score::of_figures))
        .collect();
    // Pictures go round: the ranks' scores come back in turn.
    let set = |count: usize| (0..count).filter_map(|position| all[position % size].next()).collect();
    Ok(Scores { sets: validator.counts().into_iter().map(set).collect(), samples })
}
