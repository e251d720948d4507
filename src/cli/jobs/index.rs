//! The index of an output folder: what its results were made from, so that a later run knows which are up to date.
//!
//! Each output folder given to a command gets one hidden file, [`NAME`], with a line of JSON per result: size and time
//! of the result and of its picture, and a fingerprint of the settings. Why this way: a mark inside the results would not
//! fit into every format, would change the pictures' metadata, and would make two runs give different files; extended
//! attributes get lost on many file systems; a database in the user's home is missing in a container and on another
//! machine.
//!
//! Lines are appended, one write each, under a lock if the file system has locks, so any number of processes can share a
//! folder. If most lines are about results that were made again since, the first process to add a line leaves the
//! superseded ones out: it replaces the file that it has locked by another one, and whoever waits for that lock starts
//! over. A line is written before its result is put in place, and describes the result by size and time. So a run that
//! is killed between the two leaves a line that describes no file; and a file that no line describes was made or changed
//! by somebody else, and is never replaced unasked.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use srcnn_gpu::atomic::write_atomically;
use srcnn_gpu::hash::fnv;

/// The file's name.
pub const NAME: &str = ".srcnn-gpu.jsonl";

/// How many milliseconds two times of the same file may differ: FAT counts in steps of two seconds, and network drives
/// round as well.
const ROUNDING: u64 = 2000;

/// In milliseconds. A younger line that describes no file may be about a result that is yet to be put in place.
const PENDING: i64 = 24 * 3600 * 1000;

/// How often to reopen the file because another one has replaced it.
const ATTEMPTS: u32 = 100;

/// Size and time of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    size: u64,
    /// Time of the last change, in milliseconds since 1970.
    time: i64,
}

impl Stamp {
    pub fn of(about: &Metadata) -> Self {
        Self { size: about.len(), time: about.modified().map_or(0, millis) }
    }

    fn is_same_file(&self, other: &Self) -> bool {
        self.size == other.size && self.time.abs_diff(other.time) <= ROUNDING
    }

    pub fn is_older(&self, other: &Self) -> bool {
        self.time < other.time
    }
}

/// Milliseconds since 1970.
fn millis(time: SystemTime) -> i64 {
    let millis = |time: Duration| time.as_millis() as i64;
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(before) => -millis(before.duration()),
    }
}

/// A line of the index.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    v: u32,
    /// The result's path, relative to the folder.
    file: String,
    result: Stamp,
    picture: Stamp,
    settings: String,
}

/// What is known about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Made from this picture with these settings.
    Fresh,
    /// Made by this program but out of date, for this reason.
    Stale(&'static str),
    /// Not made by this program, or changed since.
    Unknown,
}

/// The index of one output folder.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    settings: String,
    lines: HashMap<String, Vec<Line>>,
    /// Whether this process may still try to leave superseded lines out.
    may_compact: AtomicBool,
}

impl Index {
    /// Reads the index of a folder, empty if there is none. `settings` describes everything that the results depend on
    /// besides the pictures.
    pub fn open(folder: &Path, settings: &str) -> Self {
        let path = folder.join(NAME);
        let mut lines: HashMap<String, Vec<Line>> = HashMap::new();
        // Unreadable lines, such as half a line from a killed run, count as absent.
        for line in fs::read(&path).unwrap_or_default().split(|&byte| byte == b'\n') {
            if let Some(line) = serde_json::from_slice::<Line>(line).ok().filter(|line| line.v == 1) {
                lines.entry(line.file.clone()).or_default().push(line);
            }
        }
        let all: usize = lines.values().map(Vec::len).sum();
        let may_compact = AtomicBool::new(cfg!(unix) && all > 2 * lines.len());
        Self { path, settings: format!("{:016x}", fnv(settings)), lines, may_compact }
    }

    /// What is known about the result in `file`, for a picture with this stamp.
    pub fn state(&self, file: &str, result: Stamp, picture: Stamp) -> State {
        let lines = self.lines.get(file).into_iter().flatten();
        match lines.rev().find(|line| line.result.is_same_file(&result)) {
            None => State::Unknown,
            Some(line) if line.picture != picture => State::Stale("its picture has changed"),
            Some(line) if line.settings != self.settings => State::Stale("it was made with other settings"),
            Some(_) => State::Fresh,
        }
    }

