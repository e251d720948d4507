//! How results are made sure of: the adapter's self test, comparison with the CPU, the average over turns.

use clap::Args;
use srcnn_gpu::headless::{Gpu, HeadlessOptions, Verified, cache_folder, self_test_once};
use srcnn_gpu::{Precision, Result};

use crate::cli::progress::suspended;

/// Better and surer results.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Trust")]
pub struct TrustArgs {
    /// Average over the 8 flips and turns of a picture: a little better, 8 times the work
    #[arg(short = 'x', long)]
    pub tta: bool,
    /// Compute parts of each result again on the CPU, and fail when the GPU's differ by more than rounding
    #[arg(long)]
    pub verify: bool,
}

impl TrustArgs {
    /// The options with what these flags ask for.
    pub fn apply(&self, options: HeadlessOptions) -> HeadlessOptions {
        HeadlessOptions { tta: self.tta, verify: self.verify, ..options }
    }
}

/// Tests the adapter, unless it has passed with this driver before.
///
/// # Errors
/// [`srcnn_gpu::Error::SelfTest`] when it computes wrong, and what the device reports.
pub fn test(gpu: &Gpu, precision: Precision) -> Result<()> {
    if self_test_once(gpu, precision, cache_folder().as_deref())? {
        log::info!("the adapter passed its self test with {precision}");
    }
    Ok(())
}

/// Tells what was compared.
pub fn tell(verified: Option<Verified>) {
    // As for warnings, `--quiet` silences it.
    if let Some(Verified { values, difference }) = verified.filter(|_| log::log_enabled!(log::Level::Warn)) {
        let steps = 255.0 * difference;
        let told = format!(
            "verified: {values} values are those of the CPU, the largest difference is {difference:.1e} ({steps:.4} of a step of 8 bits)"
        );
        suspended(|| eprintln!("{told}"));
    }
}
