//! Many pictures at a time: threads that decode, one thread per device that computes, threads that encode.
//!
//! Queues of one picture connect them, and a budget bounds the memory of all pictures in the pipeline, so that it is the
//! same for ten pictures as for ten thousand. Each device belongs to one thread, the first device to the calling thread:
//! OpenGL drivers crash if a thread that has used them ends before the process does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use parking_lot::Mutex;
use srcnn_gpu::enlarge::{Enlarger, Route};
use srcnn_gpu::headless::{Gpu, self_test};
use srcnn_gpu::wgpu::Backend;
use srcnn_gpu::{Error, Result, Weights, guard};

use super::args::UpscaleArgs;
use super::budget::{Budget, Permit};
use super::ncnn_cli::Threads;
use super::report::Reporter;
use crate::cli::args::checks;
use crate::cli::args::models::Model;
use srcnn_gpu::jobs::{Decision, Job, Kept, Plan};
use srcnn_gpu::stages::{Decoded, Enlarged, Opened};

/// After this many failures in a row a device counts as broken.
const MAX_FAULTS: u32 = 3;

/// What all threads share.
pub struct Pipeline<'a> {
    pub args: &'a UpscaleArgs,
    pub plan: &'a Plan,
    pub models: &'a Arc<[Model]>,
    pub reporter: &'a Reporter,
    pub budget: Budget,
    route: Route<'a>,
    /// Set to begin no more pictures.
    halt: AtomicBool,
    /// Why the remaining pictures cannot be done.
    fatal: Mutex<Option<Error>>,
    /// The devices, opened when the first picture is ready for them.
    gpus: Mutex<Option<Vec<Gpu>>>,
}

/// A picture between two threads, and its share of the memory.
struct Item<'a, T> {
    i: usize,
    job: Job,
    size: [(u32, u32); 2],
    value: T,
    permit: Permit<'a>,
}

impl<'a> Pipeline<'a> {
    pub fn new(
        args: &'a UpscaleArgs,
        plan: &'a Plan,
        models: &'a Arc<[Model]>,
        reporter: &'a Reporter,
        memory: u64,
    ) -> Self {
        Self {
            args,
            plan,
            models,
            reporter,
            budget: Budget::new(memory),
            route: Route::new(models, args.padding),
            halt: AtomicBool::new(false),
            fatal: Mutex::new(None),
            gpus: Mutex::new(None),
        }
    }

    /// Runs all jobs. Returns what stopped the work before its end, if anything did; failures of single pictures do not.
    pub fn run(&'a self, jobs: Vec<Result<Job>>, threads: Threads) -> Option<Error> {
        let Threads { load, save } = threads.for_jobs(jobs.len());
        let jobs = Mutex::new(jobs.into_iter().enumerate());
        let (to_device, decoded) = sync_channel(1);
        let (to_save, enlarged) = sync_channel(1);
        // The receivers own their end of a queue, so that senders notice when all of them have ended.
        let (decoded, enlarged) = (Arc::new(Mutex::new(decoded)), Arc::new(Mutex::new(enlarged)));
        std::thread::scope(|scope| {
            for _ in 0..load {
                let (jobs, to_device) = (&jobs, to_device.clone());
                scope.spawn(move || {
                    while let Some((i, job)) = self.next_job(jobs) {
                        let Some(item) = self.load(i, job) else { continue };
                        if to_device.send(item).is_err() {
                            break;
                        }
                    }
                });
            }
            for device in 1..self.args.gpu.count() {
                let (decoded, to_save) = (decoded.clone(), to_save.clone());
                scope.spawn(move || self.compute(device, &decoded, &to_save));
            }
            for _ in 0..save {
                let enlarged = enlarged.clone();
                scope.spawn(move || {
                    while let Some(item) = receive(&enlarged) {
                        self.save(item);
                    }
                });
            }
            drop((to_device, enlarged));
            self.compute(0, &decoded, &to_save);
            drop((decoded, to_save));
        });
        self.fatal.lock().take()
    }

