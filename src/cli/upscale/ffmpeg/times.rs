//! When each frame is shown.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::process::Watch;

/// Time between two looks at a file that grows.
const LOOK: Duration = Duration::from_millis(2);
const SECOND: i128 = 1_000_000_000;

/// When a frame is shown, and for how long, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    pub start: i64,
    pub duration: Option<i64>,
}

/// The times of frames, one after the other.
pub enum FrameTimes {
    /// All frames last as long: so many seconds, as a fraction.
    Even { frame: (u32, u32), next: u64 },
    /// As the decoder writes them.
    Listed(Listed),
}

impl FrameTimes {
    /// For frames that all last as long, given their number in a second as a fraction.
    pub fn even((frames, seconds): (u32, u32)) -> Self {
        Self::Even { frame: (seconds, frames), next: 0 }
    }

    /// The time of the next frame; waits for it.
    ///
    /// # Errors
    /// Those of reading the list, and a list that ends too early.
    pub fn next(&mut self) -> io::Result<Time> {
        match self {
            Self::Even { frame, next } => {
                let at = |number| nanoseconds(number, *frame);
                let (start, end) = (at(*next as i64), at(*next as i64 + 1));
                *next += 1;
                Ok(Time { start, duration: Some(end - start) })
            }
            Self::Listed(list) => list.next(),
        }
    }
}

/// A list of times that ffmpeg's framecrc writes while it is read: a line a frame, with its number of units in the third column
/// and the units that it lasts in the fourth.
pub struct Listed {
    lines: BufReader<File>,
    decoder: Watch,
    /// Seconds of a unit as a fraction.
    unit: (u32, u32),
    /// The first line, if it has been looked at but not been taken.
    ahead: Option<[Option<i64>; 2]>,
    /// Units of the last frame, and what it lasts.
    last: Option<[i64; 2]>,
    /// Units of the first frame.
    first: i64,
}

impl Listed {
    /// Opens the list of a decoder.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(path: &Path, unit: (u32, u32), decoder: Watch) -> io::Result<Self> {
        Ok(Self {
            lines: BufReader::new(File::open(path)?),
            decoder,
            unit,
            ahead: None,
            last: None,
            first: 0,
        })
    }

    /// The time of the first frame in seconds, from which all others count. Waits for it.
    ///
    /// # Errors
    /// As [`FrameTimes::next`].
    pub fn begin(&mut self) -> io::Result<f64> {
        let first = self.read()?;
        self.first = first[0].unwrap_or_default();
        self.ahead = Some(first);
        Ok(self.first as f64 * f64::from(self.unit.0) / f64::from(self.unit.1))
    }

    fn next(&mut self) -> io::Result<Time> {
        let [units, lasts] = match self.ahead.take() {
            Some(ahead) => ahead,
            None => self.read()?,
        };
        // A frame without a time follows the one before, and time never stands still.
        let soonest = self.last.map(|[units, _]| units + 1);
        let expected = self.last.map_or(self.first, |[units, lasts]| units + lasts.max(1));
        let units = units.unwrap_or(expected).max(soonest.unwrap_or(i64::MIN));
        self.last = Some([units, lasts.unwrap_or(1)]);
        let since = units.saturating_sub(self.first);
        let start = nanoseconds(since, self.unit);
        let end =
            lasts.filter(|&lasts| lasts > 0).map(|lasts| nanoseconds(since.saturating_add(lasts), self.unit));
        Ok(Time { start, duration: end.map(|end| end - start) })
    }

    /// The next line's columns.
    fn read(&mut self) -> io::Result<[Option<i64>; 2]> {
        let mut line = String::new();
        loop {
            let is_running = self.decoder.is_running();
            self.lines.read_line(&mut line)?;
            if !line.ends_with('\n') {
                if !is_running {
                    return Err(io::Error::other("ffmpeg did not say when this frame is shown"));
                }
                thread::sleep(LOOK);
            } else if line.starts_with('#') {
                line.clear();
            } else {
                let column = |index| line.split(',').nth(index)?.trim().parse().ok();
                return Ok([column(2), column(3)]);
            }
        }
    }
}

/// Rounded to the nearest.
fn nanoseconds(units: i64, (a, b): (u32, u32)) -> i64 {
    let (product, b) = (i128::from(units) * i128::from(a) * SECOND, i128::from(b));
    ((2 * product + b).div_euclid(2 * b)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::upscale::ffmpeg::process::Process;
    use std::fs;
    use std::io::Write;
    use std::process::Command;

    #[test]
    fn even_times_do_not_drift() {
        let mut times = FrameTimes::even((30000, 1001));
        let all: Vec<_> = (0..30001).map(|_| times.next().unwrap()).collect();
        assert_eq!(all[1], Time { start: 33_366_667, duration: Some(33_366_666) });
        assert_eq!(all[30000].start, 1001 * SECOND as i64);
    }

    #[cfg(unix)]
    #[test]
    fn a_list_is_read_while_it_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("times");
        let mut file = fs::File::create(&path).unwrap();
        let decoder = Process::start(Command::new("sleep").arg("1000")).unwrap();
        let mut list = Listed::open(&path, (1, 1000), decoder.watch()).unwrap();
        file.write_all(b"#tb 0: 1/1000\n0,       500,").unwrap();
        let mut more = file.try_clone().unwrap();
        let writing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            more.write_all(b" 500, 40, 472, 0x1\n0, 540, 540, 40, 472, 0x2\n0, NOPTS, NOPTS, 0, 472, 0x3\n")
                .unwrap();
            more.write_all(b"0, 560, 560, 40, 472, 0x4\n0, 900, 900, 40, 1, 0x5\n0, 9").unwrap();
        });
        assert_eq!(list.begin().unwrap(), 0.5);
        let mut times = FrameTimes::Listed(list);
        let mut next =
            || times.next().map(|time| (time.start / 1_000_000, time.duration.map(|d| d / 1_000_000)));
        let expected = [(0, Some(40)), (40, Some(40)), (80, None), (81, Some(40)), (400, Some(40))];
        for time in expected {
            assert_eq!(next().unwrap(), time);
        }
        writing.join().unwrap();
        drop(decoder);
        assert!(next().unwrap_err().to_string().contains("ffmpeg"), "half a line");
    }
}
