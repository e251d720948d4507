//! `srcnn-gpu upscale`: the main job.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use srcnn_gpu::headless::HeadlessOptions;
use srcnn_gpu::{Error, Padding, Precision, Result};

use crate::cli::jobs::{Plan, Request, Shard, fingerprint};
use crate::cli::models::{Model, ModelArgs, load_models};
use crate::cli::output::Existing;
use crate::cli::precision::PrecisionArgs;
use crate::cli::progress::{self, Mode};
use crate::cli::trust::TrustArgs;
use crate::cli::tuning::TuneArgs;
use crate::cli::{GpuArgs, stop};
use srcnn_gpu::picture::available_memory;

mod args;
mod bands;
mod budget;
mod enlarge;
mod family;
mod frames;
mod pipeline;
mod ready;
mod report;
mod size;
mod steps;
mod stream;
mod video;

pub use args::Format;
use args::PictureArgs;
use family::Threads;
pub use family::is_family_flag;
use pipeline::Pipeline;
use report::{Reporter, Show};
pub use size::SizeArgs;
use stream::Streams;
use video::VideoArgs;

/// Enlarge pictures.
#[derive(Debug, Args)]
pub struct UpscaleArgs {
    /// Pictures, folders whose pictures are taken, patterns such as 'scans/*.png', @FILE with a list of them, - for the
    /// standard input
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The same as an option, for scripts; repeatable
    #[arg(short, long = "input", value_name = "INPUT")]
    input: Vec<PathBuf>,
    /// File or folder to write, - for the standard output; else {name}_srcnn_x{scale}.{ext} beside each input
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    picture: PictureArgs,
    #[command(flatten)]
    model: ModelArgs,
    /// Name of the weight file in the folder that --model names
    #[arg(short = 'n', long, value_name = "NAME", allow_hyphen_values = true)]
    model_name: Option<String>,
    /// Edge of a tile in output pixels, 0 for what suits the adapter; of several, one for each adapter
    #[arg(short, long, value_parser = family::tile, value_delimiter = ',', allow_negative_numbers = true)]
    tile: Vec<u32>,
    #[command(flatten)]
    gpu: GpuArgs,
    /// What the network sees outside of the picture, other than its weight file says
    #[arg(long, value_name = "MODE", value_parser = padding())]
    padding: Option<Padding>,
    #[command(flatten)]
    precision: PrecisionArgs,
    #[command(flatten)]
    batch: BatchArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    tune: TuneArgs,
    #[command(flatten)]
    video: VideoArgs,
}

impl UpscaleArgs {
    /// Reads the networks that are asked for.
    fn models(&self) -> Result<Vec<Model>> {
        load_models(&family::models(&self.model.model, self.model_name.as_deref())?)
    }

    /// Settings for one of the devices, counted from 0.
    fn headless(&self, device: usize) -> HeadlessOptions {
        let tile = self.tile.get(device).or(self.tile.last()).copied().filter(|&tile| tile > 0);
        let precision = self.precision.precision;
        let options =
            HeadlessOptions { padding: self.padding, tile, precision, ..HeadlessOptions::default() };
        self.trust.apply(options)
    }
}

/// How many pictures are worked on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Many pictures")]
pub struct BatchArgs {
    /// Take the pictures in folders of folders too; the output folder gets the same folders
    #[arg(short, long)]
    recursive: bool,
    /// What to do with outputs that exist; a single named file is overwritten, others are skipped
    #[arg(long, value_enum, value_name = "WHAT")]
    existing: Option<Existing>,
    /// Do the Ith of N parts of the work; env takes I and N from Slurm's array jobs and Kubernetes' indexed jobs
    #[arg(long, value_name = "I/N", value_parser = Shard::parse)]
    shard: Option<Shard>,
    /// Threads that read, compute and write; one thread for each adapter computes, whatever is said here
    #[arg(short, long, value_name = "LOAD:COMPUTE:SAVE")]
    jobs: Option<Threads>,
    /// Stop at the first failure; what is under way is finished
    #[arg(long)]
    fail_fast: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print events as lines of JSON instead of the paths of results
    #[arg(long)]
    json: bool,
}

/// The library's names of the padding modes; `eval` takes the same.
pub fn padding() -> impl TypedValueParser<Value = Padding> {
    PossibleValuesParser::new(Padding::NAMES).try_map(|name| name.parse::<Padding>())
}

/// Enlarges all inputs. One that fails is told and does not stop the others.
///
/// # Errors
/// What makes all work pointless: arguments, the model, the adapter, the output folder.
pub fn run(args: &UpscaleArgs) -> Result<u8> {
    let inputs: Vec<PathBuf> = args.inputs.iter().chain(&args.input).cloned().collect();
    let batch = &args.batch;
    if args.video.wanted(&inputs)? {
        if batch.json || batch.dry_run || batch.shard.is_some() {
            return Err(Error::invalid("--json, --dry-run and --shard are for pictures, not for video"));
        }
        return video::run(args, &inputs);
    }
    let json = batch.json || progress::mode() == Mode::Json;
    let streams = Streams::new(&inputs, args.output.as_deref())?;
    let to_stdout = streams.as_ref().is_some_and(|streams| streams.to_stdout);
    if to_stdout && (json || batch.dry_run) {
        return Err(Error::invalid(
            "a picture on the standard output leaves no room for --json and --dry-run",
        ));
    }
    let (inputs, output) = match &streams {
        Some(streams) => (&streams.inputs, streams.output.as_deref()),
        None => (&inputs, args.output.as_deref()),
    };
    let models = args.models()?;
    let mut plan = Plan::new(&Request {
        inputs,
        output,
        naming: args.picture.naming(),
        existing: batch.existing,
        recursive: batch.recursive,
        shard: batch.shard,
        settings: (!to_stdout).then(|| settings(args, &models)).transpose()?,
    })?;
    let jobs = std::mem::take(&mut plan.jobs);
    if !batch.dry_run {
        plan.prepare_folder()?;
    }
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    let show = match (json, to_stdout) {
        (true, _) => Show::Events,
        (_, true) => Show::Nothing,
        _ => Show::Paths,
    };
    let reporter = Arc::new(Reporter::new(show, &jobs, &names.join(", "), batch.dry_run));
    let pipeline = Pipeline::new(args, &plan, &models, &reporter, available_memory() / 2);
    if batch.dry_run {
        pipeline.plan(jobs);
        return reporter.finish(None);
    }
    let (farewell, temporary) = (reporter.clone(), streams.as_ref().map(Streams::folder));
    stop::at_once(move |code| {
        farewell.interrupted(code);
        if let Some(folder) = temporary {
            // Nobody is left to be told.
            let _ = std::fs::remove_dir_all(folder);
        }
    })?;
    let fatal = pipeline.run(jobs, batch.jobs.unwrap_or_default());
    let code = reporter.finish(fatal)?;
    streams.map_or(Ok(()), |streams| streams.finish())?;
    Ok(code)
}

/// Everything that the results depend on besides the pictures.
fn settings(args: &UpscaleArgs, models: &[Model]) -> Result<String> {
    let mut settings = format!("{:?} {:?} {}", args.picture, args.padding, args.trust.tta);
    // Results of older versions of this program were computed in single precision, and stay.
    if args.precision.precision != Precision::F32 {
        settings.push_str(&format!(" {}", args.precision.precision));
    }
    for model in models {
        settings.push_str(&format!(" {:016x}", fingerprint(&model.weights.to_safetensors()?)));
    }
    Ok(settings)
}
