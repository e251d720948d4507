//! Picture files of a training set.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::error::{Error, Reason, Result, walk_in_words};
use crate::picture::{has_picture_name, is_junk, is_read};

/// Adds a picture file, or those of a folder and its subfolders, sorted by name in each. Links are followed. What cannot be
/// looked into is logged and left out, unless it is `path` itself.
pub(super) fn list(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |e: std::io::Error| Error::Picture(Reason::from(e).within(path.display()));
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.into());
        return Ok(());
    }
    let walk = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_junk(entry.file_name())) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_read(entry.path()) => {
                files.push(entry.into_path())
            }
            Ok(_) => {}
            Err(error) if error.depth() == 0 => return Err(failed(error.into())),
            Err(error) => {
                let found = error.path().unwrap_or(path);
                // Links that lead nowhere are of interest only by a picture's name.
                let is_wanted = has_picture_name(found) && !found.file_name().is_some_and(is_junk);
                if is_wanted || !found.is_symlink() || found.exists() {
                    log::warn!("{}: {}; left out", found.display(), walk_in_words(&error));
                }
            }
        }
    }
    Ok(())
}
