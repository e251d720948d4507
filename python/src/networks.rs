//! Networks on a device as Python uses them: by one thread at a time, without the GIL, with signals and progress functions, and
//! in no other process than the one that made them.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use srcnn_gpu::enlarge::Enlarger;

use crate::errors::{forked, raise};

/// How often a call without a progress function looks for Ctrl-C.
const LOOK: Duration = Duration::from_millis(20);

/// Networks on a device.
pub struct Networks {
    process: u32,
    /// None once it was given up in another process.
    enlarger: Option<Mutex<Enlarger>>,
    /// The thread that computes.
    owner: Mutex<Option<ThreadId>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Networks {
    fn drop(&mut self) {
        // In a fork, the threads of the driver are gone that it would wait for.
        if self.process != process::id() {
            std::mem::forget(self.enlarger.take());
        }
    }
}

/// A progress function, and which of how many pictures it is told of.
#[derive(Clone, Copy, Default)]
pub struct Told<'a> {
    pub callback: Option<&'a Py<PyAny>>,
    /// Counted from 0.
    pub index: u64,
    /// How many there are besides.
    pub more: u64,
}

impl<'a> Told<'a> {
    /// For one picture.
    pub fn of(callback: &'a Option<Py<PyAny>>) -> Self {
        Self { callback: callback.as_ref(), index: 0, more: 0 }
    }
}

/// Calls a progress function, and looks for signals, while the GIL is released.
struct Watch<'a> {
    told: Told<'a>,
    stop: &'a AtomicBool,
    looked: Instant,
    raised: Option<PyErr>,
}

impl Watch<'_> {
    fn tell(&mut self, done: u64, total: u64) {
        let Told { callback, index, more } = self.told;
        // At the end the interpreter looks by itself.
        let due = done < total && self.looked.elapsed() >= LOOK;
        if self.raised.is_some() || (callback.is_none() && !due) {
            return;
        }
        let (done, total) = (index * total + done, (more + 1) * total);
        let told = Python::attach(|py| {
            py.check_signals()?;
            callback.map_or(Ok(()), |callback| callback.call1(py, (done, total)).map(drop))
        });
        if let Err(error) = told {
            self.raised = Some(error);
            self.stop.store(true, Ordering::Relaxed);
        }
        self.looked = Instant::now();
    }

    /// What was raised meanwhile comes before what became of the work.
    fn end<T>(self, result: srcnn_gpu::Result<T>) -> PyResult<T> {
        self.stop.store(false, Ordering::Relaxed);
        match self.raised {
            Some(error) => Err(error),
            None => result.map_err(raise),
        }
    }
}

/// The right to compute.
struct Turn<'a> {
    enlarger: MutexGuard<'a, Enlarger>,
    owner: &'a Mutex<Option<ThreadId>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.owner.lock() = None;
    }
}

impl Networks {
    pub fn new(enlarger: Enlarger) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let enlarger = Some(Mutex::new(enlarger.with_stop(stop.clone())));
        Self { process: process::id(), enlarger, owner: Mutex::new(None), stop }
    }

    /// The networks, unless they are another process's, or this thread is computing with them.
    pub fn enlarger(&self) -> PyResult<&Mutex<Enlarger>> {
        let (Some(enlarger), true) = (&self.enlarger, self.process == process::id()) else {
            return Err(forked(format!(
                "this Upscaler was made by process {}, and a GPU's device does not survive the fork to {}; make an Upscaler in \
                 each process, or start them by multiprocessing.get_context('spawn')",
                self.process,
                process::id()
            )));
        };
        if *self.owner.lock() == Some(thread::current().id()) {
            return Err(PyRuntimeError::new_err(
                "a progress function cannot use the Upscaler that calls it: it is computing",
            ));
        }
        Ok(enlarger)
    }

    /// Runs `work` without the GIL, when no other thread computes.
    pub fn compute<T: Send>(
        &self,
        py: Python<'_>,
        told: Told<'_>,
        work: impl FnOnce(&mut Enlarger, &mut dyn FnMut(u64, u64)) -> srcnn_gpu::Result<T> + Send,
    ) -> PyResult<T> {
        let enlarger = self.enlarger()?;
        py.detach(|| {
            let mut turn = Turn { enlarger: enlarger.lock(), owner: &self.owner };
            *self.owner.lock() = Some(thread::current().id());
            let mut watch = Watch { told, stop: &self.stop, looked: Instant::now(), raised: None };
            let result = work(&mut turn.enlarger, &mut |done, total| watch.tell(done, total));
            watch.end(result)
        })
    }
}
