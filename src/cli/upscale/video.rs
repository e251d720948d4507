//! Enlarging video: YUV4MPEG2 files and pipes.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use srcnn_gpu::headless::Gpu;
use srcnn_gpu::video::y4m::Reader;
use srcnn_gpu::video::{Outcome, VideoUpscaler, upscale};
use srcnn_gpu::{Enlargement, Error, Reason, Result};

use super::args::{UpscaleArgs, VideoArgs};
use super::stream::{PIPE, is_video_on_stdin};
use crate::cli::advice::report;
use crate::cli::args::models::{self, Model};
use crate::cli::output::{Destination, Existing, create_folder, print};
use crate::cli::progress::Progress;
use crate::cli::{exit, stop};

const EXTENSION: &str = "y4m";
/// Assumed number of frames in a pipe, to estimate the work: ten minutes.
const FRAMES_OF_PIPE: u64 = 15_000;

/// Whether the inputs are video.
///
/// # Errors
/// [`Error::InvalidArgument`] if only some of them are.
pub fn wanted(args: &VideoArgs, inputs: &[PathBuf]) -> Result<bool> {
    let is_video = |path: &PathBuf| match path == Path::new(PIPE) {
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

fn is_y4m(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(EXTENSION))
}

/// Where a result goes.
enum Output {
    Pipe,
    File(PathBuf),
}

/// Enlarges videos. A failure is reported; the rest continue.
///
/// # Errors
/// What concerns all inputs: arguments, the model, the adapter.
pub fn run(args: &UpscaleArgs, inputs: &[PathBuf]) -> Result<u8> {
    if args.checks.verify {
        return Err(Error::invalid("--verify is for pictures, not for video"));
    }
    // So that Ctrl-C leaves no partial file behind.
    stop::at_once(|_| ())?;
    let models = args.models()?;
    let outputs = inputs.iter().map(|input| output(args, inputs, input)).collect::<Result<Vec<_>>>()?;
    let mut gpu = None;
    let mut failures = Vec::new();
    for (input, output) in inputs.iter().zip(outputs) {
        match one(args, &models, &mut gpu, input, output) {
            Ok(Some(path)) => print(path.display())?,
            Ok(None) => {}
            Err(error @ (Error::NoAdapter(_) | Error::MissingCapability(_))) => return Err(error),
            Err(error) => {
                report(&error);
                failures.push(exit::code(&error));
            }
        }
    }
    Ok(exit::code_of(&failures, inputs.len()))
}

/// Where the result of an input goes.
fn output(args: &UpscaleArgs, inputs: &[PathBuf], input: &Path) -> Result<Output> {
    let from_pipe = input == Path::new(PIPE);
    let Some(path) = &args.output else {
        if from_pipe {
            return to_pipe();
        }
        let mut name = input.file_stem().unwrap_or_default().to_owned();
        name.push(format!("_srcnn_{}.{EXTENSION}", args.picture.size.label()));
        return Ok(Output::File(input.with_file_name(name)));
    };
    let is_folder = path.is_dir() || path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
    if inputs.len() > 1 && !is_folder {
        return Err(Error::invalid(format!(
            "several videos need an output folder, which {} is not; the name of a new folder has to end in /",
            path.display()
        )));
    }
    if path == Path::new(PIPE) {
        to_pipe()
    } else if !is_folder {
        Ok(Output::File(path.clone()))
    } else if from_pipe {
        Err(Error::invalid("video from the standard input needs the name of an output file, not a folder"))
    } else {
        create_folder(path)?;
        let name = Path::new(input.file_name().unwrap_or_default()).with_extension(EXTENSION);
        Ok(Output::File(path.join(name)))
    }
}

fn to_pipe() -> Result<Output> {
    if io::stdout().is_terminal() {
        return Err(Error::invalid(
            "the video would go to the terminal: pipe it to a program, or name a file with -o",
        ));
    }
    Ok(Output::Pipe)
}

/// Enlarges one video. Returns the path of the file that was written, if it was one.
fn one(
    args: &UpscaleArgs,
    models: &[Model],
    gpu: &mut Option<Gpu>,
    input: &Path,
    output: Output,
) -> Result<Option<PathBuf>> {
    let from_pipe = input == Path::new(PIPE);
    let name = if from_pipe { "standard input".into() } else { input.display().to_string() };
    let refuse = |reason: Reason| Error::Picture(reason.within(&name));
    let named = |error| match error {
        Error::Picture(reason) => refuse(reason),
        other => other,
    };
    let to = match &output {
        Output::Pipe => None,
        Output::File(path) => {
            let existing = args.batch.existing.unwrap_or(match args.output.as_deref() == Some(path) {
                true => Existing::Overwrite,
                false => Existing::Skip,
            });
            let Some(to) = existing.resolve(path)? else {
                log::warn!("{} exists already, skipped (--existing)", path.display());
                return Ok(None);
            };
            let path = &to.path;
            if !from_pipe
                && path.canonicalize().is_ok_and(|to| input.canonicalize().is_ok_and(|from| from == to))
            {
                let reason = "it is an input; choose another name".into();
                return Err(Error::Output { path: path.clone(), reason });
            }
            Some(to)
        }
    };
    let mut length = None;
    let stream: Box<dyn Read + Send> = if from_pipe {
        Box::new(io::stdin())
    } else {
        let file = File::open(input).map_err(|e| refuse(e.into()))?;
        length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|about| about.len());
        Box::new(file)
    };
    let reader = Reader::new(stream).map_err(named)?;
    let header = reader.header().clone();
    let enlargement = args.picture.size.enlargement(header.size())?;
    let model = nearest(models, header.size(), enlargement)?;
    log::info!("model {}: {}", model.name, model.weights.architecture());
    let gpu = match gpu {
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
    let outcome = match &to {
        None => upscale(reader, io::stdout(), &mut upscaler, &mut show).map(|outcome| (outcome, None)),
        Some(to) => to_file(to, |file| upscale(reader, file, &mut upscaler, &mut show)),
    };
    drop(progress);
    let (Outcome { frames, .. }, written) = outcome.map_err(named)?;
    if let (Some(to), None) = (&to, &written) {
        log::warn!("{} exists already, skipped (--existing)", to.path.display());
    }
    let ((from_width, from_height), (width, height)) = (header.size(), upscaler.header().size());
    log::info!(
        "{name}: {frames} frames, {from_width}x{from_height} to {width}x{height}, {:.2} frames/s",
        rate(frames)
    );
    Ok(written)
}

/// Writes a file whole or not at all. Returns its path too, `None` if another file is kept.
fn to_file(
    to: &Destination,
    write: impl FnOnce(File) -> Result<Outcome>,
) -> Result<(Outcome, Option<PathBuf>)> {
    let mut outcome = None;
    let written = to.clash.write(&to.path, |file| {
        let mut clone = file.try_clone()?;
        match outcome.insert(write(file.try_clone()?)) {
            Ok(_) => clone.flush(),
            Err(_) => Err(io::Error::other("the video failed")),
        }
    });
    match outcome {
        Some(Err(Error::Output { reason, .. })) => Err(Error::Output { path: to.path.clone(), reason }),
        Some(Err(error)) => Err(error),
        Some(Ok(outcome)) => written.map(|path| (outcome, path)),
        None => written.and(Err(Error::invalid("nothing was written"))),
    }
}

/// The network whose trained scale is nearest, as a ratio. Video takes one step.
fn nearest(models: &[Model], source: (u32, u32), enlargement: Enlargement) -> Result<&Model> {
    let (width, height) = enlargement.size(source)?;
    let area = |(width, height): (u32, u32)| f64::from(width) * f64::from(height);
    let factor = (area((width, height)) / area(source)).sqrt();
    models.get(models::nearest(models, factor)).ok_or_else(|| Error::invalid("no model"))
}
