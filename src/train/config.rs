//! Everything that decides on a training run, as it stands in `config.toml`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::config_path;
pub use super::interval::{EVALUATIONS, Interval};
use super::scales::Scales;
pub use super::schedule::Schedule;
pub use super::time_span::TimeSpan;
use crate::degrade::Degradation;
use crate::error::{Error, Result};
use crate::network::{Architecture, Channels, Padding, names};

/// A complete configuration with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipe {
    /// The paper's text, section 4.
    Paper,
    /// What reaches the paper's quality soonest on ordinary hardware.
    #[default]
    Fast,
}
names!(Recipe, "recipe", Recipe::Paper => "paper", Recipe::Fast => "fast");

/// The whole configuration of a run. In TOML the fields stand in this order; enumerations with parameters
/// are tables with a `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TrainConfig {
    /// Where the settings below come from unless something else sets them.
    pub recipe: Recipe,
    /// Folders (with the folders in them) and files of training pictures.
    #[serde(with = "config_path::list")]
    pub data: Vec<PathBuf>,
    /// Folders of validation pictures, each a set of its own.
    #[serde(default, with = "config_path::list")]
    pub val: Vec<PathBuf>,
    /// Folders of pictures, each a set of its own, that are measured and drawn as those of `val` are, but never decide which weights
    /// are the best: test sets.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "config_path::list")]
    pub watch: Vec<PathBuf>,
    /// What the network is trained for: one factor or several; 1 is restoration in place.
    pub scale: Scales,
    /// Filter sizes: `9-1-5`.
    pub arch: String,
    /// Filter counts of all layers but the last: `64-32`.
    pub filters: String,
    /// What the network's channels are.
    pub channels: Channels,
    /// Seed of the first weights and of the order of the sub-images.
    pub seed: u32,
    /// Sub-images in a step: n of equation 4.
    pub batch: usize,
    /// Width and height of a sub-image in pixels; the target is its center, smaller by the network's radius on each side.
    pub patch: usize,
    /// Pixels from one sub-image to the next.
    pub stride: usize,
    /// How pictures lose their resolution.
    pub degradation: Degradation,
    /// Padding of the layers while training; `valid` in the paper.
    pub train_padding: Padding,
    /// Padding that the weights are evaluated with, and that their file says they are for.
    pub padding: Padding,
    /// Weight file to start from instead of `initialization`: the same filter counts, filters no larger, and layers no more; those
    /// that it lacks before the last begin as the identity.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "config_path::optional")]
    pub init: Option<PathBuf>,
    /// The shape of the kernels, if `bench --tune` found one when the run began: another may add in another order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernels: Option<String>,
    /// Share of a running mean of the parameters that each step keeps, such as 0.999: an average of the weights along the run, which
    /// is evaluated beside them. 0 for none.
    #[serde(default)]
    pub average: f64,
    /// Steps between two evaluations on `val`.
    pub eval_every: Interval,
    /// Steps between two checkpoints.
    pub save_every: u64,
    /// When training ends.
    pub limit: Limit,
    /// The first weights.
    pub initialization: Initialization,
    /// How gradients become updates.
    pub optimizer: Optimizer,
    /// How the learning rates change over the run.
    pub schedule: Schedule,
    /// Variants of the training pictures.
    pub augmentation: Augmentation,
}

/// Distribution that the first weights are drawn from; biases start at zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Initialization {
    /// Normal with zero mean: the paper's, with a standard deviation of 0.001.
    Gaussian {
        /// Standard deviation.
        deviation: f64,
    },
    /// Normal with the variance `gain^2` 2 / (inputs f^2), which keeps the size of maps behind a ReLU.
    He {
        /// Factor of the deviation in all layers but the last.
        gain: f64,
        /// The same in the last layer.
        last_gain: f64,
    },
    /// As `he`, but in each layer the first c filters also pass their own map on, so that the network starts as
    /// interpolation plus noise of that size.
    Identity {
        /// Factor of the deviation in all layers but the last.
        gain: f64,
        /// The same in the last layer.
        last_gain: f64,
    },
}

