//! `srcnn-gpu model`.
use srcnn_gpu::{Error, Result};
#[derive(Debug, clap::Subcommand)]
pub enum ModelCommand {
    /// Describe a weight file
    Info { file: std::path::PathBuf },
}
pub fn run(_command: &ModelCommand) -> Result<()> {
    Err(Error::invalid("model is not written yet"))
}
