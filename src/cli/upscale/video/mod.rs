//! Enlarging video: YUV4MPEG2 files and pipes by this program alone, all others through ffmpeg.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::ImageFormat;
use srcnn_gpu::picture::{Kind, PictureFile, has_picture_name, refuse};
use srcnn_gpu::{Error, Result};

use super::args::UpscaleArgs;
use super::ffmpeg;
use super::report::{Reporter, Show};
use super::settings;
use super::stream::{PIPE, is_video_on_stdin};
use crate::cli::args::models::Model;
use crate::cli::progress::{self, Mode};
use crate::cli::stop;
use srcnn_gpu::jobs::{Clash, Destination, Existing};
use srcnn_gpu::jobs::{
    Container, Decision, Job, Kept, Naming, OutputFormat, Plan, Request, Shard, Y4M, is_video, is_y4m,
    may_be_animation, video_name,
};
use worker::Worker;

mod input;
mod output;
mod worker;

/// Whether video is asked for: by the inputs' names, by the output's, or in so many words.
///
/// # Errors
/// [`Error::InvalidArgument`] if only some of the inputs are video.
pub fn wanted(args: &UpscaleArgs, inputs: &[PathBuf]) -> Result<bool> {
    let is_video = |path: &Path| match is_pipe(path) {
        true => is_video_on_stdin(),
        false => is_video(path) && !path.is_dir(),
    };
    let format = args.picture.naming().format;
    if args.video.y4m || args.video.videos {
        return Ok(true);
    }
    if let Some(OutputFormat::Video(asked)) = format {
        return match inputs.iter().find(|path| is_still(path)) {
            Some(picture) => Err(Error::invalid(format!(
                "{} is a picture, and {} a format of videos",
                picture.display(),
                asked.map_or("this", |container| container.extension)
            ))),
            None => Ok(true),
        };
    }
    let videos = inputs.iter().filter(|path| is_video(path)).count();
    let to = args.output.as_deref().filter(|output| Container::of(output).is_some() && !output.is_dir());
    if let Some(output) = to {
        return match inputs.iter().find(|path| is_still(path)) {
            Some(picture) => {
                let (picture, output) = (picture.display(), output.display());
                Err(Error::invalid(format!("{picture} is a picture, and {output} the name of a video")))
            }
            None => Ok(true),
        };
    }
    if videos == 0 && args.video.encode() {
        return Err(Error::invalid("--codec, --crf and --ffmpeg-args are for video, not for pictures"));
    }
    if videos == 0 || videos == inputs.len() {
        return Ok(videos > 0);
    }
    Err(Error::invalid(
        "pictures and video cannot be mixed: run the program once for each; of a folder, --videos takes the videos",
    ))
}

/// Whether a file is a picture of one frame.
fn is_still(path: &Path) -> bool {
    match may_be_animation(path) {
        // Only ffmpeg knows of the frames in AVIF files.
        true => PictureFile::open(path)
            .is_ok_and(|file| file.animation.is_none() && file.format != Some(ImageFormat::Avif)),
        false => has_picture_name(path) && path.is_file(),
    }
}

fn is_pipe(path: &Path) -> bool {
    path == Path::new(PIPE)
}

/// Enlarges videos. A failure is reported; the rest continue.
///
/// # Errors
/// What concerns all inputs: arguments, the model, the adapter, the output folder, a missing ffmpeg.
pub fn run(args: &UpscaleArgs, inputs: &[PathBuf]) -> Result<u8> {
    if args.checks.verify {
        return Err(Error::invalid("--verify is for pictures, not for video"));
    }
    args.picture.content.refuse_quality()?;
    let models = args.models(false)?;
    let to_stdout = args.output.as_deref().map_or(inputs.iter().any(|input| is_pipe(input)), is_pipe);
    let work = match inputs {
        [input] if to_stdout || is_pipe(input) => Work::of_pipe(args, input, to_stdout)?,
        _ if to_stdout || inputs.iter().any(|input| is_pipe(input)) => {
            return Err(Error::invalid(
                "the standard input takes one video, and so does the standard output",
            ));
        }
        _ => Work::of_files(args, inputs, &models)?,
    };
    work.run(args, &models, to_stdout)
}

/// What is to be done.
struct Work {
    jobs: Vec<Result<Job>>,
    /// For files, what to do about each is decided when its turn comes.
    plan: Option<Plan>,
}

impl Work {
    /// The standard input, or to the standard output.
    fn of_pipe(args: &UpscaleArgs, input: &Path, to_stdout: bool) -> Result<Self> {
        let job = |output: &Path, clash| {
            let (input, output, kind) = (input.to_owned(), output.to_owned(), Kind::fallback());
            Ok(Job { input, output, clash, stale: None, kind, bytes: 0, record: None })
        };
        let Some(path) = args.output.as_deref().filter(|_| !to_stdout) else {
            if io::stdout().is_terminal() {
                return Err(Error::invalid(
                    "the video would go to the terminal: pipe it to a program, or name a file with -o",
                ));
            }
            if let Some(container) = asked(args).filter(|container| container.muxer.is_some()) {
                return Err(Error::invalid(format!(
                    ".{} cannot go to the standard output, which takes .y4m: name a file with -o",
                    container.extension
                )));
            }
            return Ok(Self { jobs: vec![job(Path::new(PIPE), Clash::Replace)], plan: None });
        };
        if path.is_dir() || path.as_os_str().to_string_lossy().ends_with(std::path::is_separator) {
            return Err(Error::invalid(
                "video from the standard input needs the name of an output file, not a folder",
            ));
        }
        video_name(path, asked(args))?;
        let existing = args.batch.existing.unwrap_or(Existing::Overwrite);
        let jobs = match existing.resolve(path)? {
            Some(Destination { path, clash }) => vec![job(&path, clash)],
            None => {
                log::warn!("{}: {}, skipped (--existing)", path.display(), Kept::Exists.why());
                Vec::new()
            }
        };
        Ok(Self { jobs, plan: None })
    }

