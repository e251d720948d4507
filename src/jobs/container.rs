//! Video files by their names' extensions: which are known to be video, and which can be written.

use std::path::Path;

/// A kind of video file.
#[derive(Debug, PartialEq)]
pub struct Container {
    pub extension: &'static str,
    /// ffmpeg's name for it, for those that ffmpeg writes here.
    pub muxer: Option<&'static str>,
    /// ffmpeg's codec for subtitles that cannot be copied into it.
    pub subtitles: Option<&'static str>,
}

const READ: Container = Container { extension: "", muxer: None, subtitles: None };
const MP4: Container = Container { extension: "mp4", muxer: Some("mp4"), subtitles: Some("mov_text") };

/// YUV4MPEG2, which needs no ffmpeg.
pub static Y4M: Container = Container { extension: "y4m", ..READ };
static MKV: Container = Container { extension: "mkv", muxer: Some("matroska"), subtitles: Some("subrip") };

/// Those that can be written through ffmpeg.
static WRITTEN: &[&Container] = &[
    &MP4,
    &Container { extension: "m4v", ..MP4 },
    &Container { extension: "mov", muxer: Some("mov"), ..MP4 },
    &MKV,
    &Container { extension: "webm", muxer: Some("webm"), subtitles: Some("webvtt") },
];

/// Extensions of other files that are taken for video; ffmpeg finds out what they are.
const OTHERS: [&str; 21] = [
    "3g2", "3gp", "asf", "avi", "divx", "dv", "f4v", "flv", "m2t", "m2ts", "m2v", "mjpeg", "mpeg", "mpg",
    "mts", "mxf", "nut", "ogv", "ts", "vob", "wmv",
];

/// Pictures that may be animations, which ffmpeg reads as video.
const ANIMATIONS: [&str; 5] = ["gif", "apng", "png", "webp", "avif"];

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}

impl Container {
    /// The one with this extension, if it can be written.
    pub fn named(extension: &str) -> Option<&'static Self> {
        let mut all = WRITTEN.iter().copied().chain([&Y4M]);
        all.find(|container| container.extension.eq_ignore_ascii_case(extension))
    }

    /// What a file's name says it is, if that can be written.
    pub fn of(path: &Path) -> Option<&'static Self> {
        Self::named(&extension(path)?)
    }

    /// What to write a file's result as if nothing else is asked for: the same if possible. Matroska takes the place of others,
    /// since it holds everything that they may, and MP4 that of animated pictures.
    pub fn of_result(input: &Path) -> &'static Self {
        match Self::of(input) {
            Some(same) => same,
            None if may_be_animation(input) => WRITTEN[0],
            None => &MKV,
        }
    }

    /// All extensions that can be written, for messages.
    pub fn extensions() -> String {
        let all: Vec<_> =
            WRITTEN.iter().map(|container| container.extension).chain([Y4M.extension]).collect();
        all.join(", ")
    }
}

/// Whether a name is that of a YUV4MPEG2 file.
pub fn is_y4m(path: &Path) -> bool {
    Container::of(path) == Some(&Y4M)
}

/// Whether a name is that of a video.
pub fn is_video(path: &Path) -> bool {
    Container::of(path).is_some() || extension(path).is_some_and(|name| OTHERS.contains(&name.as_str()))
}

/// Whether a name is that of a picture that may be an animation.
pub fn may_be_animation(path: &Path) -> bool {
    extension(path).is_some_and(|name| ANIMATIONS.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let result = |name: &str| Container::of_result(Path::new(name)).extension;
        for (name, extension) in [
            ("a.MP4", "mp4"),
            ("a.y4m", "y4m"),
            ("a.avi", "mkv"),
            ("a.gif", "mp4"),
            ("a.webm", "webm"),
            ("a", "mkv"),
        ] {
            assert_eq!(result(name), extension, "{name}");
        }
        assert!(["a.MOV", "a.y4m", "b.MTS"].iter().all(|name| is_video(Path::new(name))));
        assert!(!["a.gif", "a.png", "a", "mp4"].iter().any(|name| is_video(Path::new(name))));
        assert!(is_y4m(Path::new("a.Y4M")) && !is_y4m(Path::new("a.mp4")));
        assert_eq!(Container::named("avi"), None);
    }
}
