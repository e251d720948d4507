//! `srcnn-gpu model`: converts and inspects weight files.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use srcnn_gpu::export::{About, onnx};
use srcnn_gpu::train::filters::sheet;
use srcnn_gpu::train::run::save_png;
use srcnn_gpu::{Channels, Error, Metadata, Padding, Result, Weights};

use crate::cli::output::{Existing, print, print_text};
use crate::cli::progress;

/// Convert and inspect weight files.
#[derive(Debug, Args)]
pub struct ModelCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write any readable weight file (.safetensors, .mat, .onnx, .pth) as .safetensors or .onnx.
    Convert(Convert),
    /// Print what a weight file contains.
    Info(Info),
    /// Draw the first layer's filters as a PNG sheet, sorted by descending variance.
    Filters(Filters),
}

#[derive(Debug, Args)]
struct Convert {
    /// The weight file to read.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The .safetensors or .onnx file to write; an .onnx file takes pictures that are enlarged already, `export onnx` writes others.
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Scale that the network was trained for; repeatable, or a list: 2,3,4.
    #[arg(long, value_name = "SCALE", value_delimiter = ',')]
    scale: Vec<f32>,
    /// Padding to use the network with: replicate, normalized, zero or valid.
    #[arg(long)]
    padding: Option<Padding>,
    /// Meaning of its channels: y, ycbcr or rgb.
    #[arg(long)]
    channels: Option<Channels>,
    /// Free text about how it was trained.
    #[arg(long, value_name = "TEXT")]
    training: Option<String>,
    /// What to do when OUT exists.
    #[arg(long, value_enum, default_value_t = Existing::Fail)]
    existing: Existing,
}

#[derive(Debug, Args)]
struct Info {
    /// The weight file to read.
    file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Filters {
    /// The weight file to read.
    file: PathBuf,
    /// The PNG file to write; an existing one is replaced.
    #[arg(short, long, value_name = "PNG")]
    output: PathBuf,
    /// Pixels per filter tap.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
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
    let sheet = sheet(&Weights::load(&arguments.file)?, arguments.zoom);
    let (width, height) = sheet.dimensions();
    save_png(&arguments.output, sheet.as_raw(), width, height, image::ExtendedColorType::Rgb8)?;
    print(arguments.output.display())
}

fn convert(arguments: &Convert) -> Result<()> {
    let has = |end: &str| arguments.output.extension().is_some_and(|e| e.eq_ignore_ascii_case(end));
    if !has("safetensors") && !has("onnx") {
        return Err(Error::invalid(format!(
            "'{}': the file to write must end in .safetensors or .onnx",
            arguments.output.display()
        )));
    }
    let weights = Weights::load(&arguments.input)?;
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
        onnx::file(&weights, onnx::Enlargement::None, &About { source, scale, ..About::default() })?
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
    let report = Report::new(&arguments.file, &Weights::load(&arguments.file)?);
    let text = if arguments.json {
        serde_json::to_string_pretty(&report).map_err(|e| Error::invalid(e.to_string()))? + "\n"
    } else {
        report.text()
    };
    print_text(&text)
}

/// What `model info` prints; the fields are those of its JSON.
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
    fn new(file: &Path, weights: &Weights) -> Self {
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
            file: file.display().to_string(),
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
        let Metadata { scales, channels, padding, training, psnr } = &self.metadata;
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

/// An entry of the PSNR table: `{"set":"Set5","scale":3,"psnr":32.39}` as `set Set5, scale 3, psnr 32.39`.
fn entry(value: &serde_json::Value) -> String {
    let word = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
    match value.as_object() {
        Some(map) => map.iter().map(|(k, v)| format!("{k} {}", word(v))).collect::<Vec<_>>().join(", "),
        None => word(value),
    }
}
