//! `srcnn-gpu degrade`: low-resolution pictures, made as in the evaluation's protocol.

use std::path::{Path, PathBuf};

use clap::Args;
use image::{DynamicImage, ImageBuffer, Pixel};
use srcnn_gpu::degrade::{Degradation, Degrader};
use srcnn_gpu::{Result, guard};

use crate::cli::advice::report;
use crate::cli::exit;
use crate::cli::jobs::{Decision, Job, Kept, Plan, Request};
use crate::cli::output::{Existing, print};
use crate::cli::progress::Progress;
use srcnn_gpu::picture::{PictureFile, Settings, encode, refuse};

/// Shrink pictures the way eval does: crop to multiples of the scale, shrink as MATLAB's imresize does, round once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu degrade baby.png baby_small.png -s 3
  srcnn-gpu degrade Set5 Set5_x3 -s 3")]
pub struct DegradeArgs {
    /// A picture, or a folder of pictures
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// File to write; for a folder, the folder to write to
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// How many times smaller: a whole number from 2 to 16
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=16))]
    scale: u32,
    /// How to shrink: bicubic, or gaussian:SIGMA for a Gaussian blur and every Nth pixel
    #[arg(long, default_value = "bicubic", value_name = "HOW")]
    degradation: Degradation,
    /// What to do with results that exist [default: overwrite a file that OUT names, skip all others]
    #[arg(long, value_enum, value_name = "WHAT")]
    existing: Option<Existing>,
}

/// Shrinks all inputs. A failure is reported; the rest continue.
///
/// # Errors
/// What concerns all inputs: arguments, the output folder.
pub fn run(args: &DegradeArgs) -> Result<u8> {
    let scale = args.scale as usize;
    let inputs = [args.input.clone()];
    let settings = Some(format!("{scale} {:?}", args.degradation));
    let (output, existing) = (Some(args.output.as_path()), args.existing);
    let request =
        Request { inputs: &inputs, output, existing, settings, shrinks: true, ..Request::default() };
    let mut plan = Plan::new(&request)?;
    plan.prepare_folder()?;
    let jobs = std::mem::take(&mut plan.jobs);
    let (total, mut failures) = (jobs.len(), Vec::new());
    let mut progress = Progress::new("shrinking");
    for (index, job) in jobs.into_iter().enumerate() {
        match job.and_then(|job| shrink_file(job, &plan, scale, args.degradation)) {
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
fn shrink_file(job: Job, plan: &Plan, scale: usize, degradation: Degradation) -> Result<Option<PathBuf>> {
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
    let small = |length: u32| u64::from(length) / scale as u64;
    if small(header.width) * small(header.height) == 0 {
        let (width, height) = header.size();
        return Err(refuse(&job.input, format!("{width}x{height} is smaller than the scale {scale}")));
    }
    job.kind.check(&job.input, header.bytes, header.color, small(header.width), small(header.height))?;
    let mut metadata = header.metadata();
    let (size, turned) = (header.size(), header.is_turned());
    let picture = header.decode()?;
    let result = shrink(&picture, scale, degradation, &job.input)?;
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

/// Shrinks each channel by itself, at the picture's own depth; integers are rounded half up.
fn shrink(
    picture: &DynamicImage,
    scale: usize,
    degradation: Degradation,
    path: &Path,
) -> Result<DynamicImage> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let cut = |length: usize| length - length % scale;
    let degrader = Degrader::new(cut(width), cut(height), scale, degradation)?;
    // The casts saturate.
    let (to_u8, to_u16, to_f32) = (|v: f64| v.round() as u8, |v: f64| v.round() as u16, |v: f64| v as f32);
    Ok(match picture {
        DynamicImage::ImageLuma8(buffer) => each_channel(buffer, &degrader, scale, to_u8).into(),
        DynamicImage::ImageLumaA8(buffer) => each_channel(buffer, &degrader, scale, to_u8).into(),
        DynamicImage::ImageRgb8(buffer) => each_channel(buffer, &degrader, scale, to_u8).into(),
        DynamicImage::ImageRgba8(buffer) => each_channel(buffer, &degrader, scale, to_u8).into(),
        DynamicImage::ImageLuma16(buffer) => each_channel(buffer, &degrader, scale, to_u16).into(),
        DynamicImage::ImageLumaA16(buffer) => each_channel(buffer, &degrader, scale, to_u16).into(),
        DynamicImage::ImageRgb16(buffer) => each_channel(buffer, &degrader, scale, to_u16).into(),
        DynamicImage::ImageRgba16(buffer) => each_channel(buffer, &degrader, scale, to_u16).into(),
        DynamicImage::ImageRgb32F(buffer) => each_channel(buffer, &degrader, scale, to_f32).into(),
        DynamicImage::ImageRgba32F(buffer) => each_channel(buffer, &degrader, scale, to_f32).into(),
        other => {
            return Err(refuse(path, format!("color type {:?} is not supported", other.color())));
        }
    })
}

type Buffer<P> = ImageBuffer<P, Vec<<P as Pixel>::Subpixel>>;

fn each_channel<P: Pixel<Subpixel: Into<f64>>>(
    buffer: &Buffer<P>,
    degrader: &Degrader,
    scale: usize,
    round: impl Fn(f64) -> P::Subpixel,
) -> Buffer<P> {
    let (width, height) = (buffer.width() as usize / scale, buffer.height() as usize / scale);
    let channels = usize::from(P::CHANNEL_COUNT);
    let mut result = Buffer::<P>::new(width as u32, height as u32);
    let row = buffer.width() as usize * channels;
    for channel in 0..channels {
        let rows = buffer.as_raw().chunks_exact(row).take(height * scale);
        let samples = rows.flat_map(|row| row.iter().skip(channel).step_by(channels).take(width * scale));
        let plane: Vec<f64> = samples.map(|&sample| sample.into()).collect();
        let targets = result.iter_mut().skip(channel).step_by(channels);
        targets.zip(degrader.shrink(&plane)).for_each(|(sample, value)| *sample = round(value));
    }
    result
}
