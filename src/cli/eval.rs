//! `srcnn-gpu eval`: PSNR and SSIM of a network on folders of test pictures.

use std::collections::HashMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use image::{ExtendedColorType, ImageFormat};
use srcnn_gpu::eval::dataset::{Dataset, Picture, stem};
use srcnn_gpu::eval::protocol::{Luminance, Measured, Protocol};
use srcnn_gpu::eval::table::{Layout, render};
use srcnn_gpu::eval::{Enlarge, Report, SetReport};
use srcnn_gpu::headless::{Gpu, Headless, HeadlessOptions};
use srcnn_gpu::{Error, Padding, Result, Weights};

use super::output::write_atomically;
use super::progress::Progress;
use super::{GpuArgs, print};

/// Measure a model on folders of test pictures, beside bicubic interpolation and published figures
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Folders of pictures in full size, such as Set5
    #[arg(value_name = "DATASET_DIR", required = true)]
    pub datasets: Vec<PathBuf>,

    /// Enlargements to measure, such as 2,3,4 [default: those that the model was trained for]
    #[arg(short, long, value_delimiter = ',')]
    pub scale: Vec<f64>,

    /// Weight file: .safetensors, or the authors' .mat
    #[arg(short, long, value_name = "FILE")]
    pub model: PathBuf,

    /// How to measure. srcnn, the authors' code: luminance as uint8, cut to multiples of the scale, nothing
    /// rounded between shrinking and enlarging, result as uint8, borders of the scale's width left out
    #[arg(long, default_value = Protocol::NAME, value_parser = [Protocol::NAME])]
    pub protocol: String,

    /// Pixels left out on each side [default: the scale]
    #[arg(long, value_name = "N")]
    pub shave: Option<usize>,

    /// Padding instead of the model's own: replicate, normalized, zero or valid
    #[arg(long, value_name = "MODE")]
    pub padding: Option<Padding>,

    /// Print one JSON object
    #[arg(long, group = "form")]
    pub json: bool,

    /// Print comma-separated values
    #[arg(long, group = "form")]
    pub csv: bool,

    /// Print Markdown tables
    #[arg(long, group = "form")]
    pub markdown: bool,

    /// Write the luminance of both results as PNG files into this folder
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,

    /// Edge of a tile in pixels [default: as the adapter allows]
    #[arg(short, long, value_name = "N")]
    pub tile: Option<u32>,

    #[command(flatten)]
    pub gpu: GpuArgs,
}

/// Runs the subcommand; `open` opens the GPU, after everything that can be checked without it.
///
/// Returns whether all pictures were measured; those that were not have a line each on stderr.
///
/// # Errors
/// What keeps the whole run from going on: arguments, a model, a folder, a GPU, an output.
pub fn run(args: &EvalArgs, open: impl FnOnce() -> Result<Gpu>) -> Result<bool> {
    let weights = Weights::load(&args.model)?;
    let protocols = protocols(args, &weights)?;
    let datasets = args.datasets.iter().map(|dir| Dataset::open(dir)).collect::<Result<Vec<_>>>()?;
    for set in datasets.iter().filter(|set| !set.skipped.is_empty()) {
        log::warn!("{}: skipped what is not a picture file: {}", set.name, set.skipped.join(", "));
    }
    if let Some(folder) = &args.save {
        check_save(folder, &datasets)?;
    }
    let options = HeadlessOptions { padding: args.padding, tile: args.tile, ..HeadlessOptions::default() };
    let mut run = Run {
        args,
        network: Headless::new(open()?, &weights, options)?,
        weights,
        progress: Progress::new("measuring"),
        done: 0,
        total: datasets.iter().map(|set| set.pictures.len()).sum::<usize>() * protocols.len(),
        failed: false,
    };
    let mut report = Report::default();
    for set in &datasets {
        for protocol in &protocols {
            report.sets.push(run.measure(set, protocol)?);
        }
    }
    let all = !run.failed;
    // A bar goes before the results come.
    drop(run);
    let text = if args.json {
        serde_json::to_string_pretty(&report).map_err(|e| Error::invalid(e.to_string()))?
    } else {
        let layout = match (args.csv, args.markdown) {
            (true, _) => Layout::Csv,
            (_, true) => Layout::Markdown,
            _ => Layout::Plain,
        };
        render(&report, layout).trim_end().into()
    };
    print(text)?;
    Ok(all)
}

