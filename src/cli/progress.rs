//! Progress on stderr: a bar on a terminal, plain lines elsewhere, nothing for short work.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;
use srcnn_gpu::train::config::TimeSpan;

/// Shorter work shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two lines if stderr is not a terminal.
const INTERVAL: Duration = Duration::from_secs(5);
/// Time between two lines for programs about the frames of a video.
const FRAMES_INTERVAL: Duration = Duration::from_millis(100);

/// How to show progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// A bar on a terminal, else a line every few seconds
    #[default]
    Auto,
    /// A bar
    Bar,
    /// A line `NN.NN%` for each step, for programs
    Lines,
    /// Events as lines of JSON on stdout, from upscale and train
    Json,
    /// Nothing
    None,
}

static MODE: OnceLock<Mode> = OnceLock::new();
/// The bar on the screen.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Sets how this process shows progress. Only the first call has an effect.
pub fn set_mode(mode: Mode) {
    MODE.get_or_init(|| mode);
}

/// How this process shows progress.
pub fn mode() -> Mode {
    MODE.get().copied().unwrap_or_default()
}

/// Writes something else while the bar is hidden.
pub fn suspended<R>(write: impl FnOnce() -> R) -> R {
    let bar = BAR.lock().clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Writes a line to stderr, above the bar. That it cannot be written (a full disk, a reader that has left) must not end the
/// work, and there is nowhere to report it.
pub fn say(line: impl Display) {
    let line = format!("{line}\n");
    suspended(|| {
        let _ = io::stderr().write_all(line.as_bytes());
    });
}

/// Standard error that does not disturb the bar, for whole lines.
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        suspended(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The progress of one task.
pub struct Progress {
    label: String,
    mode: Mode,
    started: Instant,
    /// Time of the last line.
    shown: Option<Instant>,
    last: String,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins a task called `label`, such as a file's name.
    pub fn new(label: impl Into<String>) -> Self {
        let mode = match mode() {
            Mode::Auto if std::io::stderr().is_terminal() => Mode::Bar,
            mode => mode,
        };
        Self {
            label: label.into(),
            mode,
            started: Instant::now(),
            shown: None,
            last: String::new(),
            bar: None,
        }
    }

    /// Shows that `done` of `total` steps are done.
    pub fn update(&mut self, done: u64, total: u64) {
        let percent = 100.0 * done as f64 / total.max(1) as f64;
        match self.mode {
            Mode::None | Mode::Json => {}
            Mode::Lines => {
                let line = format!("{percent:.2}%");
                if line != self.last {
                    say(&line);
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
                if done < total && self.shown.is_none_or(|shown| shown.elapsed() >= INTERVAL) {
                    say(format_args!("{}: {percent:.0}%", self.label));
                    self.shown = Some(Instant::now());
                }
            }
        }
    }

    /// As [`Progress::update`], with a text about the state, beside the bar or in the line.
    pub fn detail(&mut self, done: u64, total: u64, text: &str) {
        if self.mode != Mode::Auto {
            if let Some(bar) = &self.bar {
                bar.set_message(format!("{}: {text}", self.label));
            }
            return self.update(done, total);
        }
        if self.shown.is_none_or(|shown| shown.elapsed() >= INTERVAL) {
            say(format_args!("{}: {text}", self.label));
            self.shown = Some(Instant::now());
        }
    }

    /// Shows how many frames of the video `label` are done. Of how many, and the seconds left, may be unknown.
    pub fn frames(&mut self, label: &str, done: u64, total: Option<u64>, per_second: f64, left: Option<f64>) {
        self.label = label.to_owned();
        let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
        let text = format!("frame {done}{of}, {per_second:.2} fps");
        let seconds = |s| format!(", {} left", TimeSpan(Duration::from_secs_f64(s)));
        let left = left.filter(|left| (0.0..1e9).contains(left)).map(seconds).unwrap_or_default();
        match (self.mode, total) {
            (Mode::None | Mode::Json, _) => {}
            (Mode::Lines, _) => {
                let is_last = total == Some(done);
                if is_last || self.shown.is_none_or(|shown| shown.elapsed() >= FRAMES_INTERVAL) {
                    let share = total.map(|total| 100.0 * done as f64 / total.max(1) as f64);
                    let percent =
                        share.map(|share| format!("{:.2}%, ", share.min(100.0))).unwrap_or_default();
                    say(format_args!("{percent}{text}{left}"));
                    self.shown = Some(Instant::now());
                }
            }
            _ if self.started.elapsed() < PATIENCE => {}
            (Mode::Bar, Some(total)) => self.detail(done.min(total), total, &text),
            (Mode::Bar, None) => {
                let bar = self.bar.get_or_insert_with(|| {
                    new_bar(&self.label, self.started.elapsed()).with_style(ProgressStyle::default_spinner())
                });
                bar.set_message(format!("{}: {text}", self.label));
                bar.tick();
            }
            (Mode::Auto, total) => self.detail(done, total.unwrap_or(done), &format!("{text}{left}")),
        }
    }

    /// Shows the progress of a long list: the current item, the share done, megapixels per second, seconds left.
    pub fn rate(&mut self, item: &str, share: f64, megapixels: f64, seconds: Option<f64>) {
        const STEPS: f64 = 1e6;
        self.label = item.to_owned();
        let left = |s| format!(", {} left", TimeSpan(Duration::from_secs_f64(s)));
        let text = match self.mode {
            Mode::Auto => {
                let left = seconds.map(left).unwrap_or_default();
                format!("{:.0}% of all, {megapixels:.2} MPix/s{left}", 100.0 * share)
            }
            _ => format!("{megapixels:.2} MPix/s"),
        };
        if self.started.elapsed() >= PATIENCE {
            self.detail((share * STEPS) as u64, STEPS as u64, &text);
        }
    }

    /// How this progress is shown.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Begins the next of several tasks, whose lines start over.
    pub fn next(&mut self) {
        self.last.clear();
    }

    /// Removes the bar.
    pub fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            *BAR.lock() = None;
            bar.finish_and_clear();
        }
    }

    /// Prints a line that stays, above the bar.
    pub fn note(&self, line: &str) {
        if self.mode != Mode::None {
            say(line);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Says what is going on if that takes longer than a moment; until dropped.
pub struct Notice {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Notice {
    /// Begins to wait. `what` is told after a while.
    pub fn new(what: &'static str) -> Self {
        let (over, wait) = channel::<()>();
        let is_over = move |time: Duration| wait.recv_timeout(time) != Err(RecvTimeoutError::Timeout);
        let thread = std::thread::spawn(move || {
            if is_over(2 * PATIENCE) {
                return;
            }
            match Progress::new("").mode {
                Mode::Bar => {
                    let bar = new_bar(what, 2 * PATIENCE).with_style(ProgressStyle::default_spinner());
                    while !is_over(Duration::from_millis(100)) {
                        bar.tick();
                    }
                    *BAR.lock() = None;
                    bar.finish_and_clear();
                }
                Mode::Auto => say(what),
                Mode::Lines | Mode::Json | Mode::None => {}
            }
        });
        Self { over: Some(over), thread: Some(thread) }
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        self.over = None;
        if let Some(thread) = self.thread.take() {
            // It does nothing that can fail.
            let _ = thread.join();
        }
    }
}

fn new_bar(label: &str, elapsed: Duration) -> ProgressBar {
    // A test checks the template; the fallback is never used.
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let bar = bar.with_style(style).with_message(label.to_owned()).with_elapsed(elapsed);
    *BAR.lock() = Some(bar.clone());
    bar
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
