//! Where a video's frames go, and writing them there.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use srcnn_gpu::video::y4m::Reader;
use srcnn_gpu::video::{Outcome, VideoUpscaler, upscale, upscale_to};
use srcnn_gpu::{Error, Result};

use super::input::{Input, name};
use super::{container, is_pipe};
use crate::cli::upscale::args::UpscaleArgs;
use crate::cli::upscale::ffmpeg::{
    About, Clip, Decoder, Encoder, Encoding, FrameTimes, Frames, Source, VideoArgs,
};
use srcnn_gpu::jobs::Job;

/// The form in which frames are written.
pub enum Form {
    /// YUV4MPEG2, to a file or the standard output.
    Y4m,
    Encoded(Encoding),
}

impl Form {
    /// By the output's name, else as asked for, else YUV4MPEG2.
    ///
    /// # Errors
    /// Those of [`Encoding::new`] and [`Input::content`].
    pub fn new(args: &UpscaleArgs, job: &Job, input: &Input, about: &About) -> Result<Self> {
        let container = container(args, job).filter(|container| container.muxer.is_some());
        match container {
            Some(container) => {
                Ok(Self::Encoded(Encoding::new(&args.video, container, &input.content(about)?)?))
            }
            None if args.video.encode() => Err(Error::invalid(
                "--codec, --crf and --ffmpeg-args are for files that ffmpeg writes, not for .y4m",
            )),
            None => Ok(Self::Y4m),
        }
    }
}

/// Everything that a video is made with.
pub struct Run<'a> {
    pub args: &'a VideoArgs,
    pub job: &'a Job,
    pub form: &'a Form,
    pub about: &'a About,
    pub upscaler: &'a mut VideoUpscaler,
    pub progress: &'a mut dyn FnMut(u64),
}

impl Run<'_> {
    /// Enlarges a stream. Returns how it ended, and the file's path if there is one.
    ///
    /// # Errors
    /// [`Error::Picture`] for a broken stream, [`Error::Output`], and those of the device.
    pub fn stream<R: Read + Send + 'static>(self, reader: Reader<R>) -> Result<(Outcome, Option<PathBuf>)> {
        let rate = reader.header().rate();
        let times = FrameTimes::even(rate.unwrap_or_else(|| {
            if matches!(self.form, Form::Y4m) {
                return (25, 1);
            }
            log::warn!(
                "{}: the stream does not say how many frames a second has; 25 are assumed",
                name(&self.job.input)
            );
            (25, 1)
        }));
        self.write(reader, times, None, None)
    }

    /// Enlarges what a decoder makes of a file.
    ///
    /// # Errors
    /// As [`Run::stream`].
    pub fn clip<R: Read + Send + 'static>(
        self,
        clip: &Clip,
        reader: Reader<R>,
        mut decoder: Decoder,
    ) -> Result<(Outcome, Option<PathBuf>)> {
        let broken = |e: io::Error| srcnn_gpu::picture::refuse(&clip.path, e.to_string());
        let times = decoder.times().ok_or_else(|| broken(io::Error::other("its times are taken")))?;
        let Form::Encoded(encoding) = self.form else {
            return self.write(reader, FrameTimes::Listed(times), None, Some((decoder, clip)));
        };
        let mut times = times;
        let begin = match times.begin() {
            Ok(begin) => begin,
            Err(e) => return Err(decoder.finish(clip).err().unwrap_or_else(|| broken(e))),
        };
        let source = Source::new(clip, begin, encoding)?;
        self.write(reader, FrameTimes::Listed(times), Some(&source), Some((decoder, clip)))
    }

    fn write<R: Read + Send + 'static>(
        self,
        reader: Reader<R>,
        times: FrameTimes,
        source: Option<&Source<'_>>,
        decoding: Option<(Decoder, &Clip)>,
    ) -> Result<(Outcome, Option<PathBuf>)> {
        let Self { args, job, form, about, upscaler, progress } = self;
        let output = job.output.clone();
        match form {
            Form::Y4m if is_pipe(&output) => {
                Ok((decoded(upscale(reader, io::stdout(), upscaler, progress), decoding)?, None))
            }
            Form::Y4m => to_file(job, |mut file, _| {
                let outcome = decoded(upscale(reader, file.try_clone()?, upscaler, progress), decoding);
                file.flush()?;
                Ok(outcome)
            }),
            Form::Encoded(encoding) => to_file(job, |_, part| {
                let header = upscaler.header().clone();
                let (encoder, stdin) = Encoder::start(part, encoding, &header, source, args.more())?;
                let about = about.clone();
                let open = move || Frames::new(stdin, &header, &about, times);
                let outcome = decoded(upscale_to(reader, open, upscaler, progress), decoding);
                Ok(match outcome {
                    // An encoder that has closed its input has either all that it wants, or failed.
                    Ok(outcome) => encoder.finish(&output).map(|()| outcome),
                    Err(error) => Err(error),
                })
            }),
        }
    }
}

/// How a stream ended, with the decoder's reasons.
fn decoded(outcome: Result<Outcome>, decoding: Option<(Decoder, &Clip)>) -> Result<Outcome> {
    let Some((decoder, clip)) = decoding else { return outcome };
    match outcome {
        // It may still be at work, for nobody.
        Ok(outcome) if outcome.abandoned => Ok(outcome),
        Ok(outcome) => decoder.finish(clip).map(|()| outcome),
        Err(Error::Picture(reason)) => {
            let failed = || Error::Picture(reason.within(clip.path.display()));
            Err(decoder.finish(clip).err().unwrap_or_else(failed))
        }
        Err(other) => Err(other),
    }
}

/// Writes a file whole or not at all. `write` gets the open file and its path for the time being. Returns what [`Job::write`]
/// does besides.
fn to_file(
    job: &Job,
    write: impl FnOnce(&std::fs::File, &Path) -> io::Result<Result<Outcome>>,
) -> Result<(Outcome, Option<PathBuf>)> {
    let mut outcome = None;
    let written = job.write_by_name(|file, part| match outcome.insert(write(file, part)?) {
        Ok(_) => Ok(()),
        Err(_) => Err(io::Error::other("the video failed")),
    });
    match outcome {
        Some(Err(Error::Output { reason, .. })) => Err(Error::Output { path: job.output.clone(), reason }),
        Some(Err(error)) => Err(error),
        Some(Ok(outcome)) => Ok((outcome, written?)),
        None => Err(written.err().unwrap_or_else(|| Error::invalid("nothing was written"))),
    }
}
