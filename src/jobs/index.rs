//! The index of a folder with results: what they were made from, so that a later run knows which are up to date.
//!
//! Each such folder gets one hidden file, [`NAME`], with a line of JSON per result: what the result and its picture were like
//! (see [`Mark`]), and a fingerprint of the settings. Why this way: a mark inside the results would not fit into every
//! format, would change the pictures' metadata, and would make two runs give different files; extended attributes get lost on
//! many file systems; a database in the user's home is missing in a container and on another machine.
//!
//! A line is written before its result is put in place. So a run that is killed between the two leaves a line that describes
//! no file; and a file that no line describes was made or changed by somebody else, and is never replaced unasked.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use crate::hash::fnv;
use parking_lot::Mutex;

use super::lines::{Line, Log};
use super::name::Name;
use super::stamp::{Mark, Seen};

/// The file's name.
pub const NAME: &str = ".srcnn-gpu.jsonl";

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

/// The index of one folder.
#[derive(Debug)]
pub struct Index {
    log: Log,
    settings: String,
    shrinks: bool,
    lines: HashMap<Name, Vec<Line>>,
    /// All results that have been enlarged, by their sizes, put together when it is asked for.
    by_size: OnceLock<HashMap<u64, Vec<Mark>>>,
    /// Lines about files that are the same, but have another stamp by now.
    renewed: Mutex<Vec<Line>>,
}

impl Index {
    /// Reads the index of a folder, empty if there is none. `settings` describes everything that the results depend on
    /// besides the pictures.
    pub fn open(folder: &Path, settings: &str) -> Self {
        let (log, all) = Log::open(folder.join(NAME));
        let mut lines: HashMap<Name, Vec<Line>> = HashMap::new();
        for line in all {
            lines.entry(line.file.clone()).or_default().push(line);
        }
        let settings = format!("{:016x}", fnv(settings));
        Self { log, settings, shrinks: false, lines, by_size: OnceLock::new(), renewed: Mutex::default() }
    }

    /// The same for results that are smaller than their pictures.
    #[must_use]
    pub fn of_shrunk(self, shrinks: bool) -> Self {
        Self { shrinks, ..self }
    }

    fn line(&self, file: &Name, result: &Seen<'_>) -> Option<&Line> {
        let lines = self.lines.get(file)?;
        lines.iter().rev().find(|line| line.result.is(result))
    }

    /// Whether a file is an enlarged picture that this index knows, under whatever name and wherever it is now.
    pub fn has(&self, file: &Path) -> bool {
        let by_size = self.by_size.get_or_init(|| {
            let mut by_size: HashMap<u64, Vec<Mark>> = HashMap::new();
            for line in self.lines.values().flatten().filter(|line| !line.shrunk) {
                by_size.entry(line.result.stamp.size).or_default().push(line.result.clone());
            }
            by_size
        });
        let Some(seen) = Seen::at(file) else { return false };
        by_size.get(&seen.stamp.size).is_some_and(|results| results.iter().any(|result| result.is(&seen)))
    }

    /// What is known about a result that was made, if it was, from this picture.
    pub fn state(&self, file: &Name, result: &Seen<'_>, picture: &Seen<'_>) -> State {
        match self.line(file, result) {
            None => State::Unknown,
            Some(line) if !line.picture.is(picture) => State::Stale("its picture has changed"),
            Some(line) if line.settings != self.settings => State::Stale("it was made with other settings"),
            Some(line) => {
                self.renew(line, result, picture);
                State::Fresh
            }
        }
    }

