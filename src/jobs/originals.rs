//! Results of earlier runs among pictures that are measured or trained on, where they do not belong.

use std::path::{Path, PathBuf};

use crate::picture::{has_picture_name, is_junk};
use walkdir::WalkDir;

use super::indexes::Indexes;
use super::left_out::{LeftOut, RESULTS};
use super::results::Results;

/// The pictures of a folder without results of earlier runs, which are told. All of them in a folder of nothing but results.
pub fn originals(folder: &Path, pictures: Vec<PathBuf>) -> Vec<PathBuf> {
    let (results, originals) = parted(folder, pictures);
    if originals.is_empty() {
        return results;
    }
    told(&results).tell(Some(folder), log::Level::Warn, RESULTS, "files", "");
    originals
}

/// Warns of results of earlier runs in folders of training pictures, subfolders included, that stay among these.
pub fn warn_of_results(folders: &[PathBuf]) {
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let walk = WalkDir::new(folder).follow_links(true).into_iter();
        let files = walk.filter_entry(|entry| entry.depth() == 0 || !is_junk(entry.file_name()));
        let files = files.flatten().map(walkdir::DirEntry::into_path);
        let (results, originals) = parted(folder, files.filter(|path| has_picture_name(path)).collect());
        if !originals.is_empty() {
            let what = "results of this program among the training pictures";
            let hint = ": they are trained on too, keep them in another folder";
            told(&results).tell(Some(folder), log::Level::Warn, what, "files", hint);
        }
    }
}

/// Results, and all others.
fn parted(folder: &Path, pictures: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let indexes = Indexes::default();
    let results = Results::new(&indexes, None);
    pictures.into_iter().partition(|path| results.has(path, folder) || results.knows(path, folder))
}

fn told(results: &[PathBuf]) -> LeftOut {
    let mut told = LeftOut::default();
    results.iter().for_each(|path| told.add(path.file_name().unwrap_or_default()));
    told
}
