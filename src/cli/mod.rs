//! The command line.

pub mod eval;

use clap::{Args, Parser, Subcommand};

/// Choice of the adapter.
#[derive(Debug, Args)]
pub struct GpuArgs {
    /// Adapter: index, part of its name, or auto
    #[arg(short, long, env = "SRCNN_GPU")]
    pub gpu: Option<String>,

    /// Backend: vulkan, metal, dx12 or gl
    #[arg(long)]
    pub backend: Option<String>,
}

impl GpuArgs {
    /// Opens the chosen adapter.
    pub fn open(&self) -> srcnn_gpu::Result<srcnn_gpu::headless::Gpu> {
        Err(srcnn_gpu::Error::NoAdapter("not written yet".into()))
    }
}

/// SRCNN super-resolution on the GPU
#[derive(Debug, Parser)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure a model.
    Eval(eval::EvalArgs),
}
