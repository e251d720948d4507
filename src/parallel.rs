//! Work on many things, on all processor cores.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The results of `work` for consecutive ranges of `chunk`, of which a thread takes one at a time and which together are
/// 0..count, in their order.
pub(crate) fn chunks<T: Send>(count: usize, chunk: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let total = count.div_ceil(chunk);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(total);
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= total {
                return done;
            }
            done.push((index, work(index * chunk..(index * chunk + chunk).min(count))));
        }
    };
    let mut results = std::thread::scope(|scope| {
        // Without a thread, the others have more to do.
        let spawn = |_| std::thread::Builder::new().spawn_scoped(scope, take).ok();
        let others: Vec<_> = (1..threads).map_while(spawn).collect();
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
        for (count, chunk) in [(0, 256), (1, 256), (256, 256), (2563, 256), (7, 1)] {
            let all: Vec<usize> = chunks(count, chunk, |range| range.collect::<Vec<_>>()).concat();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
        }
    }
}
