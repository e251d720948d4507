//! The function `train`: a training run, as the program does it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyString;
use srcnn_gpu::enlarge::{Model, nearest};
use srcnn_gpu::headless::AdapterSelection;
use srcnn_gpu::train::checkpoint::Checkpoint;
use srcnn_gpu::train::config::{Limit, TimeSpan, TrainConfig};
use srcnn_gpu::train::dataset::{Dataset, SHARD_BYTES};
use srcnn_gpu::train::engine::GpuEngine;
use srcnn_gpu::train::event::Event;
use srcnn_gpu::train::init::first_state;
use srcnn_gpu::train::recipe::{Overrides, override_parts, resolve};
use srcnn_gpu::train::run::RunFolder;
use srcnn_gpu::train::session::Session;
use srcnn_gpu::train::validate::{Validate, Validator};
use srcnn_gpu::train::{Scales, State};
use srcnn_gpu::{Error, Result};

use crate::errors::{invalid, raise};
use crate::options::{open, selection};
use crate::weights::Weights;

/// One path, or several.
fn paths(value: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<PathBuf>> {
    match value {
        None => Ok(Vec::new()),
        Some(one) if one.cast::<PyString>().is_ok() || one.hasattr("__fspath__")? => Ok(vec![one.extract()?]),
        Some(several) => several.extract(),
    }
}

/// One scale, or several.
fn scales(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Scales>> {
    let Some(value) = value else { return Ok(None) };
    let several = value.extract::<usize>().map(|one| vec![one]).or_else(|_| value.extract::<Vec<usize>>())?;
    Scales::new(several).map(Some).map_err(raise)
}

/// When to stop, of which there is one at most.
fn limit(steps: Option<u64>, backprops: Option<u64>, time: Option<&str>) -> PyResult<Option<Limit>> {
    let time = time.map(str::parse::<TimeSpan>).transpose().map_err(raise)?;
    let limits: Vec<Limit> =
        [steps.map(Limit::Steps), backprops.map(Limit::Backprops), time.map(Limit::Time)]
            .into_iter()
            .flatten()
            .collect();
    match limits[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(invalid("give one limit: steps, backprops or time")),
    }
}

/// A run that is about to begin or to go on.
struct Run {
    config: TrainConfig,
    existing: Option<RunFolder>,
    output: Option<PathBuf>,
    checkpoint: Option<Checkpoint>,
    selection: AdapterSelection,
}

impl Run {
    fn new(
        flags: &Overrides,
        file: Option<&PathBuf>,
        output: Option<PathBuf>,
        resume: Option<&PathBuf>,
        selection: AdapterSelection,
    ) -> Result<Self> {
        let Some(path) = resume else {
            let read = |path: &PathBuf| {
                std::fs::read_to_string(path)
                    .map_err(|e| Error::invalid(srcnn_gpu::Reason::from(e).within(path.display())))
            };
            let config = resolve(file.map(read).transpose()?.as_deref(), flags)?;
            output.as_deref().map_or(Ok(()), RunFolder::can_be)?;
            return Ok(Self { config, existing: None, output, checkpoint: None, selection });
        };
        let (mut folder, mut config) = RunFolder::open(path)?;
        folder.lock()?;
        override_parts(&mut config, flags)?;
        let checkpoint = folder.load_checkpoint()?;
        if let (Some(Limit::Time(TimeSpan(more))), Some(checkpoint)) = (flags.limit, &checkpoint) {
            // In whole seconds, as the configuration has it.
            let done = Duration::from_secs(checkpoint.elapsed.as_secs_f64().ceil() as u64);
            config.limit = Limit::Time(TimeSpan(done.saturating_add(more)));
        }
        Ok(Self { config, existing: Some(folder), output: None, checkpoint, selection })
    }

    /// What the run begins with.
    fn state(&self) -> Result<State> {
        if let Some(checkpoint) = &self.checkpoint {
            return Ok(checkpoint.state.clone());
        }
        let Some(file) = &self.config.init else { return first_state(&self.config, None) };
        let models = Model::load(file)?;
        let trained = &models[nearest(&models, self.config.scale.middle() as f64)];
        first_state(&self.config, Some(trained.network()?))
    }

    /// Trains, and returns the folder with the results.
    fn go(self, stop: &AtomicBool, tell: &mut dyn FnMut(&Event)) -> Result<RunFolder> {
        let config = &self.config;
        // What can be wrong comes before what takes long.
        let state = self.state()?;
        Validator::check(&[config.val.as_slice(), &config.watch].concat())?;
        let data = Arc::new(Dataset::open(config, SHARD_BYTES)?);
        if let Some(checkpoint) = &self.checkpoint {
            Session::check(checkpoint, config, &data.fingerprint)?;
        }
        let gpu = open(&self.selection)?;
        let mut validator = match config.val.is_empty() {
            true => None,
            false => Some(Validator::open(gpu.clone(), config)?),
        };
        let mut engine = GpuEngine::new(&gpu, config, data.clone(), &state)?;
        let folder = match (self.existing, &self.output) {
            (Some(folder), _) => {
                folder.write_config(config, "srcnn_gpu.train")?;
                folder
            }
            (None, Some(path)) => RunFolder::create(path, config, "srcnn_gpu.train")?,
            (None, None) => return Err(Error::invalid("no folder for the run: name one with output=")),
        };
        let session = Session {
            config,
            folder: &folder,
            engine: &mut engine,
            validation: validator.as_mut().map(|validator| validator as &mut dyn Validate),
            data: (data.len(), data.fingerprint.clone()),
            stop,
            tell,
        };
        session.run(self.checkpoint.as_ref())?;
        Ok(folder)
    }
}

/// Hands an event to a Python function as a dictionary, and looks for signals.
fn report(callback: Option<&Py<PyAny>>, event: &Event) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        let Some(callback) = callback else { return Ok(()) };
        let text = serde_json::to_string(event).map_err(|error| invalid(error.to_string()))?;
        let event = py.import("json")?.call_method1("loads", (text,))?;
        callback.call1(py, (event,)).map(drop)
    })
}