    /// Adds a line for a result that is written but not in place yet.
    ///
    /// # Errors
    /// Those of the file system. The result is valid without the line.
    pub fn add(&self, file: &str, result: &File, picture: Stamp) -> io::Result<()> {
        // Set explicitly, so that no later flush changes it.
        result.set_modified(SystemTime::now())?;
        let line = Line {
            v: 1,
            file: file.into(),
            result: Stamp::of(&result.metadata()?),
            picture,
            settings: self.settings.clone(),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let mut log = self.locked()?;
        if self.may_compact.swap(false, Ordering::Relaxed) {
            if let Err(error) = compact(&self.path) {
                log::debug!("{}: {error}", self.path.display());
            }
            // Unlock first: it may still be the same file.
            drop(log);
            log = self.locked()?;
        }
        let mut last = [b'\n'];
        if log.seek(SeekFrom::End(-1)).is_ok() {
            log.read_exact(&mut last)?;
        }
        if last != [b'\n'] {
            text.insert(0, b'\n');
        }
        log.write_all(&text)
    }

    /// The file, locked.
    fn locked(&self) -> io::Result<File> {
        // Each process replaces the file at most once. More often means that this file system cannot tell files apart.
        let mut attempts = 0..ATTEMPTS;
        loop {
            let log = File::options().create(true).read(true).append(true).open(&self.path)?;
            if log.lock().is_err() {
                // Without locks, replacing the file could lose other processes' lines.
                self.may_compact.store(false, Ordering::Relaxed);
                return Ok(log);
            }
            // Another process may have replaced the file by a shorter one.
            if is_at(&log, &self.path)? || attempts.next().is_none() {
                return Ok(log);
            }
        }
    }
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let place = |about: Metadata| (about.dev(), about.ino());
    let file = place(file.metadata()?);
    match fs::metadata(path) {
        Ok(about) => Ok(place(about) == file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// True: this system does not replace files in use.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Replaces the file, which the caller has locked, by one without superseded lines, if these are the majority.
fn compact(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let now = millis(SystemTime::now());
    let bytes = fs::read(path)?;
    let mut last = HashSet::new();
    let mut live = Vec::new();
    let mut all = 0;
    for text in bytes.split(|&byte| byte == b'\n').rev().filter(|text| !text.is_empty()) {
        all += 1;
        let keep = match serde_json::from_slice::<Line>(text) {
            Ok(line) if line.v == 1 => {
                let is_there = |line: &Line| {
                    let about = fs::metadata(folder.join(&line.file));
                    about.is_ok_and(|about| line.result.is_same_file(&Stamp::of(&about)))
                };
                let pending = line.result.time > now - PENDING;
                last.insert(line.file.clone()) || pending || is_there(&line)
            }
            // A line of a later version stays, half a line goes.
            _ => serde_json::from_slice::<serde_json::Value>(text).is_ok(),
        };
        if keep {
            live.push(text);
        }
    }
    if all <= 2 * live.len() {
        return Ok(());
    }
    log::debug!("{}: {} of {all} lines are kept", path.display(), live.len());
    let written = write_atomically(path, |file| {
        live.iter().rev().try_for_each(|text| file.write_all(&[text, b"\n".as_slice()].concat()))
    });
    written.map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, content: &str) -> (File, Stamp) {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        let stamp = Stamp::of(&file.metadata().unwrap());
        (file, stamp)
    }

    #[test]
    fn fresh_stale_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let (result, _) = file(folder.path(), "a.png", "result");
        let picture = Stamp { size: 10, time: 1000 };
        Index::open(folder.path(), "x2").add("a.png", &result, picture).unwrap();
        let stamp = Stamp::of(&result.metadata().unwrap());
        let state =
            |settings, result, picture| Index::open(folder.path(), settings).state("a.png", result, picture);
        assert_eq!(state("x2", stamp, picture), State::Fresh);
        assert_eq!(state("x2", Stamp { time: stamp.time - 1999, ..stamp }, picture), State::Fresh);
        assert_eq!(
            state("x2", stamp, Stamp { time: 1001, ..picture }),
            State::Stale("its picture has changed")
        );
        assert_eq!(
            state("x2", stamp, Stamp { size: 11, ..picture }),
            State::Stale("its picture has changed")
        );
        assert_eq!(state("x3", stamp, picture), State::Stale("it was made with other settings"));
        assert_eq!(state("x2", Stamp { time: stamp.time + 2001, ..stamp }, picture), State::Unknown);
        assert_eq!(state("x2", Stamp { size: 1, ..stamp }, picture), State::Unknown);
        assert_eq!(Index::open(folder.path(), "x2").state("b.png", stamp, picture), State::Unknown);
    }

    #[test]
    fn half_a_line_harms_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (result, _) = file(folder.path(), "a.png", "result");
        let picture = Stamp { size: 10, time: 1000 };
        fs::write(folder.path().join(NAME), "{\"v\":1,\"file\":\"b.p").unwrap();
        Index::open(folder.path(), "x2").add("a.png", &result, picture).unwrap();
        let stamp = Stamp::of(&result.metadata().unwrap());
        assert_eq!(Index::open(folder.path(), "x2").state("a.png", stamp, picture), State::Fresh);
        assert_eq!(fs::read_to_string(folder.path().join(NAME)).unwrap().lines().count(), 2);
    }

    #[test]
    fn processes_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let folder = folder.path();
                scope.spawn(move || {
                    let index = Index::open(folder, "x2");
                    for number in 0..25 {
                        let name = format!("{thread}-{number}");
                        let (result, stamp) = file(folder, &name, &name);
                        index.add(&name, &result, stamp).unwrap();
                    }
                });
            }
        });
        assert_eq!(Index::open(folder.path(), "x2").lines.len(), 100);
    }

    /// Lines about results that were made again long ago, `times` each, with a file that the first line describes.
    fn old_lines(folder: &Path, names: &[&str], times: u64) {
        let mut log = File::create(folder.join(NAME)).unwrap();
        for name in names {
            let stamp = file(folder, name, "result").1;
            for i in 0..times {
                let result = if i == 0 { stamp } else { Stamp { size: i, time: 1000 } };
                let picture = Stamp { size: 10, time: 1000 };
                let line = Line { v: 1, file: (*name).into(), result, picture, settings: "other".into() };
                serde_json::to_writer(&mut log, &line).unwrap();
                log.write_all(b"\n").unwrap();
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn superseded_lines_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        old_lines(folder.path(), &["a.png", "b.png"], 20);
        let mut log = File::options().append(true).open(&path).unwrap();
        log.write_all(b"{\"v\":2,\"of\":\"a later version\"}\n{\"v\":1,\"file\":\"ha").unwrap();
        let stale = |name: &str| {
            let stamp = Stamp::of(&fs::metadata(folder.path().join(name)).unwrap());
            Index::open(folder.path(), "x2").state(name, stamp, Stamp { size: 10, time: 1000 })
        };
        let why = State::Stale("it was made with other settings");
        assert_eq!((stale("a.png"), stale("b.png")), (why, why));
        let (result, _) = file(folder.path(), "c.png", "new");
        let index = Index::open(folder.path(), "x2");
        // Reading changes nothing.
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 42);
        index.add("c.png", &result, Stamp { size: 3, time: 1 }).unwrap();
        // For each of the two the line about the present file and the last one; the later version's; the new one.
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 6, "{text}");
        assert!(text.lines().nth(4).unwrap().contains("a later version"), "{text}");
        assert_eq!((stale("a.png"), stale("b.png")), (why, why));
        let stamp = Stamp::of(&result.metadata().unwrap());
        let again = Index::open(folder.path(), "x2");
        assert_eq!(again.state("c.png", stamp, Stamp { size: 3, time: 1 }), State::Fresh);
        // Young lines stay, whatever they describe.
        for _ in 0..20 {
            again.add("c.png", &result, Stamp { size: 3, time: 1 }).unwrap();
        }
        Index::open(folder.path(), "x2").add("c.png", &result, Stamp { size: 3, time: 1 }).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 27);
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 4, "{names:?}");
    }

    #[test]
    fn no_line_is_lost_while_others_go() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            // These see nothing to leave out, and add lines while another one compacts.
            let mut all: Vec<_> = (0..7).map(|_| Index::open(folder.path(), "x2")).collect();
            old_lines(folder.path(), &["a.png"], 50);
            all.insert(3, Index::open(folder.path(), "x2"));
            let start = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                for (thread, index) in all.iter().enumerate() {
                    let (folder, start) = (folder.path(), &start);
                    scope.spawn(move || {
                        start.wait();
                        for number in 0..5 {
                            let name = format!("{thread}-{number}");
                            let (result, stamp) = file(folder, &name, &name);
                            index.add(&name, &result, stamp).unwrap();
                        }
                    });
                }
            });
            let text = fs::read_to_string(folder.path().join(NAME)).unwrap();
            assert_eq!(Index::open(folder.path(), "x2").lines.len(), 41);
            assert_eq!(text.lines().count(), 40 + if cfg!(unix) { 2 } else { 50 });
        }
    }

    #[test]
    fn times_at_the_ends_of_their_range_differ() {
        let stamp = |time| Stamp { size: 1, time };
        for (a, b) in [(i64::MIN, 0), (i64::MIN, i64::MAX), (i64::MAX, -1)] {
            assert!(!stamp(a).is_same_file(&stamp(b)) && !stamp(b).is_same_file(&stamp(a)));
        }
    }
}
