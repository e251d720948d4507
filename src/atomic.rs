//! Writing of files so that a failure leaves what was there before.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::error::{Error, Result};

/// Writes a file whole or not at all: `write` fills a temporary file in the same folder, which then takes
/// the place of `path`. A new file gets the permissions that any new file would, a replaced one keeps its
/// own. Devices and pipes are written to directly, links are followed.
///
/// # Errors
/// [`Error::Output`] when the folder is missing or may not be written to, when `path` is a folder or
/// read-only, and for the errors of `write`.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut fs::File) -> io::Result<()>) -> Result<()> {
    let failed = |e: io::Error| error(path, explain(&e));
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
            return write(&mut device).map_err(failed);
        }
    }
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let what = if folder.exists() { "is not a folder" } else { "does not exist" };
        return Err(error(path, format!("'{}' {what}", folder.display())));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".srcnn-gpu-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666)); // less the umask
    }
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    write(file.as_file_mut()).map_err(failed)?;
    if let Some(existing) = existing {
        file.as_file().set_permissions(existing.permissions()).map_err(failed)?;
    }
    file.persist(&target).map_err(|e| failed(e.error))?;
    Ok(())
}

fn error(path: &Path, reason: impl Into<String>) -> Error {
    Error::Output { path: path.into(), reason: reason.into() }
}

/// An input or output error in words that say what to do.
pub fn explain(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "no permission to write there; choose another folder".into()
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(folder: &Path) -> Vec<String> {
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
    }
}
