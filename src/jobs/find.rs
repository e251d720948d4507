//! Finding the pictures that arguments stand for: files, folders, patterns, lists.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use crate::bounded;
use crate::error::{Reason, Result};
use crate::error::{in_words, walk_in_words};
use crate::guard::guarded;
use crate::limits::Limit;
use crate::picture::{has_picture_name, is_junk, refuse, unread_kind};
use walkdir::WalkDir;

use super::container::is_video;
use super::index::NAME as INDEX;
use super::job::parent;
use super::left_out::{LeftOut, RESULTS};
use super::name::path_of;
use super::pattern;
use super::results::Results;

const NAMED_ALONE: &str = "; one that is named alone is enlarged";

/// A picture, and its path below the folder that was given, or just its name if it was given itself.
#[derive(Debug)]
pub struct Found {
    pub path: PathBuf,
    pub below: PathBuf,
}

/// How to look through folders.
pub struct Search<'a> {
    /// Include subfolders.
    pub recursive: bool,
    /// Take the videos of folders, and not the pictures.
    pub videos: bool,
    /// Whether the command has -r and --videos, to be recommended.
    pub has_flags: bool,
    /// A folder to leave out: the one for the results.
    pub stay_out: Option<PathBuf>,
    /// What is known about results of earlier runs, which are left out.
    pub results: &'a Results<'a>,
}

/// Finds the pictures in the order of the arguments, and within a folder by name. An error stands for an unusable
/// argument. Files in folders that are not pictures are left out with a warning.
pub fn find(inputs: &[PathBuf], search: &Search<'_>) -> Vec<Result<Found>> {
    let mut finder = Finder { search, seen: HashSet::new(), named: HashSet::new(), found: Vec::new() };
    for input in inputs {
        finder.argument(input);
    }
    finder.without_results()
}

struct Finder<'a> {
    search: &'a Search<'a>,
    seen: HashSet<PathBuf>,
    /// Those that were not found in a folder.
    named: HashSet<PathBuf>,
    found: Vec<Result<Found>>,
}

