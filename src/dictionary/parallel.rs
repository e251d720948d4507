//! Work on many patches, on all processor cores.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Patches that a thread takes at a time.
const CHUNK: usize = 256;

/// The results of `work` for consecutive ranges that together are 0..count, in their order.
pub(crate) fn chunks<T: Send>(count: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let total = count.div_ceil(CHUNK);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(total);
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= total {
                return done;
            }
            done.push((index, work(index * CHUNK..(index * CHUNK + CHUNK).min(count))));
        }
    };
    let mut results = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut results = take();
        for other in others {
            match other.join() {
                Ok(done) => results.extend(done),
                // Not this thread's to hide.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_each_other() {
        for count in [0, 1, CHUNK, 10 * CHUNK + 3] {
            let all: Vec<usize> = chunks(count, |range| range.collect::<Vec<_>>()).concat();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
        }
    }
}
