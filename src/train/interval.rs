//! How often a run is evaluated.

use std::fmt;

use serde::{Deserialize, Serialize};

/// From one evaluation to the next. In TOML a number of steps, or `"auto"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Interval {
    /// So many steps.
    Steps(u64),
    /// A twentieth of the run: of its steps, or of its time if that limits it. Where evaluations take long, there are fewer.
    Auto,
}

/// Evaluations of a run with [`Interval::Auto`].
pub const EVALUATIONS: u32 = 20;

impl Interval {
    /// As steps, for a run of `total` steps; `None` where the clock decides.
    pub fn steps(self, total: Option<u64>) -> Option<u64> {
        match self {
            Self::Steps(steps) => Some(steps.max(1)),
            Self::Auto => total.map(|total| (total / u64::from(EVALUATIONS)).max(1)),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => steps.fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a number of steps, or \"auto\"")]
enum Written {
    Steps(u64),
    Word(String),
}

impl TryFrom<Written> for Interval {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Steps(steps) => Ok(Self::Steps(steps)),
            Written::Word(word) if word == "auto" => Ok(Self::Auto),
            Written::Word(word) => Err(format!("'{word}' is neither a number of steps nor \"auto\"")),
        }
    }
}

impl From<Interval> for Written {
    fn from(interval: Interval) -> Self {
        match interval {
            Interval::Steps(steps) => Self::Steps(steps),
            Interval::Auto => Self::Word("auto".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_run() {
        assert_eq!(Interval::Auto.steps(Some(1000)), Some(50));
        assert_eq!(Interval::Auto.steps(Some(8)), Some(1));
        assert_eq!(Interval::Auto.steps(None), None);
        assert_eq!(Interval::Steps(500).steps(None), Some(500));
    }
}
