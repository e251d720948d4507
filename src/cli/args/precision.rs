//! `--precision`, for the commands that run networks.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use srcnn_gpu::headless::Gpu;
use srcnn_gpu::{Precision, Result};

use crate::cli::args::checks;

/// The precision to compute in.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Computing")]
pub struct PrecisionArgs {
    /// Precision of the hidden layers: f32, or f16 if the adapter can (`srcnn-gpu devices` tells)
    #[arg(long, value_name = "PRECISION", default_value = "f32", value_parser = parser(), hide_possible_values = true)]
    pub precision: Precision,
}

fn parser() -> impl TypedValueParser<Value = Precision> {
    PossibleValuesParser::new(Precision::NAMES).try_map(|name| name.parse::<Precision>())
}

impl PrecisionArgs {
    /// Checks that an opened adapter supports this precision and computes correctly with it.
    ///
    /// # Errors
    /// As [`Precision::check`] and [`checks::self_test`].
    pub fn check(self, gpu: &Gpu) -> Result<()> {
        self.precision.check(&gpu.device)?;
        match self.precision {
            // Tested when the adapter is opened.
            Precision::F32 => Ok(()),
            Precision::F16 => checks::self_test(gpu, self.precision),
        }
    }
}
