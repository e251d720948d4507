//! Enlarging one video after the other on one device.

use std::time::Instant;

use srcnn_gpu::headless::Gpu;
use srcnn_gpu::video::VideoUpscaler;
use srcnn_gpu::{Enlargement, Error, Reason, Result};

use super::input::{Input, name};
use super::output::{Form, Run};
use crate::cli::args::models::{self, Model};
use crate::cli::upscale::args::UpscaleArgs;
use crate::cli::upscale::ffmpeg::{About, Decoder};
use crate::cli::upscale::report::{Frames, Reporter};
use srcnn_gpu::jobs::{Job, Kept};
use srcnn_gpu::stages::{self, Times};

/// What all videos need.
pub struct Worker<'a> {
    args: &'a UpscaleArgs,
    models: &'a [Model],
    reporter: &'a Reporter,
    /// Opened for the first video.
    gpu: Option<Gpu>,
}

/// A video that has been looked at.
struct Opened {
    input: Input,
    about: About,
    form: Form,
    enlargement: Enlargement,
    from: (u32, u32),
    to: (u32, u32),
}

impl<'a> Worker<'a> {
    pub fn new(args: &'a UpscaleArgs, models: &'a [Model], reporter: &'a Reporter) -> Self {
        Self { args, models, reporter, gpu: None }
    }

    /// What there is to tell of a video.
    ///
    /// # Errors
    /// As [`Worker::enlarge`], as far as it can be known.
    pub fn planned(&self, job: &Job) -> Result<stages::About> {
        let Opened { from, to, .. } = self.open(job)?;
        Ok(Self::about([from, to], self.network(from, to)?))
    }

    fn about(size: [(u32, u32); 2], model: &Model) -> stages::About {
        stages::About { size, network: model.name.clone(), jpeg_quality: None }
    }

    fn open(&self, job: &Job) -> Result<Opened> {
        let args = self.args;
        let named = |reason: Reason| Error::Picture(reason.within(name(&job.input)));
        let refuse = |error| match error {
            Error::InvalidArgument(reason) => named(reason),
            other => other,
        };
        let input = Input::open(&job.input, args.video.y4m)?;
        let about = input.about();
        let form = Form::new(args, job, &input, &about).map_err(|error| match error {
            Error::Picture(reason) => named(reason),
            other => other,
        })?;
        let from = input.size();
        let mut enlargement = args.picture.size.enlargement(from).map_err(refuse)?;
        let mut to = enlargement.size(from)?;
        input.warn(matches!(form, Form::Y4m));
        if let Form::Encoded(encoding) = &form {
            if let Some(note) = &encoding.note {
                log::warn!("{}: {note}", name(&job.input));
            }
            let size = encoding.size(to, from);
            if size != to {
                let ((w, h), (ew, eh)) = (to, size);
                log::warn!(
                    "{}: {ew}x{eh} instead of {w}x{h}, which the codec cannot hold",
                    job.output.display()
                );
                (to, enlargement) = (size, Enlargement::Size(ew, eh));
            }
        }
        Ok(Opened { input, about, form, enlargement, from, to })
    }

    /// Enlarges one video, and reports it. An inner `Err` says why a file has been kept.
    ///
    /// # Errors
    /// [`Error::Picture`] for what cannot be read, [`Error::Output`] for what cannot be written, and those of the device.
    pub fn enlarge(&mut self, i: usize, job: &Job) -> Result<Result<(), Kept>> {
        let args = self.args;
        let Opened { input, about: metadata, form, enlargement, from, to } = self.open(job)?;
        let total = input.frames();
        let pixels = u64::from(to.0) * u64::from(to.1);
        let model = self.network(from, to)?;
        self.reporter.file(
            i,
            job,
            &Self::about([from, to], model),
            pixels as f64 * total.unwrap_or(1) as f64,
        );
        self.reporter.computing();
        let weights = model.network()?;
        log::info!("model {}: {}", model.name, weights.architecture());
        let gpu = match &mut self.gpu {
            Some(gpu) => gpu.clone(),
            none => {
                let opened = args.gpu.open()?;
                args.precision.check(&opened)?;
                self.reporter.gpu(&opened);
                none.insert(opened).clone()
            }
        };
        // A pipe may end after a moment: it is no reason to measure kernels.
        let all = pixels * total.unwrap_or(0);
        let options = args.tune.apply(&gpu, weights, args.headless(0), all)?;
        let upscaler = |header: &_| VideoUpscaler::new(gpu, weights, options, header, enlargement);
        let (reporter, start) = (self.reporter, Instant::now());
        let rate = |frames: u64| frames as f64 / start.elapsed().as_secs_f64();
        let progress = &mut |done: u64| {
            let pixels = pixels as f64;
            reporter.frames(i, job, Frames { done, total, per_second: rate(done), pixels });
        };
        let (args, form, about) = (&args.video, &form, &metadata);
        let named = |error| match error {
            Error::Picture(reason) => Error::Picture(reason.within(name(&job.input))),
            other => other,
        };
        let (outcome, written) = match input {
            Input::Stream { reader, .. } => {
                let upscaler = &mut upscaler(reader.header())?;
                Run { args, job, form, about, upscaler, progress }.stream(reader).map_err(named)?
            }
            Input::Clip(clip) => {
                let (decoder, reader) = Decoder::start(&clip)?;
                if reader.header().size() != from {
                    let (w, h) = reader.header().size();
                    let why =
                        format!("ffmpeg decodes it to {w}x{h} pixels, and not to {}x{}", from.0, from.1);
                    return Err(srcnn_gpu::picture::refuse(&clip.path, why));
                }
                let mut header = reader.header().clone();
                if let (Form::Encoded(_), Some(siting)) = (form, clip.siting()) {
                    header.format.siting = siting;
                }
                let upscaler = &mut upscaler(&header)?;
                Run { args, job, form, about, upscaler, progress }.clip(&clip, reader, decoder)?
            }
        };
        let frames = outcome.frames;
        log::info!(
            "{}: {frames} frames, {}x{} to {}x{}, {:.2} frames/s",
            name(&job.input),
            from.0,
            from.1,
            to.0,
            to.1,
            rate(frames)
        );
        if total != Some(frames) {
            // It was an estimate.
            let done =
                Frames { done: frames, total: Some(frames), per_second: rate(frames), pixels: pixels as f64 };
            reporter.frames(i, job, done);
        }
        reporter.computed(i);
        let times = Times { gpu: start.elapsed(), ..Times::default() };
        match written {
            Some(path) => reporter.done(i, path, times),
            None if super::is_pipe(&job.output) => reporter.done(i, job.output.clone(), times),
            None => return Ok(Err(Kept::Exists)),
        }
        Ok(Ok(()))
    }

    /// The network that enlarges in one step: video takes no more, and nothing looks for traces in its frames.
    fn network(&self, from: (u32, u32), to: (u32, u32)) -> Result<&'a Model> {
        let area = |(width, height): (u32, u32)| f64::from(width) * f64::from(height);
        let factor = (area(to) / area(from)).sqrt();
        let network = models::one_step(self.models, if from == to { 1.0 } else { factor }, None)?;
        Ok(&self.models[network])
    }
}
