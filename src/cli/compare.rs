//! `srcnn-gpu compare`: PSNR and SSIM between existing pictures.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use srcnn_gpu::eval::compare::{Comparison, Samples, Similarity};
use srcnn_gpu::eval::dataset::{Dataset, Picture, stem};
use srcnn_gpu::eval::table::Layout;
use srcnn_gpu::picture::refuse;
use srcnn_gpu::ratio::Ratio;
use srcnn_gpu::{Error, Result};

use crate::cli::advice::report;
use crate::cli::exit;
use crate::cli::output::print;
use crate::cli::progress::Progress;

/// Measure PSNR and SSIM between two pictures, or between the pictures of two folders that have the same names
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu compare original.png enlarged.png -s 3
  srcnn-gpu compare Set5 results --suffix _srcnn_x3 -s 3 --csv")]
pub struct CompareArgs {
    /// The original, or a folder of originals
    #[arg(value_name = "A")]
    truth: PathBuf,
    /// The picture to compare with it, or a folder of pictures
    #[arg(value_name = "B")]
    other: PathBuf,

    /// What to compare: the luminance (srcnn), the colors without a border of the scale plus 6 pixels (ntire), or all colors
    /// (rgb)
    #[arg(long, value_name = "NAME", default_value_t, help_heading = "What to compare")]
    protocol: Samples,

    /// How many times B was enlarged, such as 3 or 2.5: srcnn and ntire crop pictures to multiples of it (at 2.5, which is 5/2,
    /// of 5) and leave out a border
    #[arg(short, long, value_name = "N", help_heading = "What to compare")]
    scale: Option<Ratio>,

    /// Pixels to leave out on each side [default: the scale if given, rounded up (srcnn), this and 6 more
    /// (ntire), 0 (rgb)]
    #[arg(long, value_name = "N", help_heading = "What to compare")]
    shave: Option<usize>,

    /// What the names in folder B have at their end that those in folder A lack, such as _srcnn_x3
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        help_heading = "What to compare"
    )]
    suffix: String,

    /// Print one JSON object
    #[arg(long, group = "form", help_heading = "Results")]
    json: bool,

    /// Print comma-separated values
    #[arg(long, group = "form", help_heading = "Results")]
    csv: bool,

    /// Print a Markdown table
    #[arg(long, group = "form", help_heading = "Results")]
    markdown: bool,
}

/// A compared pair, or the average.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(flatten)]
    figures: Similarity,
}

#[derive(Debug, Serialize)]
struct Report {
    a: PathBuf,
    b: PathBuf,
    #[serde(flatten)]
    comparison: Comparison,
    images: Vec<Row>,
    average: Option<Row>,
}

/// Compares all pairs. A failure is reported; the rest continue.
///
/// # Errors
/// Arguments that contradict each other, a folder that cannot be listed.
pub fn run(args: &CompareArgs) -> Result<u8> {
    let comparison = Comparison::new(args.protocol, args.scale, args.shave)?;
    let pairs = match (args.truth.is_dir(), args.other.is_dir()) {
        (false, false) => vec![Ok((args.truth.clone(), args.other.clone()))],
        (true, true) => match_folders(&args.truth, &args.other, &args.suffix)?,
        (folder, _) => {
            let (folder, file) = if folder { (&args.truth, &args.other) } else { (&args.other, &args.truth) };
            return Err(Error::invalid(format!(
                "{} is a folder and {} is not; compare two files or two folders",
                folder.display(),
                file.display()
            )));
        }
    };
    let (mut images, mut failed, total) = (Vec::new(), false, pairs.len() as u64);
    let mut progress = Progress::new("comparing");
    for (done, pair) in pairs.into_iter().enumerate() {
        match pair.and_then(|(a, b)| compare_files(&comparison, &a, &b)) {
            Ok(row) => images.push(row),
            Err(error) => {
                failed = true;
                report(&error);
            }
        }
        progress.update(done as u64 + 1, total);
    }
    // Removes the bar before the results are printed.
    drop(progress);
    if images.is_empty() {
        return Ok(exit::SOME_FAILED);
    }
    let average = Similarity::mean(images.iter().map(|row| &row.figures));
    let average = average.map(|figures| Row { image: None, figures });
    let found = Report { a: args.truth.clone(), b: args.other.clone(), comparison, images, average };
    print(match (args.json, args.csv, args.markdown) {
        (true, ..) => serde_json::to_string_pretty(&found).map_err(|e| Error::invalid(e.to_string()))?,
        (_, true, _) => found.table(Layout::Csv),
        (.., true) => found.table(Layout::Markdown),
        _ => found.table(Layout::Plain),
    })?;
    Ok(if failed { exit::SOME_FAILED } else { exit::DONE })
}

