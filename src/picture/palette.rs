//! Pictures whose pixels are indices into a palette: evaluation takes those with shades of grey for grey pictures.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes at the beginning of a file that are looked at.
const HEAD: u64 = 32;

/// Whether the pixels of a BMP, PNG or GIF file are stored as indices into a palette.
pub fn is_used_in(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_ok() && has_palette(&head)
}

/// Whether a file's first bytes are those of a BMP of 8 bits or less, a PNG with a palette, or a GIF.
fn has_palette(head: &[u8]) -> bool {
    let byte = |at: usize| head.get(at).copied();
    match head {
        [b'B', b'M', ..] => matches!(byte(28), Some(1..=8)),
        [0x89, b'P', b'N', b'G', ..] => byte(25) == Some(3),
        _ => head.starts_with(b"GIF8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn palettes_are_seen() {
        let mut bmp = [0; 32];
        bmp[..2].copy_from_slice(b"BM");
        bmp[28] = 8;
        assert!(has_palette(&bmp));
        bmp[28] = 24;
        assert!(!has_palette(&bmp));
        assert!(has_palette(b"GIF89a"));
        assert!(!has_palette(b"BM"));
    }
}
