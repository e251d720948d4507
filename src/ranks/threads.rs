//! Ranks that are threads of one process: for tests, and for hosts with several devices.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::Communicator;
use crate::error::{Error, Result};

/// A rank that has not come after this time has died.
const PATIENCE: Duration = Duration::from_secs(1800);

/// One rank of a group of threads.
#[derive(Debug, Clone)]
pub struct Thread {
    rank: usize,
    group: Arc<Group>,
}

#[derive(Debug)]
struct Group {
    round: Mutex<Round>,
    complete: Condvar,
}

/// What the ranks have brought to the exchange in progress, and the result of the last one.
#[derive(Debug, Default)]
struct Round {
    number: u64,
    brought: Vec<Option<Vec<u8>>>,
    last: Arc<Vec<Vec<u8>>>,
    aborted: bool,
}

impl Thread {
    /// So many ranks, in order.
    pub fn group(size: usize) -> Vec<Self> {
        let round = Round { brought: vec![None; size], ..Round::default() };
        let group = Arc::new(Group { round: Mutex::new(round), complete: Condvar::new() });
        (0..size).map(|rank| Self { rank, group: group.clone() }).collect()
    }

    /// Brings something, and returns what all have brought once they have.
    fn meet(&self, bytes: &[u8]) -> Result<Arc<Vec<Vec<u8>>>> {
        let mut round = self.group.round.lock();
        let number = round.number;
        round.brought[self.rank] = Some(bytes.to_vec());
        if round.brought.iter().all(Option::is_some) {
            let all = round.brought.iter_mut().map(Option::take);
            round.last = Arc::new(all.map(Option::unwrap_or_default).collect());
            round.number += 1;
            self.group.complete.notify_all();
        }
        while round.number == number && !round.aborted {
            if self.group.complete.wait_for(&mut round, PATIENCE).timed_out() {
                round.aborted = true;
            }
        }
        if round.number == number {
            return Err(Error::Ranks("another rank has ended".into()));
        }
        // The next round is complete only after this rank has come again.
        Ok(round.last.clone())
    }
}

impl Communicator for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.group.round.lock().brought.len()
    }

    fn host(&self) -> String {
        "this process".into()
    }

    fn all_to_all(&self, send: &[u8], receive: &mut [u8]) -> Result<()> {
        let size = self.size();
        let length = send.len() / size;
        let all = self.meet(send)?;
        if all.iter().any(|bytes| bytes.len() != receive.len()) || length * size != receive.len() {
            return Err(unequal());
        }
        for (part, bytes) in receive.chunks_exact_mut(length.max(1)).zip(all.iter()) {
            part.copy_from_slice(&bytes[self.rank * length..][..length]);
        }
        Ok(())
    }

    fn all_gather(&self, send: &[u8], receive: &mut [u8]) -> Result<()> {
        let all = self.meet(send)?;
        if all.iter().any(|bytes| bytes.len() != send.len()) || receive.len() != send.len() * all.len() {
            return Err(unequal());
        }
        for (part, bytes) in receive.chunks_exact_mut(send.len().max(1)).zip(all.iter()) {
            part.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn broadcast(&self, bytes: &mut [u8]) -> Result<()> {
        let all = self.meet(if self.rank == 0 { bytes } else { &[] })?;
        match all.first() {
            Some(first) if first.len() == bytes.len() => bytes.copy_from_slice(first),
            _ => return Err(unequal()),
        }
        Ok(())
    }

    fn abort(&self, _code: u8) {
        self.group.round.lock().aborted = true;
        self.group.complete.notify_all();
    }
}

fn unequal() -> Error {
    Error::Ranks("the ranks exchange different lengths".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::{broadcast, gather};

    /// Runs the same on each of so many ranks; the results in their order.
    fn on_each<T: Send>(size: usize, work: impl Fn(Thread) -> T + Sync) -> Vec<T> {
        std::thread::scope(|scope| {
            let ranks = Thread::group(size).into_iter();
            let threads: Vec<_> = ranks.map(|rank| scope.spawn(|| work(rank))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    #[test]
    fn everyone_gets_everything_in_order() {
        for size in 1..5 {
            let all = on_each(size, |rank| {
                let own = rank.rank() as u8;
                let mut turned = vec![0; size];
                let parts: Vec<u8> = (0..size as u8).map(|to| 10 * own + to).collect();
                rank.all_to_all(&parts, &mut turned).unwrap();
                let messages = gather(&rank, &vec![own; rank.rank()]).unwrap();
                let first = broadcast(&rank, vec![7; if own == 0 { 3 } else { 0 }]).unwrap();
                (turned, messages, first)
            });
            for (rank, (turned, messages, first)) in all.into_iter().enumerate() {
                let expected: Vec<u8> = (0..size as u8).map(|from| 10 * from + rank as u8).collect();
                assert_eq!(turned, expected);
                assert_eq!(messages, (0..size).map(|from| vec![from as u8; from]).collect::<Vec<_>>());
                assert_eq!(first, [7; 3]);
            }
        }
    }

    #[test]
    fn the_end_of_one_is_the_end_of_all() {
        let ends = on_each(3, |rank| {
            if rank.rank() == 1 {
                rank.abort(3);
                return true;
            }
            matches!(rank.all_gather(&[1], &mut [0; 3]), Err(Error::Ranks(_)))
        });
        assert_eq!(ends, [true; 3]);
    }
}
