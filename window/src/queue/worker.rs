//! The thread that enlarges and saves: the stages of `srcnn-gpu upscale`, on a device of its own, so that the window's frames
//! never wait behind them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use eframe::egui;
use parking_lot::{Condvar, Mutex};
use srcnn_gpu::enlarge::{Enlarger, Model, Route};
use srcnn_gpu::headless::{
    AdapterSelection, Gpu, HeadlessOptions, Pipelines, autotune, cache_folder, open, self_test_once,
};
use srcnn_gpu::jobs::{Decision, Existing, Job, Plan, Request};
use srcnn_gpu::stages::{Opened, PictureArgs};
use srcnn_gpu::{Error, Precision, Result, guard};
use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

use super::State;

/// What to do.
pub struct Order {
    pub roots: Vec<PathBuf>,
    /// Which of the pictures that the roots stand for.
    pub wanted: HashSet<PathBuf>,
    pub arguments: PictureArgs,
    pub models: Arc<[Model]>,
    pub folder: Option<PathBuf>,
    pub existing: Existing,
    pub recursive: bool,
}

/// What the worker tells.
#[derive(Debug)]
pub enum Event {
    Of(PathBuf, State),
    /// What concerns no single picture.
    Problem(String),
    /// The order has been done, or cancelled.
    End,
}

/// Wishes of the user, which the worker asks for between two steps.
#[derive(Default)]
struct Control {
    paused: Mutex<bool>,
    changed: Condvar,
    stop: Arc<AtomicBool>,
}

/// The thread, from the window's side.
pub struct Worker {
    orders: Sender<Order>,
    events: Receiver<Event>,
    control: Arc<Control>,
}

impl Worker {
    pub fn new(context: egui::Context) -> Self {
        let ((orders, received), (sender, events)) = (channel(), channel());
        let control = Arc::<Control>::default();
        let shared = control.clone();
        // One thread for as long as the window is there: OpenGL drivers want to be left by the thread that came.
        thread::spawn(move || {
            give_way();
            let tell = Tell { sender, context };
            let mut gpu = None;
            while let Ok(order) = received.recv() {
                if let Err(error) = run(&order, &shared, &mut gpu, &tell) {
                    tell.event(Event::Problem(error.to_string()));
                    // The device may be lost: the next order gets a new one.
                    gpu = None;
                }
                tell.event(Event::End);
            }
        });
        Self { orders, events, control }
    }

    pub fn run(&self, order: Order) {
        self.control.stop.store(false, Ordering::Relaxed);
        self.pause(false);
        // The thread ends only with the window.
        let _ = self.orders.send(order);
    }

    pub fn pause(&self, paused: bool) {
        *self.control.paused.lock() = paused;
        self.control.changed.notify_all();
    }

    pub fn is_paused(&self) -> bool {
        *self.control.paused.lock()
    }

    pub fn cancel(&self) {
        self.control.stop.store(true, Ordering::Relaxed);
        self.pause(false);
    }

