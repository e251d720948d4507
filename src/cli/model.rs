//! `srcnn-gpu model`: converts and inspects weight files.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use srcnn_gpu::dictionary::{Dictionary, Method};
use srcnn_gpu::export::{self, onnx};
use srcnn_gpu::train::filters::sheet;
use srcnn_gpu::train::run::save_png;
use srcnn_gpu::{Channels, Error, Metadata, Padding, Result, Weights};

use crate::cli::args::models::{Model, Trained, load, load_one, nearest};
use crate::cli::output::{Existing, print, print_text};
use crate::cli::progress;

/// Convert and inspect weight files
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu model info small
  srcnn-gpu model info runs/x3
  srcnn-gpu model convert 9-1-5_91-images_x3.mat x3.safetensors
  srcnn-gpu model filters runs/x3 -o filters.png")]
pub struct ModelCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a network as a .safetensors or .onnx file
    Convert(Convert),
    /// Show what a weight file holds
    Info(Info),
    /// Draw the filters of the first layer, those that vary most first
    Filters(Filters),
}

#[derive(Debug, Args)]
#[command(after_help = "Example: srcnn-gpu model convert 9-1-5_91-images_x3.mat x3.safetensors")]
struct Convert {
    /// Weight file (.safetensors, .onnx, PyTorch's .pth, the authors' .mat), the folder of a training run, small or large
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The .safetensors or .onnx file to write; an .onnx file takes pictures that are enlarged already, `export onnx` writes
    /// others
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Scales that the network was trained for, such as 3 or 2,3,4; of small and large, this also picks the network
    #[arg(long, value_name = "N", value_delimiter = ',')]
    scale: Vec<f32>,
    /// Padding that the network is for: replicate, normalized, zero or valid [default: as in IN]
    #[arg(long, value_name = "MODE")]
    padding: Option<Padding>,
    /// What its channels are: y, ycbcr or rgb [default: as in IN]
    #[arg(long, value_name = "CHANNELS")]
    channels: Option<Channels>,
    /// How it was trained, in your own words
    #[arg(long, value_name = "TEXT")]
    training: Option<String>,
    /// What to do if OUT exists
    #[arg(long, value_enum, default_value_t = Existing::Fail, value_name = "WHAT")]
    existing: Existing,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: srcnn-gpu model info large")]
struct Info {
    /// Weight file (.safetensors, .onnx, PyTorch's .pth, the authors' .mat), the folder of a training run, small or large
    #[arg(value_name = "FILE|RUN|NAME")]
    file: PathBuf,
    /// Of small and large, show only the network for this scale
    #[arg(short, long, value_name = "N")]
    scale: Option<f64>,
    /// Print JSON: an object, or a list of them for several networks
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: srcnn-gpu model filters small --scale 3 -o filters.png")]
struct Filters {
    /// Weight file (.safetensors, .onnx, PyTorch's .pth, the authors' .mat), the folder of a training run, small or large
    #[arg(value_name = "FILE|RUN|NAME")]
    file: PathBuf,
    /// Of small and large, take the network for this scale [default: 3]
    #[arg(short, long, value_name = "N")]
    scale: Option<f64>,
    /// The PNG file to write; an existing one is replaced
    #[arg(short, long, value_name = "PNG")]
    output: PathBuf,
    /// Width and height of each weight in pixels, 1 to 64
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    zoom: u32,
}

/// Runs `srcnn-gpu model`.
///
/// # Errors
/// [`Error::Model`] for a file that cannot be read, [`Error::Output`] for one that cannot be written,
/// [`Error::InvalidArgument`] for metadata that do not fit the network.
pub fn run(command: &ModelCommand) -> Result<()> {
    match &command.action {
        Action::Convert(arguments) => convert(arguments),
        Action::Info(arguments) => info(arguments),
        Action::Filters(arguments) => filters(arguments),
    }
}

fn filters(arguments: &Filters) -> Result<()> {
    let sheet = sheet(&load_one(&arguments.file, arguments.scale)?, arguments.zoom);
    let (width, height) = sheet.dimensions();
    save_png(&arguments.output, sheet.as_raw(), width, height, image::ExtendedColorType::Rgb8)?;
    print(arguments.output.display())
}

fn convert(arguments: &Convert) -> Result<()> {
    if arguments.output.is_dir() {
        let reason = "it is a folder; name the .safetensors or .onnx file to write".into();
        return Err(Error::Output { path: arguments.output.clone(), reason });
    }
    let has = |end: &str| arguments.output.extension().is_some_and(|e| e.eq_ignore_ascii_case(end));
    if !has("safetensors") && !has("onnx") {
        return Err(Error::invalid(format!(
            "'{}': the file to write must end in .safetensors or .onnx",
            arguments.output.display()
        )));
    }
    let weights = load_one(&arguments.input, arguments.scale.first().copied().map(f64::from))?;
    let mut metadata = weights.metadata.clone();
    if !arguments.scale.is_empty() {
        metadata.scales.clone_from(&arguments.scale);
    }
    metadata.padding = arguments.padding.unwrap_or(metadata.padding);
    metadata.channels = arguments.channels.unwrap_or(metadata.channels);
    metadata.training = arguments.training.clone().or(metadata.training);
    let weights = Weights::new(weights.layers().to_vec(), metadata)?;
    let bytes = if has("onnx") {
        let source = arguments.input.display().to_string();
        let scale = weights.metadata.scales.first().map(|&scale| f64::from(scale));
        onnx::file(
            &weights,
            onnx::Enlargement::None,
            &export::About { source, scale, ..export::About::default() },
        )?
    } else {
        weights.to_safetensors()?
    };
    let written = match arguments.existing.resolve(&arguments.output)? {
        Some(to) => to.clash.write(&to.path, |file| file.write_all(&bytes))?,
        None => None,
    };
    let Some(path) = written else {
        progress::say(format_args!("{} exists, kept as it is", arguments.output.display()));
        return Ok(());
    };
    let (architecture, Metadata { channels, padding, .. }) = (weights.architecture(), &weights.metadata);
    print(format!("{}: {architecture}, channels {channels}, padding {padding}", path.display()))
}

fn info(arguments: &Info) -> Result<()> {
    let mut models = load(&arguments.file)?;
    if let Some(scale) = arguments.scale {
        models = vec![models.swap_remove(nearest(&models, scale))];
    }
    let about = |Model { name, trained, .. }: &Model| match trained {
        Trained::Network(weights) => About::Network(Report::new(name, weights)),
        Trained::Dictionary(dictionary) => About::Dictionary(DictionaryReport::new(name, dictionary)),
    };
    let reports: Vec<About> = models.iter().map(about).collect();
    if !arguments.json {
        return print_text(&reports.iter().map(About::text).collect::<Vec<_>>().join("\n"));
    }
    let text = match reports.as_slice() {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    print(text.map_err(|e| Error::invalid(e.to_string()))?)
}

/// What `model info` prints of one model.
#[derive(Serialize)]
#[serde(untagged)]
enum About {
    Network(Report),
    Dictionary(DictionaryReport),
}

impl About {
    fn text(&self) -> String {
        match self {
            Self::Network(report) => report.text(),
            Self::Dictionary(report) => report.text(),
        }
    }
}

/// Of a dictionary; the fields are those of its JSON.
#[derive(Serialize)]
struct DictionaryReport {
    file: String,
    method: Method,
    scales: Vec<usize>,
    atoms: usize,
    features: usize,
    /// Pixels on each axis.
    patch: usize,
    training: Option<String>,
}

impl DictionaryReport {
    fn new(file: &str, dictionary: &Dictionary) -> Self {
        Self {
            file: file.into(),
            method: *dictionary.method(),
            scales: vec![dictionary.scale()],
            atoms: dictionary.atoms(),
            features: dictionary.features(),
            patch: dictionary.patch(),
            training: dictionary.training.clone(),
        }
    }

    fn text(&self) -> String {
        let Self { file, method, scales, atoms, features, patch, training } = self;
        let scales: Vec<_> = scales.iter().map(usize::to_string).collect();
        let rows = [
            ("file", file.clone()),
            ("method", format!("{method}, {}", method.parameters())),
            ("dictionary", format!("{atoms} atoms of {features} features")),
            ("patch", format!("{patch} x {patch} px")),
            ("scales", scales.join(", ")),
            ("training", training.clone().unwrap_or("unknown".into())),
        ];
        rows.iter().map(|(name, value)| format!("{name:<17} {value}\n")).collect()
    }
}

/// Of a network; the fields are those of its JSON.
#[derive(Serialize)]
struct Report {
    file: String,
    architecture: String,
    filters: String,
    parameters: usize,
    /// How many pixels to each side an output pixel depends on.
    receptive_radius: usize,
    multiply_adds_per_pixel: usize,
    #[serde(flatten)]
    metadata: Metadata,
    tensors: Vec<Tensor>,
}

#[derive(Serialize)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    min: f32,
    max: f32,
    mean: f64,
}

impl Tensor {
    fn new(name: String, shape: Vec<usize>, values: &[f32]) -> Self {
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        let min = values.iter().copied().fold(f32::INFINITY, f32::min);
        let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        Self { name, shape, min, max, mean }
    }
}

impl Report {
    fn new(file: &str, weights: &Weights) -> Self {
        let tensors = weights.layers().iter().enumerate().flat_map(|(i, layer)| {
            let (shape, name) = (layer.shape, format!("conv{}", i + 1));
            let weight_shape = vec![shape.filters, shape.inputs, shape.size, shape.size];
            [
                Tensor::new(format!("{name}.weight"), weight_shape, &layer.weight),
                Tensor::new(format!("{name}.bias"), vec![shape.filters], &layer.bias),
            ]
        });
        let architecture = weights.architecture();
        Self {
            file: file.into(),
            architecture: architecture.sizes(),
            filters: architecture.filters(),
            parameters: weights.parameters(),
            receptive_radius: architecture.radius(),
            multiply_adds_per_pixel: architecture.multiply_adds(),
            metadata: weights.metadata.clone(),
            tensors: tensors.collect(),
        }
    }

