//! Progress on stderr: a bar on a terminal, plain lines elsewhere, nothing for short work.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is over sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two lines off a terminal.
const INTERVAL: Duration = Duration::from_secs(5);

/// How progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// A bar on a terminal, else a line every few seconds
    #[default]
    Auto,
    /// A bar
    Bar,
    /// A line `NN.NN%` for each step, for programs that read it
    Lines,
    /// Nothing
    None,
}

static MODE: OnceLock<Mode> = OnceLock::new();

/// Sets how this process shows progress; the first call counts.
pub fn set_mode(mode: Mode) {
    MODE.get_or_init(|| mode);
}

/// Progress of one piece of work.
pub struct Progress {
    label: String,
    mode: Mode,
    started: Instant,
    told: Option<Instant>,
    last: String,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins a piece of work called `label`, such as a file's name.
    pub fn new(label: impl Into<String>) -> Self {
        let mode = match MODE.get().copied().unwrap_or_default() {
            Mode::Auto if std::io::stderr().is_terminal() => Mode::Bar,
            mode => mode,
        };
        Self {
            label: label.into(),
            mode,
            started: Instant::now(),
            told: None,
            last: String::new(),
            bar: None,
        }
    }

    /// Tells that `done` of `total` steps are done.
    pub fn update(&mut self, done: u64, total: u64) {
        let percent = 100.0 * done as f64 / total.max(1) as f64;
        match self.mode {
            Mode::None => {}
            Mode::Lines => {
                let line = format!("{percent:.2}%");
                if line != self.last {
                    eprintln!("{line}");
                    self.last = line;
                }
            }
            _ if self.started.elapsed() < PATIENCE => {}
            Mode::Bar => {
                let bar = self.bar.get_or_insert_with(|| new_bar(&self.label, self.started.elapsed()));
                bar.set_length(total);
                bar.set_position(done);
            }
            Mode::Auto => {
                if done < total && self.told.is_none_or(|told| told.elapsed() >= INTERVAL) {
                    eprintln!("{}: {percent:.0}%", self.label);
                    self.told = Some(Instant::now());
                }
            }
        }
    }
}

impl Progress {
    /// Tells the same with what there is to say about it: behind the bar, or in the lines.
    pub fn detail(&mut self, done: u64, total: u64, text: &str) {
        if self.mode != Mode::Auto {
            if let Some(bar) = &self.bar {
                bar.set_message(format!("{}: {text}", self.label));
            }
            return self.update(done, total);
        }
        if self.told.is_none_or(|told| told.elapsed() >= INTERVAL) {
            eprintln!("{}: {text}", self.label);
            self.told = Some(Instant::now());
        }
    }

    /// Tells how many frames of a video are done; of how many is not known of a pipe's.
    pub fn frames(&mut self, done: u64, total: Option<u64>, per_second: f64) {
        let text = format!("frame {done}, {per_second:.2} fps");
        match (self.mode, total) {
            (Mode::None, _) | (Mode::Lines, None) => {}
            (_, Some(total)) => self.detail(done.min(total), total, &text),
            _ if self.started.elapsed() < PATIENCE => {}
            (Mode::Bar, None) => {
                let bar = self.bar.get_or_insert_with(|| {
                    new_bar(&self.label, self.started.elapsed()).with_style(ProgressStyle::default_spinner())
                });
                bar.set_message(format!("{}: {text}", self.label));
                bar.tick();
            }
            (Mode::Auto, None) => self.detail(done, done, &text),
        }
    }

    /// A line that stays, above the bar.
    pub fn note(&self, line: &str) {
        match (self.mode, &self.bar) {
            (Mode::None, _) => {}
            (_, Some(bar)) => bar.suspend(|| eprintln!("{line}")),
            _ => eprintln!("{line}"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(label: &str, elapsed: Duration) -> ProgressBar {
    // The template is checked by a test; the default bar serves if it were wrong.
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.with_style(style).with_message(label.to_owned()).with_elapsed(elapsed)
}

const TEMPLATE: &str = "{msg} [{bar:30}] {percent:>3}% {eta}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_is_valid() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
