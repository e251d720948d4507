//! The loop of a run: blocks of steps, evaluations, checkpoints, the charts, and what is told about them.
//!
//! Nothing here depends on how fast steps are, but how many make up a block (and, once, how many steps a time
//! limit stands for, which the checkpoint remembers): an interrupted and an uninterrupted run do the same steps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::checkpoint::Checkpoint;
use super::config::{Limit, TrainConfig};
use super::curve::{evals, panels};
use super::event::Event;
use super::filters;
use super::run::{EvalRecord, Record, RunFolder, StepRecord, save_png};
use super::validate::Validate;
use super::{State, TrainEngine};
use crate::chart::render;
use crate::error::{Error, Result};
use crate::weights::{Metadata, Weights};

/// Time that a block of steps should take: how often progress is told and Ctrl-C is looked at.
const BLOCK: Duration = Duration::from_millis(500);
/// Steps are timed for so long before the estimate is told, after the first block, which compiles shaders.
const TRIAL: Duration = Duration::from_secs(3);
/// Metrics have this many step records for each evaluation.
const RECORDS_PER_EVAL: u64 = 10;
/// Pixels for a tap in the sheet of filters.
const ZOOM: u32 = 5;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The limit is reached.
    Done,
    /// It was asked to stop, and saved before it did.
    Interrupted,
}

/// Everything that a run needs.
pub struct Session<'a> {
    /// What to do.
    pub config: &'a TrainConfig,
    /// Where to keep it.
    pub folder: &'a RunFolder,
    /// What computes, at step 0 or at the checkpoint's.
    pub engine: &'a mut dyn TrainEngine,
    /// What measures; `None` for a run without validation.
    pub validation: Option<&'a mut dyn Validate>,
    /// Sub-images of the data, and their fingerprint.
    pub data: (u64, String),
    /// Set from outside to stop the run after the current block.
    pub stop: &'a AtomicBool,
    /// Is told what happens.
    pub tell: &'a mut dyn FnMut(&Event),
}

/// Where a run is.
struct Progress {
    step: u64,
    total: Option<u64>,
    best: Option<f64>,
    /// Time of earlier parts of the run.
    before: Duration,
    started: Instant,
    /// Loss, steps and time since the last step record.
    open: (f64, u64, Duration),
    /// Steps and time since the first block.
    trial: Option<(u64, Duration)>,
    estimated: bool,
    block: u64,
    last_eval: Option<EvalRecord>,
    saved: Option<u64>,
    records: Vec<Record>,
}

impl Progress {
    fn elapsed(&self) -> Duration {
        self.before + self.started.elapsed()
    }

