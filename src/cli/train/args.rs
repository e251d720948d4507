//! The arguments of `srcnn-gpu train`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use srcnn_gpu::degrade::Degradation;
use srcnn_gpu::train::Scales;
use srcnn_gpu::train::config::{Limit, TimeSpan};
use srcnn_gpu::train::recipe::{Overrides, Recipe};
use srcnn_gpu::{Architecture, Channels, Error, Padding, Result};

use super::dictionary::DictionaryArgs;
use crate::cli::args::gpu::GpuArgs;
use crate::cli::args::padding_but;

/// Train a network on folders of pictures
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu train T91 --val VAL --watch Set5 -s 3 -o runs/x3 --time 30m
  srcnn-gpu train --resume runs/x3 --time 10m
  srcnn-gpu train T91 -s 2 -o runs/x2 --init runs/x3 --lr 0.001
  srcnn-gpu train T91 -s 3 --method anr -o anr_x3.safetensors

The run's folder gets the best weights (best.safetensors), all settings (config.toml), the measurements
(metrics.jsonl, curve.svg) and what --resume needs. Ctrl-C saves and ends the run. `eval -m runs/x3` measures it.")]
pub struct TrainArgs {
    /// Folders of training pictures, with their subfolders, or single pictures
    #[arg(value_name = "DATA", conflicts_with = "resume", required_unless_present_any = ["resume", "config", "method"])]
    pub data: Vec<PathBuf>,

    /// Folder for the run; it must not hold one already
    #[arg(short, long, value_name = "RUN", required_unless_present = "resume", help_heading = "The run")]
    pub output: Option<PathBuf>,
    /// Continue the run in this folder, bit for bit as if it had not been interrupted. Only --val, --watch, --lr, the limit and
    /// the intervals can change
    #[arg(long, value_name = "RUN", conflicts_with = "output", help_heading = "The run")]
    pub resume: Option<PathBuf>,
    /// Folder of pictures to measure the network on as it trains, and to choose the best weights by; repeatable. Pictures that
    /// results are compared on, such as those of Set5, do not belong here
    #[arg(long, value_name = "DIR", help_heading = "The run")]
    pub val: Vec<PathBuf>,
    /// Folder of pictures to measure and draw beside those of --val, without choosing anything by them, such as Set5; repeatable
    #[arg(long, value_name = "DIR", help_heading = "The run")]
    pub watch: Vec<PathBuf>,
    /// Stop after this many steps of the whole run [default of the recipe fast: 50000]
    #[arg(long, value_name = "N", group = "limit", help_heading = "The run")]
    pub steps: Option<u64>,
    /// Stop after this many sub-images of the whole run [default of the recipe paper: 800000000]
    #[arg(long, value_name = "N", group = "limit", help_heading = "The run")]
    pub backprops: Option<u64>,
    /// Stop after this time of training, such as 90s, 30m or 2h; with --resume, go on for so much longer. Reading pictures,
    /// compiling kernels and the first evaluation do not count
    #[arg(long, value_name = "TIME", group = "limit", help_heading = "The run")]
    pub time: Option<TimeSpan>,
    /// Steps from one evaluation to the next [default: a twentieth of --steps, --backprops or --time; without these, 500
    /// (fast) or 1000 (paper)]
    #[arg(long, value_name = "STEPS", help_heading = "The run")]
    pub eval_every: Option<u64>,
    /// Steps from one checkpoint to the next [default: 500 (fast) or 1000 (paper)]
    #[arg(long, value_name = "STEPS", help_heading = "The run")]
    pub save_every: Option<u64>,
    /// Print events as JSON, one object a line
    #[arg(long, help_heading = "The run")]
    pub json: bool,

