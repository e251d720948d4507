//! Removing what killed processes have left.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{NEW, PREFIX, RANDOM};
use crate::own;

/// A younger file with a name for the moment before it is locked may be about to be locked.
const YOUNG: Duration = Duration::from_secs(60);
/// If files cannot be locked, an older one counts as abandoned.
const OLD: Duration = Duration::from_secs(24 * 3600);

/// Removes the temporary files that killed processes left in a folder, but not those that a living process is writing,
/// even on another machine if the file system shares locks. Returns the number of files removed.
pub fn sweep(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let left_over = entries.filter(|entry| {
        let name = entry.file_name();
        let Some(rest) = name.as_encoded_bytes().strip_prefix(PREFIX.as_bytes()) else { return false };
        let new = rest.strip_prefix(NEW.as_bytes());
        new.unwrap_or(rest).len() == RANDOM && is_left_over(&entry.path(), new.is_some())
    });
    left_over.filter(|entry| fs::remove_file(entry.path()).is_ok()).count()
}

/// Whether nobody writes a file; one with a name for the moment may be about to be locked.
fn is_left_over(path: &Path, new: bool) -> bool {
    let Ok(file) = own::open(path, fs::File::options().write(true)) else { return false };
    let Ok(about) = file.metadata() else { return false };
    let age = about.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default();
    match file.try_lock() {
        // Unlocked before the file is removed, which is safe: only another sweep asks for the lock.
        Ok(()) => !new || age > YOUNG,
        Err(fs::TryLockError::WouldBlock) => false,
        Err(fs::TryLockError::Error(_)) => age > OLD,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::names;
    use super::super::{UNFINISHED, write_atomically};
    use super::*;
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn only_what_nobody_writes_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at(".srcnn-gpu-killed"), b"half").unwrap();
        fs::write(at(".srcnn-gpu-empty1"), b"").unwrap();
        fs::write(at(".srcnn-gpu-new-begun1"), b"").unwrap();
        fs::write(at(".srcnn-gpu.jsonl"), b"{}").unwrap();
        fs::write(at(".srcnn-gpu-notes.txt"), b"a user's").unwrap();
        fs::write(at("a.png"), b"whole").unwrap();
        write_atomically(&at("b.png"), |f| {
            f.write_all(b"half")?;
            assert_eq!(sweep(folder.path()), 2);
            Ok(())
        })
        .unwrap();
        assert_eq!(
            names(folder.path()),
            [".srcnn-gpu-new-begun1", ".srcnn-gpu-notes.txt", ".srcnn-gpu.jsonl", "a.png", "b.png"]
        );
        let old = std::time::SystemTime::now() - 2 * YOUNG;
        fs::File::options().write(true).open(at(".srcnn-gpu-new-begun1")).unwrap().set_modified(old).unwrap();
        assert_eq!(sweep(folder.path()), 1);
        assert!(UNFINISHED.lock().iter().all(|path| !path.starts_with(folder.path())));
    }

    /// Several processes that begin at once look at each other's files in the moment before these are locked.
    #[test]
    fn what_is_being_written_is_never_swept() {
        let folder = tempfile::tempdir().unwrap();
        let written = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !written.load(Ordering::Relaxed) {
                        assert_eq!(sweep(folder.path()), 0, "nothing was left over");
                    }
                });
            }
            let path = folder.path().join("a.png");
            let write = |_| write_atomically(&path, |f| f.write_all(b"whole"));
            let results: Vec<_> = (0..2000).map(write).collect();
            written.store(true, Ordering::Relaxed);
            results.into_iter().for_each(|result| result.unwrap());
        });
        assert_eq!(names(folder.path()), ["a.png"]);
    }
}