impl Finder<'_> {
    fn argument(&mut self, input: &Path) {
        // An existing file of this name takes precedence.
        if input.symlink_metadata().is_err() {
            if let Some(list) = input.as_os_str().as_encoded_bytes().strip_prefix(b"@") {
                return self.list(&path_of(list));
            }
            if pattern::is_pattern(input) {
                return self.pattern(input);
            }
        }
        self.path(input);
    }

    /// Takes the paths in a file: one per line, or separated by zeros as `find -print0` writes them.
    fn list(&mut self, list: &Path) {
        let read = match list.to_str() {
            Some("-") => bounded::read_from_limited(std::io::stdin().lock(), Limit::List),
            _ => bounded::read_limited(list, Limit::List),
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(e) => {
                let why = Reason::new(in_words(&e), e);
                return self.refuse(list, why.within("the list cannot be read"));
            }
        };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let separator = if bytes.contains(&0) { 0 } else { b'\n' };
        let paths =
            bytes.split(|&byte| byte == separator).map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut paths = paths.filter(|line| !line.is_empty()).peekable();
        if paths.peek().is_none() {
            return self.refuse(list, "the list is empty");
        }
        paths.for_each(|path| self.path(&path_of(path)));
    }

    /// Takes the files that match a pattern which the shell has not expanded, as on Windows.
    fn pattern(&mut self, pattern: &Path) {
        // Matching may panic, in code that is not ours.
        let matches = guarded(|| pattern::matches(pattern));
        match matches.unwrap_or_else(|_| Err("it cannot be handled, name the folder".into())) {
            Err(why) => self.refuse(pattern, format!("not a pattern: {why}")),
            Ok(paths) if paths.is_empty() => self.refuse(pattern, "no file matches this pattern"),
            Ok(paths) => paths.iter().for_each(|path| self.path(path)),
        }
    }

    fn path(&mut self, path: &Path) {
        match std::fs::metadata(path) {
            Err(e) => self.refuse(path, in_words(&e)),
            Ok(about) if about.is_dir() => self.folder(path),
            Ok(_) => {
                self.named.insert(path.into());
                self.take(path.into(), path.file_name().map(PathBuf::from).unwrap_or_default());
            }
        }
    }

    fn folder(&mut self, folder: &Path) {
        let depth = if self.search.recursive { usize::MAX } else { 1 };
        let walk = WalkDir::new(folder).min_depth(1).max_depth(depth).follow_links(true).sort_by_file_name();
        let mut entries = walk.into_iter();
        let (mut any, mut others, mut folders) = (false, LeftOut::default(), LeftOut::default());
        let (mut videos, mut results) = (LeftOut::default(), LeftOut::default());
        // Results whose originals are not here, and whether there is anything else.
        let (mut orphans, mut others_than_results) = (Vec::new(), false);
        // By what they are and what to do about them.
        let mut unread = BTreeMap::<String, LeftOut>::new();
        let is_wanted =
            |path: &Path| if self.search.videos { is_video(path) } else { has_picture_name(path) };
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => {
                    let path = e.path().unwrap_or(folder);
                    // A link that leads nowhere, by a name that nobody wants.
                    let (dangling, name) = (path.is_symlink() && !path.exists(), path.file_name());
                    match name.filter(|name| dangling && (is_junk(name) || !is_wanted(path))) {
                        Some(name) => others.add(name),
                        None => self.refuse(path, walk_in_words(&e)),
                    }
                    continue;
                }
            };
            let (is_folder, path) = (entry.file_type().is_dir(), entry.path());
            if is_folder {
                let is_output =
                    self.search.stay_out.is_some() && path.canonicalize().ok() == self.search.stay_out;
                if self.search.recursive && !is_junk(entry.file_name()) && !is_output {
                    continue;
                }
                if self.search.recursive {
                    entries.skip_current_dir();
                }
                if !is_output {
                    folders.add(entry.file_name());
                }
            } else if is_junk(entry.file_name()) || !is_wanted(path) {
                // The program's own index needs no mention.
                if is_video(path) && !is_junk(entry.file_name()) {
                    videos.add(entry.file_name());
                } else if entry.file_name() != INDEX {
                    others.add(entry.file_name());
                }
            } else if let Some(kind) = (!self.search.videos).then(|| unread_kind(path)).flatten() {
                unread.entry(kind).or_default().add(entry.file_name());
            } else {
                any = true;
                if self.search.results.has(path, folder) {
                    results.add(entry.file_name());
                    continue;
                }
                let below = path.strip_prefix(folder).unwrap_or(path).to_owned();
                if self.search.results.knows(path, folder) {
                    orphans.push((path.to_owned(), below));
                } else {
                    others_than_results = true;
                    self.take(path.into(), below);
                }
            }
        }
        let mut unnamed = LeftOut::default();
        for (path, below) in orphans {
            match others_than_results {
                true => unnamed.add(below.as_os_str()),
                false => self.take(path, below),
            }
        }
        for (kind, files) in &unread {
            let what = "pictures that this build does not read, left out";
            files.tell(Some(folder), log::Level::Warn, what, "files", &format!(": {kind}"));
        }
        let advise = |hint: &'static str| if self.search.has_flags { hint } else { "" };
        let hint = if self.search.recursive { "" } else { advise("; -r includes them") };
        let what = if self.search.videos { "videos" } else { "pictures" };
        if !any {
            let hint = if folders.count > 0 && !self.search.recursive {
                advise("; -r looks into its subfolders")
            } else if videos.count > 0 {
                advise("; --videos takes its videos")
            } else {
                ""
            };
            let readable = if unread.is_empty() { "" } else { " that this build reads" };
            return self.refuse(folder, format!("there are no {what}{readable} in this folder{hint}"));
        }
        let (warn, info) = (log::Level::Warn, log::Level::Info);
        others.tell(Some(folder), warn, &format!("not {what}, left out"), "files", "");
        videos.tell(
            Some(folder),
            warn,
            "videos, left out beside pictures",
            "files",
            advise("; --videos takes them instead"),
        );
        folders.tell(Some(folder), warn, "folders left out", "folders", hint);
        results.tell(Some(folder), info, RESULTS, "files", "");
        unnamed.tell(Some(folder), warn, RESULTS, "files", NAMED_ALONE);
    }

    /// All that was found, without results that were named together with their originals, as `*.png` does.
    fn without_results(self) -> Vec<Result<Found>> {
        let Self { search, seen, named, mut found } = self;
        let knows = |path: &PathBuf| search.results.knows(path, parent(path));
        let with_original =
            |path: &Path| search.results.originals(path).iter().any(|original| seen.contains(original));
        let known: HashSet<&PathBuf> = named.iter().filter(|path| knows(path)).collect();
        let all_known = known.len() == named.len();
        let mut left_out = LeftOut::default();
        let mut is_result = |path: &PathBuf| {
            let is_one =
                named.contains(path) && (with_original(path) || (known.contains(path) && !all_known));
            if is_one {
                left_out.add(path.as_os_str());
            }
            is_one
        };
        if named.len() > 1 {
            found.retain(|found| !found.as_ref().is_ok_and(|found| is_result(&found.path)));
        }
        left_out.tell(None, log::Level::Warn, RESULTS, "files", NAMED_ALONE);
        found
    }

    fn take(&mut self, path: PathBuf, below: PathBuf) {
        if self.seen.insert(path.clone()) {
            self.found.push(Ok(Found { path, below }));
        }
    }

    fn refuse(&mut self, path: &Path, why: impl Into<Reason>) {
        self.found.push(Err(refuse(path, why)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::indexes::Indexes;
    use super::*;
    use std::fs;

    fn names(inputs: &[PathBuf], recursive: bool, stay_out: Option<PathBuf>) -> Vec<String> {
        let indexes = Indexes::new(None);
        let results = &Results::new(&indexes, None);
        let search = Search { recursive, videos: false, has_flags: true, stay_out, results };
        let show = |found: Result<Found>| match found {
            Ok(found) => found.below.to_string_lossy().replace('\\', "/"),
            Err(error) => error.to_string().rsplit(": ").next().unwrap_or_default().to_owned(),
        };
        find(inputs, &search).into_iter().map(show).collect()
    }

    #[test]
    fn folders_lists_and_patterns() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["in/deep/er", "in/.cache", "in/out", "in/__macosx", "bare"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        let files = [
            "b.png",
            "a.jpg",
            "._a.jpg",
            "notes.txt",
            "b_srcnn_x2.png",
            "deep/c.gif",
            "deep/er/d.bmp",
            ".cache/e.png",
        ];
        for name in files.iter().chain(&["out/f.png", "__macosx/g.png"]) {
            fs::write(at("in").join(name), "").unwrap();
        }
        fs::write(at("[1].png"), "").unwrap();
        let out = at("in/out").canonicalize().ok();
        assert_eq!(names(&[at("in")], false, out.clone()), ["a.jpg", "b.png"]);
        assert_eq!(names(&[at("in")], true, out.clone()), ["a.jpg", "b.png", "deep/c.gif", "deep/er/d.bmp"]);
        assert_eq!(names(&[at("in/deep"), at("in/*/c.*")], false, None), ["c.gif"]);
        assert_eq!(names(&[at("in/[ab].*")], false, None), ["a.jpg", "b.png"]);
        assert_eq!(
            names(&[at("[1].png")], false, None),
            ["[1].png"],
            "a file's name takes precedence over a pattern"
        );
        let both = [at("in/b.png"), at("in/b_srcnn_x2.png")];
        assert_eq!(names(&both, false, None), ["b.png"], "named together with its original");
        assert_eq!(names(&both[1..], false, None), ["b_srcnn_x2.png"]);
        assert_eq!(names(&[at("in/*.tiff")], false, None), ["no file matches this pattern"]);
        assert_eq!(names(&[at("bare")], true, None), ["there are no pictures in this folder"]);

        let show = |name: &str| at(name).display().to_string();
        let list = |text: String| {
            fs::write(at("list"), text).unwrap();
            names(&[PathBuf::from(format!("@{}", show("list")))], false, None)
        };
        assert_eq!(
            list(format!("\u{feff}{}\r\n\r\n{}\n", show("in/b.png"), show("in/deep"))),
            ["b.png", "c.gif"]
        );
        assert_eq!(list(format!("{}\0{}", show("in/b.png"), show("in/a.jpg"))), ["b.png", "a.jpg"]);
        assert_eq!(list("\n".into()), ["the list is empty"]);
        assert_eq!(list(format!("{}\n", show("in/*.png"))).len(), 1, "lists contain no patterns");
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf_8() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &[u8]| folder.path().join(OsStr::from_bytes(name));
        fs::create_dir_all(at(b"d\xe9/deep")).unwrap();
        for name in [&b"d\xe9/caf\xe9.png"[..], b"d\xe9/b.png", b"d\xe9/deep/c.png", b"d\xe9/.h.png"] {
            fs::write(at(name), "").unwrap();
        }
        for (pattern, found) in [
            (&b"d\xe9/*.png"[..], &["b.png", "caf\u{fffd}.png"][..]),
            (b"*/caf?.png", &["caf\u{fffd}.png"]),
            (b"d?/caf[\xe9].*", &["caf\u{fffd}.png"]),
            (b"**/*.png", &["b.png", "caf\u{fffd}.png", "c.png"]),
            (b"d\xea/*.png", &["no file matches this pattern"]),
        ] {
            assert_eq!(names(&[at(pattern)], false, None), found, "{}", pattern.escape_ascii());
        }
        fs::write(at(b"l\xe9"), at(b"d\xe9/b.png").as_os_str().as_bytes()).unwrap();
        let list = [b"@", at(b"l\xe9").as_os_str().as_bytes()].concat();
        assert_eq!(names(&[path_of(&list)], false, None), ["b.png"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_back_end() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.png"), "").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("b")).unwrap();
        let found = names(&[folder.path().into()], true, None);
        assert!(found[0] == "a.png" && found[1].contains("leads back"), "{found:?}");
    }
}
