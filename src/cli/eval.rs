//! `srcnn-gpu eval`: PSNR and SSIM of a network on folders of test pictures.

use std::collections::HashMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use image::{ExtendedColorType, ImageFormat};
use srcnn_gpu::atomic::explain;
use srcnn_gpu::eval::dataset::{Dataset, Picture, stem};
use srcnn_gpu::eval::html::{About, Page};
use srcnn_gpu::eval::protocol::{Luminance, Measured, Protocol};
use srcnn_gpu::eval::table::{Layout, render};
use srcnn_gpu::eval::{Enlarge, Report, SetReport};
use srcnn_gpu::headless::adapter::describe;
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::picture::PictureFile;
use srcnn_gpu::{Error, Padding, Planes, Reason, Result, Weights};

use crate::cli::advice;
use crate::cli::args::gpu::GpuArgs;
use crate::cli::args::models::{Model, ModelArgs, load_models, nearest};
use crate::cli::args::precision::PrecisionArgs;
use crate::cli::args::tuning::TuneArgs;
use crate::cli::exit;
use crate::cli::output::{print, write_atomically};
use crate::cli::progress::Progress;

/// Measure a model on folders of test pictures, beside bicubic interpolation and published figures
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Folders of full-size pictures, such as Set5
    #[arg(value_name = "DATASET_DIR", required = true)]
    pub datasets: Vec<PathBuf>,

    /// Scales to measure, such as 2,3,4 [default: those that the model was trained for]
    #[arg(short, long, value_delimiter = ',')]
    pub scale: Vec<f64>,

    #[command(flatten)]
    pub model: ModelArgs,

    /// How to measure. srcnn is the authors' code: luminance as uint8, cropped to multiples of the scale, no rounding
    /// between shrinking and enlarging, result as uint8, borders as wide as the scale left out
    #[arg(long, default_value = Protocol::NAME, value_parser = [Protocol::NAME])]
    pub protocol: String,

    /// Pixels to leave out on each side [default: the scale]
    #[arg(long, value_name = "N")]
    pub shave: Option<usize>,

    /// Padding to use instead of the model's own: replicate, normalized, zero or valid
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

    /// Write an HTML page with tables, charts, and sliders between pictures to this file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Edge of a tile in pixels [default: as the adapter allows]
    #[arg(short, long, value_name = "N")]
    pub tile: Option<u32>,

    #[command(flatten)]
    pub precision: PrecisionArgs,

    /// Average over the 8 flips and rotations of a picture
    #[arg(short = 'x', long)]
    pub tta: bool,

    #[command(flatten)]
    pub tune: TuneArgs,

    #[command(flatten)]
    pub gpu: GpuArgs,
}

/// Measures all pictures. A failure is reported; the rest continue.
///
/// # Errors
/// What concerns the whole run: arguments, a model, a folder, the adapter, an output.
pub fn run(args: &EvalArgs) -> Result<u8> {
    let models = load_models(&args.model.model)?;
    let protocols = protocols(args, &models)?;
    let datasets = args.datasets.iter().map(|dir| Dataset::open(dir)).collect::<Result<Vec<_>>>()?;
    for set in datasets.iter().filter(|set| !set.skipped.is_empty()) {
        log::warn!("{}: not pictures, left out: {}", set.name, set.skipped.join(", "));
    }
    if let Some(folder) = &args.save {
        check_save(folder, &datasets)?;
    }
    if let Some(page) = &args.html {
        check_page(page)?;
    }
    let (padding, tile, tta) = (args.padding, args.tile, args.tta);
    let precision = args.precision.precision;
    let options = HeadlessOptions::default()
        .with_padding(padding)
        .with_tile(tile)
        .with_tta(tta)
        .with_precision(precision);
    // Only after everything that can be checked without it.
    let gpu = args.gpu.open()?;
    args.precision.check(&gpu)?;
    let about = About { adapter: describe(&gpu.info) };
    let mut networks = Vec::new();
    let pixels = pixels(&datasets) * protocols.len() as u64;
    for (_, model) in &protocols {
        // In the order of the scales that first use a model.
        if networks.iter().all(|(other, _)| other != model) {
            let weights = &models[*model].weights;
            let options = args.tune.apply(&gpu, weights, options, pixels)?;
            let mut network = Headless::new(gpu.clone(), weights, options)?;
            warm_up(&mut network, weights)?;
            networks.push((*model, network));
        }
    }
    let mut run = Run {
        args,
        models: &models,
        networks,
        page: args.html.as_ref().map(|_| Page::new()).transpose()?,
        progress: Progress::new("measuring"),
        done: 0,
        total: datasets.iter().map(|set| set.pictures.len()).sum::<usize>() * protocols.len(),
        failed: false,
    };
    let mut report = Report::default();
    for set in &datasets {
        for (protocol, model) in &protocols {
            report.sets.push(run.measure(set, protocol, *model)?);
        }
    }
    let (failed, page) = (run.failed, run.page.take());
    // Removes the bar before the results are printed.
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
    if let (Some(page), Some(path)) = (page, &args.html) {
        page.write(path, &report, &about)?;
    }
    Ok(if failed { exit::SOME_FAILED } else { exit::DONE })
}

/// The number of pixels in all readable pictures.
fn pixels(datasets: &[Dataset]) -> u64 {
    let paths = datasets.iter().flat_map(|set| &set.pictures);
    let sizes = paths.filter_map(|path| PictureFile::open(path).ok()).map(|file| file.size());
    sizes.map(|(width, height)| u64::from(width) * u64::from(height)).sum()
}

