//! `srcnn-gpu export`: a network as a file for other programs.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use srcnn_gpu::export::{About, mpv, onnx, web};
use srcnn_gpu::{Result, Shipped};

use crate::cli::args::models::{Model, ModelArgs, family, load, load_models, nearest};
use crate::cli::output::{Existing, create_folder, print, write_atomically};
use crate::cli::progress;

/// Write a network as a file for other programs
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu export onnx -s 2 -o srcnn_x2.onnx
  srcnn-gpu export mpv -s 2 -o srcnn_x2.glsl
  srcnn-gpu export web -o site")]
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
    /// Write a folder for a web server: a page that enlarges pictures in the browser, and the module that it uses
    Web(Web),
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

#[derive(Debug, Args)]
#[command(after_help = "Example: srcnn-gpu export web -m small -m large -o site")]
struct Web {
    #[command(flatten)]
    model: ModelArgs,
    /// The folder to write; it is created if it is missing
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Terms of the networks, for the page [default: those of the networks that come with the program]
    #[arg(long, value_name = "TEXT")]
    license: Option<String>,
    /// What to do when the folder exists and has anything in it
    #[arg(long, value_enum, default_value_t = Existing::Fail)]
    existing: Existing,
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
            write(&arguments.what, |model, about| onnx::file(&model.weights, enlargement, about))
        }
        Action::Mpv(arguments) => {
            let variant = match arguments.variant {
                Variant::Compute => mpv::Variant::Compute,
                Variant::Fragment => mpv::Variant::Fragment,
            };
            let scale = arguments.what.scale;
            write(&arguments.what, |model, about| {
                Ok(mpv::file(&model.weights, scale, variant, about)?.into_bytes())
            })
        }
        Action::Web(arguments) => write_site(arguments),
    }
}

fn write(what: &What, make: impl FnOnce(&Model, &About) -> Result<Vec<u8>>) -> Result<()> {
    let choices = &what.model.model;
    let models = load_models(choices)?;
    let model = &models[nearest(&models, what.scale)];
    let license = license(what.license.as_deref(), choices);
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

/// The terms of the networks that these choices stand for: what is given, or those of the program's own.
fn license(given: Option<&str>, choices: &[PathBuf]) -> String {
    let is_shipped = choices.iter().all(|choice| family(choice).is_some());
    let own_terms = if is_shipped { env!("CARGO_PKG_LICENSE") } else { "" };
    given.unwrap_or(own_terms).into()
}

/// Writes the files of `export web` and prints the folder.
fn write_site(arguments: &Web) -> Result<()> {
    let mut choices = arguments.model.model.clone();
    if choices.is_empty() {
        choices.push(Shipped::default().to_string().into());
    }
    let mut models = Vec::new();
    for choice in &choices {
        let license = license(arguments.license.as_deref(), std::slice::from_ref(choice));
        let name = choice.file_stem().unwrap_or(OsStr::new("network")).to_string_lossy().into_owned();
        models.extend(load(choice)?.into_iter().map(|model| (name.clone(), license.clone(), model)));
    }
    let networks: Vec<_> = models
        .iter()
        .map(|(name, license, model)| web::WebNetwork {
            model: name.clone(),
            weights: &model.weights,
            about: About { source: model.name.clone(), license: license.clone(), scale: None },
        })
        .collect();
    let files = web::files(&networks)?;
    let Some(folder) = place(&arguments.output, arguments.existing)? else {
        progress::say(format_args!("{} exists, kept as it is", arguments.output.display()));
        return Ok(());
    };
    for (path, bytes) in files {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), create_folder)?;
        write_atomically(&path, |file| file.write_all(&bytes))?;
    }
    print(format!("{}: {}", folder.display(), counted(networks.len())))
}

fn counted(networks: usize) -> String {
    if networks == 1 { "1 network".into() } else { format!("{networks} networks") }
}

/// The folder to write to; `None` if it exists and is kept. One without anything in it is as good as none.
fn place(folder: &Path, existing: Existing) -> Result<Option<PathBuf>> {
    let is_empty = folder.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        return Ok(Some(folder.into()));
    }
    let place = existing.resolve(folder)?.map(|to| to.path);
    place.iter().try_for_each(|folder| create_folder(folder))?;
    Ok(place)
}
