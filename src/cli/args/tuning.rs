//! `--no-autotune`: the fastest kernel shape for an adapter and a network, found by measurement.

use clap::Args;
use srcnn_gpu::headless::{Gpu, HeadlessOptions, adapter, autotune, cache_folder};
use srcnn_gpu::{Error, Result, Weights};

use crate::cli::progress::say;

/// Whether to choose kernels by measurement.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Computing")]
pub struct TuneArgs {
    /// Do not measure which kernels are the fastest on this adapter. This happens once for each network, before a large amount
    /// of work, and takes some seconds
    #[arg(long)]
    pub no_autotune: bool,
}

impl TuneArgs {
    /// The options with the shape known to be the fastest. If none is known, and results of `pixels` are enough work to
    /// justify it, searches for the fastest first.
    ///
    /// # Errors
    /// Errors of a device that can no longer be used.
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
                match autotune::search_once(gpu, weights, options.precision, &folder, || announce(gpu)) {
                    Err(Error::OutOfMemory(why)) => {
                        log::info!("not enough memory to measure kernels: {why}");
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
        Ok(options.with_conv_shape(tuned.map(|tuned| tuned.best)))
    }
}

fn announce(gpu: &Gpu) {
    // Silent with --quiet, like warnings.
    if log::log_enabled!(log::Level::Warn) {
        let name = adapter::describe(&gpu.info);
        say(format_args!(
            "measuring which kernels are the fastest on {name}: once, for some seconds; --no-autotune skips this"
        ));
    }
}
