//! A bound on the host memory of all pictures in the pipeline.

use parking_lot::{Condvar, Mutex};

/// An amount of memory to take permits from.
pub struct Budget {
    bytes: u64,
    used: Mutex<u64>,
    returned: Condvar,
    /// Held by the thread that waits, so that small pictures cannot overtake a large one forever.
    turn: Mutex<()>,
}

/// A part of the budget, returned on drop.
pub struct Permit<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub fn new(bytes: u64) -> Self {
        Self { bytes, used: Mutex::new(0), returned: Condvar::new(), turn: Mutex::new(()) }
    }

    /// Waits until this much is free. A picture larger than the whole budget gets all of it, and runs alone.
    pub fn take(&self, bytes: u64) -> Permit<'_> {
        let bytes = bytes.min(self.bytes);
        let _turn = self.turn.lock();
        let mut used = self.used.lock();
        self.returned.wait_while(&mut used, |used| *used + bytes > self.bytes);
        *used += bytes;
        Permit { budget: self, bytes }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.budget.used.lock() -= self.bytes;
        self.budget.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn no_more_than_there_is() {
        let budget = Budget::new(10);
        let (now, most, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for bytes in [3, 4, 5, 10, 99, 1, 7, 0] {
                let (budget, now, most, done) = (&budget, &now, &most, &done);
                scope.spawn(move || {
                    for _ in 0..20 {
                        let permit = budget.take(bytes);
                        let sum = now.fetch_add(permit.bytes, Ordering::SeqCst) + permit.bytes;
                        most.fetch_max(sum, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(permit.bytes, Ordering::SeqCst);
                        drop(permit);
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 160);
        assert_eq!(most.into_inner(), 10, "the largest one had all of it");
        assert_eq!(*budget.used.lock(), 0);
    }
}
