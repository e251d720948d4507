//! The kernels' shape for an adapter and a network, as searches have found it.

use clap::Args;
use srcnn_gpu::headless::{Gpu, HeadlessOptions, adapter, autotune, cache_folder};
use srcnn_gpu::{Error, Result, Weights};

use crate::cli::progress::suspended;

/// Whether measurements choose the kernels.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Speed")]
pub struct TuneArgs {
    /// Take the kernels' default shapes, and not those that were the fastest on this adapter; nor find out which are,
    /// which happens once, before much work, and takes seconds
    #[arg(long)]
    pub no_autotune: bool,
}

impl TuneArgs {
    /// The options with the shape that is known to be the fastest. Where none is, and `pixels` of results are much work, it
    /// is searched for first.
    ///
    /// # Errors
    /// What the device reports when it is of no more use.
    pub fn apply(
        self,
        gpu: &Gpu,
        weights: &Weights,
        options: HeadlessOptions,
        pixels: u64,
    ) -> Result<HeadlessOptions> {
        let Some(folder) = cache_folder().filter(|_| !self.no_autotune && options.conv_shape.is_none())
        else {
            return Ok(options);
        };
        let architecture = weights.architecture();
        let pixels = if options.tta { 8 * pixels } else { pixels };
        let tuned = match autotune::stored(gpu, architecture, options.precision, &folder) {
            None if autotune::pays(gpu, architecture, pixels) => {
                match autotune::search_once(gpu, weights, options.precision, &folder, || tell(gpu)) {
                    Err(Error::OutOfMemory(why)) => {
                        log::info!("no room to measure kernels: {why}");
                        None
                    }
                    tuned => tuned?,
                }
            }
            stored => stored,
        };
        if let Some(tuned) = &tuned {
            let precision = options.precision;
            log::info!(
                "kernels for {architecture} in {precision} in the shape {}, by measurement",
                tuned.best
            );
        }
        Ok(HeadlessOptions { conv_shape: tuned.map(|tuned| tuned.best), ..options })
    }
}

fn tell(gpu: &Gpu) {
    // As for warnings, `--quiet` silences it.
    if log::log_enabled!(log::Level::Warn) {
        let name = adapter::describe(&gpu.info);
        suspended(|| {
            eprintln!(
                "measuring which kernels are the fastest on {name}: once, some seconds; --no-autotune goes without"
            );
        });
    }
}