/// Runs the network once on a small picture to compile its kernels, so that compiling does not count as a picture's time.
fn warm_up(network: &mut Headless, weights: &Weights) -> Result<()> {
    let channels = weights.architecture().channels();
    let side = 2 * weights.architecture().radius() + 8;
    let picture = Planes::new(side, side, channels, vec![0.5; side * side * channels])?;
    network.upscale_planes(&picture, 2.0).map(drop)
}

/// For each scale the protocol and the index of its model. Warns of scales that the model was not trained for.
fn protocols(args: &EvalArgs, models: &[Model]) -> Result<Vec<(Protocol, usize)>> {
    let trained: Vec<f64> = models
        .iter()
        .flat_map(|model| &model.weights.metadata.scales)
        .map(|&scale| f64::from(scale))
        .collect();
    let asked = if args.scale.is_empty() { &trained } else { &args.scale };
    if asked.is_empty() {
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        return Err(Error::invalid(format!(
            "{} does not say which scale it is for; give one with --scale",
            names.join(", ")
        )));
    }
    let protocol = |&scale: &f64| {
        let index = nearest(models, scale);
        let Model { name, weights } = &models[index];
        let scales = &weights.metadata.scales;
        if !scales.is_empty() && !scales.iter().any(|&trained| f64::from(trained) == scale) {
            let names: Vec<String> = scales.iter().map(|scale| format!("x{scale}")).collect();
            log::warn!("{name} was trained for {}, not x{scale}", names.join(", "));
        }
        Ok((Protocol::new(scale, args.shave, weights.metadata.channels)?, index))
    };
    asked.iter().map(protocol).collect()
}

struct Run<'a> {
    args: &'a EvalArgs,
    models: &'a [Model],
    /// Compiled networks, with the indices of their models.
    networks: Vec<(usize, Headless)>,
    page: Option<Page>,
    progress: Progress,
    done: usize,
    total: usize,
    failed: bool,
}

impl Run<'_> {
    /// Measures one set at one scale. Pictures that fail are reported and left out.
    fn measure(&mut self, set: &Dataset, protocol: &Protocol, index: usize) -> Result<SetReport> {
        let Model { name: model, weights } = &self.models[index];
        let architecture = weights.architecture();
        let padding = self.args.padding.unwrap_or(weights.metadata.padding);
        let file = Path::new(model).file_name().unwrap_or_default().to_string_lossy();
        let model = if self.args.tta { format!("{file} --tta") } else { file.into_owned() };
        let mut report = SetReport::new(&set.name, protocol, &model, architecture, padding);
        let network = self.networks.iter_mut().find(|(of, _)| *of == index).map(|(_, network)| network);
        let Some(network) = network else { return Ok(report) };
        self.page.iter_mut().for_each(Page::begin_set);
        for path in &set.pictures {
            let name = stem(path);
            match measure_file(path, protocol, network) {
                Ok((picture, measured)) => {
                    if let Some(folder) = &self.args.save {
                        tell_losses(path);
                        let file = |method| folder.join(format!("{name}_x{}_{method}.png", protocol.scale));
                        save(&file("bicubic"), &measured.bicubic)?;
                        save(&file("srcnn"), &measured.network)?;
                    }
                    report.add(&name, &measured);
                    if let Some(page) = &mut self.page {
                        page.add(&name, &picture, protocol, measured)?;
                    }
                }
                Err(error @ Error::Picture(_)) => {
                    self.failed = true;
                    advice::report(&error);
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

fn measure_file(path: &Path, protocol: &Protocol, network: &mut dyn Enlarge) -> Result<(Picture, Measured)> {
    let picture = Picture::read(path)?;
    let measured = protocol.measure(&picture, network).map_err(|error| match error {
        Error::Picture(reason) => Error::Picture(reason.within(path.display())),
        other => other,
    })?;
    Ok((picture, measured))
}

/// Checks before any work is done that the page can be written.
fn check_page(path: &Path) -> Result<()> {
    let failed = |reason: String| Error::Output { path: path.into(), reason: reason.into() };
    if path.is_dir() {
        return Err(failed("it is a folder".into()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(folder).map(drop).map_err(|e| failed(explain(&e)))
}

/// Checks before any work is done that the folder is writable, and that no two pictures would get the same name.
fn check_save(folder: &Path, datasets: &[Dataset]) -> Result<()> {
    tempfile::tempfile_in(folder).map_err(|e| Error::Output { path: folder.into(), reason: e.into() })?;
    let mut seen = HashMap::new();
    for path in datasets.iter().flat_map(|set| &set.pictures) {
        if let Some(other) = seen.insert(stem(path), path) {
            return Err(Error::invalid(format!(
                "{} and {} would be saved under one name; use --save with one of these folders at a time",
                other.display(),
                path.display()
            )));
        }
    }
    Ok(())
}

/// Warns of what comes with a picture, and is not saved with its luminance.
fn tell_losses(path: &Path) {
    let contents = PictureFile::open(path).ok().and_then(|file| file.metadata().contents());
    if let Some(contents) = contents {
        log::warn!("{}: its luminance is saved without {contents}", path.display());
    }
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
    .map_err(|e| Error::Output { path: path.into(), reason: Reason::of(e) })?;
    write_atomically(path, |file| file.write_all(png.get_ref()))
}
