//! `srcnn-gpu eval`: PSNR and SSIM of networks on folders of test pictures.

use std::path::{Path, PathBuf};

use clap::Args;
use srcnn_gpu::degrade::Degradation;
use srcnn_gpu::eval::dataset::{Dataset, Picture, size};
use srcnn_gpu::eval::html::{About, Page, Shown, shown_pixels};
use srcnn_gpu::eval::protocol::{Measured, Protocol};
use srcnn_gpu::eval::table::{Layout, render};
use srcnn_gpu::eval::{Report, SetReport};
use srcnn_gpu::ratio::Ratio;
use srcnn_gpu::{Error, Padding, Result};

use crate::cli::advice;
use crate::cli::args::gpu::GpuArgs;
use crate::cli::args::models::{Model, Trained, only_networks};
use crate::cli::args::precision::PrecisionArgs;
use crate::cli::args::tuning::TuneArgs;
use crate::cli::exit;
use crate::cli::output::print;
use crate::cli::progress::Progress;
use crop::crop;
use methods::{Column, Method};
use networks::{Compiled, measure, open};
use part::Part;
use save::{Saver, check_folder, check_page, tell_losses};
use srcnn_gpu::jobs::originals;

mod crop;
mod methods;
mod networks;
mod part;
mod save;

/// Measure PSNR and SSIM of networks on folders of test pictures
///
/// Each picture is shrunk and enlarged again, by bicubic interpolation and by the networks, and compared with the original.
/// Published figures for the same pictures stand beside.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = LONG)]
pub struct EvalArgs {
    /// Folders of full-size pictures, such as Set5, or single pictures
    #[arg(value_name = "DATASET", required = true)]
    pub datasets: Vec<PathBuf>,

    /// small, large, a weight file (.safetensors, the authors' .mat), the folder of a training run, the dictionary of another
    /// method (train --method), or bicubic; each gets a column, so repeat this to compare [default: small]
    #[arg(short, long, value_name = "NAME|FILE|RUN", help_heading = "What to measure")]
    pub model: Vec<PathBuf>,

    /// Scales, such as 2,2.5,3: ratios of whole numbers with a denominator up to 16. Between the scales of its networks, a
    /// method is measured as upscale enlarges, in one step [default: those that the networks were trained for]
    #[arg(short, long, value_name = "N", value_delimiter = ',', help_heading = "What to measure")]
    pub scale: Vec<Ratio>,

    /// How the pictures lose their quality before they are restored, a chain such as blur:1.2,bicubic,noise:5,jpeg:30 (as of
    /// train and degrade). Without --model, small and photo are measured, or at scale 1 deblock [default: bicubic]
    #[arg(
        long,
        value_name = "HOW",
        default_value_t,
        hide_default_value = true,
        help_heading = "What to measure"
    )]
    pub degradation: Degradation,

    /// How to measure; srcnn is what the authors' code does: the luminance as 8-bit integers, cropped to multiples of the
    /// scale (at 2.5, which is 5/2, of 5), nothing rounded between shrinking and enlarging, the result rounded to 8 bits, a
    /// border as wide as the scale left out. Networks of red, green and blue are measured on these three
    #[arg(long, value_name = "NAME", default_value = Protocol::NAME, value_parser = [Protocol::NAME],
          hide_possible_values = true, help_heading = "What to measure")]
    pub protocol: String,

    /// Pixels to leave out on each side [default: the scale rounded up, at scale 1 none]
    #[arg(long, value_name = "N", help_heading = "What to measure")]
    pub shave: Option<usize>,

    /// What the networks see beyond the edges, instead of what their weight files say: replicate, normalized, zero or valid
    #[arg(long, value_name = "MODE", help_heading = "What to measure")]
    pub padding: Option<Padding>,

    /// Average over the 8 flips and rotations of a picture: slightly better, 8 times the work
    #[arg(short = 'x', long, help_heading = "What to measure")]
    pub tta: bool,

    /// Print one JSON object
    #[arg(long, group = "form", help_heading = "Results")]
    pub json: bool,

    /// Print comma-separated values
    #[arg(long, group = "form", help_heading = "Results")]
    pub csv: bool,

    /// Print Markdown tables
    #[arg(long, group = "form", help_heading = "Results")]
    pub markdown: bool,

    /// Also write an HTML page with tables, charts, and sliders between the pictures
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    pub html: Option<PathBuf>,

    /// Show this part of each picture enlarged in the HTML page, as far as it is inside, instead of where the networks gain
    /// most: column and row of its corner, columns and rows
    #[arg(long, value_name = "X,Y,W,H", value_parser = crop, requires = "html", help_heading = "Results")]
    pub crop: Option<[usize; 4]>,

    /// Also write what was compared as PNG files to this folder: luminance, or colors for networks of red, green and blue
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    pub save: Option<PathBuf>,

    /// Largest width and height of a tile in pixels [default: what suits the adapter]
    #[arg(short, long, value_name = "N", help_heading = "Computing")]
    pub tile: Option<u32>,

    #[command(flatten)]
    pub precision: PrecisionArgs,

    #[command(flatten)]
    pub tune: TuneArgs,

    #[command(flatten)]
    pub gpu: GpuArgs,
}

