//! What happens to the pictures, told while it happens: in words or as JSON events. Any thread may tell.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use srcnn_gpu::headless::{Gpu, adapter};
use srcnn_gpu::{Error, Result};

use super::ready::Times;
use crate::cli::jobs::{Job, Kept};
use crate::cli::output::json_line;
use crate::cli::progress::{self, Mode, Progress};
use crate::cli::{exit, exit_code, print, report};

/// JSON progress comes no oftener than this.
const INTERVAL: Duration = Duration::from_millis(100);

/// An event as it is printed; `i` counts the inputs from 1.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event<'a> {
    Start { version: &'a str, model: &'a str, total: usize, dry_run: bool },
    Gpu { name: &'a str, r#type: &'a str, backend: &'a str, driver: &'a str },
    File { i: usize, r#in: &'a str, out: &'a str, w: u32, h: u32, ow: u32, oh: u32 },
    Progress { i: usize, done: u64, total: u64, eta_s: Option<f64>, mpix_s: f64 },
    Done { i: usize, out: &'a str, ms: Milliseconds },
    Skip { i: usize, r#in: &'a str, out: &'a str, why: &'a str },
    Error { i: usize, r#in: Option<&'a str>, code: u8, msg: &'a str },
    End { ok: usize, skipped: usize, failed: usize, left: usize, secs: f64, code: u8 },
}

#[derive(Serialize)]
struct Milliseconds {
    decode: f64,
    gpu: f64,
    encode: f64,
}

/// How an input ended.
enum Outcome {
    Done { output: PathBuf, times: Times },
    Planned { input: PathBuf, output: PathBuf, size: [(u32, u32); 2] },
    Kept { input: PathBuf, output: PathBuf, kept: Kept },
    Failed { input: Option<PathBuf>, error: Error },
}

/// What is told on the standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Paths,
    Events,
    Nothing,
}

/// Tells what happens.
pub struct Reporter {
    show: Show,
    total: usize,
    state: Mutex<State>,
}

struct State {
    started: Instant,
    /// Words come in the order of the inputs: what ended before its turn, and whose turn it is.
    early: BTreeMap<usize, Outcome>,
    turn: usize,
    done: usize,
    skipped: usize,
    /// Exit codes of those that failed.
    failures: Vec<u8>,
    work: Work,
    progress: Progress,
    told: Option<Instant>,
    /// The first failure of printing.
    printed: Result<()>,
}

/// How much of the work is done. It is measured in bytes of the inputs' files, which are known beforehand.
struct Work {
    total: f64,
    done: f64,
    /// Work and pixels of pictures that are being computed.
    under_way: BTreeMap<usize, [f64; 2]>,
    pixels: f64,
    began: Option<Instant>,
}

impl Work {
    /// Share of all work, pixels a second so far, seconds to go.
    fn rates(&self) -> (f64, f64, Option<f64>) {
        let [work, pixels] =
            self.under_way.values().fold([self.done, self.pixels], |[a, b], [c, d]| [a + c, b + d]);
        let seconds = self.began.map_or(0.0, |began| began.elapsed().as_secs_f64());
        let share = if self.total > 0.0 { (work / self.total).min(1.0) } else { 1.0 };
        let left =
            (work > 0.0 && seconds > 0.0).then(|| (seconds * (self.total / work - 1.0)).clamp(0.0, 1e9));
        (share, if seconds > 0.0 { pixels / seconds } else { 0.0 }, left)
    }
}

impl Reporter {
    /// Begins with the list of the work.
    pub fn new(show: Show, jobs: &[Result<Job>], model: &str, dry_run: bool) -> Self {
        let work = Work {
            total: jobs.iter().flatten().map(weight).sum(),
            done: 0.0,
            under_way: BTreeMap::new(),
            pixels: 0.0,
            began: None,
        };
        let reporter = Self {
            show,
            total: jobs.len(),
            state: Mutex::new(State {
                started: Instant::now(),
                early: BTreeMap::new(),
                turn: 0,
                done: 0,
                skipped: 0,
                failures: Vec::new(),
                work,
                progress: Progress::new(""),
                told: None,
                printed: Ok(()),
            }),
        };
        let version = env!("CARGO_PKG_VERSION");
        reporter.event(&mut reporter.state(), &Event::Start { version, model, total: jobs.len(), dry_run });
        reporter
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, state: &mut State, event: &Event<'_>) {
        if self.show == Show::Events && state.printed.is_ok() {
            state.printed = json_line(event).and_then(print);
        }
    }

    /// The device that computes.
    pub fn gpu(&self, gpu: &Gpu) {
        let (r#type, backend) = (adapter::type_name(gpu.info.device_type), gpu.info.backend.to_str());
        let event = Event::Gpu { name: &gpu.info.name, r#type, backend, driver: &gpu.info.driver_info };
        self.event(&mut self.state(), &event);
    }

    /// A picture is about to be decoded; sizes are those of the picture and of its result.
    pub fn file(&self, i: usize, job: &Job, [(w, h), (ow, oh)]: [(u32, u32); 2]) {
        let (input, output) = (job.input.to_string_lossy(), job.output.to_string_lossy());
        let event = Event::File { i: i + 1, r#in: &input, out: &output, w, h, ow, oh };
        self.event(&mut self.state(), &event);
    }

    /// A device begins to compute.
    pub fn computing(&self) {
        self.state().work.began.get_or_insert_with(Instant::now);
    }

    /// Tiles of a picture are done.
    pub fn progress(&self, i: usize, job: &Job, pixels: f64, done: u64, total: u64) {
        let mut state = self.state();
        let State { work, progress, .. } = &mut *state;
        let share = done as f64 / total.max(1) as f64;
        work.under_way.insert(i, [share * weight(job), share * pixels]);
        let (all, rate, eta_s) = work.rates();
        if self.show == Show::Events {
            if done < total && state.told.is_some_and(|told| told.elapsed() < INTERVAL) {
                return;
            }
            state.told = Some(Instant::now());
            let eta_s = eta_s.map(|seconds| round(seconds, 10.0));
            let event = Event::Progress { i: i + 1, done, total, eta_s, mpix_s: round(rate / 1e6, 1000.0) };
            return self.event(&mut state, &event);
        }
        let name = match self.total {
            1 => job.name(),
            total => format!("[{}/{total}] {}", i + 1, job.name()),
        };
        match progress.mode() {
            // Programs that read these lines know of one picture at a time.
            Mode::Lines => progress.update(done, total),
            _ => progress.rate(&name, all, rate / 1e6, eta_s),
        }
    }

    /// A picture is computed.
    pub fn computed(&self, i: usize) {
        let mut state = self.state();
        if let Some([work, pixels]) = state.work.under_way.remove(&i) {
            state.work.done += work;
            state.work.pixels += pixels;
        }
        state.progress.next();
    }

    pub fn done(&self, i: usize, output: PathBuf, times: Times) {
        self.ended(i, Outcome::Done { output, times });
    }

    /// In a dry run: what would be done.
    pub fn planned(&self, i: usize, job: Job, size: [(u32, u32); 2]) {
        self.ended(i, Outcome::Planned { input: job.input, output: job.output, size });
    }

    pub fn kept(&self, i: usize, job: Job, kept: Kept) {
        self.state().work.total -= weight(&job);
        self.ended(i, Outcome::Kept { input: job.input, output: job.output, kept });
    }

    pub fn failed(&self, i: usize, job: Option<Job>, error: Error) {
        let mut state = self.state();
        state.work.under_way.remove(&i);
        state.work.total -= job.as_ref().map_or(0.0, weight);
        drop(state);
        self.ended(i, Outcome::Failed { input: job.map(|job| job.input), error });
    }

    fn ended(&self, i: usize, outcome: Outcome) {
        let mut state = self.state();
        match &outcome {
            Outcome::Done { .. } | Outcome::Planned { .. } => state.done += 1,
            Outcome::Kept { .. } => state.skipped += 1,
            Outcome::Failed { error, .. } => state.failures.push(exit_code(error)),
        }
        if self.show == Show::Events {
            return self.tell_event(&mut state, i, &outcome);
        }
        state.early.insert(i, outcome);
        loop {
            let turn = state.turn;
            let Some(outcome) = state.early.remove(&turn) else { break };
            self.tell_words(&mut state, outcome);
            state.turn += 1;
        }
    }

    fn tell_event(&self, state: &mut State, i: usize, outcome: &Outcome) {
        let i = i + 1;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        match outcome {
            Outcome::Done { output, times } => {
                let ms = |time: Duration| round(time.as_secs_f64() * 1e3, 10.0);
                let ms =
                    Milliseconds { decode: ms(times.decode), gpu: ms(times.gpu), encode: ms(times.encode) };
                self.event(state, &Event::Done { i, out: &text(output), ms });
            }
            Outcome::Planned { input, output, size: [(w, h), (ow, oh)] } => {
                let (w, h, ow, oh) = (*w, *h, *ow, *oh);
                self.event(state, &Event::File { i, r#in: &text(input), out: &text(output), w, h, ow, oh });
            }
            Outcome::Kept { input, output, kept } => {
                self.event(
                    state,
                    &Event::Skip { i, r#in: &text(input), out: &text(output), why: kept.why() },
                );
            }
            Outcome::Failed { input, error } => {
                let (input, msg) = (input.as_deref().map(text), error.to_string());
                let event = Event::Error { i, r#in: input.as_deref(), code: exit_code(error), msg: &msg };
                self.event(state, &event);
            }
        }
    }

    fn tell_words(&self, state: &mut State, outcome: Outcome) {
        let line = match outcome {
            Outcome::Done { .. } if self.show == Show::Nothing => return,
            Outcome::Done { output, .. } => output.display().to_string(),
            Outcome::Planned { input, output, size: [from, to] } => {
                let [input, output] = [input.display(), output.display()];
                format!("{input} -> {output} ({}x{} to {}x{})", from.0, from.1, to.0, to.1)
            }
            Outcome::Kept { output, kept, .. } => {
                // Of many, the summary tells how many are up to date.
                let level =
                    if kept == Kept::Fresh && self.total > 1 { log::Level::Info } else { log::Level::Warn };
                return log::log!(level, "{}: {}, skipped (--existing)", output.display(), kept.why());
            }
            Outcome::Failed { error, .. } => return report(&error),
        };
        if state.printed.is_ok() {
            state.printed = progress::suspended(|| print(line));
        }
    }

    /// The end of all work: what is left to tell, the summary. Returns the exit code; `fatal` is what has stopped
    /// the work before its end.
    ///
    /// # Errors
    /// [`Error::Output`] when the results could not be printed.
    pub fn finish(&self, fatal: Option<Error>) -> Result<u8> {
        let mut state = self.state();
        // What comes after an input that was not reached.
        for (_, outcome) in std::mem::take(&mut state.early) {
            self.tell_words(&mut state, outcome);
        }
        let failures = state.failures.as_slice();
        let mut code = match failures {
            [] => exit::DONE,
            // Nothing but failures of one kind have that kind's code.
            [first, rest @ ..] if failures.len() == self.total && rest.iter().all(|code| code == first) => {
                *first
            }
            _ => exit::SOME_FAILED,
        };
        if let Some(error) = fatal {
            code = exit_code(&error);
            match self.show == Show::Events {
                true => {
                    let event = Event::Error { i: 0, r#in: None, code, msg: &error.to_string() };
                    self.event(&mut state, &event);
                }
                false => report(&error),
            }
        }
        self.end(&mut state, code);
        std::mem::replace(&mut state.printed, Ok(())).map(|()| code)
    }

    /// The end by a signal. Nothing is told after this.
    pub fn interrupted(&self, code: u8) {
        // A thread that waits for a reader of its output must not keep the program from ending.
        let deadline = Instant::now() + INTERVAL;
        while Instant::now() < deadline {
            if let Ok(mut state) = self.state.try_lock() {
                self.end(&mut state, code);
                std::mem::forget(state);
                return;
            }
            std::thread::yield_now();
        }
    }

    fn end(&self, state: &mut State, code: u8) {
        let (ok, skipped, failed) = (state.done, state.skipped, state.failures.len());
        let left = self.total - ok - skipped - failed;
        let seconds = state.started.elapsed().as_secs_f64();
        state.progress.clear();
        if self.show == Show::Events {
            let secs = round(seconds, 1000.0);
            return self.event(state, &Event::End { ok, skipped, failed, left, secs, code });
        }
        // Of a single picture all has been said, unless a signal has kept it from ending.
        if self.total < 2 && code <= 128 {
            return;
        }
        let mut parts = vec![format!("{ok} of {} done", self.total)];
        for (count, what) in [(skipped, "skipped"), (failed, "failed"), (left, "left")] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        let rate = if state.work.pixels > 0.0 {
            format!(", {:.2} MPix/s", state.work.rates().1 / 1e6)
        } else {
            String::new()
        };
        let hint = if code > 128 { "; the same command goes on" } else { "" };
        // Not with --quiet.
        if log::log_enabled!(log::Level::Warn) {
            eprintln!("{} in {seconds:.1} s{rate}{hint}", parts.join(", "));
        }
    }
}

/// The work that a picture is, taken from the size of its file.
fn weight(job: &Job) -> f64 {
    job.bytes.max(1) as f64
}

fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}
