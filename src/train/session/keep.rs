//! What a run keeps: evaluations, the best weights, checkpoints, the charts.

use std::time::Instant;

use super::Session;
use super::progress::Progress;
use crate::chart::render;
use crate::error::{Error, Result};
use crate::train::State;
use crate::train::checkpoint::Checkpoint;
use crate::train::curve::panels;
use crate::train::event::Event;
use crate::train::filters;
use crate::train::run::{EvalRecord, Record, StepRecord, save_png};
use crate::weights::{Layer, Metadata, Weights};

/// What a file says of its training if it holds the average of the weights.
const AVERAGE: &str = ", average of the weights along the run";

/// Pixels per tap in the picture of the filters.
const ZOOM: u32 = 5;

impl Session<'_> {
    /// Writes the step record of everything since the last one.
    pub(super) fn record(&mut self, progress: &mut Progress) -> Result<()> {
        let (loss, steps, time) = std::mem::take(&mut progress.open);
        if steps == 0 {
            return Ok(());
        }
        let record = StepRecord {
            step: progress.step,
            backprops: self.backprops(progress),
            loss: loss / steps as f64,
            learning_rates: self
                .config
                .optimizer
                .learning_rates()
                .iter()
                .map(|rate| rate * progress.factor)
                .collect(),
            subimages_per_second: steps as f64 * self.config.batch as f64 / time.as_secs_f64().max(1e-9),
        };
        (self.tell)(&Event::Step(record.clone()));
        self.keep(progress, Record::Step(record))
    }

    fn keep(&self, progress: &mut Progress, record: Record) -> Result<()> {
        self.folder.append(&record)?;
        progress.records.push(record);
        Ok(())
    }

    fn backprops(&self, progress: &Progress) -> u64 {
        progress.step * self.config.batch as u64
    }

    /// Measures, keeps the best weights, draws the curve and the filters.
    pub(super) fn evaluate(&mut self, progress: &mut Progress) -> Result<()> {
        if self.validation.is_none() {
            progress.add_evaluation(Instant::now());
            return Ok(());
        }
        self.record(progress)?;
        let state = self.finite_state(progress)?;
        let own = self.weights(&state.layers, "", progress)?;
        let average =
            state.average.as_deref().map(|mean| self.weights(mean, AVERAGE, progress)).transpose()?;
        let Some(validation) = &mut self.validation else { return Ok(()) };
        let begun = Instant::now();
        let measured = validation.evaluate(&own)?;
        let of_average = average.as_ref().map(|average| validation.evaluate(average)).transpose()?;
        progress.add_evaluation(begun);
        let record = EvalRecord {
            step: progress.step,
            backprops: self.config.batch as u64 * progress.step,
            sets: measured.sets.clone(),
            average: of_average.iter().flat_map(|measured| measured.sets.iter().cloned()).collect(),
        };
        let (mut weights, measured) = match (average, of_average) {
            (Some(average), Some(of_average)) if record.is_average_better() => (average, of_average),
            _ => (own, measured),
        };
        for set in record.better().iter().filter(|set| set.psnr < set.psnr_bicubic) {
            let (psnr, psnr_bicubic) = (set.psnr, set.psnr_bicubic);
            (self.tell)(&Event::Below { set: set.set.clone(), psnr, psnr_bicubic });
        }
        (self.tell)(&Event::Eval(record.clone()));
        if progress.best.is_none_or(|best| record.psnr() > best) {
            progress.best = Some(record.psnr());
            weights.metadata.psnr = serde_json::to_value(&measured.sets).ok();
            self.folder.save_best(&weights)?;
            measured.save_samples(&self.folder.samples())?;
            (self.tell)(&Event::Saved {
                path: self.folder.best().display().to_string(),
                step: progress.step,
            });
        }
        progress.last_eval = Some(record.clone());
        self.keep(progress, Record::Eval(record))?;
        self.draw(progress, &weights)
    }

    /// Writes a checkpoint; without validation also the weights, since the latest are the best known: their average, where the run
    /// keeps one.
    pub(super) fn save(&mut self, progress: &mut Progress) -> Result<()> {
        self.record(progress)?;
        let state = self.finite_state(progress)?;
        if self.validation.is_none() {
            let weights = match &state.average {
                Some(average) => self.weights(average, AVERAGE, progress)?,
                None => self.weights(&state.layers, "", progress)?,
            };
            self.folder.save_best(&weights)?;
            self.draw(progress, &weights)?;
        }
        let checkpoint = Checkpoint {
            state,
            backprops: self.backprops(progress),
            seed: self.config.seed,
            best: progress.best,
            elapsed: progress.elapsed(),
            config: self.config.fingerprint(),
            data: self.data.1.clone(),
        };
        let path = self.folder.checkpoint();
        checkpoint.save(&path)?;
        progress.saved = Some(progress.step);
        (self.tell)(&Event::Saved { path: path.display().to_string(), step: progress.step });
        Ok(())
    }

    /// The engine's state, if it is worth keeping: a finite loss can be followed by an update that is not.
    fn finite_state(&mut self, progress: &Progress) -> Result<State> {
        let state = self.engine.state()?;
        if state.is_finite() { Ok(state) } else { Err(self.diverged(progress)) }
    }

    pub(super) fn diverged(&self, progress: &Progress) -> Error {
        let rates = self.config.optimizer.learning_rates();
        let kept = match progress.saved {
            Some(step) => format!("resume from the checkpoint of step {step} with lower ones"),
            None => "begin again with lower ones".into(),
        };
        let losses = progress.last_losses(3);
        let before = match losses.as_slice() {
            [] => String::new(),
            losses => {
                let losses: Vec<String> = losses.iter().rev().map(|loss| format!("{loss:.4}")).collect();
                format!("; before it was {}", losses.join(", "))
            }
        };
        Error::Diverged(format!(
            "training has diverged: the loss or a parameter is not a finite number at step {}{before}; \
             the learning rates {rates:?} are too high; {kept}",
            progress.step
        ))
    }

    /// Layers as a network; `what` is added to what its file says of its training.
    fn weights(&self, layers: &[Layer], what: &str, progress: &Progress) -> Result<Weights> {
        let config = self.config;
        let training = format!(
            "srcnn-gpu {}, recipe {}, {} sub-images, {} steps, {} backprops{what}",
            env!("CARGO_PKG_VERSION"),
            config.recipe,
            self.data.0,
            progress.step,
            self.backprops(progress)
        );
        let metadata = Metadata {
            scales: config.scale.iter().map(|scale| scale as f32).collect(),
            channels: config.channels,
            padding: config.padding,
            degradation: Some(config.degradation.to_string()),
            training: Some(training),
            psnr: None,
        };
        Weights::new(layers.to_vec(), metadata)
    }

    /// `curve.svg` and `filters.png`.
    fn draw(&self, progress: &Progress, weights: &Weights) -> Result<()> {
        let sets = self.validation.as_ref().map_or(&[][..], |validation| validation.sets());
        let panels = panels(self.config, sets, &progress.records);
        self.folder.replace(&self.folder.curve(), render(&panels).as_bytes())?;
        let sheet = filters::sheet(weights, ZOOM);
        let (width, height) = sheet.dimensions();
        save_png(&self.folder.filters(), sheet.as_raw(), width, height, image::ExtendedColorType::Rgb8)
    }
}
