//! The ffmpeg that decodes: frames as YUV4MPEG2 on its standard output, their times in a file.

use std::fs::File;
use std::io;
use std::process::{ChildStdout, Stdio};

use srcnn_gpu::Result;
use srcnn_gpu::picture::refuse;
use srcnn_gpu::video::y4m::Reader;

use super::clip::Clip;
use super::pixels::Pixels;
use super::process::{Process, Scratch};
use super::times::Listed;
use super::{ffmpeg, file, said};

/// Where the times are written.
const TIMES: &str = "times";

/// A running decoder.
pub struct Decoder {
    process: Process,
    times: Option<Listed>,
    _folder: Scratch,
}

impl Decoder {
    /// Starts to decode a file. The frames come upright, in their own format as far as there is one for them.
    ///
    /// # Errors
    /// [`Error::Picture`](srcnn_gpu::Error::Picture) for files that cannot be decoded.
    pub fn start(clip: &Clip) -> Result<(Self, Reader<ChildStdout>)> {
        let failed = |e: io::Error| refuse(&clip.path, format!("ffmpeg: {e}"));
        let folder = Scratch::new()?;
        let list = folder.path().join(TIMES);
        // Before ffmpeg does, so that it can be opened at once.
        File::create(&list).map_err(failed)?;
        let unit = clip.video.unit().unwrap_or((1, 90_000));
        let stream = format!("0:{}", clip.video.index);
        let pixels = Pixels::of(&clip.video.pix_fmt);
        let mut command = ffmpeg();
        command.arg("-copyts").arg("-i").arg(file(&clip.path));
        // The times come first, so that they are there when a frame is.
        command.args(["-map", &stream, "-fps_mode", "passthrough", "-c:v", "wrapped_avframe"]);
        command.args(["-enc_time_base", &format!("{}/{}", unit.0, unit.1), "-flush_packets", "1"]);
        command.args(["-f", "framecrc"]).arg(file(&list));
        command.args([
            "-map",
            &stream,
            "-fps_mode",
            "passthrough",
            "-pix_fmt",
            &pixels.format,
            "-strict",
            "-1",
        ]);
        if let Some(filter) = pixels.filter() {
            command.args(["-vf", &filter]);
        }
        command.args(["-f", "yuv4mpegpipe", "-"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command).map_err(failed)?;
        let Some(stdout) = process.stdout.take() else {
            return Err(failed(io::Error::other("it has no output")));
        };
        let times = Listed::open(&list, unit, process.watch()).map_err(failed)?;
        let decoder = Self { process, times: Some(times), _folder: folder };
        match Reader::new(stdout) {
            Ok(reader) => Ok((decoder, reader)),
            // What ffmpeg says is nearer to the reason.
            Err(error) => Err(decoder.finish(clip).err().unwrap_or(error)),
        }
    }

    /// The times of the frames; those of the first call.
    pub fn times(&mut self) -> Option<Listed> {
        self.times.take()
    }

    /// Waits until all frames have been decoded. What ffmpeg says of single ones is passed on as a warning.
    ///
    /// # Errors
    /// [`Error::Picture`](srcnn_gpu::Error::Picture) if it failed.
    pub fn finish(self, clip: &Clip) -> Result<()> {
        match self.process.finish() {
            Ok(words) if words.is_empty() => Ok(()),
            Ok(words) => {
                log::warn!("{}: {}", clip.path.display(), said(&words));
                Ok(())
            }
            Err(words) => Err(refuse(&clip.path, said(&words))),
        }
    }
}