const EXAMPLES: &str = "Examples:
  srcnn-gpu eval Set5 Set14
  srcnn-gpu eval Set5 -s 3 -m small -m large -m runs/mine --html report.html
  srcnn-gpu eval Set5 -s 2,2.5,3 -m small -m multi.safetensors
  srcnn-gpu eval Set5 -s 2,3 --degradation bicubic,jpeg:50";

const LONG: &str = "Examples:
  srcnn-gpu eval Set5 Set14
  srcnn-gpu eval Set5 -s 3 -m small -m large -m runs/mine --html report.html
  srcnn-gpu eval Set5 -s 2,2.5,3 -m small -m multi.safetensors
  srcnn-gpu eval Set5 -s 2,3 --degradation bicubic,jpeg:50

About the bicubic baseline: here both ways are MATLAB's imresize, as in the paper. Bicubic interpolation of other
libraries is another one, and so are figures that were measured with it. Average PSNR on Set5 at scale 3:
  30.39  MATLAB (here), or Pillow
  29.60  OpenCV both ways (its shrinking does not smooth)
  30.61  shrunk by MATLAB, enlarged by OpenCV or torch";

/// Measures all pictures. A failure is reported; the rest continue.
///
/// # Errors
/// What concerns the whole run: arguments, a model, a folder, the adapter, an output.
pub fn run(args: &EvalArgs) -> Result<u8> {
    let methods = methods::read(&args.model, &args.scale, &args.degradation)?;
    let mut tables = Vec::new();
    for scale in methods::scales(&args.scale, &methods)? {
        tables.extend(methods::tables(&methods, scale, args.shave, args.padding, args.degradation)?);
    }
    if args.tta {
        only_networks(methods.iter().flat_map(|method| &method.networks), "--tta")?;
    }
    methods::warn(&methods, &tables);
    let datasets = args.datasets.iter().map(|dir| open_set(dir)).collect::<Result<Vec<_>>>()?;
    for set in datasets.iter().filter(|set| !set.skipped.is_empty()) {
        log::warn!("{}: not pictures, left out: {}", set.name, set.skipped.join(", "));
    }
    if let Some(folder) = &args.save {
        check_folder(folder, &datasets)?;
    }
    if let Some(page) = &args.html {
        check_page(page)?;
        Part::refuse_page()?;
    }
    let sizes: Vec<(u32, u32)> =
        datasets.iter().flat_map(|set| &set.pictures).filter_map(|path| size(path).ok()).collect();
    // Only after everything that can be checked without it.
    let part = Part::start()?;
    measure_all(args, &methods, &tables, &datasets, &sizes, &part).or_else(|error| part.fail(error))
}

/// Measures this process's part of the pictures, and prints what all have measured.
fn measure_all(
    args: &EvalArgs,
    methods: &[Method],
    tables: &[Vec<Column>],
    datasets: &[Dataset],
    sizes: &[(u32, u32)],
    part: &Part,
) -> Result<u8> {
    let (networks, adapter) = open(args, methods, tables, sizes)?;
    let page = args.html.as_ref().map(|_| {
        // Each table shows the baseline and the original too.
        let views = |table: &Vec<Column>| table.iter().filter(|column| column.network.is_some()).count() + 2;
        let views: usize = tables.iter().map(views).sum();
        let pixels = sizes.iter().map(|&size| shown_pixels(size)).sum::<u64>() * views as u64;
        Page::new(pixels).map(|page| page.with_crop(args.crop))
    });
    let columns: usize = tables.iter().map(Vec::len).sum();
    let mut run = Run {
        args,
        methods,
        part,
        networks,
        page: page.transpose()?,
        progress: Progress::new("measuring"),
        done: 0,
        total: datasets.iter().map(|set| part.count(set.pictures.len())).sum::<usize>() * columns,
        failed: false,
    };
    let mut report = Report::default();
    for set in datasets {
        for table in tables {
            report.tables.push(run.measure(set, table)?);
        }
    }
    let (failed, page) = (run.failed, run.page.take());
    // Removes the bar before the results are printed.
    drop(run);
    let code = if failed { exit::SOME_FAILED } else { exit::DONE };
    if !part.prints() {
        return Ok(code);
    }
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
        page.write(path, &report, &About { adapter })?;
    }
    Ok(code)
}

/// The pictures of a folder, without results of this program that lie among them.
///
/// # Errors
/// As [`Dataset::open`].
fn open_set(folder: &Path) -> Result<Dataset> {
    let mut set = Dataset::open(folder)?;
    if folder.is_dir() {
        set.pictures = originals(folder, set.pictures);
    }
    Ok(set)
}

