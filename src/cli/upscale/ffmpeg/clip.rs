//! What ffprobe says about a file.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use srcnn_gpu::Result;
use srcnn_gpu::picture::refuse;
use srcnn_gpu::video::format::Siting;

use super::color::{Mastering, is_hdr};
use super::process::Process;
use super::{file, said};

/// A video file, seen from outside.
pub struct Clip {
    pub path: PathBuf,
    /// The stream that is enlarged: the first one that is not a cover picture.
    pub video: Stream,
    /// All other streams.
    pub others: Vec<Stream>,
    /// Texts about the whole file.
    pub tags: BTreeMap<String, String>,
    /// Time of the first packet of any stream, in seconds.
    pub start: f64,
    /// Seconds.
    duration: Option<f64>,
    /// What HDR displays are told.
    pub mastering: Mastering,
}

/// A stream in ffprobe's words.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Stream {
    pub index: u32,
    pub codec_type: String,
    pub codec_name: String,
    pub codec_tag_string: String,
    pub width: u32,
    pub height: u32,
    pub pix_fmt: String,
    pub time_base: String,
    pub avg_frame_rate: String,
    pub r_frame_rate: String,
    duration: Option<String>,
    nb_frames: Option<String>,
    chroma_location: Option<String>,
    field_order: Option<String>,
    pub color_space: Option<String>,
    pub color_transfer: Option<String>,
    pub color_primaries: Option<String>,
    pub disposition: BTreeMap<String, u8>,
    pub tags: BTreeMap<String, String>,
    side_data_list: Vec<serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Report {
    streams: Vec<Stream>,
    format: Format,
    frames: Vec<FirstFrame>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Format {
    start_time: Option<String>,
    duration: Option<String>,
    tags: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FirstFrame {
    side_data_list: Vec<serde_json::Value>,
}

impl Clip {
    /// Asks ffprobe about a file.
    ///
    /// # Errors
    /// [`Error::Picture`](srcnn_gpu::Error::Picture) for files that are not video.
    pub fn open(path: &Path) -> Result<Self> {
        let report: Report = ask(path, &["-show_streams", "-show_format"])?;
        let Report { mut streams, format, .. } = report;
        let is_video = |stream: &Stream| {
            stream.codec_type == "video" && !stream.is("attached_pic") && !stream.is("timed_thumbnails")
        };
        let Some(at) = streams.iter().position(is_video) else {
            return Err(refuse(path, "there is no video in this file"));
        };
        let video = streams.remove(at);
        if video.width == 0 || video.height == 0 || video.pix_fmt.is_empty() {
            let codec = &video.codec_name;
            return Err(refuse(path, format!("ffmpeg cannot decode its video ({codec})")));
        }
        let mut mastering = Mastering::from(&video.side_data_list);
        if mastering.is_empty() && video.color_transfer.as_deref().is_some_and(is_hdr) {
            // Some files have it with their frames alone.
            let stream = video.index.to_string();
            let first = ["-select_streams", &stream, "-read_intervals", "%+#1", "-show_frames"];
            let report: Report = ask(path, &first)?;
            mastering =
                report.frames.first().map(|frame| Mastering::from(&frame.side_data_list)).unwrap_or_default();
        }
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        Ok(Self {
            path: path.into(),
            duration: number(&video.duration).or(number(&format.duration)),
            start: number(&format.start_time).unwrap_or_default(),
            others: streams,
            tags: format.tags,
            mastering,
            video,
        })
    }

    /// Width and height of upright frames.
    pub fn size(&self) -> (u32, u32) {
        let Stream { width, height, .. } = self.video;
        let turns = self.video.side_data_list.iter().filter_map(|data| data["rotation"].as_f64());
        let lies = turns.into_iter().any(|degrees| (degrees.abs() % 180.0 - 90.0).abs() < 45.0);
        if lies { (height, width) } else { (width, height) }
    }

    /// Number of frames, as far as the file tells.
    pub fn frames(&self) -> Option<u64> {
        let counted =
            self.video.nb_frames.as_deref().and_then(|count| count.parse().ok()).filter(|&count| count > 0);
        let estimated =
            || Some((self.duration? * self.video.rate()?).round() as u64).filter(|&count| count > 0);
        counted.or_else(estimated)
    }

    /// Whether the file says that its frames do not follow one another at the same distance.
    pub fn varies(&self) -> bool {
        let [average, least] = [&self.video.avg_frame_rate, &self.video.r_frame_rate].map(|rate| ratio(rate));
        matches!((average, least), (Some(a), Some(b)) if (a / b - 1.0).abs() > 1e-3)
    }

    /// Whether the top field comes first, if its frames consist of fields.
    pub fn top_first(&self) -> Option<bool> {
        match self.video.field_order.as_deref() {
            Some("tt" | "tb") => Some(true),
            Some("bb" | "bt") => Some(false),
            _ => None,
        }
    }

    /// Where chroma samples lie, if the file says so and this program knows the place. YUV4MPEG2 can say it of few formats.
    pub fn siting(&self) -> Option<Siting> {
        match self.video.chroma_location.as_deref() {
            Some("left") => Some(Siting::Left),
            Some("center") => Some(Siting::Center),
            Some("topleft") => Some(Siting::TopLeft),
            _ => None,
        }
    }

    /// Whether it has tags of a camera's own, which MP4 holds in a form in which there is no room for a cover picture.
    pub fn has_own_tags(&self) -> bool {
        self.tags.keys().any(|key| key.contains('.'))
            && !self.others.iter().any(|stream| stream.is("attached_pic"))
    }

    /// Whether the file has metadata of Dolby Vision.
    pub fn is_dolby_vision(&self) -> bool {
        let kinds = self.video.side_data_list.iter().filter_map(|data| data["side_data_type"].as_str());
        kinds.into_iter().any(|kind| kind.contains("DOVI"))
    }
}

impl Stream {
    /// Whether a disposition is set.
    pub fn is(&self, disposition: &str) -> bool {
        self.disposition.get(disposition) == Some(&1)
    }

    /// Frames per second.
    fn rate(&self) -> Option<f64> {
        ratio(&self.avg_frame_rate).or(ratio(&self.r_frame_rate))
    }

    /// Seconds of a unit of its times, as a fraction.
    pub fn unit(&self) -> Option<(u32, u32)> {
        let (a, b) = self.time_base.split_once('/')?;
        Some((a.parse().ok()?, b.parse().ok()?)).filter(|&(a, b)| a > 0 && b > 0)
    }

    /// What it is, for messages: `stream 2 (subtitle, subrip, eng)`.
    pub fn name(&self) -> String {
        let language = self.tags.get("language").map(String::as_str).filter(|&language| language != "und");
        let parts = [Some(self.codec_type.as_str()), Some(self.codec_name.as_str()), language];
        let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        format!("stream {} ({})", self.index, parts.join(", "))
    }
}

fn ratio(text: &str) -> Option<f64> {
    let (a, b) = text.split_once('/')?;
    let ratio = a.parse::<f64>().ok()? / b.parse::<f64>().ok()?;
    Some(ratio).filter(|ratio| ratio.is_finite() && *ratio > 0.0)
}

fn ask<T: DeserializeOwned>(path: &Path, what: &[&str]) -> Result<T> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-of", "json"]).args(what).arg("-i").arg(file(path));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let failed = |why: String| refuse(path, why);
    let mut process = Process::start(&mut command).map_err(|e| failed(format!("ffprobe: {e}")))?;
    let mut text = Vec::new();
    if let Some(mut stdout) = process.stdout.take() {
        stdout.read_to_end(&mut text).map_err(|e| failed(format!("ffprobe: {e}")))?;
    }
    let whole = super::file(path);
    let shorter = |words: String| words.replace(&format!("{}: ", whole.to_string_lossy()), "");
    process.finish().map_err(|words| failed(said(&shorter(words))))?;
    serde_json::from_str(&String::from_utf8_lossy(&text))
        .map_err(|e| failed(format!("ffprobe's answer cannot be read: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(json: serde_json::Value) -> Stream {
        serde_json::from_value(json).unwrap()
    }

    fn clip(video: serde_json::Value, duration: Option<f64>) -> Clip {
        let (path, others, tags) = (PathBuf::new(), Vec::new(), BTreeMap::new());
        Clip {
            path,
            video: stream(video),
            others,
            tags,
            start: 0.0,
            duration,
            mastering: Mastering::default(),
        }
    }

    #[test]
    fn what_ffprobe_says() {
        let turned = |degrees: i32| {
            let sides = serde_json::json!([{"side_data_type": "Display Matrix", "rotation": degrees}]);
            clip(serde_json::json!({"width": 4, "height": 3, "side_data_list": sides}), None).size()
        };
        assert_eq!([0, 90, -90, 180, 270].map(turned), [(4, 3), (3, 4), (3, 4), (4, 3), (3, 4)]);
        let frames = |json, duration| clip(json, duration).frames();
        assert_eq!(
            frames(serde_json::json!({"nb_frames": "24", "avg_frame_rate": "25/1"}), Some(9.0)),
            Some(24)
        );
        assert_eq!(frames(serde_json::json!({"avg_frame_rate": "30000/1001"}), Some(10.01)), Some(300));
        assert_eq!(
            frames(serde_json::json!({"avg_frame_rate": "0/0", "r_frame_rate": "25/1"}), Some(2.0)),
            Some(50)
        );
        assert_eq!(frames(serde_json::json!({"avg_frame_rate": "25/1"}), None), None);
        let varies = |average: &str| {
            clip(serde_json::json!({"avg_frame_rate": average, "r_frame_rate": "24/1"}), None).varies()
        };
        assert!(varies("576/31") && !varies("24/1") && !varies("0/0"));
        let unit = |text: &str| stream(serde_json::json!({"time_base": text})).unit();
        assert_eq!((unit("1/12288"), unit("0/1"), unit("")), (Some((1, 12288)), None, None));
        let name = |json| stream(json).name();
        let text = serde_json::json!({"index": 2, "codec_type": "subtitle", "codec_name": "subrip", "tags": {"language": "eng"}});
        assert_eq!(name(text), "stream 2 (subtitle, subrip, eng)");
        assert_eq!(name(serde_json::json!({"index": 3, "codec_type": "data"})), "stream 3 (data)");
    }
}
