//! The factors that a network is trained for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// One factor or several, rising, each a whole number from 1 to 16; 1 is restoration in place. In TOML and JSON a number, or
/// a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Scales(Vec<usize>);

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a whole number from 1 to 16, or a list of them such as [2, 3, 4]")]
enum Written {
    One(usize),
    Several(Vec<usize>),
}

impl Scales {
    /// The largest factor.
    pub const MOST: usize = 16;

    /// Sorts the factors and leaves out repetitions.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for none, or one that is out of range.
    pub fn new(scales: impl IntoIterator<Item = usize>) -> Result<Self> {
        let mut scales: Vec<usize> = scales.into_iter().collect();
        scales.sort_unstable();
        scales.dedup();
        match scales.iter().find(|scale| !(1..=Self::MOST).contains(*scale)) {
            None if !scales.is_empty() => Ok(Self(scales)),
            _ => Err(Error::invalid("a whole number from 1 to 16 is needed, or several such as 2,3,4")),
        }
    }

    /// The factors, rising; at least one.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied()
    }

    /// The factor, if it is one.
    pub fn only(&self) -> Option<usize> {
        if let [scale] = self.0[..] { Some(scale) } else { None }
    }

    /// The factor whose network of others is the best beginning: the middle one.
    pub fn middle(&self) -> usize {
        self.0.get(self.0.len() / 2).copied().unwrap_or(1)
    }
}

impl TryFrom<usize> for Scales {
    type Error = Error;
    fn try_from(scale: usize) -> Result<Self> {
        Self::new([scale])
    }
}

impl TryFrom<Written> for Scales {
    type Error = Error;
    fn try_from(written: Written) -> Result<Self> {
        match written {
            Written::One(scale) => Self::new([scale]),
            Written::Several(scales) => Self::new(scales),
        }
    }
}

impl From<Scales> for Written {
    fn from(scales: Scales) -> Self {
        match scales.only() {
            Some(scale) => Self::One(scale),
            None => Self::Several(scales.0),
        }
    }
}

impl fmt::Display for Scales {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scales: Vec<String> = self.iter().map(|scale| scale.to_string()).collect();
        f.pad(&scales.join(","))
    }
}

impl FromStr for Scales {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let scales = text.split(',').map(|scale| scale.trim().parse().ok()).collect::<Option<Vec<_>>>();
        Self::new(scales.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_several() {
        for (text, scales, json) in
            [("3", vec![3], "3"), ("4,2,3,2", vec![2, 3, 4], "[2,3,4]"), ("1", vec![1], "1")]
        {
            let read: Scales = text.parse().unwrap();
            assert_eq!(read.iter().collect::<Vec<_>>(), scales);
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
            assert_eq!(serde_json::from_str::<Scales>(json).unwrap(), read);
        }
        for text in ["", "0", "17", "2,", "2.5", "-1", "x"] {
            assert!(text.parse::<Scales>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Scales>("[]").is_err());
        assert_eq!("2,3,4".parse::<Scales>().unwrap().middle(), 3);
    }
}
