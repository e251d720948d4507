//! Writing files so that a failure leaves the previous file as it was.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use tempfile::{NamedTempFile, TempPath};

use crate::error::{Error, Reason, Result, in_words};

mod sweep;

pub use sweep::sweep;

/// Prefix of the names of temporary files.
const PREFIX: &str = ".srcnn-gpu-";
/// What follows the prefix for the moment until a file is locked.
const NEW: &str = "new-";
/// Number of random letters and digits that follow.
const RANDOM: usize = 6;

/// Temporary files that this process is writing.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Writes a file whole or not at all: `write` fills a temporary file in the same folder, which then replaces `path`. A new
/// file gets the usual permissions of new files, a replaced one keeps its own. Devices and pipes are written to directly,
/// and links are followed.
///
/// # Errors
/// [`Error::Output`] if the folder is missing or not writable, if `path` is a folder or read-only, and for errors of
/// `write`.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut fs::File) -> io::Result<()>) -> Result<()> {
    write_atomically_by_name(path, |file, _| write(file))
}

/// As [`write_atomically`] with the temporary file's path besides, for other programs to write to.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_atomically_by_name(
    path: &Path,
    write: impl FnOnce(&mut fs::File, &Path) -> io::Result<()>,
) -> Result<()> {
    let failed = |e: io::Error| error(path, explained(e));
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let existing = fs::metadata(&target).ok();
    if let Some(existing) = &existing {
        if existing.is_dir() {
            return Err(error(path, "it is a folder"));
        }
        if existing.permissions().readonly() {
            return Err(error(path, "it exists and is read-only"));
        }
        if !existing.is_file() {
            let mut device = fs::File::options().write(true).open(&target).map_err(failed)?;
            return write(&mut device, &target).map_err(failed);
        }
    }
    let temporary = Unfinished::filled(path, &target, write)?;
    if let Some(existing) = existing {
        temporary.file.as_file().set_permissions(existing.permissions()).map_err(failed)?;
    }
    temporary.persist(&target).map_err(failed)
}

/// As [`write_atomically`] for a file that the program keeps for itself: whatever else is at `path`, such as a link, is replaced
/// and not written through.
///
/// # Errors
/// [`Error::Output`] if the folder is missing or not writable, if `path` is a folder, and for errors of `write`.
pub fn write_own(path: &Path, write: impl FnOnce(&mut fs::File) -> io::Result<()>) -> Result<()> {
    Unfinished::filled(path, path, |file, _| write(file))?
        .persist(path)
        .map_err(|e| error(path, explained(e)))
}

/// As [`write_atomically`], but never replaces a file, not even one that appears while `write` is at work. If there is one at
/// the end, `next` gives another path in the same folder, or `None` to give up. Returns the path that was written to.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_new(
    path: &Path,
    write: impl FnOnce(&mut fs::File) -> io::Result<()>,
    next: impl FnMut() -> Option<PathBuf>,
) -> Result<Option<PathBuf>> {
    write_new_by_name(path, |file, _| write(file), next)
}

/// As [`write_new`] with the temporary file's path besides, for other programs to write to.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_new_by_name(
    path: &Path,
    write: impl FnOnce(&mut fs::File, &Path) -> io::Result<()>,
    mut next: impl FnMut() -> Option<PathBuf>,
) -> Result<Option<PathBuf>> {
    let mut temporary = Unfinished::filled(path, path, write)?;
    let mut target = path.to_owned();
    loop {
        match temporary.persist_new(&target).map_err(|e| error(&target, explained(e)))? {
            None => return Ok(Some(target)),
            Some(again) => temporary = again,
        }
        match next() {
            Some(other) => target = other,
            None => return Ok(None),
        }
    }
}

/// A temporary file that is being written. It is locked, to distinguish it from one that a killed process left behind.
struct Unfinished {
    file: NamedTempFile,
    /// Dropped after the file.
    _listed: Listed,
}

/// A path in [`UNFINISHED`].
struct Listed(PathBuf);

