//! `srcnn-gpu eval`.
use super::GpuArgs;
use srcnn_gpu::{Error, Result};
#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    #[command(flatten)]
    gpu: GpuArgs,
}
pub fn run(_args: &EvalArgs) -> Result<()> {
    Err(Error::invalid("eval is not written yet"))
}
