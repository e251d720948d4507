//! Opening files that a program keeps for itself: indexes, caches, locks. They lie where others may have put something else
//! under their names, so links are not followed, and only regular files are opened: a pipe or a device could block forever.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// How often to try again when a file appears or disappears in between.
const ATTEMPTS: u32 = 10;

/// Opens an existing file.
///
/// # Errors
/// Those of the system; [`ErrorKind::InvalidInput`] for anything but a regular file.
pub fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
    // Another process may replace the file by a new one in between.
    for _ in 0..ATTEMPTS {
        let about = fs::symlink_metadata(path)?;
        if !about.is_file() {
            break;
        }
        let file = options.open(path)?;
        if is_same(&about, &file.metadata()?) {
            return Ok(file);
        }
    }
    Err(not_regular())
}

/// Opens a file to read and to append to, and creates it if there is none.
///
/// # Errors
/// As [`open`].
pub fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).append(true);
    let mut attempts = 0..ATTEMPTS;
    loop {
        let error = match open(path, &options) {
            // Creating a new file follows no link either.
            Err(e) if e.kind() == ErrorKind::NotFound => match options.clone().create_new(true).open(path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => e,
                created => return created,
            },
            opened => return opened,
        };
        if attempts.next().is_none() {
            return Err(error);
        }
    }
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// As [`open`]; [`ErrorKind::FileTooLarge`] for a longer file.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open(path, File::options().read(true))?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

fn not_regular() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "there is a link, a folder or a device where a file is expected")
}

/// Whether two looks at a path saw the same file.
#[cfg(unix)]
fn is_same(before: &Metadata, after: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (before.dev(), before.ino()) == (after.dev(), after.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, after: &Metadata) -> bool {
    after.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn creates_appends_and_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert_eq!(read(&path, 9).unwrap_err().kind(), ErrorKind::NotFound);
        open_or_create(&path).unwrap().write_all(b"on").unwrap();
        open_or_create(&path).unwrap().write_all(b"e").unwrap();
        assert_eq!(read(&path, 9).unwrap(), b"one");
        assert_eq!(read(&path, 2).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(read(folder.path(), 9).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[cfg(unix)]
    #[test]
    fn links_pipes_and_devices_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("precious"), "precious").unwrap();
        std::os::unix::fs::symlink(at("precious"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("dangling")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status();
        let pipe = made.is_ok_and(|status| status.success()).then(|| at("pipe"));
        if pipe.is_none() {
            println!("SKIPPED: no mkfifo to make a pipe with");
        }
        let others = [at("link"), at("dangling"), "/dev/zero".into()];
        for path in others.iter().chain(&pipe) {
            // Nobody writes into the pipe: opening it would block.
            assert_eq!(read(path, 9).unwrap_err().kind(), ErrorKind::InvalidInput, "{}", path.display());
            let kind = open_or_create(path).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::InvalidInput, "{}", path.display());
        }
        assert!(!at("nowhere").exists());
        assert_eq!(fs::read(at("precious")).unwrap(), b"precious");
    }
}
