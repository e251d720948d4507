//! `--limit`: raising or lowering what one input may ask for.

use srcnn_gpu::limits::Limit;
use srcnn_gpu::train::config::TimeSpan;
use srcnn_gpu::{Error, Result};

/// A limit and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    limit: Limit,
    value: u64,
}

impl Setting {
    /// Sets the limit for this process.
    pub fn apply(self) {
        self.limit.set(self.value);
    }
}

/// Parses `memory=4G`, `time=48h`, `stdin=none`.
///
/// # Errors
/// [`Error::InvalidArgument`] with what would be accepted.
pub fn parse(text: &str) -> Result<Setting> {
    let names = || Limit::ALL.map(Limit::name).join(", ");
    let (name, value) =
        text.split_once('=').ok_or_else(|| Error::invalid("NAME=VALUE is needed, such as memory=4G"))?;
    let limit = Limit::ALL.into_iter().find(|limit| limit.name() == name);
    let limit = limit.ok_or_else(|| Error::invalid(format!("'{name}' is none of {}", names())))?;
    let parsed = match (value, limit) {
        ("none", _) => Some(u64::MAX),
        (_, Limit::Time) => {
            value.parse::<TimeSpan>().ok().and_then(|span| span.0.as_millis().try_into().ok())
        }
        _ => size(value),
    };
    let value = parsed.ok_or_else(|| {
        Error::invalid(match limit {
            Limit::Time => format!("'{value}' is not a time such as 30m or 48h, or none"),
            _ => format!("'{value}' is not a size such as 500M or 4G, or none"),
        })
    })?;
    Ok(Setting { limit, value })
}

/// Bytes from text such as `1500`, `64K`, `1.5GiB`: units are powers of 1024.
fn size(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_uppercase();
    let bits = match unit.trim_end_matches('B').trim_end_matches('I') {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()?
        * f64::from(1u32 << (bits % 32))
        * if bits >= 32 { 4294967296.0 } else { 1.0 };
    (1.0..1.8e19).contains(&bytes).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        let value = |text| parse(text).ok().map(|setting| setting.value);
        for (text, expected) in [
            ("memory=1500", 1500),
            ("memory=64K", 64 << 10),
            ("stdin=1.5GiB", 3 << 29),
            ("list=2mb", 2 << 20),
            ("weights=1T", 1 << 40),
            ("time=1h30m", 5_400_000),
            ("metadata=none", u64::MAX),
            ("time=none", u64::MAX),
        ] {
            assert_eq!(value(text), Some(expected), "{text}");
        }
        for wrong in [
            "memory",
            "memory=",
            "memory=0",
            "memory=-1",
            "memory=4X",
            "memory=1e3",
            "time=5G",
            "pixels=1M",
            "=1",
        ] {
            assert_eq!(value(wrong), None, "{wrong}");
        }
        assert_eq!(parse("list=9").unwrap().limit, Limit::List);
    }
}
