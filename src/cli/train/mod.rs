//! `srcnn-gpu train`: trains a network on folders of pictures.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use srcnn_gpu::bounded;
use srcnn_gpu::headless::{Gpu, cache_folder};
use srcnn_gpu::ranks::launcher::launched;
use srcnn_gpu::train::checkpoint::Checkpoint;
use srcnn_gpu::train::config::{Limit, TimeSpan, TrainConfig};
use srcnn_gpu::train::dataset::{Dataset, SHARD_BYTES};
use srcnn_gpu::train::engine::GpuEngine;
use srcnn_gpu::train::event::Event;
use srcnn_gpu::train::init::first_state;
use srcnn_gpu::train::recipe::{override_parts, resolve};
use srcnn_gpu::train::run::{Record, RunFolder};
use srcnn_gpu::train::session::{Outcome, Session};
use srcnn_gpu::train::validate::{Validate, Validator};
use srcnn_gpu::train::{State, TrainEngine, tune};
use srcnn_gpu::{Error, Reason, Result};

use crate::cli::args::models::load_one;
use crate::cli::output::print;
use crate::cli::progress::{self, Mode};
use crate::cli::{exit, stop};
pub use args::TrainArgs;
use events::EventPrinter;
use srcnn_gpu::jobs::warn_of_results;

mod args;
mod dictionary;
mod events;
#[cfg(feature = "mpi")]
mod ranks;

/// Set by Ctrl-C and SIGTERM: the run saves and ends after the current block of steps.
static STOP: AtomicBool = AtomicBool::new(false);
/// The exit code of the signal.
static CODE: AtomicU8 = AtomicU8::new(exit::INTERRUPTED);

/// Trains until the limit, Ctrl-C or SIGTERM.
///
/// # Errors
/// Whatever prevents the run from starting or continuing. Its last checkpoint stays.
pub fn run(args: &TrainArgs) -> Result<u8> {
    if let Some(launched) = launched() {
        #[cfg(feature = "mpi")]
        return ranks::run(args, launched);
        #[cfg(not(feature = "mpi"))]
        log::warn!(
            "started as one of {} processes: each trains by itself, since the program was built without the feature mpi",
            launched.size
        );
    }
    if let Some(code) = dictionary::run(args)? {
        return Ok(code);
    }
    let json = is_json(args);
    let printer = EventPrinter::new(json);
    let mut plan = match plan(args)? {
        Planned::Complete(event, best) => return tell_complete(printer, json, &event, &best),
        Planned::Run(plan) => plan,
    };
    let data = plan.open_data()?;
    let gpu = args.gpu.open()?;
    if let Some(folder) = cache_folder().filter(|_| args.resume.is_none() && !args.no_autotune) {
        let tuned = tune::stored(&gpu, &plan.config.architecture()?, &folder);
        plan.config.kernels = tuned.map(|tuned| tuned.best.to_string());
    }
    let printer = Arc::new(Mutex::new(printer));
    printer.lock().preparing();
    let mut validator = open_validation(&gpu, &plan.config)?;
    let engine = GpuEngine::new(&gpu, &plan.config, data.clone(), &plan.state)?;
    let mut engine = engine.with_progress(tell_degrading(&printer));
    let validation = validator.as_mut().map(|v| v as &mut dyn Validate);
    let ended = session(args, plan, &data, &printer, &mut engine, validation)?;
    finish(&printer, json, &ended)
}

/// Whether events are printed as JSON.
fn is_json(args: &TrainArgs) -> bool {
    args.json || progress::mode() == Mode::Json
}

/// What is known of a run before anything is opened.
struct Plan {
    existing: Option<RunFolder>,
    checkpoint: Option<Checkpoint>,
    config: TrainConfig,
    state: State,
}

enum Planned {
    /// The run was complete before: how it ended, and its best weights.
    Complete(Event, PathBuf),
    Run(Box<Plan>),
}

