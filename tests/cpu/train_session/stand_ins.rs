//! Stand-ins for the GPU and for a validation, and runs with them.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use srcnn_gpu::eval::protocol::Compared;
use srcnn_gpu::train::checkpoint::Checkpoint;
use srcnn_gpu::train::config::{Limit, TrainConfig};
use srcnn_gpu::train::event::Event;
use srcnn_gpu::train::init::initialize;
use srcnn_gpu::train::recipe::{Overrides, resolve};
use srcnn_gpu::train::run::{RunFolder, SetScore};
use srcnn_gpu::train::session::{Outcome, Session};
use srcnn_gpu::train::validate::{Evaluation, SetInfo, Validate};
use srcnn_gpu::train::{State, TrainEngine};
use srcnn_gpu::{Metadata, Result, Weights};

/// Parameters that change with each step in a way that depends on everything before it.
struct Fake {
    state: State,
    /// The loss is not finite from this step on.
    breaks: u64,
    /// This folder is removed at step 5.
    removes: Option<PathBuf>,
    /// Sets the flag after this step.
    stops: u64,
    stop: &'static AtomicBool,
    /// Milliseconds per step.
    pace: fn(u64) -> u64,
}

impl TrainEngine for Fake {
    fn train(&mut self, factors: &[f32]) -> Result<f64> {
        let mut loss = 0.0;
        for &factor in factors {
            let step = self.state.step as f32;
            let State { layers, slots, average, .. } = &mut self.state;
            for (layer, slot) in layers.iter_mut().zip(&mut slots[0]) {
                for (w, v) in layer.weight.iter_mut().zip(&mut slot.weight) {
                    *v = 0.9 * *v - factor * 1e-3 * (*w + (step * 0.37).sin());
                    *w += *v;
                }
            }
            if let Some(average) = average {
                average.clone_from(layers);
                average[0].bias[0] = 7.0;
            }
            self.state.step += 1;
            std::thread::sleep(Duration::from_millis((self.pace)(self.state.step)));
            loss += if self.state.step >= self.breaks { f64::NAN } else { 1.0 / self.state.step as f64 };
            if let Some(folder) = self.removes.take_if(|_| self.state.step == 5) {
                fs::remove_dir_all(folder).unwrap();
            }
            if self.state.step == self.stops {
                self.stop.store(true, Ordering::Relaxed);
            }
        }
        Ok(loss)
    }

    fn state(&mut self) -> Result<State> {
        Ok(self.state.clone())
    }
}

/// Scores from the weights alone: improving at first, then getting worse.
struct Judge {
    sets: Vec<SetInfo>,
    scores: Vec<f64>,
    evaluated: usize,
    /// Milliseconds that the first evaluation takes.
    first: u64,
}

impl Validate for Judge {
    fn sets(&self) -> &[SetInfo] {
        &self.sets
    }
    fn evaluate(&mut self, _: &Weights) -> Result<Evaluation> {
        let psnr = self.scores[self.evaluated.min(self.scores.len() - 1)];
        std::thread::sleep(Duration::from_millis(if self.evaluated == 0 { self.first } else { 0 }));
        self.evaluated += 1;
        let (set, scale, samples, watched) = ("Set5".to_string(), 3, Compared::Luminance, false);
        let (ssim, psnr_bicubic, ssim_bicubic) = (0.9, 30.39, 0.87);
        let own = SetScore { set, scale, samples, watched, psnr, ssim, psnr_bicubic, ssim_bicubic };
        // By this one the worst weights would be kept.
        let watched = SetScore { set: "Test".into(), watched: true, psnr: 90.0 - psnr, ..own.clone() };
        let samples = vec![("a.png".into(), image::DynamicImage::new_luma8(2, 3))];
        Ok(Evaluation { sets: vec![own, watched], samples })
    }
}

pub fn config(steps: u64) -> TrainConfig {
    let file = "recipe = 'paper'\narch = '3-1-3'\nfilters = '4-2'\nbatch = 2\neval_every = 10\nsave_every = 7\n\
                [schedule]\nkind = 'cosine'\nlast = 0.1\n";
    let flags = Overrides {
        data: vec!["pictures".into()],
        scale: Some("3".parse().unwrap()),
        limit: Some(Limit::Steps(steps)),
        ..Overrides::default()
    };
    resolve(Some(file), &flags).unwrap()
}

/// One run in a folder.
#[derive(Clone)]
pub struct Run {
    pub config: TrainConfig,
    pub breaks: u64,
    pub stops: u64,
    pub removes: Option<PathBuf>,
    pub scores: Vec<f64>,
    pub pace: fn(u64) -> u64,
    pub first_evaluation: u64,
}

pub struct Report {
    pub outcome: Result<Outcome>,
    pub state: State,
    pub events: Vec<Event>,
}

impl Run {
    pub fn new(steps: u64) -> Self {
        let scores = vec![29.0, 31.0, 32.0, 31.5];
        let (pace, first_evaluation): (fn(u64) -> u64, u64) = (|_| 0, 0);
        let (breaks, stops) = (u64::MAX, u64::MAX);
        Self { config: config(steps), breaks, stops, removes: None, scores, pace, first_evaluation }
    }

    pub fn go(&self, folder: &RunFolder, checkpoint: Option<&Checkpoint>) -> Report {
        let config = &self.config;
        let stop: &'static AtomicBool = Box::leak(Box::default());
        let state = checkpoint.map(|c| c.state.clone()).unwrap_or_else(|| {
            let architecture = config.architecture().unwrap();
            let first =
                initialize(&architecture, config.initialization, config.seed, Metadata::default()).unwrap();
            let state = State::new(first.layers().to_vec(), config.optimizer.slots());
            if config.average > 0.0 { state.with_average() } else { state }
        });
        let mut engine = Fake {
            state,
            breaks: self.breaks,
            removes: self.removes.clone(),
            stops: self.stops,
            stop,
            pace: self.pace,
        };
        let published = vec![("SRCNN".into(), 32.39)];
        let own = SetInfo { scale: 3, name: "Set5".into(), published, ..SetInfo::default() };
        let sets = vec![own.clone(), SetInfo { name: "Test".into(), watched: true, ..own }];
        let done = checkpoint.map_or(0, |c| (c.state.step / 10) as usize);
        let (scores, first) = (self.scores.clone(), self.first_evaluation);
        let mut judge = Judge { sets, scores, evaluated: done, first };
        let mut events = Vec::new();
        let session = Session {
            config,
            folder,
            engine: &mut engine,
            validation: (!self.scores.is_empty()).then_some(&mut judge as &mut dyn Validate),
            data: (100, "d".into()),
            stop,
            tell: &mut |event| events.push(event.clone()),
        };
        let outcome = session.run(checkpoint);
        Report { outcome, state: engine.state, events }
    }
}

pub fn folder(parent: &tempfile::TempDir, name: &str, config: &TrainConfig) -> RunFolder {
    RunFolder::create(&parent.path().join(name), config, "srcnn-gpu train").unwrap()
}
