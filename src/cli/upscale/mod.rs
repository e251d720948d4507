//! `srcnn-gpu upscale`: the main job.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use srcnn_gpu::headless::HeadlessOptions;
use srcnn_gpu::{Error, Padding, Result};

use super::jobs::{Job, Plan};
use super::output::Existing;
use super::progress::Progress;
use super::trust::TrustArgs;
use super::{GpuArgs, exit, exit_code, print, report};

mod args;
mod bands;
mod enlarge;
mod frames;
mod model;
mod ready;
mod size;
mod steps;
mod video;

pub use args::Format;
use args::PictureArgs;
use enlarge::Enlarger;
use model::{Model, load_models};
use ready::{Enlarged, Opened};
pub use size::SizeArgs;
use video::VideoArgs;

/// Enlarge pictures.
#[derive(Debug, Args)]
pub struct UpscaleArgs {
    /// Pictures, and folders whose pictures are taken
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The same as an option, for scripts; repeatable
    #[arg(short, long = "input", value_name = "INPUT")]
    input: Vec<PathBuf>,
    /// File or folder to write; else {name}_srcnn_x{scale}.{ext} beside each input
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    picture: PictureArgs,
    /// Weight file, .safetensors or the authors' .mat; of several the one trained for the nearest scale is used
    #[arg(short, long, value_name = "FILE")]
    model: Vec<PathBuf>,
    /// Edge of a tile in output pixels; chosen for the adapter when not given
    #[arg(short, long, value_parser = tile, allow_negative_numbers = true)]
    tile: Option<u32>,
    #[command(flatten)]
    gpu: GpuArgs,
    /// What the network sees outside of the picture, other than its weight file says
    #[arg(long, value_name = "MODE", value_parser = padding())]
    padding: Option<Padding>,
    /// What to do with outputs that exist; a single named file is overwritten, others are skipped
    #[arg(long, value_enum, value_name = "WHAT")]
    existing: Option<Existing>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    video: VideoArgs,
}

fn tile(text: &str) -> Result<u32> {
    let number = text.parse::<u32>().ok().filter(|&tile| tile > 0);
    number.ok_or_else(|| Error::invalid("a number of pixels from 1 up is needed"))
}

/// The library's names of the padding modes; `eval` takes the same.
pub fn padding() -> impl TypedValueParser<Value = Padding> {
    PossibleValuesParser::new(Padding::NAMES).try_map(|name| name.parse::<Padding>())
}

/// Enlarges all inputs. One that fails is told and does not stop the others.
///
/// # Errors
/// What makes all work pointless: arguments, the model, the adapter, the output folder.
pub fn run(args: &UpscaleArgs) -> Result<u8> {
    let inputs: Vec<PathBuf> = args.inputs.iter().chain(&args.input).cloned().collect();
    if args.video.wanted(&inputs)? {
        return video::run(args, &inputs);
    }
    let mut plan = Plan::new(&inputs, args.output.as_deref(), &args.picture.naming(), args.existing)?;
    let models = load_models(&args.model)?;
    plan.prepare_folder()?;

    let jobs = std::mem::take(&mut plan.jobs);
    let total = jobs.len();
    let mut enlarger = None;
    let mut failures = Vec::new();
    for (index, job) in jobs.into_iter().enumerate() {
        let opened = job.and_then(|job| match plan.resolve(&job)? {
            Some(output) => Opened::new(Job { output, ..job }, &args.picture).map(Some),
            None => {
                log::warn!("{} exists already, skipped (--existing)", job.output.display());
                Ok(None)
            }
        });
        let decoded = match opened.and_then(|opened| opened.map(Opened::decode).transpose()) {
            Ok(Some(decoded)) => decoded,
            Ok(None) => continue,
            Err(error) => {
                report(&error);
                failures.push(exit_code(&error));
                continue;
            }
        };
        // The device is opened when there is a picture for it; without one, no other picture can be done.
        let enlarger = match &mut enlarger {
            Some(enlarger) => enlarger,
            none => none.insert(open(args, &models)?),
        };
        let mut progress = Progress::new(match total {
            1 => decoded.name(),
            _ => format!("[{}/{total}] {}", index + 1, decoded.name()),
        });
        let enlarged = decoded.enlarge(enlarger, &mut |done, total| progress.update(done, total));
        drop(progress);
        match enlarged.and_then(Enlarged::write) {
            Ok((path, _)) => print(path.display())?,
            Err(error) => {
                report(&error);
                failures.push(exit_code(&error));
            }
        }
    }
    // Nothing but failures of one kind have that kind's code.
    Ok(match failures.as_slice() {
        [] => exit::DONE,
        [first, rest @ ..] if failures.len() == total && rest.iter().all(|code| code == first) => *first,
        _ => exit::SOME_FAILED,
    })
}

fn open<'a>(args: &UpscaleArgs, models: &'a [Model]) -> Result<Enlarger<'a>> {
    let options = HeadlessOptions { padding: args.padding, tile: args.tile, ..HeadlessOptions::default() };
    Ok(Enlarger::new(args.gpu.open()?, models, args.trust.apply(options)))
}
