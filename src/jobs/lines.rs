//! The file behind an index: a line of JSON for each result.
//!
//! Lines are appended, one write each, under a lock if the file system has locks, so any number of processes can share a
//! folder. If most lines are about results that were made again since, or are gone, the first process to add a line leaves
//! those out: it replaces the file that it has locked by another one, and whoever waits for that lock starts over.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::atomic::write_own;
use crate::own;
use serde::{Deserialize, Serialize};

use super::name::Name;
use super::stamp::{Mark, Stamp, now};

/// In milliseconds. A younger line that describes no file may be about a result that is yet to be put in place.
const PENDING: i64 = 24 * 3600 * 1000;
/// So few lines are not worth the trouble.
const FEW: usize = 32;
/// How often to reopen the file because another one has replaced it.
const ATTEMPTS: u32 = 100;

/// A line of the index.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    v: u32,
    /// The result's path, relative to the folder.
    #[serde(flatten)]
    pub file: Name,
    pub result: Mark,
    pub picture: Mark,
    pub settings: String,
    /// Whether the result is smaller than its picture, and so may well be enlarged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shrunk: bool,
}

impl Line {
    pub fn new(file: Name, result: Mark, picture: Mark, settings: String) -> Self {
        Self { v: 1, file, result, picture, settings, shrunk: false }
    }

    /// The same about files that have other stamps by now.
    pub fn renewed(&self, result: Mark, picture: Mark) -> Self {
        Self { result, picture, ..self.clone() }
    }
}

/// The file.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    /// Whether this process may still try to leave superseded lines out.
    may_compact: AtomicBool,
}

impl Log {
    /// The file at a path, and its lines; none if there is no such file, or something else is there.
    pub fn open(path: PathBuf) -> (Self, Vec<Line>) {
        let bytes = own::read(&path, u64::MAX).unwrap_or_default();
        // Unreadable lines, such as half a line from a killed run, count as absent.
        let texts = bytes.split(|&byte| byte == b'\n');
        let lines = texts.filter_map(|text| serde_json::from_slice::<Line>(text).ok());
        let lines: Vec<_> = lines.filter(|line| line.v == 1).collect();
        let may_compact = AtomicBool::new(cfg!(unix) && lines.len() >= FEW);
        (Self { path, may_compact }, lines)
    }

    /// Adds lines.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn add(&self, lines: &[Line]) -> io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
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
            let log = own::open_or_create(&self.path)?;
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
    match fs::symlink_metadata(path) {
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

/// Replaces the file, which the caller has locked, by one without lines that nobody needs, if these are the majority.
fn compact(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let now = now();
    let bytes = own::read(path, u64::MAX)?;
    let mut last = HashSet::new();
    let mut live = Vec::new();
    let mut all = 0;
    for text in bytes.split(|&byte| byte == b'\n').rev().filter(|text| !text.is_empty()) {
        all += 1;
        let keep = match serde_json::from_slice::<Line>(text) {
            Ok(line) if line.v == 1 => {
                let there = fs::metadata(folder.join(line.file.path())).ok().map(|about| Stamp::of(&about));
                let pending = line.result.stamp.time > now - PENDING;
                // The last one may describe a file whose stamp has changed, but not its content.
                let describes = |there: Stamp| last.insert(line.file) || line.result.stamp.is_like(&there);
                there.is_some_and(describes) || pending
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
    let written = write_own(path, |file| {
        live.iter().rev().try_for_each(|text| file.write_all(&[text, b"\n".as_slice()].concat()))
    });
    written.map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str) -> Mark {
        let path = folder.join(name);
        fs::write(&path, name).unwrap();
        Mark::of_result(&File::options().read(true).write(true).open(&path).unwrap()).unwrap()
    }

    fn line(name: &str, result: Mark) -> Line {
        Line::new(Name::of(Path::new(name)), result, Mark::old(10, 1000), "x2".into())
    }

    fn names(folder: &Path) -> Vec<String> {
        let lines = Log::open(folder.join("log")).1;
        lines.iter().map(|line| line.file.path().display().to_string()).collect()
    }

    /// Lines about results that were made again long ago, `times` each, with a file that the first line describes.
    fn old_lines(folder: &Path, names: &[&str], times: u64) {
        for name in names {
            let result = write(folder, name);
            let old = (1..times).map(|i| line(name, Mark::old(i, 1000)));
            let lines: Vec<_> = std::iter::once(line(name, result)).chain(old).collect();
            let log = Log { path: folder.join("log"), may_compact: AtomicBool::new(false) };
            log.add(&lines).unwrap();
        }
    }

    #[test]
    fn half_a_line_harms_no_other() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("log"), "{\"v\":1,\"file\":\"b.p").unwrap();
        Log::open(folder.path().join("log")).0.add(&[line("a.png", Mark::old(1, 1))]).unwrap();
        assert_eq!(names(folder.path()), ["a.png"]);
        assert_eq!(fs::read_to_string(folder.path().join("log")).unwrap().lines().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn lines_that_nobody_needs_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        old_lines(folder.path(), &["a.png", "b.png"], 20);
        let mut log = File::options().append(true).open(&path).unwrap();
        log.write_all(b"{\"v\":2,\"of\":\"a later version\"}\n{\"v\":1,\"file\":\"ha").unwrap();
        // A result that is gone, and one that was about to be put in place.
        let gone = [line("gone.png", Mark::old(1, 1000)), line("soon.png", Mark::old(1, now()))];
        let (log, lines) = Log::open(path.clone());
        assert_eq!((lines.len(), fs::read_to_string(&path).unwrap().lines().count()), (40, 42));
        log.may_compact.store(false, Ordering::Relaxed);
        log.add(&gone).unwrap();
        let (log, _) = Log::open(path.clone());
        log.add(&[line("c.png", write(folder.path(), "c.png"))]).unwrap();
        // For each of the two the line about the present file and the last one.
        let left = ["a.png", "a.png", "b.png", "b.png", "soon.png", "c.png"];
        assert_eq!(names(folder.path()), left);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 7, "{text}");
        assert!(text.lines().nth(4).unwrap().contains("a later version"), "{text}");
        // Young lines stay, whatever they describe.
        let young: Vec<_> = (0..40).map(|i| line("c.png", Mark::old(i, now()))).collect();
        log.add(&young).unwrap();
        Log::open(path.clone()).0.add(&young[..1]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 48);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[test]
    fn no_line_is_lost_while_others_go() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = || folder.path().join("log");
            // These see nothing to leave out, and add lines while another one compacts.
            let mut all: Vec<_> = (0..7).map(|_| Log::open(path()).0).collect();
            old_lines(folder.path(), &["a.png"], 50);
            all.insert(3, Log::open(path()).0);
            let start = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                for (thread, log) in all.iter().enumerate() {
                    let (folder, start) = (folder.path(), &start);
                    scope.spawn(move || {
                        start.wait();
                        for number in 0..5 {
                            let name = format!("{thread}-{number}");
                            log.add(&[line(&name, write(folder, &name))]).unwrap();
                        }
                    });
                }
            });
            let names = names(folder.path());
            assert_eq!(names.len(), 40 + if cfg!(unix) { 2 } else { 50 });
            assert_eq!(names.iter().collect::<HashSet<_>>().len(), 41);
        }
    }
}
