//! One picture or video from file to file, and the record of its result.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::error::Result;
use crate::error::in_words;
use crate::picture::Kind;

use super::destination::Clash;
use super::index::Index;
use super::name::Name;
use super::stamp::{Mark, Stamp};

/// One picture or video to work on.
#[derive(Debug, Clone)]
pub struct Job {
    pub input: PathBuf,
    pub output: PathBuf,
    /// What to do about a file that is at `output` in the end.
    pub clash: Clash,
    /// For a file to be replaced: what it was like when that was decided.
    pub stale: Option<Stamp>,
    /// For pictures.
    pub kind: &'static Kind,
    /// Size of the input file in bytes, a measure of the work.
    pub bytes: u64,
    pub record: Option<Record>,
}

/// Where to record what a result was made from.
#[derive(Debug, Clone)]
pub struct Record {
    pub index: Arc<Index>,
    /// The result's path in the index's folder.
    pub file: Name,
    /// What the picture was like before it was read.
    pub picture: Arc<OnceLock<Mark>>,
}

impl Job {
    /// Writes the result whole or not at all, and records what it was made from. Returns the path it got, `None` if a file
    /// that has appeared or changed since the work began is kept.
    ///
    /// # Errors
    /// As [`Clash::write`].
    pub fn write(&self, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<Option<PathBuf>> {
        self.write_by_name(|file, _| fill(file))
    }

    /// As [`Job::write`] with the path besides that the file has until then, for other programs to write to.
    ///
    /// # Errors
    /// As [`Clash::write`].
    pub fn write_by_name(
        &self,
        fill: impl FnOnce(&mut File, &Path) -> io::Result<()>,
    ) -> Result<Option<PathBuf>> {
        let mut changed = false;
        let written = self.clash.write_by_name(&self.output, |out, name| {
            fill(out, name)?;
            if let Some(stale) = self.stale
                && fs::metadata(&self.output).is_ok_and(|about| Stamp::of(&about) != stale)
            {
                changed = true;
                return Err(io::Error::other("it has changed in the meantime"));
            }
            self.remember(out);
            Ok(())
        });
        if changed { Ok(None) } else { written }
    }

    fn remember(&self, result: &File) {
        static WARNED: AtomicBool = AtomicBool::new(false);
        let Some(Record { index, file, picture }) = &self.record else { return };
        let is_file = result.metadata().is_ok_and(|about| about.is_file());
        let Some(picture) = picture.get().filter(|_| is_file) else { return };
        if let Err(e) = index.add(file, result, picture)
            && !WARNED.swap(true, Ordering::Relaxed)
        {
            log::warn!(
                "what the results were made from cannot be recorded ({}); later runs will keep them as they are",
                in_words(&e)
            );
        }
    }

    /// The input's name, for messages.
    pub fn name(&self) -> String {
        self.input.file_name().unwrap_or(self.input.as_os_str()).to_string_lossy().into_owned()
    }
}

/// The folder that a file is in.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
