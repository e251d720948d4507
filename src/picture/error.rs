//! Errors of picture files, in the user's words.

use std::io;
use std::path::Path;

use image::ImageError;

use super::unread::unread;
use crate::error::in_words;
use crate::{Error, Reason};

/// An error about one picture file.
pub fn refuse(path: &Path, why: impl Into<Reason>) -> Error {
    Error::Picture(why.into().within(path.display()))
}

/// A decoder's error about one picture file.
pub fn undecodable(path: &Path, error: ImageError) -> Error {
    let why = unread(path).unwrap_or_else(|| explain(&error));
    refuse(path, Reason::new(why, error))
}

/// What a decoder's error means.
pub fn explain(error: &ImageError) -> String {
    match error {
        ImageError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            "the file ends too early, it is truncated".into()
        }
        ImageError::IoError(e) => in_words(e),
        ImageError::Unsupported(_) => format!("not a kind of picture that can be read ({error})"),
        ImageError::Limits(_) => format!("the picture does not fit in memory ({error})"),
        _ => format!("not a readable picture ({error})"),
    }
}

/// An encoder's error as one of the output.
pub fn to_io(error: ImageError) -> io::Error {
    match error {
        ImageError::IoError(error) => error,
        error => io::Error::other(error),
    }
}
