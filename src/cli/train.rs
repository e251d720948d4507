//! `srcnn-gpu train`: trains a network on folders of pictures.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use srcnn_gpu::bounded;
use srcnn_gpu::degrade::Degradation;
use srcnn_gpu::headless::Gpu;
use srcnn_gpu::train::checkpoint::Checkpoint;
use srcnn_gpu::train::config::{Limit, TimeSpan, TrainConfig};
use srcnn_gpu::train::dataset::{Dataset, SHARD_BYTES};
use srcnn_gpu::train::engine::GpuEngine;
use srcnn_gpu::train::event::Event;
use srcnn_gpu::train::init::{enlarge, initialize};
use srcnn_gpu::train::recipe::{Overrides, Recipe, override_parts, resolve};
use srcnn_gpu::train::run::RunFolder;
use srcnn_gpu::train::session::{Outcome, Session};
use srcnn_gpu::train::validate::{Validate, Validator};
use srcnn_gpu::train::{State, TrainEngine};
use srcnn_gpu::{Channels, Error, Metadata, Padding, Result};

use crate::cli::args::gpu::GpuArgs;
use crate::cli::args::models::load_one;
use crate::cli::args::padding;
use crate::cli::output::{json_line, print};
use crate::cli::progress::{self, Mode, Progress};
use crate::cli::{exit, stop};

/// Train a network on folders of pictures
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Folders of training pictures, including their subfolders, or single pictures
    #[arg(value_name = "DATA", conflicts_with = "resume")]
    data: Vec<PathBuf>,
    /// Scale to train for: an integer from 2 up
    #[arg(short, long, value_name = "N", conflicts_with = "resume")]
    scale: Option<usize>,
    /// Folder for the run; it must not contain one already
    #[arg(short, long, value_name = "RUN", required_unless_present = "resume")]
    output: Option<PathBuf>,
    /// Continue the run in this folder; the result is bit for bit that of an uninterrupted run
    #[arg(long, value_name = "RUN", conflicts_with = "output")]
    resume: Option<PathBuf>,
    /// Folder of pictures for validation while training, such as Set5; repeatable
    #[arg(long, value_name = "DIR")]
    val: Vec<PathBuf>,
    /// Filter sizes [default: 9-1-5]
    #[arg(long, value_name = "SIZES", conflicts_with = "resume")]
    arch: Option<String>,
    /// Filter counts of all layers but the last [default: 64-32]
    #[arg(long, value_name = "COUNTS", conflicts_with = "resume")]
    filters: Option<String>,
    /// The network's channels: y, ycbcr or rgb [default: y]
    #[arg(long, conflicts_with = "resume", value_parser = channels())]
    channels: Option<Channels>,
    /// paper: as in the paper's text; fast: good results soon [default: fast]
    #[arg(long, conflicts_with = "resume", value_parser = recipes())]
    recipe: Option<Recipe>,
    /// File of settings in TOML, such as a run's config.toml; it overrides the recipe, and flags override it
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    config: Option<PathBuf>,
    /// Weight file to start from: for another scale, or of the same network with smaller filters
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    init: Option<PathBuf>,
    /// Stop after this many steps
    #[arg(long, value_name = "N", group = "limit")]
    steps: Option<u64>,
    /// Stop after this many sub-images have gone forward and backward
    #[arg(long, value_name = "N", group = "limit")]
    backprops: Option<u64>,
    /// Stop after this time: 90s, 30m, 2h
    #[arg(long, value_name = "TIME", group = "limit")]
    time: Option<TimeSpan>,
    /// Sub-images per step
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    batch: Option<usize>,
    /// Learning rate: one for all layers, or a list with one per layer
    #[arg(long, value_name = "RATE", value_delimiter = ',')]
    lr: Vec<f64>,
    /// Seed for the initial weights and the order of sub-images
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    seed: Option<u32>,
    /// Width and height of a sub-image
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    patch: Option<usize>,
    /// Distance in pixels between neighboring sub-images
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    stride: Option<usize>,
    /// How the low resolution is made: bicubic, or gaussian:SIGMA
    #[arg(long, value_name = "HOW", conflicts_with = "resume")]
    degradation: Option<Degradation>,
    /// Padding around a sub-image while training: valid (none, as in the paper), zero or normalized
    #[arg(long, value_name = "MODE", conflicts_with = "resume", value_parser = padding())]
    train_padding: Option<Padding>,
    /// Padding that the trained network is for: replicate, normalized or zero
    #[arg(long, value_name = "MODE", conflicts_with = "resume", value_parser = padding())]
    padding: Option<Padding>,
    /// Steps between two checkpoints
    #[arg(long, value_name = "STEPS")]
    save_every: Option<u64>,
    /// Steps between two evaluations
    #[arg(long, value_name = "STEPS")]
    eval_every: Option<u64>,
    /// Print events as JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gpu: GpuArgs,
}

