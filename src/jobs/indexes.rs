//! The indexes of all folders that a run has to do with, each read once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::index::{Index, NAME};

/// The indexes of folders.
#[derive(Debug, Default)]
pub struct Indexes {
    settings: Option<String>,
    /// Whether results that are named as files are recorded even in folders without an index.
    pub for_files: bool,
    /// Whether results are smaller than their pictures.
    pub shrinks: bool,
    /// `None` for a folder without one.
    open: Mutex<HashMap<PathBuf, Option<Arc<Index>>>>,
}

impl Indexes {
    /// `settings` describes everything that the results depend on besides the pictures; `None` keeps no record of results.
    pub fn new(settings: Option<String>) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The index to record results of this folder in, if results are recorded.
    pub fn to_record(&self, folder: &Path) -> Option<Arc<Index>> {
        let settings = self.settings.as_ref()?;
        let mut open = self.open.lock();
        let index = open.entry(folder.into()).or_default();
        let open = || Arc::new(Index::open(folder, settings).of_shrunk(self.shrinks));
        Some(index.get_or_insert_with(open).clone())
    }

    /// The index of a folder that has one.
    pub fn existing(&self, folder: &Path) -> Option<Arc<Index>> {
        let mut open = self.open.lock();
        let settings = self.settings.as_deref().unwrap_or_default();
        let read = || {
            let exists = folder.join(NAME).symlink_metadata().is_ok();
            exists.then(|| Arc::new(Index::open(folder, settings).of_shrunk(self.shrinks)))
        };
        open.entry(folder.into()).or_insert_with(read).clone()
    }

    /// Writes down what was found out about the files; see [`Index::settle`].
    pub fn settle(&self) {
        self.open.lock().values().flatten().for_each(|index| index.settle());
    }
}