/// The rule that updates parameters. `learning_rates` has one rate per layer, for its weights and biases; rates refer to
/// the loss of equation 4 (a sum over pixels, a mean over the batch).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Optimizer {
    /// v <- momentum v - rate g; p <- p + v.
    Sgd {
        /// Share of the last update that is kept.
        momentum: f64,
        /// One for each layer.
        learning_rates: Vec<f64>,
    },
    /// Adam (Kingma and Ba 2015) with bias correction.
    Adam {
        /// Decay of the first and second moment.
        betas: [f64; 2],
        /// Added to the root of the second moment.
        epsilon: f64,
        /// Whether the moments are those of the filters' cosine transforms (DCT-II of both axes) instead of their
        /// taps. Low frequencies dominate in pictures, so the gradients of neighboring taps are nearly the same; those
        /// of different frequencies are nearly independent, and each gets a rate of its own.
        #[serde(default)]
        spectrum: bool,
        /// One for each layer.
        learning_rates: Vec<f64>,
    },
}

impl Optimizer {
    /// One rate for each layer.
    pub fn learning_rates(&self) -> &[f64] {
        match self {
            Self::Sgd { learning_rates, .. } | Self::Adam { learning_rates, .. } => learning_rates,
        }
    }

    /// The same, to be changed.
    pub fn learning_rates_mut(&mut self) -> &mut Vec<f64> {
        match self {
            Self::Sgd { learning_rates, .. } | Self::Adam { learning_rates, .. } => learning_rates,
        }
    }

    /// Whether the update works on the filters' spectra.
    pub fn on_spectra(&self) -> bool {
        matches!(self, Self::Adam { spectrum: true, .. })
    }

    /// Values that are kept for each parameter: the velocity, or both moments.
    pub fn slots(&self) -> usize {
        match self {
            Self::Sgd { .. } => 1,
            Self::Adam { .. } => 2,
        }
    }
}

/// Variants of the training pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augmentation {
    /// Each time a sub-image is used, take one of its 8 flips and turns at random.
    pub turns: bool,
    /// Scales at which each picture enters the set, in 0.1..2; 1 is the picture itself. Smaller copies are sharper than
    /// pictures are, larger ones softer. One that is named twice enters twice.
    pub scales: Vec<f64>,
}

/// When training ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Limit {
    /// After this many updates.
    Steps(u64),
    /// After this many sub-images have gone forward and backward: the paper's unit, 8e8 in all.
    Backprops(u64),
    /// After this much time of training, as text: `90s`, `30m`, `2h`, `3d`. Evaluations are included, but not the first one
    /// nor the first block of steps, which compile kernels. Schedules follow the clock, so no two runs take the same steps.
    Time(TimeSpan),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => write!(f, "{steps} steps"),
            Self::Backprops(count) => write!(f, "{count} backprops"),
            Self::Time(span) => span.fmt(f),
        }
    }
}

impl TrainConfig {
    /// Whether a run that has done so many steps in so much time is at its limit.
    pub fn is_over(&self, steps: u64, elapsed: Duration) -> bool {
        match (self.limit, self.steps()) {
            (Limit::Time(span), _) => elapsed >= span.0,
            (_, all) => all.is_some_and(|all| steps >= all),
        }
    }

    /// The network's shape.
    ///
    /// # Errors
    /// As [`Architecture::parse`].
    pub fn architecture(&self) -> Result<Architecture> {
        Architecture::parse(&self.arch, &self.filters, self.channels.count())
    }

    /// Width and height of a target: 21 for patches of 33 and 9-1-5; the whole patch when the layers pad.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when nothing is left of the patch.
    pub fn target(&self) -> Result<usize> {
        let border = self.border()?;
        self.patch.checked_sub(2 * border).filter(|&left| left > 0).ok_or_else(|| {
            Error::invalid(format!(
                "patch {}: {} without padding leaves nothing of it; {} or more is needed",
                self.patch,
                self.arch,
                2 * border + 1
            ))
        })
    }

    /// Pixels that a target lacks on each side of its sub-image.
    ///
    /// # Errors
    /// As [`Architecture::parse`].
    pub fn border(&self) -> Result<usize> {
        let radius = self.architecture()?.radius();
        Ok(if self.train_padding == Padding::Valid { radius } else { 0 })
    }

    /// Updates of the whole run; `None` with a time limit.
    pub fn steps(&self) -> Option<u64> {
        match self.limit {
            Limit::Steps(steps) => Some(steps),
            Limit::Backprops(count) => Some(count.div_ceil(self.batch.max(1) as u64)),
            Limit::Time(_) => None,
        }
    }