/// Trains a network on folders of pictures, on the GPU, as the program `srcnn-gpu train` does.
///
/// Parameters
/// ----------
/// data : path or sequence of paths
///     Folders of training pictures, with their subfolders, or single pictures.
/// scale : int or sequence of int
///     What to train for, 1 to 16; 1 restores pictures in place, with a `degradation`.
/// output : path
///     Folder for the run; it must not hold one already. It gets best.safetensors, config.toml, metrics.jsonl, curve.svg,
///     filters.png and a checkpoint.
/// callback : callable, optional
///     Called with a dictionary for all that happens: event['event'] is 'start', 'estimate', 'progress' (about twice a second:
///     'step', 'total_steps', 'loss', 'psnr', 'seconds_left' ..), 'step', 'eval', 'below', 'losses', 'saved' or 'end'. What it
///     raises ends the run, which is saved first.
/// val : path or sequence of paths, optional
///     Folders of pictures to measure the network on as it trains; the best weights are kept. Without them, the last.
/// watch : path or sequence of paths, optional
///     Folders of pictures to measure and draw beside those of `val`, without choosing anything by them, such as Set5.
/// steps, backprops : int, optional; time : str such as '30m', optional
///     When to stop; one of them. By default 50000 steps with recipe 'fast'.
/// resume : path, optional
///     Go on with the run in this folder, instead of data, scale and output; only val, watch, learning_rates, limits and
///     intervals can change, and `time` is what it gets in addition.
/// recipe : 'fast' or 'paper', optional; config : path of a TOML file, optional
///     Where all settings come from that are not given here.
/// arch, filters, channels, padding, init, average, learning_rates, batch, patch, stride, degradation, train_padding, seed,
/// eval_every, save_every
///     As the program's flags of these names, such as arch='9-1-5', filters='64-32', init='small'.
/// gpu, backend
///     As those of `Upscaler`.
///
/// Returns
/// -------
/// Weights
///     The best ones, which `output`/best.safetensors holds too.
///
/// Ctrl-C saves the run, so that `resume` can go on with it, and raises KeyboardInterrupt. The GIL is released meanwhile.
#[pyfunction]
#[pyo3(signature = (
    data=None, scale=None, output=None, *, callback=None, val=None, watch=None, steps=None, backprops=None, time=None,
    resume=None, recipe=None, config=None, arch=None, filters=None, channels=None, padding=None, init=None, average=None,
    learning_rates=Vec::new(), batch=None, patch=None, stride=None, degradation=None, train_padding=None, seed=None,
    eval_every=None, save_every=None, gpu=None, backend=None
))]
#[expect(clippy::too_many_arguments, reason = "they are keywords")]
pub fn train(
    py: Python<'_>,
    data: Option<&Bound<'_, PyAny>>,
    scale: Option<&Bound<'_, PyAny>>,
    output: Option<PathBuf>,
    callback: Option<Py<PyAny>>,
    val: Option<&Bound<'_, PyAny>>,
    watch: Option<&Bound<'_, PyAny>>,
    steps: Option<u64>,
    backprops: Option<u64>,
    time: Option<&str>,
    resume: Option<PathBuf>,
    recipe: Option<&str>,
    config: Option<PathBuf>,
    arch: Option<String>,
    filters: Option<String>,
    channels: Option<&str>,
    padding: Option<&str>,
    init: Option<PathBuf>,
    average: Option<f64>,
    learning_rates: Vec<f64>,
    batch: Option<usize>,
    patch: Option<usize>,
    stride: Option<usize>,
    degradation: Option<&str>,
    train_padding: Option<&str>,
    seed: Option<u32>,
    eval_every: Option<u64>,
    save_every: Option<u64>,
    gpu: Option<&Bound<'_, PyAny>>,
    backend: Option<&str>,
) -> PyResult<Weights> {
    fn parsed<T: std::str::FromStr<Err = Error>>(text: Option<&str>) -> PyResult<Option<T>> {
        text.map(str::parse).transpose().map_err(raise)
    }
    let flags = Overrides {
        recipe: parsed(recipe)?,
        data: paths(data)?,
        val: paths(val)?,
        watch: paths(watch)?,
        scale: scales(scale)?,
        arch,
        filters,
        channels: parsed(channels)?,
        seed,
        batch,
        patch,
        stride,
        degradation: parsed(degradation)?,
        learning_rates,
        limit: limit(steps, backprops, time)?,
        init,
        average,
        train_padding: parsed(train_padding)?,
        padding: parsed(padding)?,
        eval_every,
        save_every,
    };
    if resume.is_some() && (output.is_some() || !flags.data.is_empty() || flags.scale.is_some()) {
        return Err(invalid("a run that goes on has its data, scale and output already; leave them out"));
    }
    if resume.is_none() && output.is_none() {
        return Err(invalid("no folder for the run: name one with output="));
    }
    let selection = selection(gpu, backend)?;
    let (stop, mut raised) = (AtomicBool::new(false), None);
    let trained = py.detach(|| {
        let run = Run::new(&flags, config.as_ref(), output, resume.as_ref(), selection)?;
        let folder = run.go(&stop, &mut |event| {
            if raised.is_none()
                && let Err(error) = report(callback.as_ref(), event)
            {
                raised = Some(error);
                stop.store(true, Ordering::Relaxed);
            }
        })?;
        srcnn_gpu::Weights::load(&folder.best())
    });
    match raised {
        Some(error) => Err(error),
        None => trained.map(|weights| Weights { weights }).map_err(raise),
    }
}