fn channels() -> impl TypedValueParser<Value = Channels> {
    PossibleValuesParser::new(Channels::NAMES).try_map(|name| name.parse::<Channels>())
}

fn recipes() -> impl TypedValueParser<Value = Recipe> {
    PossibleValuesParser::new(Recipe::NAMES).try_map(|name| name.parse::<Recipe>())
}

impl TrainArgs {
    fn overrides(&self) -> Overrides {
        Overrides {
            recipe: self.recipe,
            data: self.data.clone(),
            val: self.val.clone(),
            scale: self.scale,
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
            init: self.init.clone(),
            train_padding: self.train_padding,
            padding: self.padding,
            eval_every: self.eval_every,
            save_every: self.save_every,
        }
    }
}

/// Set by Ctrl-C and SIGTERM: the run saves and ends after the current block of steps.
static STOP: AtomicBool = AtomicBool::new(false);
/// The exit code of the signal.
static CODE: AtomicU8 = AtomicU8::new(exit::INTERRUPTED);

/// Trains until the limit, Ctrl-C or SIGTERM.
///
/// # Errors
/// Whatever prevents the run from starting or continuing. Its last checkpoint stays.
pub fn run(args: &TrainArgs) -> Result<u8> {
    let flags = args.overrides();
    let (existing, config) = match &args.resume {
        Some(path) => {
            let (mut folder, mut config) = RunFolder::open(path)?;
            folder.lock()?;
            override_parts(&mut config, &flags)?;
            (Some(folder), config)
        }
        None => {
            let file = args.config.as_deref().map(read_config).transpose()?;
            (None, resolve(file.as_deref(), &flags)?)
        }
    };
    let data = Arc::new(Dataset::open(&config, SHARD_BYTES)?);
    let checkpoint = existing.as_ref().map(RunFolder::load_checkpoint).transpose()?.flatten();
    match (&existing, &checkpoint) {
        (_, Some(checkpoint)) => Session::check(checkpoint, &config, &data.fingerprint)?,
        (Some(folder), None) => {
            log::warn!("{}: no checkpoint yet, the run starts from the beginning", folder.path().display());
        }
        (None, None) => {}
    }
    let gpu = args.gpu.open()?;
    let mut validator = match config.val.as_slice() {
        [] => {
            log::warn!("no validation pictures (--val): the quality of the network is not measured");
            None
        }
        folders => Some(Validator::open(gpu.clone(), folders, config.scale, config.channels)?),
    };
    let state = first_state(&config, checkpoint.as_ref())?;
    let mut engine = engine(&gpu, &config, data.clone(), &state)?;
    let words: Vec<_> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let command = words.join(" ");
    let folder = match (existing, &args.output) {
        (Some(folder), _) => {
            folder.write_config(&config, &command)?;
            folder
        }
        (None, Some(path)) => RunFolder::create(path, &config, &command)?,
        (None, None) => return Err(Error::invalid("no folder for the run: name one with -o")),
    };
    stop::on_wish(|code| {
        CODE.store(code, Ordering::Relaxed);
        STOP.store(true, Ordering::Relaxed);
    })?;
    let json = args.json || progress::mode() == Mode::Json;
    let mut printer = EventPrinter::new(json);
    let session = Session {
        config: &config,
        folder: &folder,
        engine: &mut *engine,
        validation: validator.as_mut().map(|v| v as &mut dyn Validate),
        data: (data.len(), data.fingerprint.clone()),
        stop: &STOP,
        tell: &mut |event| printer.print(event),
    };
    let outcome = session.run(checkpoint.as_ref())?;
    let printed = std::mem::replace(&mut printer.printed, Ok(()));
    drop(printer);
    printed?;
    if !json {
        print(folder.best().display())?;
    }
    Ok(if outcome == Outcome::Done { exit::DONE } else { CODE.load(Ordering::Relaxed) })
}

/// The engine that computes the steps.
fn engine(
    gpu: &Gpu,
    config: &TrainConfig,
    data: Arc<Dataset>,
    state: &State,
) -> Result<Box<dyn TrainEngine>> {
    Ok(Box::new(GpuEngine::new(gpu, config, data, state)?))
}

