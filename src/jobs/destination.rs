//! Files that results go to, which may exist already.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use parking_lot::Mutex;

use crate::atomic::{write_atomically_by_name, write_new_by_name};
use crate::error::{Error, Result};

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
    /// Where to write, or `None` if the file exists and is kept.
    ///
    /// # Errors
    /// [`Error::Output`] when the file exists and the policy is [`Existing::Fail`].
    pub fn resolve(self, path: &Path) -> Result<Option<Destination>> {
        self.resolve_among(path, &Arc::default())
    }

    /// As [`Existing::resolve`] for one of many results, which must not get the same name.
    ///
    /// # Errors
    /// As [`Existing::resolve`].
    pub fn resolve_among(self, path: &Path, taken: &Arc<Taken>) -> Result<Option<Destination>> {
        // A dangling link counts as existing too: writing would follow or replace it.
        let exists = path.symlink_metadata().is_ok();
        let (path, clash) = match self {
            Existing::Overwrite => (path.into(), Clash::Replace),
            Existing::Skip if exists => return Ok(None),
            Existing::Skip => (path.into(), Clash::Keep),
            Existing::Fail if exists => return Err(exists_already(path)),
            Existing::Fail => (path.into(), Clash::Refuse),
            Existing::Rename => {
                let name = if exists { taken.free_name(path) } else { path.into() };
                (name, Clash::Rename { asked: path.into(), taken: taken.clone() })
            }
        };
        Ok(Some(Destination { path, clash }))
    }
}

/// A path to write to.
#[derive(Debug)]
pub struct Destination {
    pub path: PathBuf,
    pub clash: Clash,
}

/// What [`Existing`] means for a file that is there when a result is about to be put in place. It may have appeared since the
/// work began.
#[derive(Debug, Clone, Default)]
pub enum Clash {
    Replace,
    /// Keep it; the result is dropped.
    #[default]
    Keep,
    /// Treat it as an error.
    Refuse,
    /// Give the result the next free name after `asked`.
    Rename {
        asked: PathBuf,
        taken: Arc<Taken>,
    },
}

impl Clash {
    /// Writes a result whole or not at all. Returns its path, `None` if another file is kept.
    ///
    /// # Errors
    /// As [`write_atomically`]; [`Error::Output`] for a file that is there against [`Clash::Refuse`].
    pub fn write(
        &self,
        path: &Path,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<Option<PathBuf>> {
        self.write_by_name(path, |file, _| fill(file))
    }

    /// As [`Clash::write`] with the path besides that the file has until then, for other programs to write to.
    ///
    /// # Errors
    /// As [`Clash::write`].
    pub fn write_by_name(
        &self,
        path: &Path,
        fill: impl FnOnce(&mut File, &Path) -> io::Result<()>,
    ) -> Result<Option<PathBuf>> {
        let written = match self {
            Clash::Replace => {
                write_atomically_by_name(path, fill)?;
                return Ok(Some(path.into()));
            }
            Clash::Rename { asked, taken } => write_new_by_name(path, fill, || Some(taken.free_name(asked)))?,
            Clash::Keep | Clash::Refuse => write_new_by_name(path, fill, || None)?,
        };
        match self {
            Clash::Refuse if written.is_none() => Err(exists_already(path)),
            _ => Ok(written),
        }
    }
}

fn exists_already(path: &Path) -> Error {
    let reason = "it exists already; use --existing overwrite, rename or skip";
    Error::Output { path: path.into(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn policies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.b.png");
        let taken = Arc::new(Taken::new([path.clone()].into()));
        let resolve = |policy: Existing| policy.resolve_among(&path, &taken).map(|to| to.map(|to| to.path));
        for policy in [Existing::Skip, Existing::Overwrite, Existing::Rename, Existing::Fail] {
            assert_eq!(resolve(policy).unwrap(), Some(path.clone()));
        }
        let early = |policy: Existing| policy.resolve_among(&path, &taken).unwrap().unwrap();
        let [skip, fail, rename] = [Existing::Skip, Existing::Fail, Existing::Rename].map(early);
        fs::write(&path, b"").unwrap();
        assert_eq!(resolve(Existing::Skip).unwrap(), None);
        assert_eq!(resolve(Existing::Overwrite).unwrap(), Some(path.clone()));
        assert!(matches!(resolve(Existing::Fail), Err(Error::Output { .. })));
        let at = |name: &str| Some(folder.path().join(name));
        assert_eq!(resolve(Existing::Rename).unwrap(), at("a.b (1).png"));
        // The name is taken before the file is there.
        assert_eq!(resolve(Existing::Rename).unwrap(), at("a.b (2).png"));
        // The file has appeared since these were resolved.
        let write = |to: Destination| to.clash.write(&to.path, |file| file.write_all(b"new"));
        assert_eq!(write(skip).unwrap(), None);
        assert!(write(fail).unwrap_err().to_string().contains("it exists already"));
        assert_eq!(write(rename).unwrap(), at("a.b (3).png"));
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}