struct Run<'a> {
    args: &'a EvalArgs,
    methods: &'a [Method],
    part: &'a Part,
    networks: Vec<Compiled>,
    page: Option<Page>,
    progress: Progress,
    done: usize,
    total: usize,
    failed: bool,
}

impl Run<'_> {
    /// Measures one set at one scale. Pictures that fail are reported and left out.
    fn measure(&mut self, set: &Dataset, table: &[Column]) -> Result<Vec<SetReport>> {
        let mut reports: Vec<SetReport> = table.iter().map(|column| self.report(set, column)).collect();
        self.page.iter_mut().for_each(Page::begin_set);
        let names = set.names();
        let mut rows = Vec::new();
        for (position, (path, name)) in set.pictures.iter().zip(&names).enumerate() {
            if !self.part.has(position) {
                continue;
            }
            match self.measure_picture(path, table) {
                Ok((picture, results)) => {
                    let figures = results.iter().map(|measured| (measured.score, measured.border));
                    rows.push((position, figures.collect()));
                    self.keep((path, name), &picture, table, results)?;
                }
                Err(error @ Error::Picture(_)) => {
                    self.failed = true;
                    advice::report(&error);
                }
                Err(error) => return Err(error),
            }
        }
        let rows = self.part.gather(rows, table.len())?;
        self.failed |= self.part.lacks(rows.len(), names.len());
        for (position, figures) in &rows {
            for (report, (score, border)) in reports.iter_mut().zip(figures) {
                report.add_score(&names[*position], *score, *border);
            }
        }
        for (report, column) in reports.iter_mut().zip(table) {
            let architecture =
                self.model(column).and_then(|model| Some(model.network().ok()?.architecture()));
            report.finish(architecture);
        }
        Ok(reports)
    }

    fn model(&self, column: &Column) -> Option<&Model> {
        Some(&self.methods[column.method].networks[column.network?])
    }

    /// A report without pictures.
    fn report(&self, set: &Dataset, column: &Column) -> SetReport {
        let Some(model) = self.model(column) else { return SetReport::bicubic(&set.name, &column.protocol) };
        let name = &self.methods[column.method].name;
        let path = Path::new(&model.name);
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let Trained::Network(weights) = &model.trained else {
            return SetReport::method(&set.name, &column.protocol, &file, &model.what()).named(name, &file);
        };
        let padding = self.args.padding.unwrap_or(weights.metadata.padding);
        let file = if self.args.tta { format!("{file} --tta") } else { file.into_owned() };
        SetReport::new(&set.name, &column.protocol, &file, weights.architecture(), padding).named(name, &file)
    }

    /// What all methods of a table make of a picture.
    fn measure_picture(&mut self, path: &Path, table: &[Column]) -> Result<(Picture, Vec<Measured>)> {
        let mut left = table.len();
        let measured = Picture::read(path).and_then(|picture| {
            let mut results = Vec::with_capacity(table.len());
            for column in table {
                let measured = measure(&mut self.networks, column, &picture);
                results.push(measured.map_err(|error| match error {
                    Error::Picture(reason) => Error::Picture(reason.within(path.display())),
                    other => other,
                })?);
                (self.done, left) = (self.done + 1, left - 1);
                self.progress.update(self.done as u64, self.total as u64);
            }
            Ok((picture, results))
        });
        // Of a picture that failed.
        self.done += left;
        self.progress.update(self.done as u64, self.total as u64);
        measured
    }

    /// Adds a picture's results to the saved pictures and the page.
    fn keep(
        &mut self,
        (path, name): (&Path, &str),
        picture: &Picture,
        table: &[Column],
        results: Vec<Measured>,
    ) -> Result<()> {
        let networks = table.iter().filter(|column| column.network.is_some()).count();
        if let (Some(folder), Some(first), Some(column)) = (&self.args.save, results.first(), table.first()) {
            let saver = Saver { folder, name: format!("{name}_x{}", column.protocol.scale) };
            tell_losses(path);
            saver.bicubic(first)?;
            for (column, measured) in
                table.iter().zip(&results).filter(|(column, _)| column.network.is_some())
            {
                // The name of a network that is alone has always been this.
                let method = &self.methods[column.method].name;
                saver.network(if networks == 1 { "srcnn" } else { method }, measured)?;
            }
        }
        let Some(page) = &mut self.page else { return Ok(()) };
        let shown = table.iter().zip(results).map(|(column, measured)| Shown {
            title: &self.methods[column.method].name,
            alone: match column.network.map(|network| &self.methods[column.method].networks[network].trained)
            {
                Some(Trained::Dictionary(_)) => &self.methods[column.method].name,
                _ => "Network",
            },
            protocol: &column.protocol,
            measured,
            is_network: column.network.is_some(),
        });
        page.add(name, picture, shown.collect())
    }
}
