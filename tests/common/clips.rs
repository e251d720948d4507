//! Video files made and looked at with the real ffmpeg, in a test's folder.

use std::process::{Command, Stdio};

use super::desk::Desk;

impl Desk {
    /// Runs ffmpeg in this folder, such as to make a clip. Returns what it prints; `None`, with a line that says so, if it is not
    /// installed.
    #[track_caller]
    pub fn ffmpeg(&self, args: &str) -> Option<String> {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-nostdin", "-y"]).args(args.split_whitespace());
        let output = match command.current_dir(self.path(".")).stdin(Stdio::null()).output() {
            Ok(output) => output,
            Err(e) => {
                eprintln!("SKIPPED: ffmpeg is not installed ({e}; Debian: apt install ffmpeg)");
                return None;
            }
        };
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What ffprobe says: entries such as `stream=width,height` of a file, one line a section, values separated by commas.
    #[track_caller]
    pub fn probe(&self, streams: &str, entries: &str, file: &str) -> Vec<String> {
        let mut command = Command::new("ffprobe");
        command.args([
            "-v",
            "error",
            "-of",
            "csv=p=0",
            "-select_streams",
            streams,
            "-show_entries",
            entries,
            file,
        ]);
        let output = command.current_dir(self.path(".")).output().unwrap();
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines()
            .map(|line| line.trim_end_matches(',').to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    }

    /// The decoded frames of a video, as hashes.
    #[track_caller]
    pub fn frames(&self, file: &str) -> Vec<String> {
        let list = self.ffmpeg(&format!("-i {file} -map 0:V:0 -fps_mode passthrough -f framemd5 -")).unwrap();
        let frames = list.lines().filter(|line| !line.starts_with('#'));
        frames.map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect()
    }

    /// A hash of the packets of a stream, as they are stored.
    #[track_caller]
    pub fn packets(&self, file: &str, stream: &str) -> String {
        let hash = self.ffmpeg(&format!("-i {file} -map 0:{stream} -c copy -f streamhash -")).unwrap();
        hash.split('=').nth(1).unwrap().to_owned()
    }

    /// When the packets of a stream are shown, sorted.
    #[track_caller]
    pub fn times(&self, file: &str, stream: &str) -> Vec<f64> {
        let times = self.probe(stream, "packet=pts_time", file);
        let mut times: Vec<f64> = times.iter().map(|time| time.parse().unwrap()).collect();
        times.sort_by(f64::total_cmp);
        times
    }
}

/// The largest difference between two lists of times.
#[track_caller]
pub fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