    fn seconds_per_step(&self) -> Option<f64> {
        self.trial.filter(|(steps, _)| *steps > 0).map(|(steps, time)| time.as_secs_f64() / steps as f64)
    }
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
        let mut progress = self.begin(checkpoint)?;
        (self.tell)(&Event::Start {
            network: self.config.architecture()?.to_string(),
            scale: self.config.scale,
            subimages: self.data.0,
            step: progress.step,
            total_steps: progress.total,
        });
        let outcome = loop {
            if self.is_over(&progress) {
                break Outcome::Done;
            }
            if self.stop.load(Ordering::Relaxed) {
                break Outcome::Interrupted;
            }
            self.block(&mut progress)?;
            self.estimate(&mut progress);
            if progress.step.is_multiple_of(self.config.eval_every) {
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
        (self.tell)(&Event::End {
            step: progress.step,
            psnr: progress.best,
            seconds: progress.elapsed().as_secs_f64(),
            interrupted: outcome == Outcome::Interrupted,
        });
        Ok(outcome)
    }

    fn begin(&mut self, checkpoint: Option<&Checkpoint>) -> Result<Progress> {
        let mut progress = Progress {
            step: 0,
            total: self.config.steps(),
            best: None,
            before: Duration::ZERO,
            started: Instant::now(),
            open: (0.0, 0, Duration::ZERO),
            trial: None,
            estimated: false,
            block: 1,
            last_eval: None,
            saved: None,
            records: Vec::new(),
        };
        if let Some(checkpoint) = checkpoint {
            progress.step = checkpoint.state.step;
            progress.total = progress.total.or(checkpoint.total_steps);
            progress.best = checkpoint.best;
            progress.before = checkpoint.elapsed;
            progress.saved = Some(progress.step);
        }
        // A run that was cut off has metrics beyond its checkpoint; those steps are done again.
        progress.records = self.folder.rewind(progress.step)?;
        progress.last_eval = evals(&progress.records).next_back().cloned();
        Ok(progress)
    }

    fn is_over(&self, progress: &Progress) -> bool {
        let out_of_time = match self.config.limit {
            Limit::Time(span) => progress.elapsed() >= span.0,
            Limit::Steps(_) | Limit::Backprops(_) => false,
        };
        out_of_time || progress.total.is_some_and(|total| progress.step >= total)
    }

    /// Factor of the learning rates at a step. Until a time limit is known in steps, that of the beginning.
    fn factor(&self, progress: &Progress, step: u64) -> f64 {
        self.config
            .schedule
            .factor(if progress.total.is_some() { step } else { 0 }, progress.total.unwrap_or(1))
    }

    fn record_every(&self) -> u64 {
        (self.config.eval_every / RECORDS_PER_EVAL).max(1)
    }

    /// Steps up to the next moment that something is due, as many as a block's time holds.
    fn block(&mut self, progress: &mut Progress) -> Result<()> {
        let step = progress.step;
        let ends = [self.record_every(), self.config.eval_every, self.config.save_every];
        let mut count = ends.map(|every| every - step % every).into_iter().fold(progress.block, u64::min);
        count = count.min(progress.total.map_or(u64::MAX, |total| total - step));
        let factors: Vec<f32> = (step..step + count).map(|step| self.factor(progress, step) as f32).collect();
        let begun = Instant::now();
        let loss = self.engine.train(&factors)?;
        let took = begun.elapsed();
        progress.step += count;
        if !loss.is_finite() {
            return Err(self.diverged(progress));
        }
        let (sum, steps, time) = progress.open;
        progress.open = (sum + loss, steps + count, time + took);
        // The first block warms up and is not counted.
        progress.trial = Some(progress.trial.map_or((0, Duration::ZERO), |(n, t)| (n + count, t + took)));
        let fitting = BLOCK.as_secs_f64() / took.as_secs_f64().max(1e-6) * count as f64;
        progress.block = (fitting as u64).clamp(1, 2 * progress.block);

        let speed = |steps: u64, time: Duration| {
            steps as f64 * self.config.batch as f64 / time.as_secs_f64().max(1e-9)
        };
        (self.tell)(&Event::Progress {
            step: progress.step,
            total_steps: progress.total,
            loss: loss / count as f64,
            psnr: progress.last_eval.as_ref().map(EvalRecord::psnr),
            subimages_per_second: speed(count, took),
            seconds_left: progress
                .total
                .zip(progress.seconds_per_step())
                .map(|(total, seconds)| (total - progress.step) as f64 * seconds),
        });
        if progress.step.is_multiple_of(self.record_every()) {
            self.record(progress)?;
        }
        Ok(())
    }

    /// Writes the step record of everything since the last one.
    fn record(&mut self, progress: &mut Progress) -> Result<()> {
        let (loss, steps, time) = std::mem::replace(&mut progress.open, (0.0, 0, Duration::ZERO));
        if steps == 0 {
            return Ok(());
        }
        let factor = self.factor(progress, progress.step - 1);
        let record = StepRecord {
            step: progress.step,
            backprops: self.backprops(progress),
            loss: loss / steps as f64,
            learning_rates: self.config.optimizer.learning_rates().iter().map(|rate| rate * factor).collect(),
            subimages_per_second: steps as f64 * self.config.batch as f64 / time.as_secs_f64().max(1e-9),
        };
        (self.tell)(&Event::Step(record.clone()));
        self.keep(progress, Record::Step(record))
    }

    fn keep(&self, progress: &mut Progress, record: Record) -> Result<()> {
        self.folder.append(&record)?;
        progress.records.push(record);
        Ok(())
    }

    fn backprops(&self, progress: &Progress) -> u64 {
        progress.step * self.config.batch as u64
    }

    /// Once enough steps are timed: tells how long the run will take, or how many steps fit in its time.
    fn estimate(&mut self, progress: &mut Progress) {
        let Some(seconds) = progress.seconds_per_step() else { return };
        let timed = progress.trial.map_or(Duration::ZERO, |(_, time)| time);
        let trial = match self.config.limit {
            Limit::Time(span) => TRIAL.min(span.0 / 20),
            Limit::Steps(_) | Limit::Backprops(_) => TRIAL,
        };
        if progress.estimated || timed < trial {
            return;
        }
        progress.estimated = true;
        let total = match (progress.total, self.config.limit) {
            (Some(total), _) => total,
            (None, Limit::Time(span)) => {
                let left = span.0.saturating_sub(progress.elapsed()).as_secs_f64();
                progress.step + (left / seconds.max(1e-9)) as u64
            }
            (None, _) => return,
        };
        progress.total = Some(total);
        (self.tell)(&Event::Estimate {
            seconds: total.saturating_sub(progress.step) as f64 * seconds,
            total_steps: total,
            subimages_per_second: self.config.batch as f64 / seconds.max(1e-9),
        });
    }

    /// Measures, keeps the best weights, draws the curve and the filters.
    fn evaluate(&mut self, progress: &mut Progress) -> Result<()> {
        if self.validation.is_none() {
            return Ok(());
        }
        self.record(progress)?;
        let state = self.finite_state(progress)?;
        let mut weights = self.weights(&state, progress)?;
        let Some(validation) = &mut self.validation else { return Ok(()) };
        let sets = validation.evaluate(&weights)?;
        let record =
            EvalRecord { step: progress.step, backprops: self.config.batch as u64 * progress.step, sets };
        for set in record.sets.iter().filter(|set| set.psnr < set.psnr_bicubic) {
            let (psnr, psnr_bicubic) = (set.psnr, set.psnr_bicubic);
            (self.tell)(&Event::Below { set: set.set.clone(), psnr, psnr_bicubic });
        }
        (self.tell)(&Event::Eval(record.clone()));
        if progress.best.is_none_or(|best| record.psnr() > best) {
            progress.best = Some(record.psnr());
            weights.metadata.psnr = serde_json::to_value(&record.sets).ok();
            self.folder.save_best(&weights)?;
            validation.save_samples(&self.folder.samples())?;
            (self.tell)(&Event::Saved {
                path: self.folder.best().display().to_string(),
                step: progress.step,
            });
        }
        progress.last_eval = Some(record.clone());
        self.keep(progress, Record::Eval(record))?;
        self.draw(progress, &weights)
    }

    /// Writes a checkpoint; without validation also the weights, which are the best that is known.
    fn save(&mut self, progress: &mut Progress) -> Result<()> {
        self.record(progress)?;
        let state = self.finite_state(progress)?;
        if self.validation.is_none() {
            let weights = self.weights(&state, progress)?;
            self.folder.save_best(&weights)?;
            self.draw(progress, &weights)?;
        }
        let checkpoint = Checkpoint {
            state,
            backprops: self.backprops(progress),
            seed: self.config.seed,
            total_steps: progress.total,
            best: progress.best,
            elapsed: progress.elapsed(),
            config: self.config.fingerprint(),
            data: self.data.1.clone(),
        };
        let path = self.folder.checkpoint();
        checkpoint.save(&path)?;
        progress.saved = Some(progress.step);
        (self.tell)(&Event::Saved { path: path.display().to_string(), step: progress.step });
        Ok(())
    }

    /// The engine's state, if it is worth keeping: a finite loss can be followed by an update that is not.
    fn finite_state(&mut self, progress: &Progress) -> Result<State> {
        let state = self.engine.state()?;
        if state.is_finite() { Ok(state) } else { Err(self.diverged(progress)) }
    }

    fn diverged(&self, progress: &Progress) -> Error {
        let rates = self.config.optimizer.learning_rates();
        let kept = match progress.saved {
            Some(step) => format!("go on from the checkpoint of step {step} with --resume and lower --lr"),
            None => "begin again with a lower --lr".into(),
        };
        Error::Diverged(format!(
            "training has diverged: the loss or a parameter is not a finite number at step {}; \
             the learning rates {rates:?} are too high; {kept}",
            progress.step
        ))
    }

    fn weights(&self, state: &State, progress: &Progress) -> Result<Weights> {
        let config = self.config;
        let training = format!(
            "srcnn-gpu {}, recipe {}, {} sub-images, {} steps, {} backprops",
            env!("CARGO_PKG_VERSION"),
            config.recipe,
            self.data.0,
            progress.step,
            self.backprops(progress)
        );
        let metadata = Metadata {
            scales: vec![config.scale as f32],
            channels: config.channels,
            padding: config.padding,
            training: Some(training),
            psnr: None,
        };
        Weights::new(state.layers.clone(), metadata)
    }

    /// `curve.svg` and `filters.png`.
    fn draw(&self, progress: &Progress, weights: &Weights) -> Result<()> {
        let sets = self.validation.as_ref().map_or(&[][..], |validation| validation.sets());
        let panels = panels(self.config, sets, &progress.records);
        self.folder.replace(&self.folder.curve(), render(&panels).as_bytes())?;
        let sheet = filters::sheet(weights, ZOOM);
        let (width, height) = sheet.dimensions();
        save_png(&self.folder.filters(), sheet.as_raw(), width, height, image::ExtendedColorType::Rgb8)
    }
}
