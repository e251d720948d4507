//! `srcnn-gpu degrade`: pictures of lower quality, made as in the evaluation's protocol.

use std::path::PathBuf;

use clap::Args;
use srcnn_gpu::degrade::Degradation;
use srcnn_gpu::eval::degrade;
use srcnn_gpu::ratio::Ratio;
use srcnn_gpu::{Error, Result, guard};

use crate::cli::advice::report;
use crate::cli::exit;
use crate::cli::output::{Existing, print};
use crate::cli::progress::Progress;
use srcnn_gpu::jobs::{Decision, Job, Kept, Plan, Request};
use srcnn_gpu::picture::{PictureFile, Settings, encode, refuse};

/// Shrink and degrade pictures the way eval does: crop to multiples of the scale, shrink as MATLAB's imresize does, round once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu degrade baby.png baby_small.png -s 3
  srcnn-gpu degrade Set5 Set5_x3 -s 3
  srcnn-gpu degrade Set5 Set5_x2.5 -s 2.5
  srcnn-gpu degrade Set5 Set5_jpeg -s 2 --degradation blur:0.8,bicubic,noise:3,jpeg:40

The traces of JPEG and WebP files are in the pixels; write PNG files to lose nothing more.")]
pub struct DegradeArgs {
    /// A picture, or a folder of pictures
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// File to write; for a folder, the folder to write to
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// How many times smaller, from 1 to 16: a whole number, or a ratio with a denominator up to 16 such as 2.5, which crops to
    /// multiples of its numerator, here 5; 1 keeps the size
    #[arg(short, long, value_name = "N", value_parser = scale)]
    scale: Ratio,
    /// What happens to the pictures, in this order: blur:SIGMA, bicubic, subsample, gaussian:SIGMA (blur and subsample at once),
    /// noise:SIGMA in steps of 8 bits, jpeg:QUALITY or jpeg:QUALITY:444, webp:QUALITY. Of a range such as jpeg:30..95 each
    /// picture gets a number of its own, always the same; @0.8 behind a step has it happen to 8 of 10 pictures
    #[arg(long, default_value_t, value_name = "HOW")]
    degradation: Degradation,
    /// What to do with results that exist [default: overwrite a file that OUT names, skip all others]
    #[arg(long, value_enum, value_name = "WHAT")]
    existing: Option<Existing>,
}

/// The scale.
///
/// # Errors
/// As [`Ratio::of`], and [`Error::InvalidArgument`] above 16.
fn scale(text: &str) -> Result<Ratio> {
    let scale: Ratio = text.parse()?;
    match scale.value() <= 16.0 {
        true => Ok(scale),
        false => Err(Error::invalid("16 is the largest scale")),
    }
}

/// Degrades all inputs. A failure is reported; the rest continue.
///
/// # Errors
/// What concerns all inputs: arguments, the output folder.
pub fn run(args: &DegradeArgs) -> Result<u8> {
    args.degradation.check(args.scale)?;
    let inputs = [args.input.clone()];
    let settings = Some(format!("{} {}", args.scale, args.degradation));
    let (output, existing) = (Some(args.output.as_path()), args.existing);
    let request =
        Request { inputs: &inputs, output, existing, settings, shrinks: true, ..Request::default() };
    let mut plan = Plan::new(&request)?;
    plan.prepare_folder()?;
    let jobs = std::mem::take(&mut plan.jobs);
    let (total, mut failures) = (jobs.len(), Vec::new());
    let mut progress = Progress::new("degrading");
    for (index, job) in jobs.into_iter().enumerate() {
        match job.and_then(|job| degrade_file(job, &plan, args)) {
            Ok(Some(path)) => print(path.display())?,
            Ok(None) => {}
            Err(error) => {
                report(&error);
                failures.push(exit::code(&error));
            }
        }
        progress.update(index as u64 + 1, total as u64);
    }
    plan.settle();
    Ok(exit::code_of(&failures, total))
}

/// Returns the path that was written, `None` if it exists and is kept.
fn degrade_file(job: Job, plan: &Plan, args: &DegradeArgs) -> Result<Option<PathBuf>> {
    let scale = args.scale;
    let output = job.output.clone();
    let job = match plan.decide(job)? {
        Decision::Make(job) => *job,
        Decision::Keep(kept) => {
            log::warn!("{}: {}, skipped (--existing)", output.display(), kept.why());
            return Ok(None);
        }
    };
    plan.prepare(&job)?;
    let header = PictureFile::open(&job.input)?;
    let small = |length: u32| scale.shrunk(length as usize) as u64;
    if small(header.width) * small(header.height) == 0 {
        let (width, height) = header.size();
        let least = scale.up();
        let text = format!("{width}x{height} is smaller than the scale {scale} needs: {least} pixels a side");
        return Err(refuse(&job.input, text));
    }
    job.kind.check(&job.input, header.bytes, header.color, small(header.width), small(header.height))?;
    let mut metadata = header.metadata();
    let (size, turned) = (header.size(), header.is_turned());
    let palette = header.has_palette();
    let picture = header.decode()?;
    let result = degrade(&picture, palette, &args.degradation, scale, None)
        .map_err(|e| refuse(&job.input, e.to_string()))?;
    metadata.update([size, (result.width(), result.height())], turned, job.kind);
    if let Some(lost) = metadata.losses(job.kind, result.color()) {
        log::warn!("{}: {lost}", job.input.display());
    }
    let written = guard::picture(&job.input, || {
        job.write(|out| encode(out, result, job.kind, metadata, &Settings::default()))
    })?;
    if written.is_none() {
        log::warn!("{}: {}, skipped (--existing)", output.display(), Kept::Exists.why());
    }
    Ok(written)
}
