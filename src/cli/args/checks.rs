//! Making sure of results: the adapter's self test, `--verify` and `--tta`.

use clap::Args;
use srcnn_gpu::headless::{Gpu, HeadlessOptions, Verified, cache_folder, self_test_once};
use srcnn_gpu::{Precision, Result};

use crate::cli::progress::say;

/// Better results, and checked ones.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Quality and checks")]
pub struct CheckArgs {
    /// Average over the 8 flips and rotations of a picture: slightly better, 8 times the work
    #[arg(short = 'x', long)]
    pub tta: bool,
    /// Compute parts of each result on the CPU too, and fail if the GPU's differ by more than rounding
    #[arg(long)]
    pub verify: bool,
}

impl CheckArgs {
    /// Adds what these flags ask for to the options.
    pub fn apply(&self, options: HeadlessOptions) -> HeadlessOptions {
        options.with_tta(self.tta).with_verify(self.verify)
    }
}

/// Tests the adapter, unless it has passed with this driver before.
///
/// # Errors
/// [`srcnn_gpu::Error::SelfTest`] if it computes wrong results, and errors of the device.
pub fn self_test(gpu: &Gpu, precision: Precision) -> Result<()> {
    if self_test_once(gpu, precision, cache_folder().as_deref())? {
        log::info!("the adapter passed its self test with {precision}");
    }
    Ok(())
}

/// Prints what was compared.
pub fn report<'a>(verified: impl IntoIterator<Item = &'a Verified>) {
    // Silent with --quiet, like warnings.
    let told = |_: &&Verified| log::log_enabled!(log::Level::Warn);
    for Verified { values, difference } in verified.into_iter().filter(told) {
        let steps = 255.0 * difference;
        say(format_args!(
            "verified: {values} values agree with the CPU's, the largest difference is {difference:.1e} ({steps:.4} of an 8-bit step)"
        ));
    }
}
