//! What a folder's results were made from, so that a later run knows which of them are still right.
//!
//! One hidden file in each output folder that was named, [`NAME`], with a line of JSON for each result: size and time
//! of the result and of its picture, and a fingerprint of the settings. Why so: a mark inside of the results
//! would not fit into every format, would change the pictures' metadata, and two runs would not give equal files;
//! extended attributes are lost on many file systems; a database in the user's home is not there in a
//! container and on another machine.
//!
//! Lines are only ever added, one write each, under a lock where the file system has them, so any number of processes
//! can share a folder. A line is written before its result is put in place, and describes the result by size and
//! time; so a run that is killed between the two leaves a line that describes no file, and a file that no
//! line describes is one that somebody else has made or changed, which is never replaced unasked.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The file's name.
pub const NAME: &str = ".srcnn-gpu.jsonl";

/// How far two times of a result may be apart and still be the same: FAT counts in steps of two seconds, and network
/// drives round as well.
const ROUNDING: i64 = 2000;

/// Size and time of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    size: u64,
    /// Last change, milliseconds since 1970.
    time: i64,
}

impl Stamp {
    pub fn of(about: &Metadata) -> Self {
        let millis = |time: Duration| time.as_millis() as i64;
        let time = match about.modified().map(|time| time.duration_since(UNIX_EPOCH)) {
            Ok(Ok(after)) => millis(after),
            Ok(Err(before)) => -millis(before.duration()),
            Err(_) => 0,
        };
        Self { size: about.len(), time }
    }

    fn is_same_file(&self, other: &Self) -> bool {
        self.size == other.size && (self.time - other.time).abs() <= ROUNDING
    }

    pub fn is_older(&self, other: &Self) -> bool {
        self.time < other.time
    }
}

/// A line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    v: u32,
    /// The result's path in the folder.
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
    /// Made by this program, and out of date: why.
    Stale(&'static str),
    /// Not made by this program, or changed since.
    Unknown,
}

/// The record of one output folder.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    settings: String,
    lines: HashMap<String, Vec<Line>>,
}

impl Index {
    /// Reads what there is. `settings` describes everything besides the pictures that the results depend on.
    pub fn open(folder: &Path, settings: &str) -> Self {
        let path = folder.join(NAME);
        let mut lines: HashMap<String, Vec<Line>> = HashMap::new();
        // Lines that make no sense, such as half a line of a killed run, are results that nothing is known of.
        for line in fs::read(&path).unwrap_or_default().split(|&byte| byte == b'\n') {
            if let Some(line) = serde_json::from_slice::<Line>(line).ok().filter(|line| line.v == 1) {
                lines.entry(line.file.clone()).or_default().push(line);
            }
        }
        Self { path, settings: format!("{:016x}", fingerprint(settings.as_bytes())), lines }
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

    /// Adds a line for a result that is written and not in place yet.
    ///
    /// # Errors
    /// Those of the file system; the result is as good without the line.
    pub fn add(&self, file: &str, result: &File, picture: Stamp) -> io::Result<()> {
        // Set, so that no later flush moves it.
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
        let mut log = File::options().create(true).read(true).append(true).open(&self.path)?;
        // Without locks, lines of others may be lost, and their results are unknown then.
        let _ = log.lock();
        let mut last = [b'\n'];
        if log.seek(SeekFrom::End(-1)).is_ok() {
            log.read_exact(&mut last)?;
        }
        if last != [b'\n'] {
            text.insert(0, b'\n');
        }
        log.write_all(&text)
    }
}

/// FNV-1a, 64 bits: equal settings, equal numbers, on every machine and in every version.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
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

    #[test]
    fn fingerprints_are_those_of_fnv() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