impl Drop for Listed {
    fn drop(&mut self) {
        UNFINISHED.lock().retain(|path| *path != self.0);
    }
}

impl Unfinished {
    fn new(folder: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        let prefix = [PREFIX, NEW].concat();
        builder.prefix(&prefix).rand_bytes(RANDOM);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666)); // less the umask
        }
        // The list stays locked until the file is in it, so that `abandon` misses none.
        let mut list = UNFINISHED.lock();
        let (file, path) = builder.tempfile_in(folder)?.into_parts();
        // Waits for another process's sweep, which holds the lock for a moment to see whether anybody else does. Some network
        // drives do not have locks.
        let _ = file.lock();
        // From now on, one that is not locked is left over.
        let random = path.file_name().map(|name| name.to_string_lossy().replacen(&prefix, "", 1));
        let locked = path.with_file_name(format!("{PREFIX}{}", random.unwrap_or_default()));
        fs::rename(&path, &locked)?;
        let file = NamedTempFile::from_parts(file, TempPath::try_from_path(locked)?);
        list.push(file.path().into());
        Ok(Self { _listed: Listed(file.path().into()), file })
    }

    /// A file in the folder of `target`, filled by `write`; errors name `path`.
    fn filled(
        path: &Path,
        target: &Path,
        write: impl FnOnce(&mut fs::File, &Path) -> io::Result<()>,
    ) -> Result<Self> {
        let folder = folder_of(target);
        if !folder.is_dir() {
            let what = if folder.exists() { "is not a folder" } else { "does not exist" };
            return Err(error(path, format!("'{}' {what}", folder.display())));
        }
        let failed = |e: io::Error| error(path, explained(e));
        let mut temporary = Self::new(folder).map_err(failed)?;
        let name = temporary.file.path().to_owned();
        write(temporary.file.as_file_mut(), &name).map_err(failed)?;
        Ok(temporary)
    }

    /// Puts the file in place; gives it back if another one is there.
    fn persist_new(self, target: &Path) -> io::Result<Option<Self>> {
        let Self { file, _listed } = self;
        let refused = match file.persist_noclobber(target) {
            Ok(_) => return Ok(None),
            Err(refused) => refused,
        };
        let again = Self { file: refused.file, _listed };
        match refused.error.kind() {
            ErrorKind::AlreadyExists => return Ok(Some(again)),
            // A file system that has neither hard links nor a rename that keeps what is there: an empty file takes the name.
            ErrorKind::Unsupported | ErrorKind::PermissionDenied => {}
            _ => return Err(refused.error),
        }
        match fs::File::options().write(true).create_new(true).open(target) {
            Ok(_) => again.persist(target).map(|()| None),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(Some(again)),
            Err(_) => Err(refused.error),
        }
    }

    fn persist(self, target: &Path) -> io::Result<()> {
        self.file.persist(target).map(drop).map_err(|e| e.error)
    }
}

/// Removes all temporary files that this process has not finished, and prevents it from creating more: for the last moment
/// before a process ends while its threads are still working.
pub fn abandon() {
    let list = UNFINISHED.lock();
    for path in list.iter() {
        // Fails for a file that has been put in place by now.
        let _ = fs::remove_file(path);
    }
    std::mem::forget(list);
}

/// Creates a folder and those above it, if they are missing.
///
/// # Errors
/// [`Error::Output`] if a file is in the way, or if the folder cannot be created.
pub fn create_folder(path: &Path) -> Result<()> {
    if fs::metadata(path).is_ok_and(|about| !about.is_dir()) {
        return Err(error(path, "it is a file, and a folder is needed"));
    }
    fs::create_dir_all(path).map_err(|e| error(path, explained(e).within("the folder cannot be created")))
}

/// Creates a folder as [`create_folder`] does, and makes sure that files can be created in it.
///
/// # Errors
/// [`Error::Output`].
pub fn writable_folder(path: &Path) -> Result<()> {
    create_folder(path)?;
    tempfile::tempfile_in(path).map(drop).map_err(|e| error(path, explained(e)))
}