/// One protocol a scale; a note for scales that the model was not trained for.
fn protocols(args: &EvalArgs, weights: &Weights) -> Result<Vec<Protocol>> {
    let metadata = &weights.metadata;
    let trained: Vec<f64> = metadata.scales.iter().map(|&scale| f64::from(scale)).collect();
    let asked = if args.scale.is_empty() { &trained } else { &args.scale };
    if asked.is_empty() {
        return Err(Error::invalid(format!(
            "{} does not say which scale it is for; give one with --scale",
            args.model.display()
        )));
    }
    for scale in asked.iter().filter(|scale| !trained.is_empty() && !trained.contains(scale)) {
        let names: Vec<String> = trained.iter().map(|scale| format!("x{scale}")).collect();
        log::warn!("{} was trained for {}, not x{scale}", args.model.display(), names.join(", "));
    }
    asked.iter().map(|&scale| Protocol::new(scale, args.shave, metadata.channels)).collect()
}

struct Run<'a> {
    args: &'a EvalArgs,
    weights: Weights,
    network: Headless,
    progress: Progress,
    done: usize,
    total: usize,
    failed: bool,
}

impl Run<'_> {
    /// Measures one set at one scale. A picture that cannot be measured is reported and left out.
    fn measure(&mut self, set: &Dataset, protocol: &Protocol) -> Result<SetReport> {
        let architecture = self.weights.architecture();
        let padding = self.args.padding.unwrap_or(self.weights.metadata.padding);
        let model = self.args.model.file_name().unwrap_or_default().to_string_lossy();
        let mut report = SetReport::new(&set.name, protocol, &model, architecture, padding);
        for path in &set.pictures {
            let name = stem(path);
            match measure_file(path, protocol, &mut self.network) {
                Ok(measured) => {
                    if let Some(folder) = &self.args.save {
                        let file = |method| folder.join(format!("{name}_x{}_{method}.png", protocol.scale));
                        save(&file("bicubic"), &measured.bicubic)?;
                        save(&file("srcnn"), &measured.network)?;
                    }
                    report.add(&name, &measured);
                }
                Err(error @ Error::Picture(_)) => {
                    self.failed = true;
                    log::error!("{error}");
                }
                Err(error) => return Err(error),
            }
            self.done += 1;
            self.progress.update(self.done as u64, self.total as u64);
        }
        report.finish(architecture);
        Ok(report)
    }
}

fn measure_file(path: &Path, protocol: &Protocol, network: &mut dyn Enlarge) -> Result<Measured> {
    let picture = Picture::read(path)?;
    protocol.measure(&picture, network).map_err(|error| match error {
        Error::Picture(reason) => Error::Picture(format!("{}: {reason}", path.display())),
        other => other,
    })
}

/// Finds out before any work is done that the folder takes files, and that no two go by the same name.
fn check_save(folder: &Path, datasets: &[Dataset]) -> Result<()> {
    tempfile::tempfile_in(folder)
        .map_err(|e| Error::Output { path: folder.into(), reason: e.to_string() })?;
    let mut seen = HashMap::new();
    for path in datasets.iter().flat_map(|set| &set.pictures) {
        if let Some(other) = seen.insert(stem(path), path) {
            return Err(Error::invalid(format!(
                "{} and {} would be saved under one name; use --save with one of them at a time",
                other.display(),
                path.display()
            )));
        }
    }
    Ok(())
}

/// Writes a plane of luminance as PNG.
fn save(path: &Path, picture: &Luminance) -> Result<()> {
    let mut png = Cursor::new(Vec::new());
    let (width, height) = (picture.width as u32, picture.height as u32);
    image::write_buffer_with_format(
        &mut png,
        &picture.data,
        width,
        height,
        ExtendedColorType::L8,
        ImageFormat::Png,
    )
    .map_err(|e| Error::Output { path: path.into(), reason: e.to_string() })?;
    write_atomically(path, |file| file.write_all(png.get_ref()))
}
