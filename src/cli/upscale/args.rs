//! What is asked for of the results' pictures.

use clap::Args;

use super::size::SizeArgs;

/// Size of the results; format and contents.
#[derive(Debug, Clone, Args)]
pub struct PictureArgs {
    #[command(flatten)]
    pub size: SizeArgs,
}