fn first_state(config: &TrainConfig, checkpoint: Option<&Checkpoint>) -> Result<State> {
    if let Some(checkpoint) = checkpoint {
        return Ok(checkpoint.state.clone());
    }
    let architecture = config.architecture()?;
    if let Some(file) = &config.init {
        let trained = load_one(file, Some(config.scale as f64))?.weights;
        let layers = enlarge(&architecture, config.channels, &trained).map_err(|error| match error {
            Error::InvalidArgument(reason) => {
                let (network, channels) = (trained.architecture(), trained.metadata.channels);
                let (sizes, filters) = (network.sizes(), network.filters());
                let flags = format!("--arch {sizes} --filters {filters} --channels {channels}");
                Error::invalid(format!("--init {}: {reason}; {flags} goes on with it", file.display()))
            }
            other => other,
        })?;
        return Ok(State::new(layers, config.optimizer.slots()));
    }
    let metadata = Metadata { channels: config.channels, ..Metadata::default() };
    let first = initialize(&architecture, config.initialization, config.seed, metadata)?;
    Ok(State::new(first.layers().to_vec(), config.optimizer.slots()))
}

fn read_config(path: &Path) -> Result<String> {
    // A configuration takes a few hundred bytes.
    bounded::read_text(path, 1 << 20).map_err(|e| Error::invalid(format!("{}: {e}", path.display())))
}

/// Prints a run's events.
struct EventPrinter {
    json: bool,
    progress: Progress,
    /// The first error of printing.
    printed: Result<()>,
}

impl EventPrinter {
    fn new(json: bool) -> Self {
        Self { json, progress: Progress::new("training"), printed: Ok(()) }
    }

    fn print(&mut self, event: &Event) {
        if self.json {
            if self.printed.is_ok() {
                self.printed = json_line(event).and_then(print);
            }
            return;
        }
        match event {
            Event::Start { network, scale, subimages, step, total_steps } => {
                let from = if *step > 0 { format!(", from step {step}") } else { String::new() };
                let to = total_steps.map(|steps| format!(", {steps} steps")).unwrap_or_default();
                self.progress.note(&format!("{network} x{scale} on {subimages} sub-images{to}{from}"));
            }
            Event::Estimate { seconds, total_steps, subimages_per_second } => self.progress.note(&format!(
                "{subimages_per_second:.0} sub-images/s: step {total_steps} in about {}, not counting evaluations",
                about(*seconds)
            )),
            Event::Progress { step, total_steps, loss, psnr, subimages_per_second, seconds_left } => {
                let psnr = psnr.map(|psnr| format!(", {psnr:.2} dB")).unwrap_or_default();
                let left = seconds_left.map(|s| format!(", {} left", about(s))).unwrap_or_default();
                let text = format!("step {step}, loss {loss:.4}{psnr}, {subimages_per_second:.0} sub-images/s{left}");
                self.progress.detail(*step, total_steps.unwrap_or(*step), &text);
            }
            Event::Eval(record) => {
                for set in &record.sets {
                    self.progress.note(&format!(
                        "step {}: {} {:.2} dB (bicubic {:.2}), SSIM {:.4}",
                        record.step, set.set, set.psnr, set.psnr_bicubic, set.ssim
                    ));
                }
            }
            Event::Below { set, psnr, psnr_bicubic } => self.progress.note(&format!(
                "warning: WORSE THAN BICUBIC on {set}: {psnr:.2} dB, plain interpolation reaches {psnr_bicubic:.2}"
            )),
            Event::End { step, seconds, interrupted, .. } => {
                let what = if *interrupted { "interrupted and saved" } else { "done" };
                let more = if *interrupted { "; continue with --resume" } else { "" };
                self.progress.note(&format!("{what} at step {step} after {}{more}", about(*seconds)));
            }
            Event::Step(_) | Event::Saved { .. } => {}
        }
    }
}

/// A time in its two largest units.
fn about(seconds: f64) -> String {
    let unit = match seconds {
        s if s >= 86400.0 => 3600.0,
        s if s >= 3600.0 => 60.0,
        _ => 1.0,
    };
    TimeSpan(Duration::from_secs(((seconds / unit).round() * unit) as u64)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (seconds, text) in [(0.2, "0s"), (59.7, "1m"), (3725.0, "1h2m"), (400_000.0, "4d15h")] {
            assert_eq!(about(seconds), text);
        }
    }

    #[test]
    fn events_as_json() {
        let event = Event::Below { set: "Set5".into(), psnr: 20.0, psnr_bicubic: f64::NAN };
        let line = json_line(&event).unwrap();
        assert_eq!(line, r#"{"v":1,"event":"below","set":"Set5","psnr":20.0,"psnr_bicubic":null}"#);
    }
}
