//! What comes with a picture's pixels.

use super::exif;
use super::kind::{FileFormat, Kind};

/// Color profile, Exif, XMP, and what only files of the same format can hold.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// ICC profile.
    pub icc: Option<Vec<u8>>,
    /// Exif block, starting with its byte order.
    pub exif: Option<Vec<u8>>,
    /// XMP packet.
    pub xmp: Option<Vec<u8>>,
    /// Chunks of a PNG file: color space, resolution, texts.
    pub chunks: Vec<Chunk>,
    /// Segments of a JPEG file: IPTC, comments.
    pub segments: Vec<Segment>,
    /// Unit and resolution on both axes, as in a JFIF segment.
    pub density: Option<(u8, u16, u16)>,
}

/// A chunk of a PNG file.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    pub name: [u8; 4],
    pub data: Vec<u8>,
}

impl Chunk {
    /// Whether it says what the colors mean.
    pub fn is_color(&self) -> bool {
        [b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI"].contains(&&self.name)
    }
}

/// A segment of a JPEG file, without its marker's `0xff` and its length.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    pub marker: u8,
    pub data: Vec<u8>,
}

impl Metadata {
    /// Removes the color profile (`icc`), or everything that is not needed to show the colors (`metadata`).
    pub fn strip(&mut self, icc: bool, metadata: bool) {
        if icc {
            self.icc = None;
        }
        if metadata {
            *self =
                Self { icc: self.icc.take(), chunks: std::mem::take(&mut self.chunks), ..Self::default() };
        }
        self.chunks.retain(|chunk| if chunk.is_color() { !icc } else { !metadata });
    }

    /// Updates sizes and orientation for an upright picture of `size` pixels, width and height; `turned` says whether
    /// the picture was turned to become upright.
    pub fn update(&mut self, size: (u32, u32), turned: bool) {
        if let Some(exif) = &mut self.exif {
            exif::update(exif, size, turned);
        }
        if let Some(xmp) = &mut self.xmp {
            make_upright(xmp);
        }
    }

    /// Sets the profile after the colors were converted to it.
    pub fn set_profile(&mut self, icc: Vec<u8>) {
        self.icc = Some(icc);
        self.chunks.retain(|chunk| !chunk.is_color());
    }

    /// Removes the profile unless it is for the file's color space, `b"RGB "` or `b"GRAY"`: profiles of CMYK files
    /// and of grey pictures that became RGB go.
    pub fn keep_profile_of(&mut self, space: &[u8; 4]) {
        self.icc.take_if(|profile| profile.get(16..20) != Some(space));
    }

    /// In words, what a kind of file cannot hold of this; `None` when it holds all.
    pub fn lost_in(&self, kind: &Kind) -> Option<String> {
        use FileFormat::{Gif, Jpeg, Png, Tiff, WebP};
        let icc = [Png, Jpeg, WebP, Tiff, Gif].contains(&kind.format);
        let exif = [Png, Jpeg, WebP, Tiff].contains(&kind.format);
        let parts = [("color profile", &self.icc, icc), ("Exif", &self.exif, exif), ("XMP", &self.xmp, icc)];
        let lost = parts.iter().filter(|(_, part, held)| part.is_some() && !held).map(|(name, ..)| *name);
        let lost: Vec<_> = lost.collect();
        (!lost.is_empty()).then(|| lost.join(" and "))
    }
}

/// Some readers trust the orientation in XMP. Its value is one digit, so no length changes.
fn make_upright(xmp: &mut [u8]) {
    for before in [b"tiff:Orientation=\"".as_slice(), b"tiff:Orientation='", b"<tiff:Orientation>"] {
        let Some(at) = xmp.windows(before.len()).position(|part| part == before) else { continue };
        if let Some(digit) = xmp.get_mut(at + before.len()).filter(|byte| byte.is_ascii_digit()) {
            *digit = b'1';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orientation_in_xmp() {
        let mut xmp = *b"<x tiff:Orientation=\"6\"/><tiff:Orientation>8</tiff:Orientation>";
        make_upright(&mut xmp);
        assert_eq!(&xmp, b"<x tiff:Orientation=\"1\"/><tiff:Orientation>1</tiff:Orientation>");
        make_upright(&mut xmp[..21]);
    }

    #[test]
    fn losses() {
        let metadata = Metadata { icc: Some(Vec::new()), exif: Some(Vec::new()), ..Metadata::default() };
        let lost = |extension| metadata.lost_in(Kind::named(extension).unwrap());
        assert_eq!(lost("png"), None);
        assert_eq!(lost("gif").as_deref(), Some("Exif"));
        assert_eq!(lost("bmp").as_deref(), Some("color profile and Exif"));
    }
}
