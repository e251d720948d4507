//! One error type for the whole library. Every message says what was wrong and what to do.

use std::path::PathBuf;

/// Result of the library's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong. The variants group by who can mend it: the caller's arguments, a weight file,
/// a picture, the GPU.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument out of its range: a scale that is not a number, an even filter size.
    #[error("{0}")]
    InvalidArgument(String),

    /// A weight file that cannot be read or does not describe a network.
    #[error("model {path}: {reason}", path = path.display())]
    Model {
        /// The file, or a name for weights that do not come from a file.
        path: PathBuf,
        /// What is wrong with it and what was expected.
        reason: String,
    },

    /// A picture that cannot be decoded, or an unusable picture size.
    #[error("{0}")]
    Picture(String),

    /// A result that cannot be written. Existing files are left as they were.
    #[error("cannot write {path}: {reason}", path = path.display())]
    Output {
        /// The file or folder that was to be written.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// No adapter matches; the text lists what there is and what to install.
    #[error("{0}")]
    NoAdapter(String),

    /// The device lacks a feature or limit that the network needs.
    #[error("the GPU device lacks {0}")]
    MissingCapability(String),

    /// The GPU ran out of memory; a smaller tile needs less.
    #[error("out of GPU memory: {0}; use a smaller tile (--tile)")]
    OutOfMemory(String),

    /// A device error: validation, a lost device, a failed readback.
    #[error("GPU error: {0}")]
    Gpu(String),

    /// Training whose loss or parameters are no finite numbers any more.
    #[error("{0}")]
    Diverged(String),

    /// An adapter whose results do not agree with the CPU's.
    #[error("the adapter fails its self test: {0}; try another one (--gpu, --backend) or update its driver")]
    SelfTest(String),
}

impl Error {
    /// An [`Error::InvalidArgument`] from anything printable.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidArgument(message.into())
    }
}