    /// Everything that decides on the order of sub-images and the shape of the state: a checkpoint fits only this. Rates,
    /// schedules and limits may change when a run is continued.
    pub fn fingerprint(&self) -> String {
        let Self {
            scale,
            arch,
            filters,
            channels,
            seed,
            batch,
            patch,
            stride,
            degradation,
            augmentation,
            average,
            ..
        } = self;
        let optimizer = match (self.optimizer.slots(), self.optimizer.on_spectra()) {
            (1, _) => "sgd",
            (_, false) => "adam",
            (_, true) => "adam on spectra",
        };
        // Runs without one have the fingerprints that they had before there was one.
        let average = if *average > 0.0 { format!(" average {average}") } else { String::new() };
        format!(
            "x{scale} {arch} {filters} {channels} seed {seed} batch {batch} patch {patch} stride {stride} \
             {degradation} turns {} sizes {:?} padding {} {optimizer}{average}",
            augmentation.turns, augmentation.scales, self.train_padding
        )
    }

    /// Checks what the types leave open.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for the first setting that is out of range.
    pub fn check(&self) -> Result<()> {
        let layers = self.architecture()?.layers().len();
        self.target()?;
        self.scale.iter().try_for_each(|scale| self.degradation.check(scale))?;
        let rates = self.optimizer.learning_rates();
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let fraction = |value: f64| (0.0..1.0).contains(&value);
        let rules = [
            (!self.data.is_empty(), "data: name a folder of training pictures".into()),
            ((1..=65536).contains(&self.batch), format!("batch {}: 1 to 65536 sub-images", self.batch)),
            (self.patch <= 1024, format!("patch {}: 1024 pixels at most", self.patch)),
            ((1..=65536).contains(&self.stride), format!("stride {}: 1 pixel or more", self.stride)),
            (
                self.watch.is_empty() || !self.val.is_empty(),
                "watch: nothing to choose the best weights by; name a folder of other pictures under val"
                    .into(),
            ),
            (self.padding != Padding::Valid, "padding valid: results would be smaller than asked for".into()),
            (self.eval_every != Interval::Steps(0), "eval_every 0: 1 step or more".into()),
            (self.save_every > 0, "save_every 0: 1 step or more".into()),
            (self.steps() != Some(0), "limit: 1 step or more".into()),
            (fraction(self.average), format!("average {}: 0 or more, below 1", self.average)),
            (
                rates.len() == layers && rates.iter().all(|&rate| positive(rate)),
                format!(
                    "learning_rates {rates:?}: {} has {layers} layers, each needs a number above 0",
                    self.arch
                ),
            ),
        ];
        let broken = rules.into_iter().find(|(holds, _)| !holds).map(|(_, text)| text);
        let parameters = || match (&self.initialization, &self.optimizer) {
            (Initialization::Gaussian { deviation }, _) if !positive(*deviation) => {
                Some("initialization: deviation must be above 0")
            }
            (Initialization::He { gain, last_gain }, _) if !positive(*gain) || !positive(*last_gain) => {
                Some("initialization: gains must be above 0")
            }
            (Initialization::Identity { gain, last_gain }, _) if !(*gain >= 0.0 && *last_gain >= 0.0) => {
                Some("initialization: gains must not be below 0")
            }
            (_, Optimizer::Sgd { momentum, .. }) if !fraction(*momentum) => {
                Some("momentum: 0 or more, below 1")
            }
            (_, Optimizer::Adam { betas, epsilon, .. })
                if !betas.iter().all(|&b| fraction(b)) || !positive(*epsilon) =>
            {
                Some("adam: betas of 0 or more and below 1, an epsilon above 0")
            }
            _ => None,
        };
        let shape = || match &self.schedule {
            Schedule::Cosine { last, .. } if !(0.0..=1.0).contains(last) => Some("schedule: last is in 0..1"),
            Schedule::Steps { at, factor } if !at.iter().all(|&at| fraction(at)) || !positive(*factor) => {
                Some("schedule: steps are at fractions in 0..1, with a factor above 0")
            }
            _ => None,
        };
        let sizes = &self.augmentation.scales;
        let scales = || {
            let fit = !sizes.is_empty() && sizes.iter().all(|s| (0.1..=2.0).contains(s));
            (!fit).then_some("augmentation: scales are one number or more in 0.1..2")
        };
        match broken.or_else(|| parameters().or_else(shape).or_else(scales).map(str::to_string)) {
            Some(text) => Err(Error::invalid(text)),
            None => Ok(()),
        }
    }
}
