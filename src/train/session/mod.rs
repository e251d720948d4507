//! The loop of a run: blocks of steps, evaluations, checkpoints, charts, and reports of all these.
//!
//! When the number of steps is the limit, speed decides only on how many steps make up a block: an interrupted and an
//! uninterrupted run do the same steps. With a time limit, the schedule follows the clock, so that a run ends in time and
//! with its final rates even if the machine slows down. An interrupted run then continues from the same state and time,
//! but no two runs take the same steps.

mod keep;
mod progress;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::TrainEngine;
use super::checkpoint::Checkpoint;
use super::config::TrainConfig;
use super::event::{Event, SetPsnr};
use super::run::{EvalRecord, RunFolder};
use super::validate::Validate;
use crate::error::{Error, Result};
use progress::Progress;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The limit is reached.
    Done,
    /// It was asked to stop, and saved first.
    Interrupted,
}

/// Everything that a run needs.
pub struct Session<'a> {
    /// What to do.
    pub config: &'a TrainConfig,
    /// Where to keep it.
    pub folder: &'a RunFolder,
    /// What computes the steps, at step 0 or at the checkpoint's.
    pub engine: &'a mut dyn TrainEngine,
    /// What measures; `None` for a run without validation.
    pub validation: Option<&'a mut dyn Validate>,
    /// Sub-images of the data, and their fingerprint.
    pub data: (u64, String),
    /// Set from outside to stop the run after the current block.
    pub stop: &'a AtomicBool,
    /// Gets a report of all that happens.
    pub tell: &'a mut dyn FnMut(&Event),
}

impl Session<'_> {
    /// Checks that a checkpoint belongs to this configuration and data.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] with what has changed.
    pub fn check(checkpoint: &Checkpoint, config: &TrainConfig, data: &str) -> Result<()> {
        let (was, is) = (&checkpoint.config, config.fingerprint());
        if *was != is || !checkpoint.fits(&config.architecture()?) {
            return Err(Error::invalid(format!(
                "the checkpoint is of other settings: it has '{was}', config.toml now has '{is}'"
            )));
        }
        if checkpoint.data != data {
            return Err(Error::invalid(
                "the training pictures are not those that the run began with; bring them back, or begin a new run",
            ));
        }
        Ok(())
    }

    /// Runs until the limit is reached or `stop` is set, from the beginning or from `checkpoint`.
    ///
    /// # Errors
    /// [`Error::Diverged`] when the loss is not finite; [`Error::Output`] when the folder cannot be written to;
    /// the engine's and the validation's own. The last checkpoint stays as it was.
    pub fn run(mut self, checkpoint: Option<&Checkpoint>) -> Result<Outcome> {
        // A run that was cut off has metrics beyond its checkpoint; those steps will be repeated.
        let records = self.folder.rewind(checkpoint.map_or(0, |checkpoint| checkpoint.state.step))?;
        let mut progress = Progress::new(self.config, checkpoint, records);
        (self.tell)(&Event::Start {
            network: self.config.architecture()?.to_string(),
            scale: self.config.scale.clone(),
            subimages: self.data.0,
            step: progress.step,
            total_steps: self.config.steps(),
        });
        let outcome = loop {
            if progress.is_over() {
                break Outcome::Done;
            }
            if self.stop.load(Ordering::Relaxed) {
                break Outcome::Interrupted;
            }
            self.block(&mut progress)?;
            if let Some(estimate) = progress.estimate(self.config.batch) {
                (self.tell)(&estimate);
            }
            if progress.is_evaluation_due() {
                self.evaluate(&mut progress)?;
            }
            if progress.step.is_multiple_of(self.config.save_every) {
                self.save(&mut progress)?;
            }
        };
        let evaluated = progress.last_eval.as_ref().map(|record| record.step);
        if outcome == Outcome::Done && evaluated != Some(progress.step) {
            self.evaluate(&mut progress)?;
        }
        if progress.saved != Some(progress.step) {
            self.save(&mut progress)?;
        }
        if self.validation.is_none()
            && let Some(loss) = progress.last_losses(1).first().copied()
        {
            let loss_bicubic = self.engine.loss_bicubic();
            (self.tell)(&Event::Losses { loss, loss_bicubic });
        }
        (self.tell)(&Event::End {
            step: progress.step,
            psnr: progress.best,
            seconds: progress.elapsed().as_secs_f64(),
            interrupted: outcome == Outcome::Interrupted,
        });
        Ok(outcome)
    }

    /// Steps until something is due, at most as many as fit in a block's time.
    fn block(&mut self, progress: &mut Progress) -> Result<()> {
        let step = progress.step;
        let ends = [progress.record_every(), progress.eval_every(), Some(self.config.save_every)];
        let due = ends.into_iter().flatten().map(|every| every - step % every).fold(u64::MAX, u64::min);
        let count = progress.fitting(due);
        let factors: Vec<f64> = progress
            .shares(count)
            .into_iter()
            .zip(progress.step..)
            .map(|(share, done)| self.config.schedule.at(share, done))
            .collect();
        let begun = Instant::now();
        let loss = self.engine.train(&factors.iter().map(|&factor| factor as f32).collect::<Vec<_>>())?;
        let took = begun.elapsed();
        progress.add(&factors, loss, took);
        if !loss.is_finite() {
            return Err(self.diverged(progress));
        }
        (self.tell)(&Event::Progress {
            step: progress.step,
            total_steps: progress.total_steps(),
            loss: loss / count as f64,
            psnr: progress.last_eval.as_ref().map(EvalRecord::psnr),
            sets: progress.last_eval.iter().flat_map(EvalRecord::better).map(SetPsnr::from).collect(),
            subimages_per_second: count as f64 * self.config.batch as f64 / took.as_secs_f64().max(1e-9),
            seconds_left: progress.seconds_left(),
        });
        if progress.is_record_due() {
            self.record(progress)?;
        }
        Ok(())
    }
}