/// Makes sure, as far as that can be known, that [`writable_folder`] would succeed; creates nothing.
///
/// # Errors
/// [`Error::Output`].
pub fn folder_can_be(path: &Path) -> Result<()> {
    let there = path.ancestors().find(|folder| folder.symlink_metadata().is_ok());
    match there.unwrap_or(Path::new(".")) {
        // Says what is in the way.
        file if !file.is_dir() => create_folder(path),
        folder => tempfile::tempfile_in(folder).map(drop).map_err(|e| error(folder, explained(e))),
    }
}

/// The folder that a file is in, or would be in.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn error(path: &Path, reason: impl Into<Reason>) -> Error {
    Error::Output { path: path.into(), reason: reason.into() }
}

/// An I/O error in words, with what to do.
pub fn explain(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "no permission to write there; choose another folder".into()
        }
        _ => in_words(error),
    }
}

/// [`explain`]'s words as the reason of an [`Error::Output`], which keeps the error itself.
pub fn explained(error: io::Error) -> Reason {
    Reason::new(explain(&error), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    pub(super) fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write_atomically(&path, |f| f.write_all(b"old")).unwrap();
        let failed = write_atomically(&path, |f| {
            f.write_all(b"new")?;
            Err(io::Error::other("no more ideas"))
        });
        assert!(failed.unwrap_err().to_string().ends_with("a.png: no more ideas"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write_atomically(&path, |f| f.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a.png"]);
    }

    #[test]
    fn a_new_file_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut names = ["b.png", "c.png"].map(at).into_iter();
        fs::write(at("b.png"), b"b").unwrap();
        // Another process is faster.
        let write = |file: &mut fs::File| {
            fs::write(at("a.png"), b"a")?;
            file.write_all(b"new")
        };
        assert_eq!(write_new(&at("a.png"), write, || names.next()).unwrap(), Some(at("c.png")));
        assert_eq!(write_new(&at("a.png"), write, || None).unwrap(), None);
        let read = |name| fs::read(at(name)).unwrap();
        assert_eq!([read("a.png"), read("b.png"), read("c.png")], [&b"a"[..], b"b", b"new"]);
        assert_eq!(self::names(folder.path()), ["a.png", "b.png", "c.png"]);
    }

    #[test]
    fn says_why_it_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"here").unwrap();
        for (path, reason) in [
            (folder.path().join("missing/a.png"), "does not exist"),
            (file.join("a.png"), "is not a folder"),
            (folder.path().into(), "it is a folder"),
        ] {
            let error = write_atomically(&path, |f| f.write_all(b"x")).unwrap_err();
            assert!(matches!(&error, Error::Output { .. }) && error.to_string().ends_with(reason), "{error}");
        }
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&file, permissions).unwrap();
        let error = write_atomically(&file, |f| f.write_all(b"x")).unwrap_err().to_string();
        assert!(error.ends_with("read-only"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), b"here");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_without_write_permission() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
        if fs::write(folder.path().join("probe"), b"").is_ok() {
            println!("skipped: this user may write to read-only folders");
            return;
        }
        let error = write_atomically(&folder.path().join("a.png"), |f| f.write_all(b"x")).unwrap_err();
        assert!(error.to_string().contains("no permission"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_links_and_devices() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (plain, ours) = (folder.path().join("plain"), folder.path().join("ours"));
        fs::write(&plain, b"").unwrap();
        write_atomically(&ours, |f| f.write_all(b"x")).unwrap();
        assert_eq!(mode(&ours), mode(&plain));
        fs::set_permissions(&ours, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&ours, &link).unwrap();
        write_atomically(&link, |f| f.write_all(b"through the link")).unwrap();
        assert_eq!(fs::read(&ours).unwrap(), b"through the link");
        assert_eq!(mode(&ours), 0o640);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        write_atomically(Path::new("/dev/null"), |f| f.write_all(b"x")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        // A file of the program's own takes the link's place.
        write_own(&link, |f| f.write_all(b"own")).unwrap();
        assert!(link.symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read(&ours).unwrap(), b"through the link");
    }
}
