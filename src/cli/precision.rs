//! `--precision`, of the commands that run networks.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use srcnn_gpu::headless::Gpu;
use srcnn_gpu::{Precision, Result};

use crate::cli::trust;

/// What networks are computed in.
#[derive(Debug, Clone, Copy, Args)]
pub struct PrecisionArgs {
    /// Precision of the hidden layers; f16 needs an adapter with 16-bit floats in shaders, see `devices`
    #[arg(long, value_name = "PRECISION", default_value = "f32", value_parser = parser())]
    pub precision: Precision,
}

fn parser() -> impl TypedValueParser<Value = Precision> {
    PossibleValuesParser::new(Precision::NAMES).try_map(|name| name.parse::<Precision>())
}

impl PrecisionArgs {
    /// Makes sure of an adapter that was opened: that it has this precision, and computes right with it.
    ///
    /// # Errors
    /// As [`Precision::check`] and [`trust::test`].
    pub fn check(self, gpu: &Gpu) -> Result<()> {
        self.precision.check(&gpu.device)?;
        match self.precision {
            // That is tested when an adapter is opened.
            Precision::F32 => Ok(()),
            Precision::F16 => trust::test(gpu, self.precision),
        }
    }
}
