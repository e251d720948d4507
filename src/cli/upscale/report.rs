//! Reporting what happens to the pictures while it happens, as text or as JSON events. Any thread may report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use srcnn_gpu::headless::{Gpu, adapter};
use srcnn_gpu::{Error, Result};

use super::events::{Event, Milliseconds};
use super::work::{Rates, Work};
use crate::cli::advice::{message, message_about, report, report_about};
use crate::cli::args::models::Model;
use crate::cli::exit;
use crate::cli::output::{json_line, print};
use crate::cli::progress::{self, Mode, Notice, Progress};
use srcnn_gpu::jobs::{Job, Kept};
use srcnn_gpu::stages::{About, Found, Times};

mod frames;

pub use frames::Frames;

/// Least time between two progress events.
const INTERVAL: Duration = Duration::from_millis(100);

/// What takes the time before the first tile.
const PREPARING: &str = "compiling kernels for the adapter";

/// How the work on an input ended.
enum JobOutcome {
    Done { output: PathBuf, times: Times },
    Planned { input: PathBuf, output: PathBuf, about: About },
    Kept { input: PathBuf, output: PathBuf, kept: Kept },
    Failed { input: Option<PathBuf>, error: Error },
}

/// What to print on the standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Paths,
    Events,
    Nothing,
}

impl Show {
    /// What to print when events are asked for, or when the result itself goes to the standard output.
    pub fn of(json: bool, to_stdout: bool) -> Self {
        match (json, to_stdout) {
            (true, _) => Self::Events,
            (_, true) => Self::Nothing,
            _ => Self::Paths,
        }
    }
}

/// Reports what happens.
pub struct Reporter {
    show: Show,
    total: usize,
    dry_run: bool,
    state: Mutex<State>,
}

struct State {
    started: Instant,
    /// Text comes in the order of the inputs. These ended before their turn.
    early: BTreeMap<usize, JobOutcome>,
    /// The input whose turn it is.
    turn: usize,
    done: usize,
    skipped: usize,
    /// Those of the skipped that are up to date.
    fresh: usize,
    /// Exit codes of the inputs that failed.
    failures: Vec<u8>,
    work: Work,
    /// Until the first tile is done.
    notice: Option<Notice>,
    progress: Progress,
    /// Time of the last progress event.
    shown: Option<Instant>,
    /// The first error of printing.
    printed: Result<()>,
}

