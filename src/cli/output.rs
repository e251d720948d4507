//! Where results go: the standard output, and files that may exist already.

use std::collections::HashSet;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use parking_lot::Mutex;
use serde::Serialize;
use srcnn_gpu::atomic::explain;
pub use srcnn_gpu::atomic::write_atomically;
use srcnn_gpu::{Error, Reason, Result};

/// What to do when an output file exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Existing {
    /// Keep it and go on, but make results of this program again if their picture or the settings have changed
    Skip,
    /// Replace it
    Overwrite,
    /// Write to a free name next to it: `name (1).png`
    Rename,
    /// Treat it as an error
    Fail,
}

/// Names of this run's results, whether the files exist yet or not.
#[derive(Debug, Default)]
pub struct Taken(Mutex<HashSet<PathBuf>>);

impl Taken {
    pub fn new(names: HashSet<PathBuf>) -> Self {
        Self(Mutex::new(names))
    }

    /// Takes the first free name of `name (1).png`, `name (2).png`, ..
    fn free_name(&self, path: &Path) -> PathBuf {
        let mut taken = self.0.lock();
        let mut number = 1;
        loop {
            let mut name = path.file_stem().unwrap_or_default().to_os_string();
            name.push(format!(" ({number})"));
            if let Some(extension) = path.extension() {
                name.push(".");
                name.push(extension);
            }
            let candidate = path.with_file_name(name);
            if candidate.symlink_metadata().is_err() && taken.insert(candidate.clone()) {
                return candidate;
            }
            number += 1;
        }
    }
}

impl Existing {
    /// The path to write to, or `None` if the file exists and is kept.
    ///
    /// # Errors
    /// [`Error::Output`] when the file exists and the policy is [`Existing::Fail`].
    pub fn resolve(self, path: &Path) -> Result<Option<PathBuf>> {
        self.resolve_among(path, &Taken::default())
    }

    /// As [`Existing::resolve`] for one of many results, which must not get the same name.
    ///
    /// # Errors
    /// As [`Existing::resolve`].
    pub fn resolve_among(self, path: &Path, taken: &Taken) -> Result<Option<PathBuf>> {
        // A dangling link counts as existing too: writing would follow or replace it.
        if self == Existing::Overwrite || path.symlink_metadata().is_err() {
            return Ok(Some(path.into()));
        }
        match self {
            Existing::Skip => Ok(None),
            Existing::Rename => Ok(Some(taken.free_name(path))),
            _ => Err(error(path, "it exists already; use --existing overwrite, rename or skip")),
        }
    }
}

/// Creates a folder and those above it, if they are missing.
///
/// # Errors
/// [`Error::Output`].
pub fn create_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path)
        .map_err(|e| error(path, Reason::from(e).within("the folder cannot be created")))
}

/// An event as a line of JSON, beginning with the version of the format.
///
/// # Errors
/// None in practice.
pub fn json_line(event: &impl Serialize) -> Result<String> {
    #[derive(Serialize)]
    struct Versioned<'a, E> {
        v: u32,
        #[serde(flatten)]
        event: &'a E,
    }
    serde_json::to_string(&Versioned { v: 1, event })
        .map_err(|e| Error::invalid(format!("event as JSON: {e}")))
}

/// Prints a line of results to the standard output.
///
/// # Errors
/// As [`print_text`].
pub fn print(line: impl Display) -> Result<()> {
    print_text(&format!("{line}\n"))
}

/// Prints results to the standard output as they are. A reader that has gone away (`| head`) is no error.
///
/// # Errors
/// [`Error::Output`] if it cannot be written to, for example on a full disk.
pub fn print_text(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(error(Path::new("standard output"), explain(&e))),
        _ => Ok(()),
    }
}

fn error(path: &Path, reason: impl Into<Reason>) -> Error {
    Error::Output { path: path.into(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn policies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.b.png");
        let taken = Taken::new([path.clone()].into());
        for policy in [Existing::Skip, Existing::Overwrite, Existing::Rename, Existing::Fail] {
            assert_eq!(policy.resolve_among(&path, &taken).unwrap(), Some(path.clone()));
        }
        fs::write(&path, b"").unwrap();
        assert_eq!(Existing::Skip.resolve_among(&path, &taken).unwrap(), None);
        assert_eq!(Existing::Overwrite.resolve_among(&path, &taken).unwrap(), Some(path.clone()));
        assert!(matches!(Existing::Fail.resolve_among(&path, &taken), Err(Error::Output { .. })));
        let first = Existing::Rename.resolve_among(&path, &taken).unwrap().unwrap();
        assert_eq!(first, folder.path().join("a.b (1).png"));
        // The name is taken before the file is there.
        assert_eq!(
            Existing::Rename.resolve_among(&path, &taken).unwrap(),
            Some(folder.path().join("a.b (2).png"))
        );
    }
}
