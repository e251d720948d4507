//! What systems put into folders beside the pictures of their users.

use std::ffi::OsStr;

/// Besides all names that begin with a dot, such as the AppleDouble files that macOS leaves on other file systems: `._a.jpg`
/// is no picture.
const JUNK: [&str; 5] = ["Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "$RECYCLE.BIN"];

/// Whether a file or folder of this name, found in a folder, is none that its user put there. One that is named by itself is
/// taken all the same.
pub fn is_junk(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
        || JUNK.iter().any(|junk| name.eq_ignore_ascii_case(OsStr::new(junk)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_systems() {
        for (name, junk) in [
            ("._a.jpg", true),
            (".srcnn-gpu.jsonl", true),
            (".DS_Store", true),
            ("thumbs.DB", true),
            ("__MACOSX", true),
            ("@eaDir", true),
            ("a.jpg", false),
            ("Thumbs.db.png", false),
            ("_a.png", false),
            ("", false),
        ] {
            assert_eq!(is_junk(OsStr::new(name)), junk, "{name}");
        }
    }
}
