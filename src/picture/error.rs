//! Errors of picture files, in the user's words.

use std::error::Error as _;
use std::io;
use std::path::Path;

use image::ImageError;
use image::error::UnsupportedErrorKind;

use crate::error::{in_words, uncapitalized};
use crate::{Error, Reason};

/// An error about one picture file.
pub fn refuse(path: &Path, why: impl Into<Reason>) -> Error {
    Error::Picture(why.into().within(path.display()))
}

/// A decoder's error about one picture file.
pub fn undecodable(path: &Path, error: ImageError) -> Error {
    refuse(path, Reason::new(explain(&error), error))
}

/// What a decoder's error means.
pub fn explain(error: &ImageError) -> String {
    match error {
        ImageError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            "the file ends too early, it is truncated".into()
        }
        ImageError::IoError(e) => in_words(e),
        ImageError::Unsupported(unsupported) => match unsupported.kind() {
            UnsupportedErrorKind::Format(_) => "not a kind of picture that can be read".into(),
            _ => format!("a kind of picture that cannot be read: {}", uncapitalized(&error.to_string())),
        },
        ImageError::Limits(_) => "the picture does not fit in memory".into(),
        // What is around the decoder's own words names the format.
        _ => match error.source() {
            Some(cause) => format!("not a readable picture: {}", uncapitalized(&cause.to_string())),
            None => "not a readable picture".into(),
        },
    }
}

/// An encoder's error as one of the output.
pub fn to_io(error: ImageError) -> io::Error {
    match error {
        ImageError::IoError(error) => error,
        error => io::Error::other(error),
    }
}
