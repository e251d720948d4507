//! Reading small files whole, with a limit: a device or a pipe may never end.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::limits::Limit;

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// Those of the system; [`ErrorKind::FileTooLarge`] for a longer file.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_from(File::open(path)?, most)
}

/// Reads a file of at most as many bytes as a limit allows.
///
/// # Errors
/// As [`read`], with the limit behind it.
pub fn read_limited(path: &Path, limit: Limit) -> io::Result<Vec<u8>> {
    read_from_limited(File::open(path)?, limit)
}

/// Reads to the end of an input of at most as many bytes as a limit allows.
///
/// # Errors
/// As [`read_limited`].
pub fn read_from_limited(input: impl Read, limit: Limit) -> io::Result<Vec<u8>> {
    read_from(input, limit.get()).map_err(|e| match e.kind() {
        ErrorKind::FileTooLarge => limit.too_long(),
        _ => e,
    })
}

/// As [`read`], for text in UTF-8.
///
/// # Errors
/// As [`read`]; [`ErrorKind::InvalidData`] for bytes that are not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// Reads to the end of an input of at most `most` bytes.
///
/// # Errors
/// As [`read`].
pub fn read_from(input: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let limit = format!("it has more than {most} bytes, the limit for such a file");
        return Err(io::Error::new(ErrorKind::FileTooLarge, limit));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_input_is_refused() {
        assert_eq!(read_from(&[1u8, 2][..], 2).unwrap(), [1, 2]);
        assert_eq!(read_from(io::repeat(0), 1000).unwrap_err().kind(), ErrorKind::FileTooLarge);
        let error = read_from_limited(io::repeat(0), Limit::Metadata).unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::FileTooLarge, "it has more than 64 MiB"));
        #[cfg(target_os = "linux")]
        assert!(read_text(Path::new("/dev/zero"), 1000).is_err());
    }
}