    /// Remembers new stamps for a line, so that the next run need not read the files.
    fn renew(&self, line: &Line, result: &Seen<'_>, picture: &Seen<'_>) {
        let renewed = |mark: &Mark, seen: &Seen<'_>| match mark.is_sure(seen) {
            true => Some(mark.clone()),
            false => mark.renewed(seen),
        };
        if line.result.is_sure(result) && line.picture.is_sure(picture) {
            return;
        }
        if let (Some(result), Some(picture)) =
            (renewed(&line.result, result), renewed(&line.picture, picture))
        {
            self.renewed.lock().push(line.renewed(result, picture));
        }
    }

    /// Writes down what [`Index::state`] has found out. That nothing can be written only means that it is found out again.
    pub fn settle(&self) {
        let renewed = std::mem::take(&mut *self.renewed.lock());
        if !renewed.is_empty()
            && let Err(error) = self.log.add(&renewed)
        {
            log::debug!("{error}");
        }
    }

    /// Adds a line for a result that is written but not in place yet.
    ///
    /// # Errors
    /// Those of the file system. The result is valid without the line.
    pub fn add(&self, file: &Name, result: &File, picture: &Mark) -> io::Result<()> {
        let result = Mark::of_result(result)?;
        let mut line = Line::new(file.clone(), result, picture.clone(), self.settings.clone());
        line.shrunk = self.shrinks;
        self.log.add(&[line])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::{Duration, SystemTime};

    fn write(folder: &Path, name: &str, content: &str) -> File {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        File::options().read(true).write(true).open(&path).unwrap()
    }

    fn name(name: &str) -> Name {
        Name::of(Path::new(name))
    }

    fn touch(file: &File) {
        file.set_modified(SystemTime::now() - Duration::from_secs(100)).unwrap();
    }

    #[test]
    fn fresh_stale_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let result = write(folder.path(), "a.png", "result");
        let picture = write(folder.path(), "p", "picture");
        let mark = Mark::of_picture(&at("p")).unwrap();
        Index::open(folder.path(), "x2").add(&name("a.png"), &result, &mark).unwrap();
        let state = |settings, file: &str| {
            let [result, picture] = [at("a.png"), at("p")];
            let [result, picture] = [&result, &picture].map(|path| Seen::at(path).unwrap());
            Index::open(folder.path(), settings).state(&name(file), &result, &picture)
        };
        assert_eq!(state("x2", "a.png"), State::Fresh);
        assert_eq!(state("x3", "a.png"), State::Stale("it was made with other settings"));
        assert_eq!(state("x2", "b.png"), State::Unknown);
        // Times alone change nothing.
        touch(&result);
        touch(&picture);
        assert_eq!(state("x2", "a.png"), State::Fresh);
        // The same size, and within the same second.
        write(folder.path(), "p", "PICTURE");
        assert_eq!(state("x2", "a.png"), State::Stale("its picture has changed"));
        write(folder.path(), "p", "picture");
        write(folder.path(), "a.png", "by hand");
        assert_eq!(state("x2", "a.png"), State::Unknown);
        write(folder.path(), "a.png", "byhand");
        assert_eq!(state("x2", "a.png"), State::Unknown);
    }

    #[test]
    fn what_was_found_out_is_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let result = write(folder.path(), "a.png", "result");
        let picture = write(folder.path(), "p", "picture");
        let mark = Mark::of_picture(&at("p")).unwrap();
        Index::open(folder.path(), "x2").add(&name("a.png"), &result, &mark).unwrap();
        let count = || fs::read_to_string(at(NAME)).unwrap().lines().count();
        let check = || {
            let index = Index::open(folder.path(), "x2");
            let (a, p) = (at("a.png"), at("p"));
            let state = index.state(&name("a.png"), &Seen::at(&a).unwrap(), &Seen::at(&p).unwrap());
            assert_eq!(state, State::Fresh);
            index.settle();
        };
        touch(&result);
        touch(&picture);
        check();
        // Where the time of any change is known, the picture is too young to be trusted.
        assert_eq!(count(), if cfg!(unix) { 1 } else { 2 });
        std::thread::sleep(Duration::from_millis(2600));
        check();
        assert_eq!(count(), 2);
        check();
        assert_eq!(count(), 2, "the stamps are enough now");
    }

    #[test]
    fn processes_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("p"), "picture").unwrap();
        let mark = Mark::of_picture(&folder.path().join("p")).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (folder, mark) = (folder.path(), &mark);
                scope.spawn(move || {
                    let index = Index::open(folder, "x2");
                    for number in 0..25 {
                        let file = format!("{thread}-{number}");
                        index.add(&name(&file), &write(folder, &file, &file), mark).unwrap();
                    }
                });
            }
        });
        assert_eq!(Index::open(folder.path(), "x2").lines.len(), 100);
        let at = folder.path().join("3-7");
        let has = |path: &Path| Index::open(folder.path(), "x3").has(path);
        assert!(has(&at));
        let elsewhere = folder.path().join("another name");
        fs::copy(&at, &elsewhere).unwrap();
        assert!(has(&elsewhere));
        fs::write(&at, "9-7").unwrap();
        assert!(!has(&at) && has(&elsewhere));
    }
}
