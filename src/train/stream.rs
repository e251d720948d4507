//! Shards of a training set, read from disk ahead of time.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::dataset::Dataset;
use super::order::Place;
use super::shard::PackedShard;
use crate::error::{Error, Result};

/// Shards by number, the next one being read while one is in use: two of them are in memory at most, and a
/// set of one shard is read once.
#[derive(Debug)]
pub struct ShardStream {
    set: Arc<Dataset>,
    current: Option<(u32, Arc<PackedShard>)>,
    coming: Option<(u32, JoinHandle<Result<PackedShard>>)>,
}

impl ShardStream {
    /// Nothing is read yet.
    pub fn new(set: Arc<Dataset>) -> Self {
        Self { set, current: None, coming: None }
    }

    /// The shard of a place, and begins to read the one after it.
    ///
    /// # Errors
    /// As [`Dataset::load`].
    pub fn get(&mut self, place: &Place) -> Result<Arc<PackedShard>> {
        let shard = match self.current.take() {
            Some((number, shard)) if number == place.shard => shard,
            _ => Arc::new(self.read(place.shard)?),
        };
        self.current = Some((place.shard, shard.clone()));
        let wanted = place.next_shard;
        if wanted != place.shard && self.coming.as_ref().is_none_or(|(number, _)| *number != wanted) {
            let set = self.set.clone();
            let reader =
                std::thread::Builder::new().name("shard".into()).spawn(move || set.load(wanted as usize));
            // Without a thread the shard is read when it is needed.
            self.coming = reader.ok().map(|reader| (wanted, reader));
        }
        Ok(shard)
    }

    fn read(&mut self, number: u32) -> Result<PackedShard> {
        match self.coming.take() {
            Some((coming, reader)) if coming == number => reader
                .join()
                .unwrap_or_else(|_| Err(Error::Picture("reading a shard of pictures failed".into()))),
            _ => self.set.load(number as usize),
        }
    }
}
