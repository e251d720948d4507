//! The arguments of `srcnn-gpu upscale`.

use std::path::PathBuf;

use clap::Args;
use srcnn_gpu::headless::HeadlessOptions;
use srcnn_gpu::stages::PictureArgs;
use srcnn_gpu::{Padding, Precision, Result};

use super::ffmpeg::VideoArgs;
use super::ncnn_cli::{self, Threads};
use crate::cli::args::checks::CheckArgs;
use crate::cli::args::gpu::GpuArgs;
use crate::cli::args::models::{Model, ModelArgs, load_models, only_networks, usable};
use crate::cli::args::padding;
use crate::cli::args::precision::PrecisionArgs;
use crate::cli::args::tuning::TuneArgs;
use crate::cli::output::Existing;
use srcnn_gpu::jobs::Shard;

/// Enlarge pictures and video
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu upscale photo.jpg
  srcnn-gpu upscale photo.jpg -s 3 -o large.png
  srcnn-gpu upscale photo.jpg -s 1 -o clean.png
  srcnn-gpu upscale holiday -r -o enlarged
  srcnn-gpu upscale clip.mp4 -o large.mp4
  srcnn-gpu upscale scans --fit 3840x2160 -f jpg -q 90 -o for-the-screen")]
pub struct UpscaleArgs {
    /// Pictures or videos, folders of them, patterns such as 'scans/*.png', @FILE with a list of them, - for the standard
    /// input
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The same as an option, for scripts; repeatable
    #[arg(short, long = "input", value_name = "INPUT")]
    input: Vec<PathBuf>,
    /// File or folder to write, - for the standard output [default: {name}_srcnn_x{scale}.{ext} beside each input]
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub picture: PictureArgs,
    #[command(flatten)]
    model: ModelArgs,
    /// Name of the weight file in the folder that --model names
    #[arg(short = 'n', long, value_name = "NAME", allow_hyphen_values = true, help_heading = "Network")]
    model_name: Option<String>,
    /// Largest width and height of a tile in pixels of the result; 0 is what suits the adapter. A list has one for each adapter
    #[arg(
        short, long, value_name = "PIXELS", value_parser = ncnn_cli::tile, value_delimiter = ',',
        allow_negative_numbers = true, help_heading = "Computing"
    )]
    tile: Vec<u32>,
    #[command(flatten)]
    pub gpu: GpuArgs,
    /// What the network sees beyond the picture's edges, instead of what its weight file says: replicate, normalized, zero or
    /// valid
    #[arg(long, value_name = "MODE", value_parser = padding(), hide_possible_values = true, help_heading = "Network")]
    pub padding: Option<Padding>,
    #[command(flatten)]
    pub precision: PrecisionArgs,
    #[command(flatten)]
    pub batch: BatchArgs,
    #[command(flatten)]
    pub checks: CheckArgs,
    #[command(flatten)]
    pub tune: TuneArgs,
    #[command(flatten)]
    pub video: VideoArgs,
}

/// Which inputs to process, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Many pictures")]
pub struct BatchArgs {
    /// Include the pictures in subfolders; the output folder gets the same subfolders
    #[arg(short, long)]
    pub recursive: bool,
    /// What to do with outputs that exist [default: overwrite a single named file, skip all others]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub existing: Option<Existing>,
    /// Process the Ith of N parts of the inputs; env takes I and N from a Slurm array job, a Kubernetes indexed job, or a rank
    /// of mpirun or srun [default: the part of the rank; without ranks, all]
    #[arg(long, value_name = "I/N", value_parser = Shard::parse)]
    pub shard: Option<Shard>,
    /// Threads that read, compute and write; computing always takes one thread per adapter, whatever the middle number
    #[arg(short, long, value_name = "LOAD:COMPUTE:SAVE")]
    pub jobs: Option<Threads>,
    /// Stop at the first failure, after finishing the pictures already begun
    #[arg(long)]
    pub fail_fast: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print events as lines of JSON instead of the paths of results
    #[arg(long)]
    pub json: bool,
}

impl UpscaleArgs {
    /// All inputs, however they were given.
    pub fn inputs(&self) -> Vec<PathBuf> {
        self.inputs.iter().chain(&self.input).cloned().collect()
    }

    /// Reads the networks that are asked for. Without any, that is deblock for factor 1, and small for others; for pictures,
    /// photo besides, which those with the traces of compression get.
    ///
    /// # Errors
    /// As [`ncnn_cli::models`], [`load_models`] and [`usable`].
    pub fn models(&self, pictures: bool) -> Result<Vec<Model>> {
        let choices = ncnn_cli::models(&self.model.model, self.model_name.as_deref())?;
        let factor = self.picture.size.factor();
        if choices.is_empty() {
            return Model::usual(factor, pictures);
        }
        let models = load_models(&choices)?;
        // Known before any picture is.
        if let Some(factor) = factor {
            usable(&models, factor, None)?;
        }
        for (flag, is_set) in [
            ("--tta", self.checks.tta),
            ("--verify", self.checks.verify),
            ("--precision", self.precision.precision != Precision::F32),
            ("--padding", self.padding.is_some()),
        ] {
            if is_set {
                only_networks(&models, flag)?;
            }
        }
        Model::with_clean(models)
    }

    /// Options for one of the devices, counted from 0.
    pub fn headless(&self, device: usize) -> HeadlessOptions {
        let tile = self.tile.get(device).or(self.tile.last()).copied().filter(|&tile| tile > 0);
        let precision = self.precision.precision;
        let options =
            HeadlessOptions::default().with_padding(self.padding).with_tile(tile).with_precision(precision);
        self.checks.apply(options)
    }
}
