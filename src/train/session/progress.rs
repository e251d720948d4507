//! Where a run is, how much of it is left, and how many steps come next.

use std::time::{Duration, Instant};

use crate::train::checkpoint::Checkpoint;
use crate::train::config::{EVALUATIONS, Limit, TrainConfig};
use crate::train::curve::evals;
use crate::train::event::Event;
use crate::train::run::{EvalRecord, Record};

/// How long a block of steps should take: how often progress is reported and a wish to stop is noticed.
const BLOCK: Duration = Duration::from_millis(500);
/// How long steps are timed before the estimate is reported, after the first block, which compiles shaders.
const TRIAL: Duration = Duration::from_secs(3);
/// Metrics have this many step records for each evaluation.
const RECORDS_PER_EVAL: u64 = 10;

/// When a run ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// After this many steps.
    Steps(u64),
    /// After this much time, all parts of the run together.
    Time(Duration),
}

/// Where a run is.
pub(super) struct Progress {
    pub step: u64,
    /// Factor of the learning rates in the last step.
    pub factor: f64,
    pub best: Option<f64>,
    pub last_eval: Option<EvalRecord>,
    /// Step of the last checkpoint.
    pub saved: Option<u64>,
    pub records: Vec<Record>,
    /// Loss, steps and time since the last step record.
    pub open: (f64, u64, Duration),
    end: End,
    /// Time of earlier parts of the run.
    before: Duration,
    /// When the first block was done: it compiles kernels, which is no time of training.
    started: Option<Instant>,
    /// Time since then that is none of training either: that of the first evaluation, which compiles kernels too.
    uncounted: Duration,
    /// Steps and time since the first block.
    trial: Option<(u64, Duration)>,
    estimated: bool,
    /// Steps from one evaluation to the next, unless the clock decides.
    eval_every: Option<u64>,
    /// When the clock decides: the time of the next evaluation.
    next_eval: Duration,
    /// Evaluations after the first one, and their time.
    evals: Option<(u32, Duration)>,
    /// Steps that fit in a block's time.
    block: u64,
}

impl Progress {
    /// At the beginning of a run, or at its checkpoint.
    pub fn new(config: &TrainConfig, checkpoint: Option<&Checkpoint>, records: Vec<Record>) -> Self {
        let step = checkpoint.map_or(0, |checkpoint| checkpoint.state.step);
        let before = checkpoint.map_or(Duration::ZERO, |checkpoint| checkpoint.elapsed);
        let last_eval = evals(&records).next_back().cloned();
        Self {
            step,
            factor: 1.0,
            best: checkpoint.and_then(|checkpoint| checkpoint.best),
            last_eval,
            saved: checkpoint.map(|_| step),
            records,
            open: (0.0, 0, Duration::ZERO),
            end: match (config.limit, config.steps()) {
                (Limit::Time(span), _) => End::Time(span.0),
                (_, steps) => End::Steps(steps.unwrap_or(0)),
            },
            before,
            started: None,
            uncounted: Duration::ZERO,
            trial: None,
            estimated: false,
            eval_every: config.eval_every.steps(config.steps()),
            next_eval: match config.limit {
                Limit::Time(span) => before + span.0 / EVALUATIONS,
                _ => Duration::MAX,
            },
            evals: None,
            block: 1,
        }
    }

    /// Time of training, all parts of the run, evaluations included: without the first block and the first evaluation of
    /// each part.
    pub fn elapsed(&self) -> Duration {
        let now = self.started.map_or(Duration::ZERO, |started| started.elapsed());
        self.before + now.saturating_sub(self.uncounted)
    }

    pub fn is_over(&self) -> bool {
        match self.end {
            End::Steps(total) => self.step >= total,
            End::Time(span) => self.elapsed() >= span,
        }
    }

    /// Steps from one evaluation to the next; `None` where the clock decides.
    pub fn eval_every(&self) -> Option<u64> {
        self.eval_every
    }

    /// Steps from one step record to the next; `None` where the clock decides.
    pub fn record_every(&self) -> Option<u64> {
        self.eval_every.map(|every| (every / RECORDS_PER_EVAL).max(1))
    }

    pub fn is_evaluation_due(&self) -> bool {
        match self.eval_every {
            Some(every) => self.step.is_multiple_of(every),
            None => self.elapsed() >= self.next_eval,
        }
    }

    pub fn is_record_due(&self) -> bool {
        match (self.record_every(), self.end) {
            (Some(every), _) => self.step.is_multiple_of(every),
            (None, End::Time(span)) => self.open.2 >= span / EVALUATIONS / RECORDS_PER_EVAL as u32,
            (None, End::Steps(_)) => false,
        }
    }

