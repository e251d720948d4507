//! How results are named and which format they get: the size in their names, `--format`.

use std::fmt;

use crate::error::{Error, Result};
use crate::picture::Kind;

use super::container::Container;

/// In made-up names, what stands between a picture's name and the size: `a_srcnn_x2.png`.
pub const MARK: &str = "_srcnn_";

/// How results are named and what they are written as.
#[derive(Debug, Default)]
pub struct Naming {
    /// A [`SizeLabel`] as text; empty for commands that never make up names.
    pub size: String,
    /// `None`: file names decide.
    pub format: Option<OutputFormat>,
}

/// The format to write results in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutputFormat {
    /// That of the input.
    Same,
    Kind(&'static Kind),
    /// Video, in this container or in that of the input, if possible.
    Video(Option<&'static Container>),
}

impl OutputFormat {
    /// Parses `same` or the extension of a format.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] with all that would be accepted.
    pub fn parse(text: &str) -> Result<Self> {
        if text.eq_ignore_ascii_case("same") {
            return Ok(Self::Same);
        }
        let extension = text.trim_start_matches('.');
        let container = || Container::named(extension).map(|container| Self::Video(Some(container)));
        let format = Kind::named(extension).map(Self::Kind).or_else(container);
        format.ok_or_else(|| {
            let (pictures, videos) = (Kind::extensions(), Container::extensions());
            Error::invalid(format!("one of same, {pictures} is needed, or for video one of {videos}"))
        })
    }
}

/// The size that is asked for, as a word in the names of results: `x2`, `w1920`, `fit800x600`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SizeLabel {
    Scale(f64),
    Size(u32, u32),
    Width(u32),
    Height(u32),
    Fit(u32, u32),
    MaxPixels(u64),
}

impl SizeLabel {
    /// Whether a word is one that a label is written as.
    pub fn is_label(word: &str) -> bool {
        let number = |text: &str| text.parse::<f64>().is_ok_and(|value| value > 0.0);
        let pair = |text: &str| text.split_once('x').is_some_and(|(a, b)| number(a) && number(b));
        ["x", "w", "h", "max"].iter().any(|prefix| word.strip_prefix(prefix).is_some_and(number))
            || word.strip_prefix("fit").is_some_and(pair)
            || pair(word)
    }
}

impl fmt::Display for SizeLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scale(scale) => write!(f, "x{scale}"),
            Self::Size(width, height) => write!(f, "{width}x{height}"),
            Self::Width(width) => write!(f, "w{width}"),
            Self::Height(height) => write!(f, "h{height}"),
            Self::Fit(width, height) => write!(f, "fit{width}x{height}"),
            Self::MaxPixels(pixels) => write!(f, "max{pixels}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        assert!(matches!(OutputFormat::parse("same"), Ok(OutputFormat::Same)));
        let jpg = OutputFormat::parse(".JPG");
        assert!(matches!(jpg, Ok(OutputFormat::Kind(kind)) if kind.extension == "jpg"));
        let mkv = OutputFormat::parse("mkv");
        assert!(matches!(mkv, Ok(OutputFormat::Video(Some(container))) if container.extension == "mkv"));
        assert!(OutputFormat::parse("doc").is_err());
    }

    #[test]
    fn labels() {
        for (label, word) in [
            (SizeLabel::Scale(2.0), "x2"),
            (SizeLabel::Scale(1.5), "x1.5"),
            (SizeLabel::Size(9, 8), "9x8"),
            (SizeLabel::Width(9), "w9"),
            (SizeLabel::Height(8), "h8"),
            (SizeLabel::Fit(9, 8), "fit9x8"),
            (SizeLabel::MaxPixels(7), "max7"),
        ] {
            assert_eq!(label.to_string(), word);
            assert!(SizeLabel::is_label(word), "{word}");
        }
        assert!(!["xy", "2", "fit9", "w", "max", "x-1"].iter().any(|word| SizeLabel::is_label(word)));
    }
}