/// Reads what the arguments name. What can be wrong comes before what takes long.
///
/// # Errors
/// What is wrong with the arguments, the run's folder, its configuration or its checkpoint.
fn plan(args: &TrainArgs) -> Result<Planned> {
    let flags = args.overrides();
    let (existing, mut config) = match &args.resume {
        Some(path) => {
            let (mut folder, mut config) = RunFolder::open(path)?;
            folder.lock()?;
            override_parts(&mut config, &flags)?;
            (Some(folder), config)
        }
        None => {
            let file = args.config.as_deref().map(read_config).transpose()?;
            args.check_counts(file.is_some())?;
            (None, resolve(file.as_deref(), &flags)?)
        }
    };
    let checkpoint = existing.as_ref().map(RunFolder::load_checkpoint).transpose()?.flatten();
    match (&existing, &checkpoint) {
        (Some(folder), Some(checkpoint)) => {
            go_on(args, &mut config, checkpoint)?;
            if is_complete(folder, &config, checkpoint)? {
                return Ok(Planned::Complete(end_of(checkpoint), folder.best()));
            }
        }
        (Some(folder), None) => {
            log::warn!("{}: no checkpoint yet, the run starts from the beginning", folder.path().display());
        }
        (None, _) => args.output.as_deref().map_or(Ok(()), RunFolder::can_be)?,
    }
    let state = begin(&config, checkpoint.as_ref())?;
    Ok(Planned::Run(Box::new(Plan { existing, checkpoint, config, state })))
}

/// Tells that a run was complete before.
fn tell_complete(mut printer: EventPrinter, json: bool, event: &Event, best: &Path) -> Result<u8> {
    match json {
        true => printer.print(event),
        false => print(best.display())?,
    }
    printer.printed.map(|()| exit::DONE)
}

impl Plan {
    /// Looks through the pictures.
    ///
    /// # Errors
    /// [`Error::Picture`] where there are none, and as [`Session::check`].
    fn open_data(&self) -> Result<Arc<Dataset>> {
        let data = open_data(&self.config)?;
        if let Some(checkpoint) = &self.checkpoint {
            Session::check(checkpoint, &self.config, &data.fingerprint)?;
        }
        Ok(data)
    }
}

fn open_data(config: &TrainConfig) -> Result<Arc<Dataset>> {
    let folders = [config.val.as_slice(), &config.watch].concat();
    Validator::check(&folders)?;
    warn_of_results(&config.data);
    warn_of_results(&folders);
    Ok(Arc::new(Dataset::open(config, SHARD_BYTES)?))
}

fn open_validation(gpu: &Gpu, config: &TrainConfig) -> Result<Option<Validator>> {
    if config.val.is_empty() {
        log::warn!("no validation pictures (--val): the quality of the network is not measured");
        return Ok(None);
    }
    Validator::open(gpu.clone(), config).map(Some)
}

/// How a run ended, and its best weights.
struct Ended {
    outcome: Outcome,
    best: PathBuf,
}