    /// Scale to train for: a whole number from 1 to 16, or several such as 2,3,4 for one network. 1 restores pictures in
    /// place, with --degradation
    #[arg(
        short,
        long,
        value_name = "N",
        conflicts_with = "resume",
        required_unless_present_any = ["resume", "config", "method"],
        allow_negative_numbers = true,
        help_heading = "The network"
    )]
    pub scale: Option<Scales>,
    /// Filter sizes of the layers [default: 9-1-5]
    #[arg(long, value_name = "SIZES", conflicts_with = "resume", help_heading = "The network")]
    pub arch: Option<String>,
    /// Filter counts of all layers but the last [default: 64-32]
    #[arg(long, value_name = "COUNTS", conflicts_with = "resume", help_heading = "The network")]
    pub filters: Option<String>,
    /// What the network works on: luminance (y), ycbcr or rgb [default: y]
    #[arg(
        long,
        value_name = "CHANNELS",
        conflicts_with = "resume",
        value_parser = channels(),
        hide_possible_values = true,
        help_heading = "The network"
    )]
    pub channels: Option<Channels>,
    /// What the trained network will see beyond a picture's edges: replicate, normalized or zero [default: replicate]
    #[arg(
        long,
        value_name = "MODE",
        conflicts_with = "resume",
        value_parser = padding_but(Padding::Valid),
        hide_possible_values = true,
        help_heading = "The network"
    )]
    pub padding: Option<Padding>,
    /// Begin with the weights of another network: small, large, a weight file or the folder of a run, for any scale, with the
    /// same filter counts, filters no larger and no more layers; those that it lacks before the last begin as the identity
    #[arg(long, value_name = "NAME|FILE|RUN", conflicts_with = "resume", help_heading = "The network")]
    pub init: Option<PathBuf>,

    /// Where all settings come from that no flag gives: fast (good results soon) or paper (as its text has it) [default: fast]
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "resume",
        value_parser = recipes(),
        hide_possible_values = true,
        help_heading = "Training"
    )]
    pub recipe: Option<Recipe>,
    /// Settings in TOML, such as a run's config.toml; they replace the recipe's, and flags replace them
    #[arg(long, value_name = "FILE", conflicts_with = "resume", help_heading = "Training")]
    pub config: Option<PathBuf>,
    /// Learning rate: one for all layers, or a list with one for each [default: 0.01, last layer 0.003 (fast), or 0.0001,
    /// last layer 0.00001 (paper)]
    #[arg(long, value_name = "RATE", value_delimiter = ',', help_heading = "Training")]
    pub lr: Vec<f64>,
    /// Keep an average of the weights along the run beside them, of which each step keeps this share, such as 0.999: it is measured
    /// too, and the better of both is kept; 0 for none [default: 0]
    #[arg(long, value_name = "SHARE", conflicts_with = "resume", help_heading = "Training")]
    pub average: Option<f64>,
    /// Sub-images in a step [default: 32 (fast) or 128 (paper)]
    #[arg(long, value_name = "N", conflicts_with = "resume", help_heading = "Training")]
    pub batch: Option<usize>,
    /// Width and height of a sub-image in pixels [default: 33, or 32 if the scale divides that]
    #[arg(long, value_name = "N", conflicts_with = "resume", help_heading = "Training")]
    pub patch: Option<usize>,
    /// Pixels from one sub-image to the next [default: 14]
    #[arg(long, value_name = "N", conflicts_with = "resume", help_heading = "Training")]
    pub stride: Option<usize>,
    /// How pictures lose their quality, a chain of blur:SIGMA, bicubic, subsample, gaussian:SIGMA, noise:SIGMA, jpeg:QUALITY and
    /// webp:QUALITY, such as blur:0..1,bicubic,jpeg:30..95@0.8: ranges are drawn for each picture, @ is the share of pictures
    /// [default: bicubic]
    #[arg(long, value_name = "HOW", conflicts_with = "resume", help_heading = "Training")]
    pub degradation: Option<Degradation>,
    /// Padding around a sub-image while training: valid (none, as in the paper), zero or normalized [default: valid]
    #[arg(
        long,
        value_name = "MODE",
        conflicts_with = "resume",
        value_parser = padding_but(Padding::Replicate),
        hide_possible_values = true,
        help_heading = "Training"
    )]
    pub train_padding: Option<Padding>,
    /// Seed of the first weights and of the order of the sub-images [default: 0]
    #[arg(long, value_name = "N", conflicts_with = "resume", help_heading = "Training")]
    pub seed: Option<u32>,

    #[command(flatten)]
    pub dictionary: DictionaryArgs,

    #[command(flatten)]
    pub gpu: GpuArgs,
    /// Begin with the usual kernels, also where `bench --tune` has found faster ones for this adapter and network
    #[arg(long, conflicts_with = "resume", help_heading = "Computing")]
    pub no_autotune: bool,
}

fn channels() -> impl TypedValueParser<Value = Channels> {
    PossibleValuesParser::new(Channels::NAMES).try_map(|name| name.parse::<Channels>())
}

fn recipes() -> impl TypedValueParser<Value = Recipe> {
    PossibleValuesParser::new(Recipe::NAMES).try_map(|name| name.parse::<Recipe>())
}

/// Layers of the network unless --arch says otherwise.
const LAYERS: usize = 3;

impl TrainArgs {
    /// Makes sure that filter counts are given where the default ones are for another number of layers.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn check_counts(&self, has_file: bool) -> Result<()> {
        let Some(arch) = self.arch.as_ref().filter(|_| self.filters.is_none() && !has_file) else {
            return Ok(());
        };
        let layers = arch.split('-').count();
        if layers == LAYERS {
            return Ok(());
        }
        let counts = ["64"].into_iter().chain(std::iter::repeat("32")).take(layers.saturating_sub(1));
        let counts = counts.collect::<Vec<_>>().join("-");
        // The sizes themselves may be wrong.
        Architecture::parse(arch, &counts, 1)?;
        Err(Error::invalid(format!(
            "--arch {arch} has {layers} layers and needs --filters, a count for each layer but the last, such as \
             --filters {counts}"
        )))
    }

    /// What the flags say about the configuration.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            recipe: self.recipe,
            data: self.data.clone(),
            val: self.val.clone(),
            watch: self.watch.clone(),
            scale: self.scale.clone(),
            arch: self.arch.clone(),
            filters: self.filters.clone(),
            channels: self.channels,
            seed: self.seed,
            batch: self.batch,
            patch: self.patch,
            stride: self.stride,
            degradation: self.degradation,
            learning_rates: self.lr.clone(),
            limit: self
                .steps
                .map(Limit::Steps)
                .or(self.backprops.map(Limit::Backprops))
                .or(self.time.map(Limit::Time)),
            average: self.average,
            init: self.init.clone(),
            train_padding: self.train_padding,
            padding: self.padding,
            eval_every: self.eval_every,
            save_every: self.save_every,
        }
    }
}
