//! Where results go: the standard output, and files.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use srcnn_gpu::atomic::explain;
pub use srcnn_gpu::atomic::{create_folder, write_atomically};
pub use srcnn_gpu::jobs::Existing;
use srcnn_gpu::{Error, Reason, Result};

/// An event as a line of JSON, beginning with the version of the format.
///
/// # Errors
/// None in practice.
pub fn json_line(event: &impl Serialize) -> Result<String> {
    #[derive(Serialize)]
    struct Versioned<'a, E> {
        v: u32,
        #[serde(flatten)]
        event: &'a E,
    }
    serde_json::to_string(&Versioned { v: 1, event })
        .map_err(|e| Error::invalid(format!("event as JSON: {e}")))
}

/// Prints a line of results to the standard output.
///
/// # Errors
/// As [`print_text`].
pub fn print(line: impl Display) -> Result<()> {
    print_text(&format!("{line}\n"))
}

/// Prints results to the standard output as they are. A reader that has gone away (`| head`) is no error.
///
/// # Errors
/// [`Error::Output`] if it cannot be written to, for example on a full disk.
pub fn print_text(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(error(Path::new("standard output"), explain(&e))),
        _ => Ok(()),
    }
}

fn error(path: &Path, reason: impl Into<Reason>) -> Error {
    Error::Output { path: path.into(), reason: reason.into() }
}