/// Runs a session in its folder.
fn session(
    args: &TrainArgs,
    plan: Box<Plan>,
    data: &Dataset,
    printer: &Mutex<EventPrinter>,
    engine: &mut dyn TrainEngine,
    validation: Option<&mut (dyn Validate + '_)>,
) -> Result<Ended> {
    let Plan { existing, checkpoint, config, .. } = *plan;
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
    catch_signals()?;
    let mut tell = |event: &Event| printer.lock().print(event);
    let session = Session {
        config: &config,
        folder: &folder,
        engine,
        validation: validation.map(|validation| validation as &mut dyn Validate),
        data: (data.len(), data.fingerprint.clone()),
        stop: &STOP,
        tell: &mut tell,
    };
    let outcome = session.run(checkpoint.as_ref())?;
    Ok(Ended { outcome, best: folder.best() })
}

/// Ctrl-C and SIGTERM end the run after the current block of steps.
fn catch_signals() -> Result<()> {
    stop::on_wish(|code| {
        CODE.store(code, Ordering::Relaxed);
        STOP.store(true, Ordering::Relaxed);
    })
}

/// Ends the reports of a run: what was printed, and the bar, come before the path of the result.
fn finish(printer: &Mutex<EventPrinter>, json: bool, ended: &Ended) -> Result<u8> {
    std::mem::replace(&mut *printer.lock(), EventPrinter::new(json)).printed?;
    if !json {
        print(ended.best.display())?;
    }
    Ok(if ended.outcome == Outcome::Done { exit::DONE } else { CODE.load(Ordering::Relaxed) })
}

/// Tells how far the pictures are that steps wait for.
fn tell_degrading(printer: &Arc<Mutex<EventPrinter>>) -> impl Fn(usize, usize) + Send + Sync + use<> {
    let printer = printer.clone();
    move |done, total| printer.lock().print(&Event::Degrade { done, total })
}

/// Sets the limit of a run that is continued: `--time` is what it gets in addition.
///
/// # Errors
/// [`Error::InvalidArgument`] when the flags ask for something, but leave the run no step to do.
fn go_on(args: &TrainArgs, config: &mut TrainConfig, checkpoint: &Checkpoint) -> Result<()> {
    let (steps, elapsed) = (checkpoint.state.step, checkpoint.elapsed);
    if let Some(TimeSpan(more)) = args.time {
        // In whole seconds, as the configuration has it.
        let done = Duration::from_secs(elapsed.as_secs_f64().ceil() as u64);
        config.limit = Limit::Time(TimeSpan(done.saturating_add(more)));
    }
    if !config.is_over(steps, elapsed) {
        return Ok(());
    }
    let backprops = checkpoint.backprops;
    let advice = format!(
        "--steps above {steps}, --backprops above {backprops}, or --time for that much longer continues it"
    );
    if args.steps.is_some() || args.backprops.is_some() {
        return Err(Error::invalid(format!("the run has done {steps} steps already; {advice}")));
    }
    let limit = config.limit;
    if !args.lr.is_empty() {
        return Err(Error::invalid(format!("the run is complete, at its limit of {limit}; {advice}")));
    }
    log::warn!("the run is complete, at its limit of {limit}: nothing is left to do; {advice}");
    Ok(())
}

/// Whether nothing is left of a run: no step, and no last evaluation.
///
/// # Errors
/// As [`RunFolder::records`].
fn is_complete(folder: &RunFolder, config: &TrainConfig, checkpoint: &Checkpoint) -> Result<bool> {
    let step = checkpoint.state.step;
    if !config.is_over(step, checkpoint.elapsed) {
        return Ok(false);
    }
    let is_measured = |record: &Record| matches!(record, Record::Eval(record) if record.step == step);
    Ok(config.val.is_empty() || folder.records()?.iter().any(is_measured))
}

/// How a run ended that was complete before.
fn end_of(checkpoint: &Checkpoint) -> Event {
    Event::End {
        step: checkpoint.state.step,
        psnr: checkpoint.best,
        seconds: checkpoint.elapsed.as_secs_f64(),
        interrupted: false,
    }
}

/// The checkpoint's state, or that of `--init`, or a drawn one.
fn begin(config: &TrainConfig, checkpoint: Option<&Checkpoint>) -> Result<State> {
    if let Some(checkpoint) = checkpoint {
        return Ok(checkpoint.state.clone());
    }
    let Some(file) = &config.init else { return first_state(config, None) };
    let trained = load_one(file, Some(config.scale.middle() as f64))?;
    first_state(config, Some(&trained)).map_err(|error| match error {
        Error::InvalidArgument(reason) => {
            let (network, channels) = (trained.architecture(), trained.metadata.channels);
            let (sizes, filters) = (network.sizes(), network.filters());
            let flags = format!("--arch {sizes} --filters {filters} --channels {channels}");
            Error::invalid(format!("--init {}: {reason}; {flags} goes on with it", file.display()))
        }
        other => other,
    })
}

fn read_config(path: &Path) -> Result<String> {
    // A configuration takes a few hundred bytes.
    bounded::read_text(path, 1 << 20).map_err(|e| Error::invalid(Reason::from(e).within(path.display())))
}
