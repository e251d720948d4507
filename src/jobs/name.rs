//! Names of files in an index: exact, whatever bytes they have.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A path relative to the index's folder, with `/` between its parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Name {
    /// As text, for readers; characters that are none are replaced.
    file: String,
    /// All bytes in hexadecimal digits, for a name that is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

impl Name {
    pub fn of(path: &Path) -> Self {
        let file = path.to_string_lossy();
        let file = if cfg!(windows) { file.replace('\\', "/") } else { file.into_owned() };
        let hex = |path: &Path| {
            path.as_os_str().as_encoded_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
        };
        Self { file, bytes: path.to_str().is_none().then(|| hex(path)) }
    }

    pub fn path(&self) -> PathBuf {
        let digits = |hex: &str| -> Option<Vec<u8>> {
            let pairs = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok());
            pairs.collect()
        };
        match self.bytes.as_deref().and_then(digits) {
            Some(bytes) => path_of(&bytes),
            None => self.file.clone().into(),
        }
    }
}

/// The path of these bytes.
#[cfg(unix)]
pub fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
pub fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        let mut paths = vec![PathBuf::from("a/b c.png"), "dé/ü.png".into()];
        if cfg!(unix) {
            paths.extend([path_of(b"d\xe9/a\\b.png"), path_of(b"d\xea/a\\b.png"), path_of(b"a\\b\n.png")]);
        }
        let names: Vec<_> = paths.iter().map(|path| Name::of(path)).collect();
        for (path, name) in paths.iter().zip(&names) {
            let text = serde_json::to_string(name).unwrap();
            let back: Name = serde_json::from_str(&text).unwrap();
            assert_eq!((back.path(), &back), (path.clone(), name));
        }
        let different: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        let broken = Name { file: "a.png".into(), bytes: Some("6".into()) };
        assert_eq!(broken.path(), Path::new("a.png"));
    }
}
