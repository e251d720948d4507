//! Times as text: limits of runs, estimates.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A time in whole seconds, written `90s`, `30m`, `2h`, `3d`, or in parts: `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeSpan(pub Duration);

const UNITS: [(char, u64); 4] = [('d', 86400), ('h', 3600), ('m', 60), ('s', 1)];

impl FromStr for TimeSpan {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::invalid(format!("'{text}' is not a time such as 90s, 30m, 2h or 1h30m"));
        let (mut rest, mut seconds) = (text.trim(), 0u64);
        while let Some(end) = rest.find(|c: char| !c.is_ascii_digit()) {
            let count: u64 = rest[..end].parse().map_err(|_| wrong())?;
            let (unit, length) =
                UNITS.into_iter().find(|(unit, _)| rest[end..].starts_with(*unit)).ok_or_else(wrong)?;
            let part = count.checked_mul(length).ok_or_else(wrong)?;
            seconds = seconds.checked_add(part).ok_or_else(wrong)?;
            rest = &rest[end + unit.len_utf8()..];
        }
        // Whatever is left has no unit.
        if seconds == 0 || !rest.is_empty() { Err(wrong()) } else { Ok(Self(Duration::from_secs(seconds))) }
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_secs();
        for (unit, length) in UNITS {
            let count = left / length;
            left %= length;
            if count > 0 || (unit == 's' && self.0.as_secs() == 0) {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for TimeSpan {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<TimeSpan> for String {
    fn from(span: TimeSpan) -> Self {
        span.to_string()
    }
}
