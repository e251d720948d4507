//! Video of all kinds through the user's own ffmpeg: one process decodes to YUV4MPEG2, this program enlarges, and another
//! process encodes, and takes sound, subtitles and everything else from the source.
//!
//! The times of the frames go around the pixels: the decoder writes them to a file of its own ([`times`]), since YUV4MPEG2 has
//! none, and the encoder gets them in Matroska ([`matroska`]), which has, and which also carries colors, field order and the
//! shape of pixels.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use srcnn_gpu::{Error, Result};

pub use args::VideoArgs;
pub use clip::Clip;
pub use codec::{Content, Encoding};
pub use color::is_hdr;
pub use decode::Decoder;
pub use encode::{About, Encoder, Frames, Source};
pub use pixels::Pixels;
pub use process::end_all;
pub use times::FrameTimes;

mod args;
mod clip;
mod codec;
mod color;
mod decode;
mod encode;
mod matroska;
mod pixels;
mod process;
mod streams;
mod times;

/// Makes sure that ffmpeg and ffprobe can be run.
///
/// # Errors
/// [`Error::InvalidArgument`] with what to install, and how to do without it.
pub fn check() -> Result<()> {
    for program in ["ffmpeg", "ffprobe"] {
        let mut command = Command::new(program);
        command.arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(Error::invalid(format!("{program} does not run here ({status})"))),
            Err(e) if e.kind() == ErrorKind::NotFound => return Err(missing(program)),
            Err(e) => return Err(Error::invalid(format!("{program} cannot be run: {e}"))),
        }
    }
    Ok(())
}

fn missing(program: &str) -> Error {
    Error::invalid(format!(
        "there is no {program} on the PATH, and files other than .y4m need it: install ffmpeg 5.1 or later (apt install ffmpeg, \
         brew install ffmpeg, winget install ffmpeg), or pipe the video from and to a machine or program that has it: \
         ffmpeg -i in.mp4 -strict -1 -f yuv4mpegpipe - | srcnn-gpu upscale - -o - | ffmpeg -i - out.mp4"
    ))
}

/// An ffmpeg that says nothing but errors and asks nothing.
fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]);
    command
}

/// A file as ffmpeg takes it, whatever its name looks like.
fn file(path: &Path) -> OsString {
    let mut name = OsString::from("file:");
    name.push(path);
    name
}

/// What ffmpeg said, with the reason if its age explains it.
fn said(words: &str) -> String {
    let old = if words.contains("'fps_mode'") { "; this needs ffmpeg 5.1 or later" } else { "" };
    format!("ffmpeg: {words}{old}")
}
