//! What `train` prints of a run as it goes.

use std::time::{Duration, Instant};

use srcnn_gpu::Result;
use srcnn_gpu::eval::protocol::Compared;
use srcnn_gpu::train::config::TimeSpan;
use srcnn_gpu::train::event::{Event, SetPsnr};

use crate::cli::output::{json_line, print};
use crate::cli::progress::{Mode, Progress};

/// Prints a run's events.
pub struct EventPrinter {
    json: bool,
    progress: Progress,
    /// When the command began.
    begun: Instant,
    /// PSNR of plain interpolation on the validation sets, their mean.
    bicubic: Option<f64>,
    /// The first error of printing.
    pub printed: Result<()>,
}

impl EventPrinter {
    pub fn new(json: bool) -> Self {
        Self {
            json,
            progress: Progress::new("training"),
            begun: Instant::now(),
            bicubic: None,
            printed: Ok(()),
        }
    }

    /// Says that it may take a while until the run begins.
    pub fn preparing(&self) {
        if !self.json {
            self.progress.note("preparing: looking through the pictures, compiling kernels");
        }
    }

    pub fn print(&mut self, event: &Event) {
        if self.json {
            if self.printed.is_ok() {
                self.printed = json_line(event).and_then(print);
            }
            return;
        }
        match event {
            Event::Start { network, scale, subimages, step, total_steps } => {
                let from = if *step > 0 { format!(", from step {step}") } else { String::new() };
                let to = total_steps.map(|steps| format!(", {steps} steps")).unwrap_or_default();
                self.progress.note(&format!("{network} x{scale} on {subimages} sub-images{to}{from}"));
            }
            Event::Degrade { done, total } => {
                let text = format!("degrading pictures, {done} of {total}");
                self.progress.detail(*done as u64, *total as u64, &text);
            }
            Event::Estimate { seconds, total_steps, subimages_per_second } => self.progress.note(&format!(
                "{subimages_per_second:.0} sub-images/s: about {} to step {total_steps}",
                about(*seconds)
            )),
            Event::Progress { step, total_steps, loss, sets, subimages_per_second, seconds_left, .. } => {
                let sets: String =
                    sets.iter().map(|SetPsnr { set, psnr }| format!(", {set} {psnr:.2} dB")).collect();
                // A bar has a time of its own; two of them would never agree.
                let left = seconds_left.filter(|_| self.progress.mode() != Mode::Bar);
                let left = left.map(|s| format!(", {} left", about(s))).unwrap_or_default();
                let text = format!(
                    "step {step}, loss {loss:.4}{sets}, {subimages_per_second:.0} sub-images/s{left}"
                );
                self.progress.detail(*step, total_steps.unwrap_or(*step), &text);
            }
            Event::Eval(record) => {
                self.bicubic = Some(record.psnr_bicubic());
                let own = record.sets.iter().map(|set| (set, ""));
                let average = record.average.iter().map(|set| (set, " with the average of the weights"));
                for (set, which) in own.chain(average) {
                    let colors = if set.samples == Compared::Rgb { " of RGB" } else { "" };
                    let watched = if set.watched { ", only watched" } else { "" };
                    self.progress.note(&format!(
                        "step {}: {} {:.2} dB{colors}{which} (bicubic {:.2}), SSIM {:.4}{watched}",
                        record.step, set.set, set.psnr, set.psnr_bicubic, set.ssim
                    ));
                }
            }
            Event::Losses { loss, loss_bicubic } => {
                let told = match loss_bicubic {
                    Some(bicubic) if loss > bicubic => format!(
                        "warning: WORSE THAN BICUBIC on the training pictures: the last loss is {loss:.4}, that of plain \
                         interpolation {bicubic:.4}; the learning rates are too high (--lr), or the run is too short"
                    ),
                    Some(bicubic) => format!(
                        "the last loss is {loss:.4} on the training pictures, that of plain interpolation {bicubic:.4}"
                    ),
                    None => format!("the last loss is {loss:.4}"),
                };
                self.progress.note(&told);
            }
            Event::End { step, seconds, interrupted, psnr } => {
                if let (Some(best), Some(bicubic)) = (psnr, self.bicubic)
                    && *best < bicubic
                {
                    self.progress.note(&format!(
                        "warning: WORSE THAN BICUBIC: the best weights reach {best:.2} dB, plain interpolation {bicubic:.2}; \
                         the run is too short (--resume continues it), or the learning rates are too high (--lr)"
                    ));
                }
                let what = if *interrupted { "interrupted and saved" } else { "done" };
                let more = if *interrupted { "; continue with --resume" } else { "" };
                let (training, all) = (about(*seconds), about(self.begun.elapsed().as_secs_f64()));
                self.progress.note(&format!(
                    "{what} at step {step} after {training} of training in all; this call took {all}{more}"
                ));
            }
            Event::Exchange { ranks, step_ms, exchange_ms } => self.progress.note(&format!(
                "{ranks} ranks: {step_ms:.2} ms a step, {exchange_ms:.2} of them exchanging gradients and waiting for other ranks"
            )),
            // Every beginning is worse; what counts is the end.
            Event::Step(_) | Event::Saved { .. } | Event::Below { .. } => {}
        }
    }
}

/// A time in its two largest units.
fn about(seconds: f64) -> String {
    let unit = match seconds {
        s if s >= 86400.0 => 3600.0,
        s if s >= 3600.0 => 60.0,
        _ => 1.0,
    };
    TimeSpan(Duration::from_secs(((seconds / unit).round() * unit) as u64)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (seconds, text) in [(0.2, "0s"), (59.7, "1m"), (3725.0, "1h2m"), (400_000.0, "4d15h")] {
            assert_eq!(about(seconds), text);
        }
    }

    #[test]
    fn events_as_json() {
        let event = Event::Below { set: "Set5".into(), psnr: 20.0, psnr_bicubic: f64::NAN };
        let line = json_line(&event).unwrap();
        assert_eq!(line, r#"{"v":1,"event":"below","set":"Set5","psnr":20.0,"psnr_bicubic":null}"#);
    }
}
