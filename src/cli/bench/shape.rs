//! Which shape of kernels `bench` measures with.

use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;
use srcnn_gpu::gpu::kernels::ConvShape;
use srcnn_gpu::headless::autotune::{self, Measured, Tuned};
use srcnn_gpu::headless::{Gpu, cache_folder};
use srcnn_gpu::train::gpu::Shape;
use srcnn_gpu::train::tune;
use srcnn_gpu::{Result, Weights};

use super::BenchArgs;

/// A shape of kernels, and how it was chosen.
#[derive(Debug, Serialize)]
pub struct Chosen<S> {
    /// As a word.
    pub shape: S,
    /// `default`, `stored` by an earlier search, or a `search`.
    pub from: &'static str,
    /// What that search measured.
    pub candidates: Vec<Measured<S>>,
}

impl<S: Display> Chosen<S> {
    /// In lines.
    pub fn describe(&self) -> String {
        let mut text = format!("kernels: {} ({})\n", self.shape, self.from);
        for Measured { shape, ms, reason } in &self.candidates {
            let ms = ms.map_or("-".into(), |ms| format!("{ms:.2} ms"));
            text += &format!("  {shape:36} {ms:>12}  {}\n", reason.as_deref().unwrap_or_default());
        }
        text
    }
}

/// Of a network's result.
pub fn of_inference(args: &BenchArgs, gpu: &Gpu, weights: &Weights) -> Result<Chosen<ConvShape>> {
    let precision = args.precision.precision;
    choose(
        args,
        || autotune::search(gpu, weights, precision),
        |folder| autotune::stored(gpu, weights.architecture(), precision, folder),
        || autotune::default_shape(gpu, precision),
    )
}

/// Of training steps with this many sub-images.
pub fn of_training(args: &BenchArgs, gpu: &Gpu, weights: &Weights, batch: usize) -> Result<Chosen<Shape>> {
    choose(
        args,
        || tune::search(gpu, weights, batch, Duration::from_secs(args.tune_time)),
        |folder| tune::stored(gpu, weights.architecture(), folder),
        || Shape::for_device(&gpu.device),
    )
}

fn choose<S: Copy + Serialize>(
    args: &BenchArgs,
    search: impl FnOnce() -> Result<Tuned<S>>,
    stored: impl FnOnce(&std::path::Path) -> Option<Tuned<S>>,
    default: impl FnOnce() -> S,
) -> Result<Chosen<S>> {
    let folder = cache_folder();
    if args.tune {
        log::info!("measuring kernel shapes");
        let tuned = search()?;
        match &folder {
            Some(folder) => autotune::store(&tuned, folder)?,
            None => log::warn!("the result is not kept: the system has no cache folder"),
        }
        return Ok(Chosen { shape: tuned.best, from: "search", candidates: tuned.measured });
    }
    let stored = folder.filter(|_| !args.tuning.no_autotune).and_then(|folder| stored(&folder));
    Ok(match stored {
        Some(tuned) => Chosen { shape: tuned.best, from: "stored", candidates: tuned.measured },
        None => Chosen { shape: default(), from: "default", candidates: Vec::new() },
    })
}