impl Reporter {
    /// Starts with the list of all jobs.
    pub fn new(show: Show, jobs: &[Result<Job>], models: &[Model], dry_run: bool) -> Self {
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        let work = Work::new(jobs.iter().flatten().map(|job| job.bytes).sum());
        let reporter = Self {
            show,
            total: jobs.len(),
            dry_run,
            state: Mutex::new(State {
                started: Instant::now(),
                early: BTreeMap::new(),
                turn: 0,
                done: 0,
                skipped: 0,
                fresh: 0,
                failures: Vec::new(),
                work,
                notice: None,
                progress: Progress::new(""),
                shown: None,
                printed: Ok(()),
            }),
        };
        let version = env!("CARGO_PKG_VERSION");
        reporter.event(
            &mut reporter.state(),
            &Event::Start { version, model: &names.join(", "), total: jobs.len(), dry_run },
        );
        reporter
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn event(&self, state: &mut State, event: &Event<'_>) {
        if self.show == Show::Events && state.printed.is_ok() {
            state.printed = json_line(event).and_then(print);
        }
    }

    /// Reports a device that computes.
    pub fn gpu(&self, gpu: &Gpu) {
        let (r#type, backend) = (adapter::type_name(gpu.info.device_type), gpu.info.backend.to_str());
        let event = Event::Gpu { name: &gpu.info.name, r#type, backend, driver: &gpu.info.driver_info };
        self.event(&mut self.state(), &event);
    }

    /// Reports that a picture is about to be decoded, and the work that it will be.
    pub fn file(&self, i: usize, job: &Job, about: &About, work: f64) {
        let mut state = self.state();
        state.work.known(i, job.bytes, work);
        self.file_event(&mut state, i, [&job.input, &job.output], about);
    }

    /// Reports that a decoded picture turned out to need another network.
    pub fn found(&self, i: usize, found: &Found) {
        let mut state = self.state();
        state.work.corrected(i, found.work);
        let why = if found.traced { "traces of a JPEG file" } else { "no traces of a JPEG file" };
        self.event(&mut state, &Event::Network { i: i + 1, network: &found.network, why });
    }

    fn file_event(&self, state: &mut State, i: usize, [input, output]: [&Path; 2], about: &About) {
        let About { size: [(w, h), (ow, oh)], network, jpeg_quality } = about;
        let (&w, &h, &ow, &oh) = (w, h, ow, oh);
        let (input, output) = (input.to_string_lossy(), output.to_string_lossy());
        let jpeg_quality = *jpeg_quality;
        self.event(
            state,
            &Event::File { i: i + 1, r#in: &input, out: &output, w, h, ow, oh, network, jpeg_quality },
        );
    }

    /// A device is about to compute.
    pub fn computing(&self) {
        let mut state = self.state();
        state.work.started();
        if state.work.is_new() && state.notice.is_none() {
            state.notice = Some(Notice::new(PREPARING));
            self.event(&mut state, &Event::Prepare { what: PREPARING });
        }
    }

    /// About the pixels of all results, if one picture with `pixels` pixels in its result is like the others.
    pub fn expected(&self, i: usize, pixels: u64) -> u64 {
        let share = self.state().work.share_of(i);
        if share > 0.0 { (pixels as f64 / share) as u64 } else { pixels }
    }

    /// Reports the tiles done of a picture.
    pub fn progress(&self, i: usize, job: &Job, pixels: f64, done: u64, total: u64) {
        let mut state = self.state();
        state.notice = None;
        let State { work, progress, .. } = &mut *state;
        work.progress(i, done as f64 / total.max(1) as f64, pixels);
        let Rates { share, pixels, left } = work.rates();
        if self.show == Show::Events {
            if done < total && state.shown.is_some_and(|shown| shown.elapsed() < INTERVAL) {
                return;
            }
            state.shown = Some(Instant::now());
            let eta_s = left.map(|seconds| round(seconds, 10.0));
            let (total, mpix_s, fps) = (Some(total), round(pixels / 1e6, 1000.0), None);
            let event = Event::Progress { i: i + 1, done, total, eta_s, mpix_s, fps };
            return self.event(&mut state, &event);
        }
        let name = match self.total {
            1 => job.name(),
            total => format!("[{}/{total}] {}", i + 1, job.name()),
        };
        match progress.mode() {
            // Programs that read these lines expect one picture at a time.
            Mode::Lines => progress.update(done, total),
            _ => progress.rate(&name, share, pixels / 1e6, left),
        }
    }

    /// Reports that a picture has left the device.
    pub fn computed(&self, i: usize) {
        let mut state = self.state();
        state.work.left(i);
        state.progress.next();
    }

    pub fn done(&self, i: usize, output: PathBuf, times: Times) {
        self.ended(i, JobOutcome::Done { output, times });
    }

    /// Reports, in a dry run, what would be done.
    pub fn planned(&self, i: usize, job: Job, about: About) {
        self.ended(i, JobOutcome::Planned { input: job.input, output: job.output, about });
    }

    pub fn kept(&self, i: usize, job: Job, kept: Kept) {
        self.state().work.dropped(i, job.bytes);
        self.ended(i, JobOutcome::Kept { input: job.input, output: job.output, kept });
    }

    pub fn failed(&self, i: usize, job: Option<Job>, error: Error) {
        if let Some(job) = &job {
            self.state().work.dropped(i, job.bytes);
        }
        self.ended(i, JobOutcome::Failed { input: job.map(|job| job.input), error });
    }

    fn ended(&self, i: usize, outcome: JobOutcome) {
        let mut state = self.state();
        match &outcome {
            JobOutcome::Done { .. } | JobOutcome::Planned { .. } => state.done += 1,
            JobOutcome::Kept { kept, .. } => {
                state.skipped += 1;
                state.fresh += usize::from(*kept == Kept::Fresh);
            }
            JobOutcome::Failed { error, .. } => state.failures.push(exit::code(error)),
        }
        if self.show == Show::Events {
            return self.print_event(&mut state, i, &outcome);
        }
        state.early.insert(i, outcome);
        loop {
            let turn = state.turn;
            let Some(outcome) = state.early.remove(&turn) else { break };
            self.print_text(&mut state, outcome);
            state.turn += 1;
        }
    }

    fn print_event(&self, state: &mut State, i: usize, outcome: &JobOutcome) {
        let i = i + 1;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        match outcome {
            JobOutcome::Done { output, times } => {
                let ms = |time: Duration| round(time.as_secs_f64() * 1e3, 10.0);
                let ms =
                    Milliseconds { decode: ms(times.decode), gpu: ms(times.gpu), encode: ms(times.encode) };
                self.event(state, &Event::Done { i, out: &text(output), ms });
            }
            JobOutcome::Planned { input, output, about } => {
                self.file_event(state, i - 1, [input, output], about);
            }
            JobOutcome::Kept { input, output, kept } => {
                self.event(
                    state,
                    &Event::Skip { i, r#in: &text(input), out: &text(output), why: kept.why() },
                );
            }
            JobOutcome::Failed { input, error } => {
                let msg = message_about(input.as_deref(), error);
                let input = input.as_deref().map(text);
                let event = Event::Error { i, r#in: input.as_deref(), code: exit::code(error), msg: &msg };
                self.event(state, &event);
            }
        }
    }

    fn print_text(&self, state: &mut State, outcome: JobOutcome) {
        let line = match outcome {
            JobOutcome::Done { .. } if self.show == Show::Nothing => return,
            JobOutcome::Done { output, .. } => output.display().to_string(),
            JobOutcome::Planned { input, output, about: About { size: [from, to], .. } } => {
                let [input, output] = [input.display(), output.display()];
                format!("{input} -> {output} ({}x{} to {}x{})", from.0, from.1, to.0, to.1)
            }
            JobOutcome::Kept { output, kept, .. } => {
                // The summary counts the results that are up to date.
                let level =
                    if kept == Kept::Fresh && self.total > 1 { log::Level::Info } else { log::Level::Warn };
                return log::log!(level, "{}: {}, skipped (--existing)", output.display(), kept.why());
            }
            JobOutcome::Failed { input, error } => return report_about(input.as_deref(), &error),
        };
        if state.printed.is_ok() {
            state.printed = progress::suspended(|| print(line));
        }
    }

    /// Ends the report with a summary and returns the exit code. `fatal` is what stopped the work before its end.
    ///
    /// # Errors
    /// [`Error::Output`] if the results could not be printed.
    pub fn finish(&self, fatal: Option<Error>) -> Result<u8> {
        let mut state = self.state();
        // Those after an input that was never reached.
        for (_, outcome) in std::mem::take(&mut state.early) {
            self.print_text(&mut state, outcome);
        }
        let failures = state.failures.as_slice();
        let mut code = match failures {
            [] => exit::DONE,
            // If all inputs failed in the same way, that is the code.
            [first, rest @ ..] if failures.len() == self.total && rest.iter().all(|code| code == first) => {
                *first
            }
            _ => exit::SOME_FAILED,
        };
        if let Some(error) = fatal {
            code = exit::code(&error);
            match self.show == Show::Events {
                true => {
                    let event = Event::Error { i: 0, r#in: None, code, msg: &message(&error) };
                    self.event(&mut state, &event);
                }
                false => report(&error),
            }
        }
        self.end(&mut state, code);
        std::mem::replace(&mut state.printed, Ok(())).map(|()| code)
    }

    /// Ends the report because of a signal. Nothing is reported after this.
    pub fn interrupted(&self, code: u8) {
        // A thread that is stuck writing to a pipe must not keep the program from ending.
        let deadline = Instant::now() + INTERVAL;
        while Instant::now() < deadline {
            if let Some(mut state) = self.state.try_lock() {
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
        state.notice = None;
        state.progress.clear();
        if self.show == Show::Events {
            let secs = round(seconds, 1000.0);
            return self.event(state, &Event::End { ok, skipped, failed, left, secs, code });
        }
        // A single picture needs no summary, unless a signal interrupted it.
        if self.total < 2 && code <= 128 {
            return;
        }
        let done = if self.dry_run { "to do, nothing is written" } else { "done" };
        let mut parts = vec![format!("{ok} of {} {done}", self.total)];
        let counts = [
            (state.fresh, "up to date"),
            (skipped - state.fresh, "skipped"),
            (failed, "failed"),
            (left, "left"),
        ];
        for (count, what) in counts {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        let rate = state.work.overall().map(|rate| format!(", {:.2} MPix/s", rate / 1e6)).unwrap_or_default();
        let hint = if code > 128 { "; the same command goes on" } else { "" };
        // Silent with --quiet.
        if log::log_enabled!(log::Level::Warn) {
            progress::say(format_args!("{} in {seconds:.1} s{rate}{hint}", parts.join(", ")));
        }
    }
}

fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}
