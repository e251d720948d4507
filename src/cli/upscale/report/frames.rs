//! Progress of video, in frames.

use std::time::Instant;

use super::super::events::Event;
use super::{INTERVAL, Reporter, Show, round};
use srcnn_gpu::jobs::Job;

/// How far a video is.
#[derive(Debug, Clone, Copy)]
pub struct Frames {
    pub done: u64,
    /// How many there are, as far as the file tells.
    pub total: Option<u64>,
    pub per_second: f64,
    /// Pixels of a frame of the result.
    pub pixels: f64,
}

impl Frames {
    /// Estimated seconds left.
    pub fn left(&self) -> Option<f64> {
        let left = self.total?.saturating_sub(self.done) as f64 / self.per_second;
        Some(left).filter(|left| left.is_finite())
    }
}

impl Reporter {
    /// Reports the frames done of a video.
    pub fn frames(&self, i: usize, job: &Job, frames: Frames) {
        let mut state = self.state();
        let Frames { done, total, per_second, pixels } = frames;
        let share = total.map_or(0.0, |total| (done as f64 / total.max(1) as f64).min(1.0));
        state.notice = None;
        let all = total.map_or(0.0, |total| total as f64 * pixels);
        state.work.progress(i, share, if all > 0.0 { all } else { done as f64 * pixels });
        if self.show != Show::Events {
            let name = match self.total {
                1 => job.name(),
                all => format!("[{}/{all}] {}", i + 1, job.name()),
            };
            return state.progress.frames(&name, done, total, per_second, frames.left());
        }
        let is_last = total == Some(done);
        if !is_last && state.shown.is_some_and(|shown| shown.elapsed() < INTERVAL) {
            return;
        }
        state.shown = Some(Instant::now());
        let (mpix_s, fps) = (round(per_second * pixels / 1e6, 1000.0), Some(round(per_second, 100.0)));
        let eta_s = frames.left().map(|seconds| round(seconds, 10.0));
        self.event(&mut state, &Event::Progress { i: i + 1, done, total, eta_s, mpix_s, fps });
    }
}
