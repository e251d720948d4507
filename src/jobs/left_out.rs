//! Files and folders that are left out when pictures are looked for, told in one line for each reason.

use std::ffi::OsStr;
use std::path::Path;

/// What results of earlier runs are told as.
pub const RESULTS: &str = "results of earlier runs, left out";

/// Entries left out of a folder.
#[derive(Default)]
pub struct LeftOut {
    pub count: usize,
    first: String,
}

impl LeftOut {
    pub fn add(&mut self, name: &OsStr) {
        if self.count == 0 {
            self.first = name.to_string_lossy().into_owned();
        }
        self.count += 1;
    }

    /// Tells in one line what was left out, of a folder or of what was named.
    pub fn tell(&self, folder: Option<&Path>, level: log::Level, what: &str, plural: &str, hint: &str) {
        let which = match self.count {
            0 => return,
            1 => self.first.clone(),
            count => format!("{count} {plural} ({}, ..)", self.first),
        };
        let place = folder.map(|folder| format!("{}: ", folder.display())).unwrap_or_default();
        log::log!(level, "{place}{what}: {which}{hint}");
    }
}
