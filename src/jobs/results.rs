//! Recognizing results of earlier runs among pictures, so that they are not enlarged again.
//!
//! A file counts as one if its original is beside it and its name says so (`a_srcnn_x2.png` beside `a.png`, or `a_x2.png` that
//! is twice as large), or if the index of a folder knows its content: that of its own folder, of those above it, or of the
//! output folder. A folder with nothing but results that is named itself is meant.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::picture::{PictureFile, has_picture_name};

use super::indexes::Indexes;
use super::job::parent;
use super::naming::{MARK, SizeLabel};

/// What is known about results of earlier runs.
pub struct Results<'a> {
    indexes: &'a Indexes,
    /// The folder that results go to; without one they go beside their pictures, and the name alone is enough.
    output: Option<&'a Path>,
    /// Pictures by name without extension, for each folder.
    pictures: RefCell<HashMap<PathBuf, HashMap<OsString, Vec<PathBuf>>>>,
}

impl<'a> Results<'a> {
    pub fn new(indexes: &'a Indexes, output: Option<&'a Path>) -> Self {
        Self { indexes, output, pictures: RefCell::default() }
    }

    /// Whether a picture that was found below the folder `root` is the result of another one there, or lies in a folder for
    /// results.
    pub fn has(&self, picture: &Path, root: &Path) -> bool {
        let named = self.output.is_none() && made_up(picture).is_some();
        named || !self.originals(picture).is_empty() || self.is_indexed(picture, root)
    }

    /// Whether a picture is a result by its content, wherever it was made and whatever it is called.
    pub fn knows(&self, picture: &Path, root: &Path) -> bool {
        let has = |folder: &Path| self.indexes.existing(folder).is_some_and(|index| index.has(picture));
        folders_up_to(picture, root).any(has) || self.output.is_some_and(has)
    }

    /// The pictures beside this one that, by its name, it is an enlargement of.
    pub fn originals(&self, picture: &Path) -> Vec<PathBuf> {
        if let Some(original) = made_up(picture) {
            return self.beside(picture, original);
        }
        let Some((original, scale)) = scaled(picture) else { return Vec::new() };
        let mut originals = self.beside(picture, original);
        originals.retain(|original| is_enlarged(original, picture, scale));
        originals
    }

    fn is_indexed(&self, picture: &Path, root: &Path) -> bool {
        let stem = || picture.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        folders_up_to(picture, root).any(|folder| {
            let has = || self.indexes.existing(folder).is_some_and(|index| index.has(picture));
            // Results in another format beside their pictures: a.webp beside a.png.
            has() && (folder != root || !self.beside(picture, &stem()).is_empty())
        })
    }

    /// Other pictures in the same folder that are called `stem`.
    fn beside(&self, picture: &Path, stem: &str) -> Vec<PathBuf> {
        let folder = parent(picture);
        let mut pictures = self.pictures.borrow_mut();
        let names = pictures.entry(folder.into()).or_insert_with(|| {
            let mut names: HashMap<OsString, Vec<PathBuf>> = HashMap::new();
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = picture.with_file_name(entry.file_name());
                if let Some(stem) = path.file_stem().filter(|_| has_picture_name(&path)) {
                    names.entry(stem.into()).or_default().push(path);
                }
            }
            names
        });
        let found = names.get(&OsString::from(stem)).into_iter().flatten();
        found.filter(|path| *path != picture).cloned().collect()
    }
}

/// The folder that a picture is in and those above it, up to `root`.
fn folders_up_to<'a>(picture: &'a Path, root: &Path) -> impl Iterator<Item = &'a Path> {
    let folders = picture.ancestors().skip(1);
    let folders = folders.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let below = picture.strip_prefix(root).map_or(1, |below| below.components().count());
    folders.take(below.max(1))
}

fn stem(path: &Path) -> Option<&str> {
    path.file_stem()?.to_str()
}

/// The original's name in a name that this program makes up: `.._srcnn_x2`.
fn made_up(path: &Path) -> Option<&str> {
    let (original, size) = stem(path)?.rsplit_once(MARK)?;
    SizeLabel::is_label(size).then_some(original)
}

/// The original's name and the scale in a name that people choose: `.._x2`, `..-2x`.
fn scaled(path: &Path) -> Option<(&str, f64)> {
    let stem = stem(path)?;
    let parsed = |(at, separator): (usize, &str)| {
        let size = &stem[at + separator.len()..];
        let size = size.strip_prefix(['x', 'X']).or_else(|| size.strip_suffix(['x', 'X']))?;
        let scale = size.parse::<f64>().ok().filter(|&scale| scale > 1.0 && scale.is_finite())?;
        Some((&stem[..at], scale))
    };
    // The first that fits: the scale may have a point, which separates as well.
    stem.match_indices(['_', '-', ' ', '.']).find_map(parsed)
}

/// Whether a picture has `scale` times the columns and rows of another one, or nearly so.
fn is_enlarged(original: &Path, picture: &Path, scale: f64) -> bool {
    let size = |path: &Path| PictureFile::open(path).ok().map(|file| file.size());
    let (Some(from), Some(to)) = (size(original), size(picture)) else { return false };
    let fits = |from: u32, to: u32| (f64::from(from) * scale - f64::from(to)).abs() <= 1.0;
    fits(from.0, to.0) && fits(from.1, to.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::GrayImage;

    #[test]
    fn names_that_tell() {
        let made_up = |name| made_up(Path::new(name));
        assert_eq!(made_up("a/b_srcnn_x2.png"), Some("b"));
        assert_eq!(made_up("b_srcnn_fit9x8.jpg"), Some("b"));
        assert!(made_up("b_srcnn_xy.png").is_none() && made_up("b.png").is_none());
        let scaled = |name| scaled(Path::new(name));
        assert_eq!((scaled("a_x2.png"), scaled("a b-1.5x.jpg")), (Some(("a", 2.0)), Some(("a b", 1.5))));
        assert!(
            ["ax2.png", "a_x1.png", "a_xx.png", "a_x-2.png", "a_xinf.png"]
                .map(scaled)
                .iter()
                .all(Option::is_none)
        );
    }

    #[test]
    fn originals_are_beside_and_smaller() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let save = |name: &str, side: u32| GrayImage::new(side, side).save(at(name)).unwrap();
        for (name, side) in [
            ("a.png", 5),
            ("a_x2.png", 10),
            ("a_x3.png", 10),
            ("a-1.5x.png", 8),
            ("b_x2.png", 10),
            ("a_srcnn_w9.png", 9),
            ("c_srcnn_x2.png", 9),
        ] {
            save(name, side);
        }
        let indexes = Indexes::new(None);
        let results = |output| {
            let results = Results::new(&indexes, output);
            let mut found: Vec<_> =
                ["a", "a_x2", "a_x3", "a-1.5x", "b_x2", "a_srcnn_w9", "c_srcnn_x2"].into();
            found.retain(|name| results.has(&at(&format!("{name}.png")), folder.path()));
            found
        };
        assert_eq!(results(Some(Path::new("out"))), ["a_x2", "a-1.5x", "a_srcnn_w9"]);
        assert_eq!(results(None), ["a_x2", "a-1.5x", "a_srcnn_w9", "c_srcnn_x2"]);
    }
}
