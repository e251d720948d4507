//! `srcnn-gpu degrade`: pictures of lower quality, made as in the evaluation's protocol.

use std::path::PathBuf;

use clap::Args;
use image::{DynamicImage, ImageBuffer, Pixel};
use srcnn_gpu::degrade::{Degradation, Degraded, Degrader, Drawn, Shrink};
use srcnn_gpu::eval::dataset::Picture;
use srcnn_gpu::{Error, Result, guard};

use crate::cli::advice::report;
use crate::cli::exit;
use crate::cli::jobs::{Decision, Job, Kept, Plan, Request};
use crate::cli::output::{Existing, print};
use crate::cli::progress::Progress;
use srcnn_gpu::picture::{PictureFile, Settings, encode, refuse};

/// Shrink and degrade pictures the way eval does: crop to multiples of the scale, shrink as MATLAB's imresize does, round once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu degrade baby.png baby_small.png -s 3
  srcnn-gpu degrade Set5 Set5_x3 -s 3
  srcnn-gpu degrade Set5 Set5_jpeg -s 2 --degradation blur:0.8,bicubic,noise:3,jpeg:40

The traces of JPEG and WebP files are in the pixels; write PNG files to lose nothing more.")]
pub struct DegradeArgs {
    /// A picture, or a folder of pictures
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// File to write; for a folder, the folder to write to
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// How many times smaller: a whole number from 1 to 16; 1 keeps the size
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    scale: u32,
    /// What happens to the pictures, in this order: blur:SIGMA, bicubic, subsample, gaussian:SIGMA (blur and subsample at once),
    /// noise:SIGMA in steps of 8 bits, jpeg:QUALITY or jpeg:QUALITY:444, webp:QUALITY. Of a range such as jpeg:30..95 each
    /// picture gets a number of its own, always the same; @0.8 behind a step has it happen to 8 of 10 pictures
    #[arg(long, default_value_t, value_name = "HOW")]
    degradation: Degradation,
    /// What to do with results that exist [default: overwrite a file that OUT names, skip all others]
    #[arg(long, value_enum, value_name = "WHAT")]
    existing: Option<Existing>,
}

/// Degrades all inputs. A failure is reported; the rest continue.
///
/// # Errors
/// What concerns all inputs: arguments, the output folder.
pub fn run(args: &DegradeArgs) -> Result<u8> {
    args.degradation.check(args.scale as usize)?;
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
    let small = |length: u32| u64::from(length / scale);
    if small(header.width) * small(header.height) == 0 {
        let (width, height) = header.size();
        return Err(refuse(&job.input, format!("{width}x{height} is smaller than the scale {scale}")));
    }
    job.kind.check(&job.input, header.bytes, header.color, small(header.width), small(header.height))?;
    let mut metadata = header.metadata();
    let (size, turned) = (header.size(), header.is_turned());
    let palette = header.has_palette();
    let picture = header.decode()?;
    let result = degrade(&picture, palette, args).map_err(|e| refuse(&job.input, e.to_string()))?;
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

/// Degrades a picture at its own depth; integers are rounded half up. Filters work on each channel by itself; noise and
/// files on colors, or on grey, while alpha is only shrunk.
fn degrade(picture: &DynamicImage, palette: bool, args: &DegradeArgs) -> Result<DynamicImage> {
    // The casts saturate.
    let (to_u8, to_u16, to_f32) = (|v: f64| v.round() as u8, |v: f64| v.round() as u16, |v: f64| v as f32);
    let scale = args.scale as usize;
    // What eval draws for the same picture.
    let key = Picture::new(picture, palette).modcrop(scale).key();
    let work = Work { scale, degradation: args.degradation, drawn: args.degradation.draw(&[key]) };
    match picture {
        DynamicImage::ImageLuma8(buffer) => work.apply(buffer, 255.0, to_u8).map(Into::into),
        DynamicImage::ImageLumaA8(buffer) => work.apply(buffer, 255.0, to_u8).map(Into::into),
        DynamicImage::ImageRgb8(buffer) => work.apply(buffer, 255.0, to_u8).map(Into::into),
        DynamicImage::ImageRgba8(buffer) => work.apply(buffer, 255.0, to_u8).map(Into::into),
        DynamicImage::ImageLuma16(buffer) => work.apply(buffer, 65535.0, to_u16).map(Into::into),
        DynamicImage::ImageLumaA16(buffer) => work.apply(buffer, 65535.0, to_u16).map(Into::into),
        DynamicImage::ImageRgb16(buffer) => work.apply(buffer, 65535.0, to_u16).map(Into::into),
        DynamicImage::ImageRgba16(buffer) => work.apply(buffer, 65535.0, to_u16).map(Into::into),
        DynamicImage::ImageRgb32F(buffer) => work.apply(buffer, 1.0, to_f32).map(Into::into),
        DynamicImage::ImageRgba32F(buffer) => work.apply(buffer, 1.0, to_f32).map(Into::into),
        other => Err(Error::invalid(format!("color type {:?} is not supported", other.color()))),
    }
}

type Buffer<P> = ImageBuffer<P, Vec<<P as Pixel>::Subpixel>>;

/// What is done to a picture.
struct Work {
    scale: usize,
    degradation: Degradation,
    drawn: Drawn,
}

impl Work {
    fn apply<P: Pixel<Subpixel: Into<f64>>>(
        &self,
        buffer: &Buffer<P>,
        white: f64,
        round: impl Fn(f64) -> P::Subpixel,
    ) -> Result<Buffer<P>> {
        let cut = |length: u32| length as usize - length as usize % self.scale;
        let (width, height) = (cut(buffer.width()), cut(buffer.height()));
        let channels = usize::from(P::CHANNEL_COUNT);
        let row = buffer.width() as usize * channels;
        // Filters keep the unit of the samples, and so what they round to.
        let unit = if self.degradation.is_linear() { 1.0 } else { white };
        let plane = |channel: usize| {
            let rows = buffer.as_raw().chunks_exact(row).take(height);
            let samples = rows.flat_map(|row| row.iter().skip(channel).step_by(channels).take(width));
            samples.map(|&sample| sample.into() / unit).collect()
        };
        let has_alpha = channels.is_multiple_of(2) && !self.degradation.is_linear();
        let colors = channels - usize::from(has_alpha);
        let picture = Degraded { width, height, planes: (0..colors).map(plane).collect() };
        let mut low = self.drawn.apply(picture, self.scale)?;
        if has_alpha {
            let degrader = Degrader::new(width, height, self.scale, Shrink::Bicubic)?;
            low.planes.push(degrader.shrink(&plane(colors)));
        }
        let mut result = Buffer::<P>::new(low.width as u32, low.height as u32);
        for (channel, plane) in low.planes.iter().enumerate() {
            let targets = result.iter_mut().skip(channel).step_by(channels);
            targets.zip(plane).for_each(|(sample, value)| *sample = round(value * unit));
        }
        Ok(result)
    }
}
