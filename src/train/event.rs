//! What a run reports as it goes.

use serde::Serialize;

use super::Scales;
use super::run::{EvalRecord, SetScore, StepRecord};

/// One thing that has happened. In JSON, `event` names the kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// Before the first step.
    Start {
        /// Filter sizes and counts.
        network: String,
        /// The factors.
        scale: Scales,
        /// Training sub-images.
        subimages: u64,
        /// Steps that are done already: more than 0 when a run is continued.
        step: u64,
        /// Steps of the whole run, where no time limits it.
        total_steps: Option<u64>,
    },
    /// How long the run will take, from its first measured steps.
    Estimate {
        /// Time left in seconds, with evaluations if one has been timed.
        seconds: f64,
        /// Steps of the whole run.
        total_steps: u64,
        /// Measured speed.
        subimages_per_second: f64,
    },
    /// Steps wait for training pictures to be read and degraded.
    Degrade {
        /// Pictures that are done.
        done: usize,
        /// All that are waited for.
        total: usize,
    },
    /// A block of steps is done.
    Progress {
        /// Steps done.
        step: u64,
        /// Steps of the whole run.
        total_steps: Option<u64>,
        /// Mean loss of the block.
        loss: f64,
        /// PSNR of the last evaluation, the mean over the sets that are not only watched.
        psnr: Option<f64>,
        /// The same for each set.
        sets: Vec<SetPsnr>,
        /// Speed of the block.
        subimages_per_second: f64,
        /// Time left in seconds.
        seconds_left: Option<f64>,
    },
    /// A line of the metrics.
    Step(StepRecord),
    /// A line of the metrics.
    Eval(EvalRecord),
    /// The network does worse than the interpolation that it starts from.
    Below {
        /// Validation set.
        set: String,
        /// PSNR of the network in dB.
        psnr: f64,
        /// PSNR of bicubic interpolation in dB.
        psnr_bicubic: f64,
    },
    /// The end of a run without validation: the losses that training itself has reached.
    Losses {
        /// Mean of the last steps.
        loss: f64,
        /// That of plain bicubic interpolation on the training pictures, if it is known. A network with more than this has not
        /// learned, or has diverged.
        loss_bicubic: Option<f64>,
    },
    /// The end of a run by several ranks: what a step of rank 0 took.
    Exchange {
        /// Number of ranks.
        ranks: usize,
        /// Milliseconds of a step.
        step_ms: f64,
        /// Those of them that went into the exchange of gradients, waits for slower ranks included.
        exchange_ms: f64,
    },
    /// A file of the run has been replaced.
    Saved {
        /// Which.
        path: String,
        /// Steps done.
        step: u64,
    },
    /// The run is over, or has been interrupted.
    End {
        /// Steps done.
        step: u64,
        /// Best validation PSNR, the mean over the sets that are not only watched.
        psnr: Option<f64>,
        /// Time of training in seconds, all parts of the run: without what compiles kernels, the first block of steps and the
        /// first evaluation of each part.
        seconds: f64,
        /// Whether there is more to do when the run is continued.
        interrupted: bool,
    },
}

impl From<&SetScore> for SetPsnr {
    fn from(score: &SetScore) -> Self {
        Self { set: score.set.clone(), psnr: score.psnr }
    }
}

/// PSNR on one validation set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetPsnr {
    /// The set's name.
    pub set: String,
    /// In dB.
    pub psnr: f64,
}
