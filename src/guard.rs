//! A guard around code of others that may panic: decoders and encoders of picture files on damaged input.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::error::{Error, Reason, Result};

thread_local! {
    /// How many guards this thread is inside of.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// The guarded code panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("internal error in the code for this file format; the file may be damaged")
    }
}

impl std::error::Error for Panicked {}

/// Runs `work` and returns what it does, or that it panicked. What `work` was changing must not be used any more then,
/// unless it is valid in any state.
///
/// # Errors
/// [`Panicked`].
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    DEPTH.set(DEPTH.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    outcome.map_err(|_| Panicked)
}

/// Runs what reads or writes the picture file at `path`; a panic becomes the failure of this picture.
///
/// # Errors
/// Those of `work`; [`Error::Picture`] for a panic.
pub fn picture<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    guarded(work).unwrap_or_else(|panicked| Err(Error::Picture(Reason::of(panicked).within(path.display()))))
}

/// Keeps panics inside of guards off stderr: they are reported as errors. For the start of a program; the hook for all
/// other panics stays as it was.
pub fn silence() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if DEPTH.get() == 0 {
            report(panic);
        } else {
            log::debug!("{panic}");
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_one_failed_picture() {
        let error = picture(Path::new("a.png"), || -> Result<()> { panic!("index out of bounds") });
        let text = error.unwrap_err().to_string();
        assert!(text.starts_with("a.png: internal error"), "{text}");
        assert_eq!(guarded(|| guarded(|| -> u8 { panic!("inner") })), Ok(Err(Panicked)));
        assert_eq!(DEPTH.get(), 0);
        assert_eq!(guarded(|| 5), Ok(5));
    }

    /// Runs itself as another program, since the hook holds for a whole process.
    #[test]
    fn only_guarded_panics_are_silent() {
        const CHILD: &str = "SRCNN_TEST_GUARD";
        if std::env::var_os(CHILD).is_some() {
            silence();
            assert_eq!(guarded(|| panic!("one")), Err::<(), _>(Panicked));
            let _ = std::panic::catch_unwind(|| panic!("two"));
            return;
        }
        let program = std::env::current_exe().unwrap();
        let name = "guard::tests::only_guarded_panics_are_silent";
        let output = std::process::Command::new(program)
            .args(["--exact", name, "--nocapture", "--test-threads=1"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains("two") && !told.contains("one"), "{told}");
    }
}
