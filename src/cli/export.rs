//! `srcnn-gpu export`: a network as a file for other programs.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use srcnn_gpu::export::{About, mpv, onnx};
use srcnn_gpu::{Result, Shipped};

use crate::cli::args::models::{Model, ModelArgs, load_models, nearest};
use crate::cli::output::{Existing, print};
use crate::cli::progress;

/// Write a network as a file for other programs
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu export onnx -s 2 -o srcnn_x2.onnx
  srcnn-gpu export mpv -s 2 -o srcnn_x2.glsl")]
pub struct ExportCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write an ONNX file, for onnxruntime, OpenVINO, FFmpeg or VapourSynth
    Onnx(Onnx),
    /// Write a user shader for mpv and libplacebo, which enlarges videos as they play
    Mpv(Mpv),
}

/// Which network to write, and where to.
#[derive(Debug, Args)]
struct What {
    #[command(flatten)]
    model: ModelArgs,
    /// How many times larger the sides become; of several networks, the one trained for the nearest scale is taken
    #[arg(short, long, value_name = "FACTOR")]
    scale: f64,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Terms of the network, for the file's header [default: those of the networks that come with the program]
    #[arg(long, value_name = "TEXT")]
    license: Option<String>,
    /// What to do when the file exists
    #[arg(long, value_enum, default_value_t = Existing::Fail)]
    existing: Existing,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: srcnn-gpu export onnx -s 2 -o srcnn_x2.onnx")]
struct Onnx {
    #[command(flatten)]
    what: What,
    /// What the file does before the network
    #[arg(long, value_enum, default_value_t = With::Bicubic)]
    with: With,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum With {
    /// It enlarges, as MATLAB's imresize: it takes the small picture
    Bicubic,
    /// Nothing: it takes a picture that something else has enlarged
    None,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: srcnn-gpu export mpv -s 2 -o srcnn_x2.glsl")]
struct Mpv {
    #[command(flatten)]
    what: What,
    /// Kind of shaders
    #[arg(long, value_enum, default_value_t = Variant::Compute)]
    variant: Variant,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Variant {
    /// Compute shaders: fewer passes and less memory
    Compute,
    /// Fragment shaders, for outputs without compute shaders
    Fragment,
}

/// Runs `srcnn-gpu export`.
///
/// # Errors
/// [`Error::Model`](srcnn_gpu::Error::Model) for a network that cannot be read,
/// [`Error::InvalidArgument`](srcnn_gpu::Error::InvalidArgument) for one that the format cannot hold or a scale that it does
/// not take, [`Error::Output`](srcnn_gpu::Error::Output) for a file that cannot be written.
pub fn run(command: &ExportCommand) -> Result<()> {
    match &command.action {
        Action::Onnx(arguments) => {
            let enlargement = match arguments.with {
                With::Bicubic => onnx::Enlargement::Bicubic(arguments.what.scale),
                With::None => onnx::Enlargement::None,
            };
            write(&arguments.what, |model, about| onnx::file(model.network()?, enlargement, about))
        }
        Action::Mpv(arguments) => {
            let variant = match arguments.variant {
                Variant::Compute => mpv::Variant::Compute,
                Variant::Fragment => mpv::Variant::Fragment,
            };
            let scale = arguments.what.scale;
            write(&arguments.what, |model, about| {
                Ok(mpv::file(model.network()?, scale, variant, about)?.into_bytes())
            })
        }
    }
}

fn write(what: &What, make: impl FnOnce(&Model, &About) -> Result<Vec<u8>>) -> Result<()> {
    let choices = &what.model.model;
    let models = load_models(choices)?;
    let model = &models[nearest(&models, what.scale)];
    let is_shipped =
        choices.iter().all(|choice| choice.to_str().is_some_and(|n| n.parse::<Shipped>().is_ok()));
    let own_terms = if is_shipped { env!("CARGO_PKG_LICENSE") } else { "" };
    let license = what.license.clone().unwrap_or_else(|| own_terms.into());
    let about = About { source: model.name.clone(), license, scale: Some(what.scale) };
    let bytes = make(model, &about)?;
    let written = match what.existing.resolve(&what.output)? {
        Some(to) => to.clash.write(&to.path, |file| file.write_all(&bytes))?,
        None => None,
    };
    match written {
        Some(path) => print(format!("{}: {}, x{}", path.display(), model.name, what.scale)),
        None => {
            progress::say(format_args!("{} exists, kept as it is", what.output.display()));
            Ok(())
        }
    }
}
