//! `srcnn-gpu export`: a network as a file for other programs.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use srcnn_gpu::export::{About, mpv, onnx, web};
use srcnn_gpu::{Error, Result, Shipped};

use crate::cli::args::models::{
    Model, ModelArgs, family, load, load_models, nearest, one_step, warn_of_scale,
};
use crate::cli::output::{Existing, create_folder, print, write_atomically};
use crate::cli::progress;

/// Write a network as a file for other programs
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu export onnx -s 2 -o srcnn_x2.onnx
  srcnn-gpu export onnx -m runs/x3 -o mine.onnx
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
    /// How many times larger the sides become; of several networks, the one that suits the scale is taken [default: what the
    /// network was trained for, if that is one scale]
    #[arg(short, long, value_name = "FACTOR")]
    scale: Option<f64>,
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
    /// It enlarges by bicubic interpolation, as MATLAB's imresize: it takes the small picture. The network works at its own scale;
    /// interpolation does the rest behind it
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
            let whole = matches!(arguments.with, With::Bicubic);
            write(&arguments.what, whole, |model, scale, about| {
                let enlargement =
                    if whole { onnx::Enlargement::Bicubic(scale) } else { onnx::Enlargement::None };
                onnx::file(model.network()?, enlargement, about)
            })
        }
        Action::Mpv(arguments) => {
            let variant = match arguments.variant {
                Variant::Compute => mpv::Variant::Compute,
                Variant::Fragment => mpv::Variant::Fragment,
            };
            write(&arguments.what, false, |model, scale, about| {
                Ok(mpv::file(model.network()?, scale, variant, about)?.into_bytes())
            })
        }
        Action::Web(arguments) => write_site(arguments),
    }
}

/// The scale that all networks together were trained for.
fn own_scale(models: &[Model]) -> Result<f64> {
    let mut scales: Vec<f32> = models.iter().flat_map(Model::scales).collect();
    scales.sort_by(f32::total_cmp);
    scales.dedup();
    let names: Vec<String> = scales.iter().map(|scale| format!("x{scale}")).collect();
    match scales.as_slice() {
        [scale] => Ok(f64::from(*scale)),
        [] => Err(Error::invalid("the network does not say which scale it is for: give it with --scale")),
        _ => Err(Error::invalid(format!("there are networks for {}: choose with --scale", names.join(", ")))),
    }
}

/// Writes what `make` makes of the network for a scale. `rest` tells that the file leaves to bicubic interpolation what the network
/// was not trained for, as `upscale` does.
fn write(what: &What, rest: bool, make: impl FnOnce(&Model, f64, &About) -> Result<Vec<u8>>) -> Result<()> {
    let choices = &what.model.model;
    let models = load_models(choices)?;
    let scale = what.scale.map_or_else(|| own_scale(&models), Ok)?;
    let suitable = if rest { one_step(&models, scale, None).ok() } else { None };
    let model = &models[suitable.unwrap_or_else(|| nearest(&models, scale))];
    let license = license(what.license.as_deref(), choices);
    let about = About { source: model.name.clone(), license, scale: Some(scale) };
    let bytes = make(model, scale, &about)?;
    if !rest || model.step(scale).is_none() {
        warn_of_scale(model, scale);
    }
    let written = match what.existing.resolve(&what.output)? {
        Some(to) => to.clash.write(&to.path, |file| file.write_all(&bytes))?,
        None => None,
    };
    match written {
        Some(path) => print(format!("{}: {}, for x{scale}", path.display(), model.name)),
        None => {
            progress::say(format_args!("{} exists, kept as it is", what.output.display()));
            Ok(())
        }
    }
}

/// The terms of the networks that these choices stand for: what is given, or those of the program's own.
fn license(given: Option<&str>, choices: &[PathBuf]) -> String {
    let own_terms = if is_shipped(choices) { env!("CARGO_PKG_LICENSE") } else { "" };
    given.unwrap_or(own_terms).into()
}

fn is_shipped(choices: &[PathBuf]) -> bool {
    choices.iter().all(|choice| family(choice).is_some())
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
    let mut networks = Vec::with_capacity(models.len());
    for (name, license, model) in &models {
        let about = About { source: model.name.clone(), license: license.clone(), scale: None };
        networks.push(web::WebNetwork { model: name.clone(), weights: model.network()?, about });
    }
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
