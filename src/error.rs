//! One error type for the whole library. Every message says what was wrong and what to do.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::path::PathBuf;

/// Result of the library's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong. The variants are grouped by who can fix it: the caller's arguments, a weight file, a picture, the
/// GPU.
///
/// The texts speak of this library's API. [`source()`](StdError::source) is the error of the operating system, a decoder
/// or wgpu that led to this one, if there is one; the text already includes what it says.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An argument out of its range: a scale that is not a number, an even filter size.
    InvalidArgument(Reason),

    /// A weight file that cannot be read or does not describe a network.
    Model {
        /// The file, or a name for weights that do not come from a file.
        path: PathBuf,
        /// What is wrong with it and what was expected.
        reason: Reason,
    },

    /// A picture that cannot be decoded, or an unusable picture size.
    Picture(Reason),

    /// A result that cannot be written. Existing files are left as they were.
    Output {
        /// The file or folder that was to be written.
        path: PathBuf,
        /// Why it cannot be.
        reason: Reason,
    },

    /// No adapter matches; the text lists the adapters there are and what to install.
    NoAdapter(String),

    /// The device lacks a feature or limit that the network needs.
    MissingCapability(String),

    /// The GPU ran out of memory. A smaller tile or batch needs less.
    OutOfMemory(Reason),

    /// A device error: validation, a lost device, a failed readback.
    Gpu(Reason),

    /// A result that cannot be right: values that are not finite, one flat color where the source has many, or not what the
    /// CPU computes. The adapter, its driver or the network is broken.
    WrongResult(Reason),

    /// Training whose loss or parameters are no longer finite numbers.
    Diverged(String),

    /// Work that was ended before its time, as the caller wished.
    Stopped,

    /// Several processes that work together: another one has ended or does not answer, or they do not fit together.
    Ranks(Reason),

    /// An adapter whose results do not agree with the CPU's. Another adapter or driver may work.
    SelfTest(String),
}

impl Error {
    /// An [`Error::InvalidArgument`].
    pub fn invalid(reason: impl Into<Reason>) -> Self {
        Self::InvalidArgument(reason.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArgument(reason) | Self::Picture(reason) | Self::Ranks(reason) => reason.fmt(f),
            Self::Model { path, reason } => write!(f, "model {}: {reason}", path.display()),
            Self::Output { path, reason } => write!(f, "cannot write {}: {reason}", path.display()),
            Self::NoAdapter(text) | Self::Diverged(text) => text.fmt(f),
            Self::MissingCapability(what) => write!(f, "the GPU device lacks {what}"),
            Self::OutOfMemory(reason) => write!(f, "out of GPU memory: {reason}"),
            Self::Gpu(reason) | Self::WrongResult(reason) => write!(f, "GPU error: {reason}"),
            Self::Stopped => f.write_str("stopped before the end"),
            Self::SelfTest(text) => write!(f, "the adapter fails its self test: {text}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::InvalidArgument(reason)
            | Self::Model { reason, .. }
            | Self::Picture(reason)
            | Self::Output { reason, .. }
            | Self::OutOfMemory(reason)
            | Self::Gpu(reason)
            | Self::WrongResult(reason)
            | Self::Ranks(reason) => reason.source(),
            Self::NoAdapter(_)
            | Self::MissingCapability(_)
            | Self::Diverged(_)
            | Self::Stopped
            | Self::SelfTest(_) => None,
        }
    }
}

/// What went wrong, as text, and the error that it came from, if any. It reads as a `str`.
#[derive(Debug, Default)]
pub struct Reason {
    text: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Reason {
    /// `text`, which also says what `source` does.
    pub fn new(text: impl Into<String>, source: impl StdError + Send + Sync + 'static) -> Self {
        Self { text: text.into(), source: Some(Box::new(source)) }
    }

    /// What an error says.
    pub fn of(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::new(source.to_string(), source)
    }

    /// The same after a prefix and a colon that say where it happened: `frame 3: ..`.
    #[must_use]
    pub fn within(self, place: impl fmt::Display) -> Self {
        Self { text: format!("{place}: {}", self.text), ..self }
    }

    /// The error that it came from.
    pub fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self { text, source: None }
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        text.to_string().into()
    }
}

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Self {
        Self::new(in_words(&error), error)
    }
}

/// What an error of the operating system means, without its number and without the names of temporary files.
pub fn in_words(error: &io::Error) -> String {
    use io::ErrorKind;
    let known = match error.kind() {
        ErrorKind::NotFound => "no such file or folder",
        ErrorKind::PermissionDenied => "no permission",
        ErrorKind::IsADirectory => "it is a folder, not a file",
        ErrorKind::NotADirectory => "it is a file, not a folder, or lies below a file",
        ErrorKind::AlreadyExists => "it exists already",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full",
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        ErrorKind::UnexpectedEof => "it ends too early",
        ErrorKind::InvalidFilename => "the system does not allow this name",
        _ => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            return uncapitalized(text.split(" at path \"").next().unwrap_or_default());
        }
    };
    known.into()
}

/// The same for what went wrong on the way through folders.
#[cfg(feature = "train")]
pub fn walk_in_words(error: &walkdir::Error) -> String {
    match (error.loop_ancestor(), error.io_error()) {
        (Some(ancestor), _) => format!("this link leads back to {}", ancestor.display()),
        (None, Some(error)) => in_words(error),
        (None, None) => error.to_string(),
    }
}

/// The words of another library as the end of a sentence: without a capital, but for a name such as GPU, and without a stop.
pub(crate) fn uncapitalized(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    let ordinary = letters.clone().next().is_some_and(|second| second.is_lowercase());
    if ordinary { first.into_iter().chain(letters).collect() } else { text.into() }
}

impl From<Error> for Reason {
    fn from(error: Error) -> Self {
        Self::of(error)
    }
}

impl Deref for Reason {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_kept() {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let model = Error::Model { path: "a.mat".into(), reason: missing().into() };
        assert_eq!(model.to_string(), "model a.mat: no such file or folder");
        let kind = model.source().and_then(|e| e.downcast_ref::<io::Error>()).map(io::Error::kind);
        assert_eq!(kind, Some(io::ErrorKind::NotFound));
        let Error::Model { reason, .. } = model else { unreachable!() };
        let nested = Error::Picture(Reason::from(Error::invalid(reason)).within("frame 3"));
        assert_eq!(nested.to_string(), "frame 3: no such file or folder");
        assert!(nested.source().and_then(StdError::source).is_some_and(|e| e.is::<io::Error>()));
        assert!(Error::Gpu("lost".into()).source().is_none());
    }

    /// Neither numbers nor paths of the system's own reach a message.
    #[test]
    fn errors_of_the_system_in_words() {
        #[cfg(unix)]
        for number in 1..134 {
            let text = in_words(&io::Error::from_raw_os_error(number));
            assert!(!text.is_empty() && !text.contains("os error"), "{number}: {text}");
        }
        let other = io::Error::other("Broken record at path \"/tmp/.srcnn-gpu-x\"");
        assert_eq!(in_words(&other), "broken record");
        assert_eq!(in_words(&io::Error::other("GPU lost")), "GPU lost");
        assert_eq!(in_words(&io::Error::other("")), "");
    }
}