    pub fn take(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

impl Control {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Waits for as long as the work is paused.
    fn wait(&self) {
        self.changed.wait_while(&mut self.paused.lock(), |paused| *paused);
    }
}

/// Of priorities from 0 to 99: below what threads begin with, and above what never gets a turn on a busy machine.
const PRIORITY: u8 = 25;

/// Lets the window's own threads go first: an adapter in software draws and computes on threads that take over the priority of
/// the one that opened it.
fn give_way() {
    // Elsewhere this would slow down the whole process.
    if cfg!(any(target_os = "linux", windows))
        && let Some(priority) = ThreadPriorityValue::try_from(PRIORITY).ok()
        && let Err(error) = set_current_thread_priority(ThreadPriority::Crossplatform(priority))
    {
        log::info!("the thread that saves keeps its priority: {error}");
    }
}

/// The way to the window.
struct Tell {
    sender: Sender<Event>,
    context: egui::Context,
}

impl Tell {
    fn event(&self, event: Event) {
        // Nobody listens when the window has been closed.
        let _ = self.sender.send(event);
        self.context.request_repaint();
    }

    fn of(&self, path: &Path, state: State) {
        self.event(Event::Of(path.into(), state));
    }
}

/// Does an order.
///
/// # Errors
/// What concerns all pictures: the output folder, the device.
fn run(order: &Order, control: &Control, gpu: &mut Option<Gpu>, tell: &Tell) -> Result<()> {
    let mut plan = Plan::new(&Request {
        inputs: &order.roots,
        output: order.folder.as_deref(),
        naming: order.arguments.naming(),
        existing: Some(order.existing),
        recursive: order.recursive,
        ..Request::default()
    })?;
    let jobs = std::mem::take(&mut plan.jobs);
    order.arguments.content.check_quality(&jobs)?;
    plan.prepare_folder()?;
    let mut enlarger = None;
    // What cannot be read was told when it was added.
    for job in jobs.into_iter().flatten().filter(|job| order.wanted.contains(&job.input)) {
        control.wait();
        if control.is_stopped() {
            break;
        }
        let input = job.input.clone();
        tell.of(&input, State::Computing(0.0));
        let mut outcome = one(job.clone(), order, &plan, control, (gpu, &mut enlarger), tell);
        if let Err(Error::Gpu(reason) | Error::WrongResult(reason)) = &outcome {
            log::warn!("{}: {reason}; trying again on a new device", input.display());
            (*gpu, enlarger) = (None, None);
            outcome = one(job, order, &plan, control, (gpu, &mut enlarger), tell);
        }
        let state = match outcome {
            Ok(state) => state,
            Err(Error::Stopped) => State::Cancelled,
            Err(error @ (Error::NoAdapter(_) | Error::MissingCapability(_) | Error::SelfTest(_))) => {
                tell.of(&input, State::Waiting);
                return Err(error);
            }
            Err(error) => State::Failed(error.to_string()),
        };
        tell.of(&input, state);
    }
    plan.settle();
    Ok(())
}

/// One picture, from file to file.
fn one(
    job: Job,
    order: &Order,
    plan: &Plan,
    control: &Control,
    (gpu, enlarger): (&mut Option<Gpu>, &mut Option<Enlarger>),
    tell: &Tell,
) -> Result<State> {
    let job = match plan.decide(job)? {
        Decision::Keep(kept) => return Ok(State::Kept(kept.why())),
        Decision::Make(job) => *job,
    };
    plan.prepare(&job)?;
    let input = job.input.clone();
    let route = Route::new(&order.models, None);
    let opened = guard::picture(&input, || Opened::new(job, &order.arguments, &route))?;
    let [_, size] = opened.about().size;
    let decoded = guard::picture(&input, || opened.decode())?;
    let enlarger = match enlarger {
        Some(enlarger) => enlarger,
        none => none.insert(enlarger_on(gpu, order, control)?),
    };
    let mut told = 0.0;
    let enlarged = decoded.enlarge(enlarger, &mut |done, all| {
        let share = done as f32 / all.max(1) as f32;
        if share - told >= 0.01 {
            told = share;
            tell.of(&input, State::Computing(share));
        }
        control.wait();
    })?;
    let (output, _) = guard::picture(&input, || enlarged.write())?;
    Ok(match output {
        Some(output) => State::Done(output, size),
        None => State::Kept("it exists already"),
    })
}

/// The networks on the worker's own device, which is opened if it is not: what `upscale` would take.
fn enlarger_on(gpu: &mut Option<Gpu>, order: &Order, control: &Control) -> Result<Enlarger> {
    let gpu = match gpu {
        Some(gpu) => gpu,
        none => {
            let mut gpu = open(&AdapterSelection::default())?;
            if let Some(folder) = cache_folder() {
                gpu.pipelines = Pipelines::in_folder(&gpu, &folder);
            }
            self_test_once(&gpu, Precision::F32, cache_folder().as_deref())?;
            none.insert(gpu)
        }
    };
    // Shapes of kernels that the program has found are used, but not searched for.
    let known = |gpu: &Gpu, weights: &srcnn_gpu::Weights, options: HeadlessOptions| {
        let folder = cache_folder();
        let stored = folder
            .and_then(|folder| autotune::stored(gpu, weights.architecture(), options.precision, &folder));
        Ok(options.with_conv_shape(stored.map(|tuned| tuned.best)))
    };
    let enlarger = Enlarger::new(gpu.clone(), order.models.clone(), HeadlessOptions::default(), known);
    Ok(enlarger.with_stop(control.stop.clone()))
}
