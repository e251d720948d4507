//! The ffmpeg that encodes: enlarged frames from its standard input, everything else from the source.

use std::io;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

use srcnn_gpu::video::FrameSink;
use srcnn_gpu::video::y4m::{Frame, Header};
use srcnn_gpu::{Error, Result};

use super::clip::Clip;
use super::codec::Encoding;
use super::color::{Colors, Mastering};
use super::matroska::{Matroska, Track};
use super::pixels::Pixels;
use super::process::Process;
use super::streams::{self, Taken};
use super::times::FrameTimes;
use super::{ffmpeg, file, said};

/// Tags of a video stream that no longer hold for the result: what programs have found out about its packets.
const STALE: [&str; 7] =
    ["BPS", "DURATION", "NUMBER_OF_BYTES", "NUMBER_OF_FRAMES", "_STATISTICS", "encoder", "rotate"];

/// What the result takes over besides its frames.
pub struct Source<'a> {
    pub clip: &'a Clip,
    /// The time of the first frame in the source, in seconds.
    pub begin: f64,
    streams: Vec<Taken>,
}

impl<'a> Source<'a> {
    /// Finds out which streams the result can take; tells which it cannot.
    ///
    /// # Errors
    /// [`Error::Output`] without room for temporary files; [`Error::Picture`].
    pub fn new(clip: &'a Clip, begin: f64, encoding: &Encoding) -> Result<Self> {
        Ok(Self { clip, begin, streams: streams::taken(clip, encoding.container)? })
    }
}

/// A running encoder.
pub struct Encoder {
    process: Process,
    /// The format of samples that the codec is given.
    pixels: String,
}

impl Encoder {
    /// Starts to write a file. `more` are the user's arguments.
    ///
    /// # Errors
    /// [`Error::Output`] if ffmpeg cannot be run.
    pub fn start<'m>(
        to: &Path,
        encoding: &Encoding,
        header: &Header,
        source: Option<&Source<'_>>,
        more: impl Iterator<Item = &'m str>,
    ) -> io::Result<(Self, ChildStdin)> {
        let mut command = ffmpeg();
        // Few frames wait in ffmpeg, which may be large.
        command.args(["-copyts", "-thread_queue_size", "2"]);
        // The result begins at 0, and everything keeps its distance to everything else.
        let start = source.map_or(0.0, |source| source.clip.start.max(0.0));
        if let Some(source) = source {
            command.args(["-itsoffset", &format!("{:.6}", source.begin - start)]);
        }
        command.args(["-f", "matroska", "-i", "pipe:0"]);
        if let Some(source) = source {
            command.args(["-itsoffset", &format!("{:.6}", -start), "-i"]).arg(file(&source.clip.path));
        }
        command.args(["-map", "0:0", "-fps_mode:0", "passthrough"]).args(&encoding.args);
        if let Some((a, b)) = unit(header, source) {
            command.args(["-enc_time_base:0", &format!("{a}/{b}")]);
        }
        if let Some(source) = source {
            take(&mut command, source);
        }
        if matches!(encoding.container.muxer, Some("mp4" | "mov")) {
            // The index comes first, for players on the web.
            let own = source.is_some_and(|source| source.clip.has_own_tags());
            command.args(["-movflags", if own { "+faststart+use_metadata_tags" } else { "+faststart" }]);
            for brand in ["major_brand", "minor_version", "compatible_brands"].iter().filter(|_| own) {
                // The source's are no tags of the result.
                command.args(["-metadata", &format!("{brand}=")]);
            }
        }
        command.args(more).args(["-f", encoding.container.muxer.unwrap_or_default()]).arg(file(to));
        // SVT-AV1 tells its settings unless it is told not to.
        command.env("SVT_LOG", "1").stdin(Stdio::piped()).stdout(Stdio::null());
        log::debug!("{command:?}");
        let mut process = Process::start(&mut command)?;
        let stdin = process.stdin.take().ok_or_else(|| io::Error::other("it has no input"))?;
        Ok((Self { process, pixels: encoding.pixels.clone() }, stdin))
    }

    /// Waits until the file is complete.
    ///
    /// # Errors
    /// [`Error::Output`] with what ffmpeg says; `output` is the name that the file is going to have.
    pub fn finish(self, output: &Path) -> Result<()> {
        let Self { process, pixels } = self;
        match process.finish() {
            Ok(words) => {
                if !words.is_empty() {
                    log::warn!("{}: {}", output.display(), said(&words));
                }
                Ok(())
            }
            Err(words) => {
                let says = |part: &str| words.contains(part);
                let hint = if says("Unknown encoder") {
                    "; --codec chooses another one, `ffmpeg -encoders` lists them".to_owned()
                } else if says("Specified pixel format") || says("do not have a common format") {
                    format!(
                        "; the codec does not take {pixels}: choose another one, or a format with --ffmpeg-args '-pix_fmt ..'"
                    )
                } else {
                    String::new()
                };
                Err(Error::Output { path: output.into(), reason: format!("{}{hint}", said(&words)).into() })
            }
        }
    }
}

/// Seconds of a unit of the result's times: the source's, so that all of them can be kept.
fn unit(header: &Header, source: Option<&Source<'_>>) -> Option<(u32, u32)> {
    match source {
        Some(source) => source.clip.video.unit(),
        None => header.rate().map(|(frames, seconds)| (seconds, frames)),
    }
}

/// Takes streams, chapters, texts and dispositions from the second input.
fn take(command: &mut Command, source: &Source<'_>) {
    for (position, Taken { index, codec }) in source.streams.iter().enumerate() {
        command.args(["-map", &format!("1:{index}")]);
        if let Some(codec) = codec {
            command.args([&format!("-c:{}", position + 1), *codec]);
        }
    }
    command.args(["-map_metadata", "1", "-map_chapters", "1"]);
    let video = &source.clip.video;
    for (key, value) in &video.tags {
        if !STALE.iter().any(|stale| key.starts_with(stale)) {
            command.args(["-metadata:s:0", &format!("{key}={value}")]);
        }
    }
    let set: Vec<_> =
        video.disposition.iter().filter(|(_, set)| **set == 1).map(|(name, _)| name.as_str()).collect();
    let set = if set.is_empty() { "0".to_owned() } else { set.join("+") };
    command.args(["-disposition:0", &set]);
}

/// Hands frames and their times to the encoder.
pub struct Frames {
    matroska: Matroska<ChildStdin>,
    times: FrameTimes,
}

impl Frames {
    /// Begins with what the frames have in common.
    ///
    /// # Errors
    /// As [`Matroska::new`].
    pub fn new(to: ChildStdin, header: &Header, about: &About, times: FrameTimes) -> io::Result<Self> {
        let track = Track { header, colors: about.colors, mastering: &about.mastering };
        Ok(Self { matroska: Matroska::new(to, &track)?, times })
    }
}

impl FrameSink for Frames {
    fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let time = self.times.next()?;
        self.matroska.write(&frame.data, time)
    }
}

/// What a source says about its pictures and the frames' headers do not.
#[derive(Debug, Clone, Default)]
pub struct About {
    pub colors: Colors,
    pub mastering: Mastering,
}

impl About {
    pub fn new(clip: &Clip) -> Self {
        let video = &clip.video;
        let names = [&video.color_space, &video.color_transfer, &video.color_primaries];
        let colors = match Pixels::of(&video.pix_fmt).is_rgb {
            true => Colors::of_screens(),
            false => Colors::new(names.map(|name| name.as_deref())),
        };
        Self { colors, mastering: clip.mastering.clone() }
    }
}
