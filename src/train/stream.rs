//! Shards of a training set, read from disk ahead of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::dataset::Dataset;
use super::order::Place;
use super::shard::PackedShard;
use crate::error::{Error, Result};

/// How often a shard that is waited for tells how far it is.
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// Shards by number and epoch, the next one being read while one is in use: two of them are in memory at most, and a
/// set of one shard is read once, unless each epoch draws it anew.
#[derive(Debug)]
pub struct ShardStream {
    set: Arc<Dataset>,
    current: Option<(Key, Arc<PackedShard>)>,
    coming: Option<Coming>,
}

/// A shard's number, and the epoch that it is drawn for.
type Key = (u32, u32);

/// A shard that is being read.
#[derive(Debug)]
struct Coming {
    key: Key,
    reader: JoinHandle<Result<PackedShard>>,
    /// Pictures done and of all.
    counts: Arc<[AtomicUsize; 2]>,
}

impl Coming {
    /// Begins to read; `None` without a thread.
    fn begin(set: &Arc<Dataset>, key: Key) -> Option<Self> {
        let counts = Arc::<[AtomicUsize; 2]>::default();
        let (set, told) = (set.clone(), counts.clone());
        let load = move || {
            set.load(key.0 as usize, key.1, &|done, all| {
                told[0].fetch_max(done, Ordering::Relaxed);
                told[1].store(all, Ordering::Relaxed);
            })
        };
        let reader = std::thread::Builder::new().name("shard".into()).spawn(load).ok()?;
        Some(Self { key, reader, counts })
    }

    fn wait(self, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<PackedShard> {
        while !self.reader.is_finished() {
            let [done, all] = [0, 1].map(|i: usize| self.counts[i].load(Ordering::Relaxed));
            if all > 0 {
                progress(done, all);
            }
            std::thread::park_timeout(TOLD_EVERY);
        }
        let failed = |_| Err(Error::Picture("reading a shard of pictures failed".into()));
        self.reader.join().unwrap_or_else(failed)
    }
}

impl ShardStream {
    /// Nothing is read yet.
    pub fn new(set: Arc<Dataset>) -> Self {
        Self { set, current: None, coming: None }
    }

    /// What tells the shard of a place from others: two places with the same key read the same shard.
    pub fn key(&self, place: &Place) -> Key {
        (place.shard, self.set.draw(place.epoch))
    }

    /// The shard of a place, and begins to read the one after it. While the caller waits, `progress` gets the pictures done
    /// and of all.
    ///
    /// # Errors
    /// As [`Dataset::load`].
    pub fn get(
        &mut self,
        place: &Place,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Arc<PackedShard>> {
        let key = self.key(place);
        let shard = match self.current.take() {
            Some((current, shard)) if current == key => shard,
            _ => Arc::new(match self.coming.take() {
                Some(coming) if coming.key == key => coming.wait(progress)?,
                _ => self.set.load(key.0 as usize, key.1, progress)?,
            }),
        };
        self.current = Some((key, shard.clone()));
        let wanted = (place.next.0, self.set.draw(place.next.1));
        if wanted != key && self.coming.as_ref().is_none_or(|coming| coming.key != wanted) {
            // Without a thread the shard is read when it is needed.
            self.coming = Coming::begin(&self.set, wanted);
        }
        Ok(shard)
    }
}
