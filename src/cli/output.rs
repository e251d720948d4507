//! Where results go: files that exist already, the standard output.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use srcnn_gpu::atomic::explain;
pub use srcnn_gpu::atomic::write_atomically;
use srcnn_gpu::{Error, Result};

/// What to do when an output file exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Existing {
    /// Leave it and go on.
    Skip,
    /// Replace it.
    Overwrite,
    /// Write to a free name next to it: `name (1).png`.
    Rename,
    /// Stop with an error.
    Fail,
}

impl Existing {
    /// The path to write to, or `None` when the output is to be skipped.
    ///
    /// # Errors
    /// [`Error::Output`] when the file exists and the policy is [`Existing::Fail`].
    pub fn resolve(self, path: &Path) -> Result<Option<PathBuf>> {
        // A dangling link counts as existing too: writing would follow or replace it.
        if self == Existing::Overwrite || path.symlink_metadata().is_err() {
            return Ok(Some(path.into()));
        }
        match self {
            Existing::Skip => Ok(None),
            Existing::Rename => Ok(Some(free_name(path))),
            _ => Err(error(path, "it exists already; --existing overwrite, rename or skip says what to do")),
        }
    }
}

/// The first of `name (1).png`, `name (2).png`, .. that does not exist.
fn free_name(path: &Path) -> PathBuf {
    let mut number = 1;
    loop {
        let mut name = path.file_stem().unwrap_or_default().to_os_string();
        name.push(format!(" ({number})"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        let candidate = path.with_file_name(name);
        if candidate.symlink_metadata().is_err() {
            return candidate;
        }
        number += 1;
    }
}

/// Prints a result to the standard output. A reader that has gone away (`| head`) is no error.
///
/// # Errors
/// [`Error::Output`] when it cannot be written to, on a full disk for one.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(error(Path::new("standard output"), explain(&e))),
        _ => Ok(()),
    }
}

fn error(path: &Path, reason: impl Into<String>) -> Error {
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
        for policy in [Existing::Skip, Existing::Overwrite, Existing::Rename, Existing::Fail] {
            assert_eq!(policy.resolve(&path).unwrap(), Some(path.clone()));
        }
        fs::write(&path, b"").unwrap();
        assert_eq!(Existing::Skip.resolve(&path).unwrap(), None);
        assert_eq!(Existing::Overwrite.resolve(&path).unwrap(), Some(path.clone()));
        assert!(matches!(Existing::Fail.resolve(&path), Err(Error::Output { .. })));
        let first = Existing::Rename.resolve(&path).unwrap().unwrap();
        assert_eq!(first, folder.path().join("a.b (1).png"));
        fs::write(&first, b"").unwrap();
        assert_eq!(Existing::Rename.resolve(&path).unwrap(), Some(folder.path().join("a.b (2).png")));
    }
}
