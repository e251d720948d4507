//! Patterns such as `scans/*.png`, which the shell has not expanded. Names of any bytes match, not only those in UTF-8.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: !cfg!(windows),
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Whether a path has a character that patterns give a meaning.
pub fn is_pattern(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
}

/// The files and folders that match, sorted by name within each folder; only folders if the pattern ends in a separator. `Err` says what is wrong with the pattern. Folders
/// that cannot be read have no matches.
pub fn matches(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let Component::Normal(name) = component else {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        };
        if !is_pattern(Path::new(name)) {
            found.iter_mut().for_each(|path| path.push(name));
            found.retain(|path| path.symlink_metadata().is_ok());
            continue;
        }
        if name == "**" {
            let mut below = Vec::new();
            found.iter().for_each(|folder| add_folders(folder, &mut below));
            found = below;
            continue;
        }
        let wanted = Pattern::new(&text(name)).map_err(|e| e.to_string())?;
        let all = found.iter().flat_map(|folder| names(folder));
        found = all
            .filter(|path| path.file_name().is_some_and(|name| wanted.matches_with(&text(name), OPTIONS)))
            .collect();
    }
    if pattern.as_os_str().as_encoded_bytes().last().is_some_and(|&last| std::path::is_separator(last.into()))
    {
        found.retain(|path| path.is_dir());
    }
    Ok(found)
}

/// What is in a folder, sorted.
fn names(folder: &Path) -> Vec<PathBuf> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(here).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| folder.join(entry.file_name())).collect();
    names.sort();
    names
}

/// Adds a folder and all below it, without hidden ones, and without following links, which could form a cycle.
fn add_folders(folder: &Path, all: &mut Vec<PathBuf>) {
    all.push(folder.into());
    for path in names(folder) {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.symlink_metadata().is_ok_and(|about| about.is_dir()) {
            add_folders(&path, all);
        }
    }
}

/// A name as text to match: bytes that are not UTF-8 become characters of a private range, one each.
fn text(name: &OsStr) -> String {
    const PRIVATE: u32 = 0x10_0000;
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|&byte| char::from_u32(PRIVATE + u32::from(byte))));
    }
    text
}
