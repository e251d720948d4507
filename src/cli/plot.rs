//! `srcnn-gpu plot`: the curves of several training runs in one picture.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use srcnn_gpu::train::curve::{Curve, compare};
use srcnn_gpu::{Error, Result};

use crate::cli::args::names::names;
use crate::cli::output::{Existing, print};
use crate::cli::progress::say;

/// Draw the curves of training runs in one diagram
///
/// For each validation set a diagram of PSNR over backprops, as the paper's figures 1 and 6 have it, with bicubic interpolation
/// and the published averages as lines. Runs without validation have their loss drawn.
#[derive(Debug, Args)]
#[command(after_help = "Example: srcnn-gpu plot runs/paper runs/fast -o curves.svg")]
pub struct PlotArgs {
    /// Folders of training runs
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    /// The SVG file to write
    #[arg(short, long, value_name = "SVG")]
    pub output: PathBuf,
    /// What to do if the file exists
    #[arg(long, value_enum, default_value_t = Existing::Overwrite, value_name = "WHAT")]
    pub existing: Existing,
}

/// Draws the runs.
///
/// # Errors
/// [`Error::InvalidArgument`] for a folder that holds no run or one that has measured nothing, [`Error::Output`] for a file
/// that cannot be written.
pub fn run(args: &PlotArgs) -> Result<()> {
    if args.output.is_dir() {
        let reason = "it is a folder; name the SVG file to write".into();
        return Err(Error::Output { path: args.output.clone(), reason });
    }
    let named = args.runs.iter().zip(names(&args.runs));
    let curves = named.map(|(path, name)| Curve::read(name, path)).collect::<Result<Vec<_>>>()?;
    let svg = compare(&curves);
    let written = match args.existing.resolve(&args.output)? {
        Some(to) => to.clash.write(&to.path, |file| file.write_all(svg.as_bytes()))?,
        None => None,
    };
    match written {
        Some(path) => print(path.display()),
        None => {
            say(format_args!("{} exists, kept as it is", args.output.display()));
            Ok(())
        }
    }
}
