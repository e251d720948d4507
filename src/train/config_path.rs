//! Paths in a configuration, which is text: those that are not UTF-8 are tables, `{ bytes = 'caf\xe9/b' }`, with `\xHH` for a
//! byte and `\\` for a backslash.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// A path as it stands in a configuration.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a path as text, or a table { bytes = '..' }")]
enum Written {
    Text(String),
    Escaped { bytes: String },
}

impl Written {
    fn new(path: &Path) -> Option<Self> {
        match path.to_str() {
            Some(text) => Some(Self::Text(text.into())),
            None => Some(Self::Escaped { bytes: escape(path)? }),
        }
    }

    fn path(self) -> Option<PathBuf> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::Escaped { bytes } => unescape(&bytes),
        }
    }
}

#[cfg(unix)]
fn escape(path: &Path) -> Option<String> {
    use std::os::unix::ffi::OsStrExt;
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', r"\\"));
        text.extend(chunk.invalid().iter().map(|byte| format!(r"\x{byte:02x}")));
    }
    Some(text)
}

#[cfg(unix)]
fn unescape(text: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, escaped)) = rest.split_once('\\') {
        bytes.extend(before.as_bytes());
        rest = match escaped.strip_prefix('\\') {
            Some(after) => {
                bytes.push(b'\\');
                after
            }
            None => {
                let digits = escaped.strip_prefix('x')?;
                bytes.push(u8::from_str_radix(digits.get(..2)?, 16).ok()?);
                digits.get(2..)?
            }
        };
    }
    bytes.extend(rest.as_bytes());
    Some(std::ffi::OsString::from_vec(bytes).into())
}

/// Only some systems have such paths.
#[cfg(not(unix))]
fn escape(_: &Path) -> Option<String> {
    None
}

#[cfg(not(unix))]
fn unescape(_: &str) -> Option<PathBuf> {
    None
}

fn write(path: &Path) -> Result<Written, String> {
    Written::new(path).ok_or_else(|| format!("the path '{}' is not Unicode", path.display()))
}

fn read(written: Written) -> Result<PathBuf, &'static str> {
    written.path().ok_or(r"a path in bytes needs \xHH for each byte that is not text, and \\ for a backslash")
}

/// For lists of paths.
pub(super) mod list {
    use super::*;

    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        let written = paths.iter().map(|path| write(path)).collect::<Result<Vec<_>, _>>();
        written.map_err(ser::Error::custom)?.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        let written = Vec::<Written>::deserialize(deserializer)?;
        written.into_iter().map(|written| read(written).map_err(de::Error::custom)).collect()
    }
}

/// For a path that may be absent.
pub(super) mod optional {
    use super::*;

    pub fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
        path.as_deref().map(write).transpose().map_err(ser::Error::custom)?.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
        Option::<Written>::deserialize(deserializer)?.map(read).transpose().map_err(de::Error::custom)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn all_bytes_survive() {
        for bytes in [&b"plain"[..], b"caf\xe9/b", b"a\\x\xff\\", b"\xe4\xf6\xc3\xbc \xf0\x9f", b"'\"\n\x80"]
        {
            let path = Path::new(OsStr::from_bytes(bytes));
            assert_eq!(Written::new(path).unwrap().path().unwrap(), path);
        }
        for wrong in [r"\", r"\x1", r"\y00", r"\xg0", r"\x\u{e9}"] {
            assert_eq!(unescape(wrong), None, "{wrong}");
        }
    }
}
