//! Shards of a training set, read from disk ahead of time.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::dataset::Dataset;
use super::order::Place;
use super::shard::PackedShard;
use crate::error::{Error, Result};

/// Shards by number and epoch, the next one being read while one is in use: two of them are in memory at most, and a
/// set of one shard is read once, unless each epoch draws it anew.
#[derive(Debug)]
pub struct ShardStream {
    set: Arc<Dataset>,
    current: Option<(Key, Arc<PackedShard>)>,
    coming: Option<(Key, JoinHandle<Result<PackedShard>>)>,
}

/// A shard's number, and the epoch that it is drawn for.
type Key = (u32, u32);

impl ShardStream {
    /// Nothing is read yet.
    pub fn new(set: Arc<Dataset>) -> Self {
        Self { set, current: None, coming: None }
    }

    /// What tells the shard of a place from others: two places with the same key read the same shard.
    pub fn key(&self, place: &Place) -> Key {
        (place.shard, self.set.draw(place.epoch))
    }

    /// The shard of a place, and begins to read the one after it. `progress` gets the pictures done and of all while a
    /// shard is read here, with nothing read ahead.
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
            _ => Arc::new(self.read(key, progress)?),
        };
        self.current = Some((key, shard.clone()));
        let wanted = (place.next.0, self.set.draw(place.next.1));
        if wanted != key && self.coming.as_ref().is_none_or(|(coming, _)| *coming != wanted) {
            let set = self.set.clone();
            let load = move || set.load(wanted.0 as usize, wanted.1, &|_, _| ());
            // Without a thread the shard is read when it is needed.
            self.coming = std::thread::Builder::new()
                .name("shard".into())
                .spawn(load)
                .ok()
                .map(|reader| (wanted, reader));
        }
        Ok(shard)
    }

    fn read(&mut self, key: Key, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<PackedShard> {
        match self.coming.take() {
            Some((coming, reader)) if coming == key => reader
                .join()
                .unwrap_or_else(|_| Err(Error::Picture("reading a shard of pictures failed".into()))),
            _ => self.set.load(key.0 as usize, key.1, progress),
        }
    }
}