    /// Counts an evaluation that began at `begun` and ends now. The clock gives at least as much time to training as two
    /// evaluations take.
    pub fn add_evaluation(&mut self, begun: Instant) {
        let took = begun.elapsed();
        let counted = match &mut self.evals {
            Some((count, time)) => {
                (*count, *time) = (*count + 1, *time + took);
                took
            }
            // The first evaluation compiles kernels, which says nothing about the next ones.
            none => {
                *none = Some((0, Duration::ZERO));
                self.uncounted += took;
                Duration::ZERO
            }
        };
        if let End::Time(span) = self.end {
            let now = self.elapsed();
            self.next_eval = (now.saturating_sub(counted) + span / EVALUATIONS).max(now + 2 * counted);
        }
    }

    /// The last losses that were recorded, the latest first.
    pub fn last_losses(&self, count: usize) -> Vec<f64> {
        let losses = self.records.iter().rev().filter_map(|record| match record {
            Record::Step(record) => Some(record.loss),
            Record::Eval(_) => None,
        });
        losses.take(count).collect()
    }

    /// The fraction of the run in 0..1 that lies before each of the next steps: of its steps, or of its time.
    pub fn shares(&self, count: u64) -> Vec<f64> {
        let (done, one, all) = match self.end {
            End::Steps(total) => (self.step as f64, 1.0, total as f64),
            End::Time(span) => {
                (self.elapsed().as_secs_f64(), self.seconds_per_step().unwrap_or(0.0), span.as_secs_f64())
            }
        };
        (0..count).map(|i| ((done + i as f64 * one) / all.max(1e-9)).min(1.0)).collect()
    }

    /// Steps of the next block: at most `due`, what fits in a block's time, and what is left.
    pub fn fitting(&self, due: u64) -> u64 {
        let left = match self.end {
            End::Steps(total) => total.saturating_sub(self.step),
            End::Time(span) => {
                let end = if self.eval_every.is_none() { span.min(self.next_eval) } else { span };
                let left = end.saturating_sub(self.elapsed()).as_secs_f64();
                self.seconds_per_step().map_or(u64::MAX, |seconds| (left / seconds.max(1e-9)).ceil() as u64)
            }
        };
        due.min(self.block).min(left).max(1)
    }

    /// Counts a block of steps with these factors of the learning rates and this sum of losses.
    pub fn add(&mut self, factors: &[f64], loss: f64, took: Duration) {
        let count = factors.len() as u64;
        self.step += count;
        self.factor = factors.last().copied().unwrap_or(self.factor);
        let (sum, steps, time) = self.open;
        self.open = (sum + loss, steps + count, time + took);
        // The first block warms up and is not counted.
        self.started.get_or_insert_with(Instant::now);
        self.trial = Some(self.trial.map_or((0, Duration::ZERO), |(n, t)| (n + count, t + took)));
        let fitting = BLOCK.as_secs_f64() / took.as_secs_f64().max(1e-6) * count as f64;
        self.block = (fitting as u64).clamp(1, 2 * self.block);
    }

    fn seconds_per_step(&self) -> Option<f64> {
        self.trial.filter(|(steps, _)| *steps > 0).map(|(steps, time)| time.as_secs_f64() / steps as f64)
    }

    /// Steps of the whole run; with a time limit an estimate, once steps have been timed.
    pub fn total_steps(&self) -> Option<u64> {
        match self.end {
            End::Steps(total) => Some(total),
            End::Time(_) => {
                let (seconds, left) = (self.seconds_per_step()?, self.seconds_left()?);
                Some(self.step + (left / seconds.max(1e-9)) as u64)
            }
        }
    }

    /// Seconds to the end: an estimate for the steps that are left, or what is left of a time limit.
    pub fn seconds_left(&self) -> Option<f64> {
        match self.end {
            End::Steps(total) => {
                let left = total.saturating_sub(self.step);
                let (count, time) = self.evals.unwrap_or_default();
                let evals = self.eval_every.map_or(0, |every| left / every) as f64;
                let each = time.as_secs_f64() / f64::from(count.max(1));
                Some(left as f64 * self.seconds_per_step()? + evals * each)
            }
            End::Time(span) => Some(span.saturating_sub(self.elapsed()).as_secs_f64()),
        }
    }

    /// Returned once, when enough steps have been timed: how long the run will take, or how many steps fit in its time.
    pub fn estimate(&mut self, batch: usize) -> Option<Event> {
        let seconds_per_step = self.seconds_per_step()?;
        let timed = self.trial.map_or(Duration::ZERO, |(_, time)| time);
        let trial = match self.end {
            End::Steps(_) => TRIAL,
            End::Time(span) => TRIAL.min(span / 20),
        };
        if self.estimated || timed < trial {
            return None;
        }
        self.estimated = true;
        Some(Event::Estimate {
            seconds: self.seconds_left()?,
            total_steps: self.total_steps()?,
            subimages_per_second: batch as f64 / seconds_per_step.max(1e-9),
        })
    }
}
