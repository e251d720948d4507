//! How much work there is, how much of it is done, and how long the rest will take.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Work and pixels.
type Amount = [f64; 2];

/// The work of all pictures: multiply-adds where a picture's header has been read, estimated by the size of its file before.
#[derive(Debug, Default)]
pub struct Work {
    /// Bytes of the files that have not been looked into.
    unread: f64,
    /// Bytes and work of those that have.
    read: f64,
    known: f64,
    /// Work of pictures on their way, by number.
    waiting: BTreeMap<usize, f64>,
    /// Those that have left the device.
    ended: BTreeSet<usize>,
    /// What is done of the pictures that are being computed.
    in_progress: BTreeMap<usize, Amount>,
    done: Amount,
    /// When the first tile was done, and what was done then: kernels are compiled before.
    began: Option<(Instant, Amount)>,
    /// When the first picture was taken up.
    started: Option<Instant>,
}

/// The state of the work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Share of all work that is done.
    pub share: f64,
    /// Pixels of results per second.
    pub pixels: f64,
    /// Estimated seconds for what is left.
    pub left: Option<f64>,
}

impl Work {
    /// For files of `bytes` bytes in all.
    pub fn new(bytes: u64) -> Self {
        Self { unread: bytes as f64, ..Self::default() }
    }

    /// A picture's header has been read: it will be `work`.
    pub fn known(&mut self, i: usize, bytes: u64, work: f64) {
        self.skipped(bytes);
        self.read += bytes as f64;
        self.known += work;
        self.waiting.insert(i, work);
    }

    /// A picture on its way will be other work than was known.
    pub fn corrected(&mut self, i: usize, work: f64) {
        if let Some(known) = self.waiting.get_mut(&i) {
            self.known += work - *known;
            *known = work;
        }
    }

    /// A file will not be worked on.
    fn skipped(&mut self, bytes: u64) {
        self.unread = (self.unread - bytes as f64).max(0.0);
    }

    /// A picture has failed or been skipped, before its header was read or after.
    pub fn dropped(&mut self, i: usize, bytes: u64) {
        match self.waiting.contains_key(&i) || self.ended.contains(&i) {
            true => self.left(i),
            false => self.skipped(bytes),
        }
    }

    /// A device begins to work.
    pub fn started(&mut self) {
        self.started.get_or_insert_with(Instant::now);
    }

    /// Whether nothing has been computed yet.
    pub fn is_new(&self) -> bool {
        self.began.is_none()
    }

    /// This share of a picture of `pixels` pixels is done.
    pub fn progress(&mut self, i: usize, share: f64, pixels: f64) {
        let work = self.waiting.get(&i).copied().unwrap_or_default();
        self.in_progress.insert(i, [share * work, share * pixels]);
        let so_far = self.so_far();
        self.began.get_or_insert_with(|| (Instant::now(), so_far));
    }

    /// A picture has left the device, or will never get there.
    pub fn left(&mut self, i: usize) {
        let done = self.in_progress.remove(&i).unwrap_or_default();
        self.done = sum(self.done, done);
        if let Some(work) = self.waiting.remove(&i) {
            self.ended.insert(i);
            // Of one that has failed, the rest is no work any more.
            self.known -= work - done[0];
        }
    }

    /// A picture's share of all work, as far as that is known.
    pub fn share_of(&self, i: usize) -> f64 {
        self.waiting.get(&i).map_or(0.0, |work| work / self.total())
    }

    fn total(&self) -> f64 {
        let unread = if self.read > 0.0 { self.unread * self.known / self.read } else { 0.0 };
        self.known + unread
    }

    fn so_far(&self) -> Amount {
        self.in_progress.values().fold(self.done, |all, &part| sum(all, part))
    }

    /// Share, rate, time left.
    pub fn rates(&self) -> Rates {
        let so_far @ [work, _] = self.so_far();
        let total = self.total();
        let seconds = |since: Instant| since.elapsed().as_secs_f64();
        let since_began =
            self.began.map(|(began, before)| (seconds(began), [0, 1].map(|i| so_far[i] - before[i])));
        // Without a second tile there is no rate but the one that includes all preparations.
        let measured = since_began.filter(|(seconds, [work, _])| *seconds > 0.0 && *work > 0.0);
        let overall = self.started.map(|started| (seconds(started), so_far));
        let pixels = match measured.or(overall.filter(|(seconds, _)| *seconds > 0.0)) {
            Some((seconds, [_, measured])) => measured / seconds,
            None => 0.0,
        };
        let left = measured.map(|(seconds, [done, _])| ((total - work) * seconds / done).clamp(0.0, 1e9));
        let share = if total > 0.0 { (work / total).min(1.0) } else { 0.0 };
        Rates { share, pixels, left }
    }

    /// Pixels per second of all work, with all preparations; `None` if there was none.
    pub fn overall(&self) -> Option<f64> {
        let [_, pixels] = self.so_far();
        let seconds = self.started?.elapsed().as_secs_f64();
        (pixels > 0.0 && seconds > 0.0).then(|| pixels / seconds)
    }
}

fn sum(a: Amount, b: Amount) -> Amount {
    [a[0] + b[0], a[1] + b[1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// As if everything so far had begun this long ago.
    fn later(work: &mut Work, seconds: u64) {
        let back = |time: &mut Instant| *time -= Duration::from_secs(seconds);
        work.began.iter_mut().for_each(|(began, _)| back(began));
        work.started.iter_mut().for_each(back);
    }

    #[test]
    fn shares_follow_the_work_and_not_the_files() {
        // Two files of the same length, the second with nine times the pixels, and one that is not looked into yet.
        let mut work = Work::new(3000);
        work.started();
        assert_eq!(work.rates(), Rates { share: 0.0, pixels: 0.0, left: None });
        work.known(0, 1000, 1e6);
        work.known(1, 1000, 9e6);
        assert!((work.share_of(1) - 9.0 / 15.0).abs() < 1e-9 && work.share_of(2) == 0.0);
        later(&mut work, 28);
        // The first tile comes after a long time of compilation.
        work.progress(0, 0.5, 100.0);
        let Rates { share, left, .. } = work.rates();
        // The third is taken for one like the average of the others.
        assert!((share - 0.5 / 15.0).abs() < 1e-9 && left.is_none(), "{share} {left:?}");
        later(&mut work, 1);
        work.progress(0, 1.0, 100.0);
        let Rates { share, pixels, left } = work.rates();
        assert!((share - 1.0 / 15.0).abs() < 1e-9);
        assert!((pixels - 50.0).abs() < 1.0, "{pixels}");
        assert!(left.is_some_and(|left| (27.0..28.5).contains(&left)), "half a unit in a second: {left:?}");
        work.left(0);
        // The third is no picture, and the second fails half done.
        work.dropped(2, 1000);
        work.progress(1, 0.5, 900.0);
        let Rates { share, .. } = work.rates();
        assert!((share - 5.5 / 10.0).abs() < 1e-9, "{share}");
        work.left(1);
        work.dropped(1, 1000);
        let Rates { share, left, .. } = work.rates();
        assert!((share - 1.0).abs() < 1e-9 && left.is_some_and(|left| left < 1e-3), "{share} {left:?}");
        assert!(work.overall().is_some_and(|rate| (15.0..20.0).contains(&rate)), "{:?}", work.overall());
    }
}