    fn of_files(args: &UpscaleArgs, inputs: &[PathBuf], models: &[Model]) -> Result<Self> {
        let batch = &args.batch;
        if let Some(OutputFormat::Kind(kind)) = args.picture.naming().format {
            let extension = kind.extension;
            return Err(Error::invalid(format!(
                "--format {extension} is for pictures, and the inputs are video"
            )));
        }
        let naming = Naming {
            size: args.picture.size.label().to_string(),
            format: Some(OutputFormat::Video(asked(args))),
        };
        let mut settings = settings(args, models)?;
        if args.video.encode() {
            settings.push_str(&args.video.settings());
        }
        let mut plan = Plan::new(&Request {
            inputs,
            output: args.output.as_deref(),
            naming,
            existing: batch.existing,
            recursive: batch.recursive,
            videos: args.video.videos,
            has_flags: true,
            shrinks: false,
            shard: batch.shard.or_else(Shard::of_rank),
            settings: Some(settings),
        })?;
        // The pictures of a folder.
        let moving = |job: Job| match is_still(&job.input) {
            true => Err(refuse(
                &job.input,
                "it is a picture, of which no video is made; --videos takes the videos of a folder",
            )),
            false => Ok(job),
        };
        let jobs = std::mem::take(&mut plan.jobs).into_iter().map(|job| job.and_then(moving)).collect();
        Ok(Self { jobs, plan: Some(plan) })
    }

    fn run(self, args: &UpscaleArgs, models: &[Model], to_stdout: bool) -> Result<u8> {
        let Self { jobs, plan } = self;
        let batch = &args.batch;
        let json = batch.json || progress::mode() == Mode::Json;
        if to_stdout && (json || batch.dry_run) {
            return Err(Error::invalid(
                "--json and --dry-run print to the standard output, where the video goes; name a file with -o",
            ));
        }
        let through_ffmpeg =
            |path: &Path| !is_pipe(path) && std::fs::metadata(path).is_ok_and(|about| about.is_file());
        let needs_ffmpeg = |job: &Job| {
            let input = !args.video.y4m && !is_y4m(&job.input) && through_ffmpeg(&job.input);
            input || container(args, job).is_some_and(|container| container.muxer.is_some())
        };
        if jobs.iter().flatten().any(needs_ffmpeg) {
            ffmpeg::check()?;
        }
        if let Some(plan) = plan.as_ref().filter(|_| !batch.dry_run) {
            plan.prepare_folder()?;
        }
        let reporter = Arc::new(Reporter::new(Show::of(json, to_stdout), &jobs, models, batch.dry_run));
        let farewell = reporter.clone();
        // So that Ctrl-C leaves nothing behind: neither partial files nor programs at work.
        stop::at_once(move |code| {
            farewell.interrupted(code);
            ffmpeg::end_all();
        })?;
        let mut worker = Worker::new(args, models, &reporter);
        let mut fatal = None;
        for (i, job) in jobs.into_iter().enumerate() {
            let known = job.as_ref().ok().cloned();
            let outcome = job.and_then(|job| match decide(plan.as_ref(), job)? {
                Decision::Keep(kept) => Ok(Err(kept)),
                Decision::Make(job) if batch.dry_run => {
                    let about = worker.planned(&job)?;
                    reporter.planned(i, *job, about);
                    Ok(Ok(()))
                }
                Decision::Make(job) => {
                    if let Some(plan) = &plan {
                        plan.prepare(&job)?;
                    }
                    worker.enlarge(i, &job)
                }
            });
            match (outcome, known) {
                (Ok(Ok(())), _) => {}
                (Ok(Err(kept)), Some(job)) => reporter.kept(i, job, kept),
                (Ok(Err(_)), None) => {}
                (
                    Err(error @ (Error::NoAdapter(_) | Error::MissingCapability(_) | Error::SelfTest(_))),
                    _,
                ) => {
                    fatal = Some(error);
                    break;
                }
                (Err(error), job) => {
                    reporter.failed(i, job, error);
                    if batch.fail_fast {
                        break;
                    }
                }
            }
        }
        if let Some(plan) = plan.as_ref().filter(|_| !batch.dry_run) {
            plan.settle();
        }
        reporter.finish(fatal)
    }
}

/// What to do about a job. Those of pipes have been decided before.
fn decide(plan: Option<&Plan>, job: Job) -> Result<Decision> {
    match plan {
        Some(plan) => plan.decide(job),
        None => Ok(Decision::Make(Box::new(job))),
    }
}

/// The container of a result, if its name or the arguments say so.
fn container(args: &UpscaleArgs, job: &Job) -> Option<&'static Container> {
    Container::of(&job.output).or_else(|| asked(args))
}

/// The container that is asked for.
fn asked(args: &UpscaleArgs) -> Option<&'static Container> {
    match args.picture.naming().format {
        Some(OutputFormat::Video(asked)) => asked,
        _ => {
            let named = args.output.as_deref().and_then(Container::of);
            (args.video.y4m && named.is_none()).then_some(&Y4M)
        }
    }
}
