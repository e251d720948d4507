//! Limits on what one input may ask for, so that no small file takes a machine's memory or its week. A program may set each.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Reason};

/// One of the limits. All but the time are numbers of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Memory for a picture and its result; what is available unless set.
    Memory,
    /// Memory for what comes with a picture: profiles, Exif, texts.
    Metadata,
    /// Size of a weight file.
    Weights,
    /// Size of a picture on the standard input.
    Stdin,
    /// Size of a list of paths.
    List,
    /// Milliseconds to compute one picture.
    Time,
}

const DAY: u64 = 24 * 3600 * 1000;

/// In the order of [`Limit::ALL`].
static VALUES: [AtomicU64; 6] = [
    AtomicU64::new(u64::MAX),
    AtomicU64::new(1 << 26),
    AtomicU64::new(1 << 28),
    AtomicU64::new(4 << 30),
    AtomicU64::new(1 << 28),
    AtomicU64::new(DAY),
];

impl Limit {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Memory, Self::Metadata, Self::Weights, Self::Stdin, Self::List, Self::Time];

    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Metadata => "metadata",
            Self::Weights => "weights",
            Self::Stdin => "stdin",
            Self::List => "list",
            Self::Time => "time",
        }
    }

    /// Its value, [`u64::MAX`] for none.
    pub fn get(self) -> u64 {
        VALUES[self as usize].load(Ordering::Relaxed)
    }

    /// Sets it for the whole process.
    pub fn set(self, value: u64) {
        VALUES[self as usize].store(value, Ordering::Relaxed);
    }

    /// What an input is refused for, which [`Limit::behind`] finds again.
    pub fn exceeded(self, text: impl Into<String>) -> Reason {
        Reason::of(Exceeded { limit: self, text: text.into() })
    }

    /// The refusal of a file that has more bytes than it may have.
    pub fn too_long(self) -> io::Error {
        let text = format!("it has more than {}", size(self.get()));
        io::Error::new(io::ErrorKind::FileTooLarge, Exceeded { limit: self, text })
    }

    /// The limit that an error is about.
    pub fn behind(error: &Error) -> Option<Self> {
        let mut source = error.source();
        while let Some(error) = source {
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let inner = inner.and_then(|inner| inner.downcast_ref::<Exceeded>());
            if let Some(Exceeded { limit, .. }) = inner.or_else(|| error.downcast_ref()) {
                return Some(*limit);
            }
            source = error.source();
        }
        None
    }
}

/// A number of bytes in the largest unit that it is a multiple of: `256 MiB`.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = UNITS.iter().find(|(_, bits)| bytes > 0 && bytes.is_multiple_of(1 << bits));
    match unit {
        Some((name, bits)) => format!("{} {name}", bytes >> bits),
        None => format!("{bytes} bytes"),
    }
}

/// That an input goes beyond a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exceeded {
    limit: Limit,
    text: String,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl StdError for Exceeded {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_found_behind_errors() {
        let behind = |reason: Reason| Limit::behind(&Error::Picture(reason));
        assert_eq!(behind("no".into()), None);
        assert_eq!(behind(Limit::Time.exceeded("9 days")), Some(Limit::Time));
        assert_eq!(behind(Limit::List.exceeded("long").within("a.txt")), Some(Limit::List));
        assert_eq!(behind(Limit::Weights.too_long().into()), Some(Limit::Weights));
        assert_eq!(Limit::Weights.too_long().to_string(), "it has more than 256 MiB");
        assert_eq!(size(1025), "1025 bytes");
        let nested = Error::Picture(Limit::Memory.exceeded("large"));
        assert_eq!(behind(Reason::from(nested)), Some(Limit::Memory));
        for (at, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, at);
        }
    }
}
