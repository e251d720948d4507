//! `srcnn-gpu eval`.
use super::GpuArgs;
use srcnn_gpu::headless::Gpu;
use srcnn_gpu::{Error, Result};
#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    #[command(flatten)]
    pub gpu: GpuArgs,
}
pub fn run(_args: &EvalArgs, _open: impl FnOnce() -> Result<Gpu>) -> Result<bool> {
    Err(Error::invalid("eval is not written yet"))
}
