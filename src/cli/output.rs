//! Writing of files so that a failure leaves what was there.
use std::fs::File;
use std::io;
use std::path::Path;

use srcnn_gpu::{Error, Result};

/// What to do with an output that exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Existing {
    /// Leave it and go on
    Skip,
    /// Replace it
    Overwrite,
    /// Write beside it under a free name
    Rename,
    /// Treat it as an error
    Fail,
}

/// Writes a temporary file in the same folder and moves it into place when all went well.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let output = |e: io::Error| Error::Output { path: path.into(), reason: e.to_string() };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new().prefix(".srcnn-gpu-").tempfile_in(folder).map_err(output)?;
    write(temporary.as_file_mut()).map_err(output)?;
    temporary.persist(path).map_err(|e| output(e.error))?;
    Ok(())
}
