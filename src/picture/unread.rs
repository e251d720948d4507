//! Kinds of pictures that this build does not read, by name or content, and what their owner can do.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use image::ImageFormat;

/// What many people have, and a build may not read.
struct Kind {
    /// Extensions, in lower case.
    extensions: &'static [&'static str],
    /// What it is, with its article.
    what: &'static str,
    /// What to do.
    advice: &'static str,
    /// Whether this build reads it all the same.
    read: bool,
}

const CONVERT: &str = "convert it to PNG, JPEG or TIFF first";
const DEVELOP: &str = "develop it to TIFF or PNG first, with the camera's program, darktable or RawTherapee";

static HEIC: Kind = Kind {
    extensions: &["heic", "heif", "hif", "heics", "heifs"],
    what: "an iPhone picture (HEIC)",
    advice: "convert it to JPEG or PNG first (`heif-convert`, `sips -s format png`, or the phone's \"Most Compatible\" \
             setting), or build with `--features heic` where the C library libheif 1.17 or later is installed",
    read: cfg!(feature = "heic"),
};
static AVIF: Kind = Kind {
    extensions: &["avif", "avifs"],
    what: "an AVIF picture",
    advice: "convert it to PNG first (`avifdec`), or build with `--features avif-native` where the C library dav1d 1.3 or \
             later is installed",
    read: cfg!(feature = "avif-native"),
};
static JXL: Kind = Kind {
    extensions: &["jxl"],
    what: "a JPEG XL picture",
    advice: "convert it to PNG first (`djxl`)",
    read: false,
};
static JPEG_2000: Kind = Kind {
    extensions: &["jp2", "j2k", "jpx", "jpf"],
    what: "a JPEG 2000 picture",
    advice: CONVERT,
    read: false,
};
static RAW: Kind = Kind {
    extensions: &["dng", "cr2", "cr3", "nef", "arw", "orf", "raf", "rw2", "pef", "srw"],
    what: "a camera's raw picture",
    advice: DEVELOP,
    read: false,
};
static LAYERED: Kind =
    Kind { extensions: &["psd", "xcf", "kra"], what: "a picture in layers", advice: CONVERT, read: false };
static VECTORS: Kind = Kind {
    extensions: &["svg", "svgz", "eps"],
    what: "a drawing of lines and curves",
    advice: "export it to PNG at the size that you want, no enlarging is needed",
    read: false,
};

static KINDS: [&Kind; 7] = [&HEIC, &AVIF, &JXL, &JPEG_2000, &RAW, &LAYERED, &VECTORS];

/// Whether a file's name is that of a picture, of any kind.
pub fn has_picture_name(path: &Path) -> bool {
    ImageFormat::from_path(path).is_ok_and(|format| format.reading_enabled()) || named(path).is_some()
}

/// Whether a file is a picture that this build reads: by its name, and by its content where that tells.
pub fn is_read(path: &Path) -> bool {
    has_picture_name(path) && of(path).is_none_or(|kind| kind.read)
}

/// In words, what a file that this build does not read is, and what to do; `None` for all others. The content decides, and
/// the name where the content does not tell.
pub fn unread(path: &Path) -> Option<String> {
    let kind = of(path).filter(|kind| !kind.read)?;
    Some(format!("{}, which this build does not read; {}", kind.what, kind.advice))
}

/// As `unread`, for a list of such files.
pub fn unread_kind(path: &Path) -> Option<String> {
    let kind = of(path).filter(|kind| !kind.read)?;
    Some(format!("{}; {}", kind.what, kind.advice))
}

/// Whether a file holds a HEIC picture.
pub fn is_heic(path: &Path) -> bool {
    content(&head(path)).is_some_and(|kind| std::ptr::eq(kind, &HEIC))
}

/// Which of these kinds a file is.
fn of(path: &Path) -> Option<&'static Kind> {
    let head = head(path);
    if let Some(kind) = content(&head) {
        return Some(kind);
    }
    let named = named(path)?;
    match image::guess_format(&head) {
        // Most cameras write TIFF files of their own.
        Ok(ImageFormat::Tiff) if std::ptr::eq(named, &RAW) => Some(named),
        Ok(format) if format.reading_enabled() => None,
        _ => Some(named),
    }
}

fn named(path: &Path) -> Option<&'static Kind> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    KINDS.into_iter().find(|kind| kind.extensions.contains(&extension.as_str()))
}

/// The first bytes of a file, none of what is no file: a pipe could block.
fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    let is_file = std::fs::metadata(path).is_ok_and(|about| about.is_file());
    if let Some(file) = is_file.then(|| File::open(path).ok()).flatten() {
        // What cannot be read tells nothing.
        let _ = file.take(64).read_to_end(&mut head);
    }
    head
}

/// By the first bytes.
fn content(head: &[u8]) -> Option<&'static Kind> {
    match head {
        [_, _, _, length, b'f', b't', b'y', b'p', brands @ ..] => {
            let brands = &brands[..brands.len().min(usize::from(*length).saturating_sub(8))];
            let one_of = |known: &[&[u8]]| brands.chunks_exact(4).any(|brand| known.contains(&brand));
            if one_of(&[b"avif", b"avis"]) {
                Some(&AVIF)
            } else if one_of(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
                Some(&HEIC)
            } else {
                one_of(&[b"crx "]).then_some(&RAW)
            }
        }
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some(&JXL),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => Some(&JPEG_2000),
        [b'8', b'B', b'P', b'S', ..] => Some(&LAYERED),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_contents_tell() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            unread(&path).unwrap_or_default()
        };
        for (name, bytes, word) in [
            ("a.HEIC", &b""[..], "iPhone picture (HEIC)"),
            ("a.jpg", b"\0\0\0\x18ftypheic", "iPhone picture (HEIC)"),
            ("a", b"\0\0\0\x18ftypmif1\0\0\0\0heic", "heic"),
            ("a", b"\0\0\0\x18ftypmif1\0\0\0\0avif", "avif-native"),
            ("a.avif", b"", "avif-native"),
            ("b.jpg", b"\0\0\0\x20ftypavif", "avif-native"),
            ("a.jxl", b"\0\0\0\x0cJXL ", "djxl"),
            ("a.nef", b"II*\0", "raw"),
            ("a.psd", b"8BPS", "layers"),
            ("a.jp2", b"\0\0\0\x0cjP  ", "2000"),
        ] {
            let text = file(name, bytes);
            let read =
                (word.contains("avif") && AVIF.read) || (word.to_lowercase().contains("heic") && HEIC.read);
            assert!(
                if read { text.is_empty() } else { text.contains(word) },
                "{name}: '{text}' lacks {word}"
            );
        }
        for (name, bytes) in [
            ("a.png", &b"\x89PNG"[..]),
            ("a.mp4", b"\0\0\0\x20ftypisom"),
            ("a.txt", b"text"),
            ("c.heic", b"\xff\xd8\xff"),
        ] {
            assert_eq!(file(name, bytes), "");
        }
        assert!(is_read(&folder.path().join("c.heic")) && has_picture_name(Path::new("a.heic")));
        assert_eq!(is_read(&folder.path().join("a.jpg")), HEIC.read);
        assert!(is_read(Path::new("a.PNG")) && !is_read(Path::new("a.psd")) && !is_read(Path::new("a.txt")));
        assert_eq!(is_read(Path::new("a.heic")), HEIC.read);
        assert!(unread_kind(Path::new("a.JXL")).is_some() && unread_kind(Path::new("a.png")).is_none());
    }
}
