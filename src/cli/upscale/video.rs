//! Enlarging video: YUV4MPEG2 files and pipes.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use srcnn_gpu::headless::Gpu;
use srcnn_gpu::picture::Kind;
use srcnn_gpu::video::y4m::Reader;
use srcnn_gpu::video::{Outcome, VideoUpscaler, upscale};
use srcnn_gpu::{Enlargement, Error, Reason, Result};

use super::args::{UpscaleArgs, VideoArgs};
use super::settings;
use super::stream::{PIPE, is_video_on_stdin};
use crate::cli::advice::report;
use crate::cli::args::models::{self, Model};
use crate::cli::jobs::{Decision, Job, Kept, Naming, OutputFormat, Plan, Request, check_y4m, is_y4m};
use crate::cli::output::{Destination, Existing, print};
use crate::cli::progress::Progress;
use crate::cli::{exit, stop};

/// Assumed number of frames in a pipe, to estimate the work: ten minutes.
const FRAMES_OF_PIPE: u64 = 15_000;

/// Whether the inputs are video.
///
/// # Errors
/// [`Error::InvalidArgument`] if only some of them are.
pub fn wanted(args: &VideoArgs, inputs: &[PathBuf]) -> Result<bool> {
    let is_video = |path: &PathBuf| match is_pipe(path) {
        true => is_video_on_stdin(),
        false => is_y4m(path),
    };
    if args.y4m {
        return Ok(true);
    }
    let videos = inputs.iter().filter(|path| is_video(path)).count();
    if videos == 0 || videos == inputs.len() {
        return Ok(videos > 0);
    }
    Err(Error::invalid("pictures and video cannot be mixed: run the program once for each"))
}

fn is_pipe(path: &Path) -> bool {
    path == Path::new(PIPE)
}

/// Enlarges videos. A failure is reported; the rest continue.
///
/// # Errors
/// What concerns all inputs: arguments, the model, the adapter, the output folder.
pub fn run(args: &UpscaleArgs, inputs: &[PathBuf]) -> Result<u8> {
    if args.checks.verify {
        return Err(Error::invalid("--verify is for pictures, not for video"));
    }
    // So that Ctrl-C leaves no partial file behind.
    stop::at_once(|_| ())?;
    let mut videos = Videos { models: args.models()?, args, gpu: None, failures: Vec::new() };
    let to_stdout = args.output.as_deref().is_some_and(is_pipe);
    match inputs {
        [input] if to_stdout || is_pipe(input) => {
            let outcome = match pipe_output(args)? {
                None => videos.one(input, None),
                Some(output) => match videos.of_stdin(output)? {
                    Some(job) => videos.one(input, Some(&job)),
                    None => Ok(None),
                },
            };
            videos.ended(outcome)?;
        }
        _ if to_stdout || inputs.iter().any(|input| is_pipe(input)) => {
            return Err(Error::invalid(
                "the standard input takes one video, and so does the standard output",
            ));
        }
        _ => return videos.files(inputs),
    }
    Ok(exit::code_of(&videos.failures, inputs.len()))
}

/// The file that a single video goes to, from or to a pipe; `None` for the standard output.
fn pipe_output(args: &UpscaleArgs) -> Result<Option<&Path>> {
    let Some(path) = args.output.as_deref().filter(|path| !is_pipe(path)) else {
        if io::stdout().is_terminal() {
            return Err(Error::invalid(
                "the video would go to the terminal: pipe it to a program, or name a file with -o",
            ));
        }
        return Ok(None);
    };
    if path.is_dir() || path.as_os_str().to_string_lossy().ends_with(std::path::is_separator) {
        return Err(Error::invalid(
            "video from the standard input needs the name of an output file, not a folder",
        ));
    }
    check_y4m(path)?;
    Ok(Some(path))
}

/// What all videos need.
struct Videos<'a> {
    args: &'a UpscaleArgs,
    models: Vec<Model>,
    /// Opened for the first video.
    gpu: Option<Gpu>,
    /// Exit codes of the videos that failed.
    failures: Vec<u8>,
}