    fn text(&self) -> String {
        let Metadata { scales, channels, padding, degradation, training, psnr } = &self.metadata;
        let scales: Vec<_> = scales.iter().map(f32::to_string).collect();
        let or = |text: &str, other: &str| if text.is_empty() { other.into() } else { text.to_string() };
        let mut rows = vec![
            ("file", self.file.clone()),
            ("architecture", format!("{}, filters {}", self.architecture, self.filters)),
            ("parameters", self.parameters.to_string()),
            ("receptive radius", format!("{} px", self.receptive_radius)),
            ("multiply-adds", format!("{} per pixel", self.multiply_adds_per_pixel)),
            ("scales", or(&scales.join(", "), "unknown")),
            ("channels", channels.to_string()),
            ("padding", padding.to_string()),
            ("degradation", or(degradation.as_deref().unwrap_or_default(), "unknown")),
            ("training", or(training.as_deref().unwrap_or_default(), "unknown")),
        ];
        match psnr {
            None => rows.push(("PSNR", "unknown".into())),
            Some(serde_json::Value::Array(entries)) => {
                rows.extend(entries.iter().map(|e| ("PSNR", entry(e))))
            }
            Some(value) => rows.push(("PSNR", entry(value))),
        }
        let mut text = String::new();
        for (name, value) in rows {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:<17} {value}");
        }
        let _ =
            writeln!(text, "\n{:<14} {:<16} {:>10} {:>10} {:>10}", "tensor", "shape", "min", "max", "mean");
        for Tensor { name, shape, min, max, mean } in &self.tensors {
            let shape = format!("{shape:?}");
            let _ = writeln!(text, "{name:<14} {shape:<16} {min:>10.6} {max:>10.6} {mean:>10.6}");
        }
        text
    }
}

/// What is known of its PSNR on one set of pictures, such as `27.26 dB on val x3 (bicubic 26.14), SSIM 0.7831 (bicubic
/// 0.7397)`. The file may be anybody's: other content is shown as it is.
fn entry(value: &serde_json::Value) -> String {
    let number = |key: &str, decimals: usize| {
        let number = value.get(key).and_then(serde_json::Value::as_f64)?;
        Some(format!("{number:.decimals$}"))
    };
    let beside =
        |key: &str, decimals| number(key, decimals).map(|n| format!(" (bicubic {n})")).unwrap_or_default();
    let Some(psnr) = number("psnr", 2) else { return value.to_string() };
    let mut text = format!("{psnr} dB");
    if let Some(set) = value.get("set").and_then(serde_json::Value::as_str) {
        text.push_str(&format!(" on {set}"));
    }
    if let Some(scale) = value.get("scale").and_then(serde_json::Value::as_f64) {
        text.push_str(&format!(" x{scale}"));
    }
    if value.get("samples").and_then(serde_json::Value::as_str) == Some("rgb") {
        text.push_str(" in RGB");
    }
    text.push_str(&beside("psnr_bicubic", 2));
    if let Some(ssim) = number("ssim", 4) {
        text.push_str(&format!(", SSIM {ssim}{}", beside("ssim_bicubic", 4)));
    }
    text
}
