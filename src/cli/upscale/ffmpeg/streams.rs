//! What becomes of sound, subtitles and other streams: copied if the container takes them, else converted, else left out. Which
//! of these, only the user's ffmpeg knows, so it is asked to begin such a file.

use std::path::Path;
use std::process::Stdio;

use srcnn_gpu::Result;
use srcnn_gpu::picture::refuse;

use super::clip::{Clip, Stream};
use super::process::{Process, Scratch};
use super::{ffmpeg, file};
use srcnn_gpu::jobs::Container;

/// A stream that is taken from the source.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its number in the source.
    pub index: u32,
    /// The codec; `None` leaves the choice to ffmpeg.
    pub codec: Option<&'static str>,
}

/// Finds out what to take. Tells what is not copied.
///
/// # Errors
/// [`Error::Picture`](srcnn_gpu::Error::Picture) if ffmpeg cannot be run, [`Error::Output`](srcnn_gpu::Error::Output) without room for temporary files.
pub fn taken(clip: &Clip, container: &Container) -> Result<Vec<Taken>> {
    let folder = Scratch::new()?;
    let trial = folder.path().join("trial");
    let mut all = Vec::new();
    // ffmpeg makes a new track of the time code, which is a tag too.
    for stream in clip.others.iter().filter(|stream| stream.codec_tag_string != "tmcd") {
        let index = stream.index;
        let name = format!("{}: {}", clip.path.display(), stream.name());
        let extension = container.extension;
        let converted = if stream.codec_type == "subtitle" { container.subtitles } else { None };
        let may_change = matches!(stream.codec_type.as_str(), "audio" | "subtitle");
        if fits(clip, stream, container, Some("copy"), &trial)? {
            all.push(Taken { index, codec: Some("copy") });
        } else if may_change && fits(clip, stream, container, converted, &trial)? {
            let to = converted.map(|codec| format!(" to {codec}")).unwrap_or_default();
            log::warn!(
                "{name} does not fit into .{extension} as it is and is converted{to}; .mkv takes most as they are"
            );
            all.push(Taken { index, codec: converted });
        } else {
            log::warn!("{name} does not fit into .{extension} and is left out; .mkv takes most");
        }
        if stream.codec_type == "video" && !stream.is("attached_pic") {
            log::warn!("{name} is another video; only the first one is enlarged");
        }
    }
    Ok(all)
}

/// Whether a file with only this stream can be begun.
fn fits(
    clip: &Clip,
    stream: &Stream,
    container: &Container,
    codec: Option<&str>,
    trial: &Path,
) -> Result<bool> {
    let mut command = ffmpeg();
    command.arg("-i").arg(file(&clip.path)).args(["-map", &format!("0:{}", stream.index)]);
    if let Some(codec) = codec {
        command.args(["-c", codec]);
    }
    command.args(["-frames:0", "0", "-f", container.muxer.unwrap_or_default()]).arg(file(trial));
    let failed = |e: std::io::Error| refuse(&clip.path, format!("ffmpeg: {e}"));
    let process = Process::start(command.stdin(Stdio::null()).stdout(Stdio::null())).map_err(failed)?;
    match process.finish() {
        Ok(_) => Ok(true),
        Err(words) => {
            log::debug!("{} in .{}: {words}", stream.name(), container.extension);
            Ok(false)
        }
    }
}