impl Videos<'_> {
    /// Enlarges files, each to a file.
    fn files(&mut self, inputs: &[PathBuf]) -> Result<u8> {
        let batch = &self.args.batch;
        let naming =
            Naming { size: self.args.picture.size.label().to_string(), format: Some(OutputFormat::Y4m) };
        let mut plan = Plan::new(&Request {
            inputs,
            output: self.args.output.as_deref(),
            naming,
            existing: batch.existing,
            recursive: batch.recursive,
            shard: None,
            settings: Some(settings(self.args, &self.models)?),
        })?;
        plan.prepare_folder()?;
        let jobs = std::mem::take(&mut plan.jobs);
        let total = jobs.len();
        for job in jobs {
            let outcome = job.and_then(|job| match plan.decide(job.clone())? {
                Decision::Keep(kept) => {
                    log::warn!("{}: {}, skipped (--existing)", job.output.display(), kept.why());
                    Ok(None)
                }
                Decision::Make(job) => {
                    plan.prepare(&job)?;
                    self.one(&job.input, Some(&job))
                }
            });
            self.ended(outcome)?;
        }
        Ok(exit::code_of(&self.failures, total))
    }

    /// The job of writing the standard input's result to a file; `None` if the file exists and is kept.
    fn of_stdin(&self, output: &Path) -> Result<Option<Job>> {
        let existing = self.args.batch.existing.unwrap_or(Existing::Overwrite);
        let Some(Destination { path: output, clash }) = existing.resolve(output)? else {
            log::warn!("{}: {}, skipped (--existing)", output.display(), Kept::Exists.why());
            return Ok(None);
        };
        let (input, kind) = (PIPE.into(), Kind::fallback());
        Ok(Some(Job { input, output, clash, stale: None, kind, bytes: 0, record: None }))
    }

    /// Reports how a video ended.
    ///
    /// # Errors
    /// What concerns the other videos too.
    fn ended(&mut self, outcome: Result<Option<PathBuf>>) -> Result<()> {
        match outcome {
            Ok(Some(path)) => print(path.display()),
            Ok(None) => Ok(()),
            Err(error @ (Error::NoAdapter(_) | Error::MissingCapability(_))) => Err(error),
            Err(error) => {
                report(&error);
                self.failures.push(exit::code(&error));
                Ok(())
            }
        }
    }

    /// Enlarges one video, to the standard output if there is no job. Returns the path of the file that was written.
    fn one(&mut self, input: &Path, job: Option<&Job>) -> Result<Option<PathBuf>> {
        let args = self.args;
        let name = if is_pipe(input) { "standard input".into() } else { input.display().to_string() };
        let refuse = |reason: Reason| Error::Picture(reason.within(&name));
        let named = |error| match error {
            Error::Picture(reason) => refuse(reason),
            other => other,
        };
        let mut length = None;
        let stream: Box<dyn Read + Send> = if is_pipe(input) {
            Box::new(io::stdin())
        } else {
            let file = File::open(input).map_err(|e| refuse(e.into()))?;
            length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|about| about.len());
            Box::new(file)
        };
        let reader = Reader::new(stream).map_err(named)?;
        let header = reader.header().clone();
        let enlargement = args.picture.size.enlargement(header.size())?;
        let model = nearest(&self.models, header.size(), enlargement)?;
        log::info!("model {}: {}", model.name, model.weights.architecture());
        let gpu = match &mut self.gpu {
            Some(gpu) => gpu.clone(),
            none => {
                let opened = args.gpu.open()?;
                args.precision.check(&opened)?;
                none.insert(opened).clone()
            }
        };
        // Assumes frames without parameters. Only for showing progress and estimating the work.
        let frame = header.frame_bytes() as u64 + b"FRAME\n".len() as u64;
        let total = length.map(|length| length / frame);
        let (width, height) = enlargement.size(header.size())?;
        let pixels = u64::from(width) * u64::from(height) * total.unwrap_or(FRAMES_OF_PIPE);
        let options = args.tune.apply(&gpu, &model.weights, args.headless(0), pixels)?;
        let mut upscaler = VideoUpscaler::new(gpu, &model.weights, options, &header, enlargement)?;
        let start = Instant::now();
        let rate = |frames: u64| frames as f64 / start.elapsed().as_secs_f64();
        let mut progress = Progress::new(name.clone());
        let mut show = |done: u64| progress.frames(done, total, rate(done));
        let outcome = match job {
            None => upscale(reader, io::stdout(), &mut upscaler, &mut show).map(|outcome| (outcome, None)),
            Some(job) => to_file(job, |file| upscale(reader, file, &mut upscaler, &mut show)),
        };
        drop(progress);
        let (Outcome { frames, .. }, written) = outcome.map_err(named)?;
        let ((from_width, from_height), (width, height)) = (header.size(), upscaler.header().size());
        log::info!(
            "{name}: {frames} frames, {from_width}x{from_height} to {width}x{height}, {:.2} frames/s",
            rate(frames)
        );
        Ok(written)
    }
}

/// Writes a file whole or not at all. Returns what [`Job::write`] does besides.
fn to_file(job: &Job, write: impl FnOnce(File) -> Result<Outcome>) -> Result<(Outcome, Option<PathBuf>)> {
    let mut outcome = None;
    let written = job.write(|file| {
        let mut clone = file.try_clone()?;
        match outcome.insert(write(file.try_clone()?)) {
            Ok(_) => clone.flush(),
            Err(_) => Err(io::Error::other("the video failed")),
        }
    });
    match outcome {
        Some(Err(Error::Output { reason, .. })) => Err(Error::Output { path: job.output.clone(), reason }),
        Some(Err(error)) => Err(error),
        Some(Ok(outcome)) => {
            let path = written?;
            if path.is_none() {
                log::warn!("{}: {}, skipped (--existing)", job.output.display(), Kept::Exists.why());
            }
            Ok((outcome, path))
        }
        None => Err(written.err().unwrap_or_else(|| Error::invalid("nothing was written"))),
    }
}

/// The network whose trained scale is nearest, as a ratio. Video takes one step.
fn nearest(models: &[Model], source: (u32, u32), enlargement: Enlargement) -> Result<&Model> {
    let (width, height) = enlargement.size(source)?;
    let area = |(width, height): (u32, u32)| f64::from(width) * f64::from(height);
    let factor = (area((width, height)) / area(source)).sqrt();
    models.get(models::nearest(models, factor)).ok_or_else(|| Error::invalid("no model"))
}