fn compare_files(comparison: &Comparison, a: &Path, b: &Path) -> Result<Row> {
    let figures =
        comparison.compare(&Picture::read(a)?, &Picture::read(b)?).map_err(|error| match error {
            Error::Picture(reason) => {
                Error::Picture(reason.within(format_args!("{} and {}", a.display(), b.display())))
            }
            other => other,
        })?;
    let name = a.file_name().unwrap_or(a.as_os_str()).to_string_lossy().into_owned();
    Ok(Row { image: Some(name), figures })
}

/// Pairs each picture of the first folder with the one in the second whose name is the same plus the suffix; of several,
/// with the one that has the same extension.
fn match_folders(first: &Path, second: &Path, suffix: &str) -> Result<Vec<Result<(PathBuf, PathBuf)>>> {
    let (first_set, second_set) = (Dataset::open(first)?, Dataset::open(second)?);
    let mut unmatched: Vec<&PathBuf> = second_set.pictures.iter().collect();
    let mut partner = |path: &PathBuf| {
        let name = stem(path) + suffix;
        let found: Vec<&PathBuf> = second_set.pictures.iter().filter(|other| stem(other) == name).collect();
        unmatched.retain(|other| !found.contains(other));
        let same = || found.iter().find(|other| other.extension() == path.extension());
        match found.as_slice() {
            [] => Err(refuse(path, format!("no picture '{name}' in {}", second.display()))),
            [one] => Ok((path.clone(), (*one).clone())),
            _ => same()
                .map(|&one| (path.clone(), one.clone()))
                .ok_or_else(|| refuse(path, format!("several pictures '{name}' in {}", second.display()))),
        }
    };
    let pairs: Vec<_> = first_set.pictures.iter().map(&mut partner).collect();
    if !unmatched.is_empty() {
        let names: Vec<_> = unmatched.iter().map(|path| stem(path)).collect();
        log::warn!(
            "{}: without a counterpart in {}: {}",
            second.display(),
            first.display(),
            names.join(", ")
        );
    }
    Ok(pairs)
}

impl Report {
    fn table(&self, layout: Layout) -> String {
        let header =
            if layout == Layout::Csv { ["image", "psnr", "ssim"] } else { ["image", "PSNR", "SSIM"] };
        let mut cells = vec![header.map(String::from).to_vec()];
        // The average of one picture is pointless, and programs that read CSV would take its line for a picture.
        let average = self.average.iter().filter(|_| layout != Layout::Csv && self.images.len() > 1);
        for Row { image, figures } in self.images.iter().chain(average) {
            let name = image.clone().unwrap_or_else(|| "average".into());
            cells.push(vec![name, layout.number(figures.psnr, 2), layout.number(figures.ssim, 4)]);
        }
        let Comparison { protocol, scale, shave } = self.comparison;
        let scale = scale.map(|scale| format!(", scale {scale}")).unwrap_or_default();
        let title = format!(
            "{} against {}, protocol {protocol}{scale}, shave {shave}",
            self.b.display(),
            self.a.display()
        );
        let table = layout.lay_out(&cells);
        let text = match layout {
            Layout::Plain => format!("{title}\n{table}"),
            Layout::Markdown => format!("**{title}**\n\n{table}"),
            Layout::Csv => table,
        };
        text.trim_end().into()
    }
}