    fn next_job(
        &self,
        jobs: &Mutex<impl Iterator<Item = (usize, Result<Job>)>>,
    ) -> Option<(usize, Result<Job>)> {
        let mut jobs = jobs.lock();
        if self.halt.load(Ordering::Relaxed) { None } else { jobs.next() }
    }

    fn fail(&self, i: usize, job: Option<Job>, error: Error) {
        self.reporter.failed(i, job, error);
        if self.args.batch.fail_fast {
            self.halt.store(true, Ordering::Relaxed);
        }
    }

    /// Stops the work for a reason that concerns all pictures.
    fn give_up(&self, error: Error) {
        self.halt.store(true, Ordering::Relaxed);
        self.fatal.lock().get_or_insert(error);
    }

    /// Does everything before the device is needed; `None` if nothing is left to do for this job.
    fn load(&'a self, i: usize, job: Result<Job>) -> Option<Item<'a, Decoded>> {
        let job = match job {
            Ok(job) => job,
            Err(error) => {
                self.fail(i, None, error);
                return None;
            }
        };
        let opened = self.plan.decide(job.clone()).and_then(|decision| match decision {
            Decision::Keep(kept) => {
                self.reporter.kept(i, job.clone(), kept);
                Ok(None)
            }
            Decision::Make(job) => {
                self.plan.prepare(&job)?;
                let job = *job;
                Ok(Some((
                    guard::picture(&job.input, || Opened::new(job.clone(), &self.args.picture, &self.route))?,
                    job,
                )))
            }
        });
        let decoded = opened.and_then(|opened| {
            let Some((opened, job)) = opened else { return Ok(None) };
            let size = opened.about().size;
            self.reporter.file(i, &job, opened.about(), opened.work());
            let permit = self.budget.take(opened.memory());
            let value = guard::picture(&job.input, || opened.decode())?;
            if let Some(found) = value.found() {
                self.reporter.found(i, found);
            }
            Ok(Some(Item { i, job, size, value, permit }))
        });
        decoded.unwrap_or_else(|error| {
            self.fail(i, Some(job), error);
            None
        })
    }

    /// Computes incoming pictures on one device. Once the work has been given up, they are dropped.
    fn compute(
        &'a self,
        device: usize,
        decoded: &Mutex<Receiver<Item<'a, Decoded>>>,
        to_save: &SyncSender<Item<'a, Enlarged>>,
    ) {
        let (mut enlarger, mut faults) = (None, 0);
        while let Some(Item { i, job, size, value, permit }) = receive(decoded) {
            if self.fatal.lock().is_some() {
                continue;
            }
            let mut outcome = self.enlarge(device, &mut enlarger, i, &job, size, &value);
            if let Err(Error::Gpu(reason) | Error::WrongResult(reason)) = &outcome {
                // The device may be lost: try once more on a new one.
                log::warn!("{}: {reason}; trying again on a new device", job.input.display());
                enlarger = None;
                *self.gpus.lock() = None;
                outcome = self.enlarge(device, &mut enlarger, i, &job, size, &value);
            }
            drop(value);
            self.reporter.computed(i);
            faults =
                if matches!(outcome, Err(Error::Gpu(_) | Error::WrongResult(_))) { faults + 1 } else { 0 };
            match outcome {
                Ok(value) => {
                    if to_save.send(Item { i, job, size, value, permit }).is_err() {
                        break;
                    }
                }
                Err(error @ (Error::NoAdapter(_) | Error::MissingCapability(_) | Error::SelfTest(_))) => {
                    self.give_up(error);
                }
                Err(error) => self.fail(i, Some(job), error),
            }
            if faults == MAX_FAULTS {
                // Or is it the pictures?
                (enlarger, faults) = (None, 0);
                if let Err(error) = self.test(device) {
                    let text = format!("{MAX_FAULTS} pictures in a row failed on the device: {error}");
                    self.give_up(Error::Gpu(text.into()));
                }
            }
        }
    }

    fn enlarge(
        &self,
        device: usize,
        enlarger: &mut Option<Enlarger>,
        i: usize,
        job: &Job,
        [_, (width, height)]: [(u32, u32); 2],
        decoded: &Decoded,
    ) -> Result<Enlarged> {
        self.reporter.computing();
        let enlarger = match enlarger {
            Some(enlarger) => enlarger,
            none => {
                let pixels = u64::from(width) * u64::from(height);
                none.insert(self.open(device, self.reporter.expected(i, pixels))?)
            }
        };
        let pixels = f64::from(width) * f64::from(height);
        let mut report = |done, total| self.reporter.progress(i, job, pixels, done, total);
        let enlarged = decoded.enlarge(enlarger, &mut report)?;
        checks::report(enlarged.verified());
        Ok(enlarged)
    }

    fn open(&self, device: usize, pixels: u64) -> Result<Enlarger> {
        let mut gpus = self.gpus.lock();
        let gpus = match &mut *gpus {
            Some(gpus) => gpus,
            none => {
                let gpus = self.args.gpu.open_all()?;
                gpus.iter().try_for_each(|gpu| self.args.precision.check(gpu))?;
                if gpus.len() > 1 && gpus.iter().any(|gpu| gpu.info.backend == Backend::Gl) {
                    return Err(Error::NoAdapter(
                        "an OpenGL adapter cannot share the work with others; name one adapter, or other adapters, with --gpu".into(),
                    ));
                }
                gpus.iter().for_each(|gpu| self.reporter.gpu(gpu));
                none.insert(gpus)
            }
        };
        let gpu = gpus[device].clone();
        let tune = self.args.tune;
        let tuned = move |gpu: &Gpu, weights: &Weights, options| tune.apply(gpu, weights, options, pixels);
        Ok(Enlarger::new(gpu, self.models.clone(), self.args.headless(device), tuned))
    }

    /// Tests a device again that pictures have failed on.
    fn test(&self, device: usize) -> Result<()> {
        *self.gpus.lock() = None;
        self.open(device, 0)?;
        let gpus = self.gpus.lock();
        let gpu = gpus.as_ref().and_then(|gpus| gpus.get(device));
        gpu.map_or(Ok(()), |gpu| self_test(gpu, self.args.precision.precision))
    }

    fn save(&self, item: Item<'a, Enlarged>) {
        let Item { i, job, value, permit, .. } = item;
        match guard::picture(&job.input, || value.write()) {
            Ok((Some(output), times)) => self.reporter.done(i, output, times),
            Ok((None, _)) => self.reporter.kept(i, job, Kept::Exists),
            Err(error) => self.fail(i, Some(job), error),
        }
        drop(permit);
    }

    /// Reports what would be done, without writing anything or opening a device.
    pub fn plan(&self, jobs: Vec<Result<Job>>) {
        for (i, job) in jobs.into_iter().enumerate() {
            let (known, outcome) = match job {
                Ok(job) => (Some(job.clone()), self.plan.decide(job)),
                Err(error) => (None, Err(error)),
            };
            let outcome = outcome.and_then(|decision| match decision {
                Decision::Keep(kept) => Ok(Err(kept)),
                Decision::Make(job) => {
                    let opened = Opened::new(Job::clone(&job), &self.args.picture, &self.route)?;
                    opened.check()?;
                    Ok(Ok((*job, opened.about().clone())))
                }
            });
            match (outcome, known) {
                (Ok(Ok((job, about))), _) => self.reporter.planned(i, job, about),
                (Ok(Err(kept)), Some(job)) => self.reporter.kept(i, job, kept),
                (Ok(Err(_)), None) => {}
                (Err(error), job) => self.fail(i, job, error),
            }
            if self.halt.load(Ordering::Relaxed) {
                break;
            }
        }
    }
}

/// Takes the next item for one of several threads; `None` if there will be no more.
fn receive<T>(queue: &Mutex<Receiver<T>>) -> Option<T> {
    queue.lock().recv().ok()
}
