//! What comes with a picture's pixels and is not one.

use super::exif;
use super::jpeg::Segment;
use super::kind::{Format, Kind};
use super::png::Chunk;

/// Colour profile, Exif, XMP, and what only files of the same format can hold.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// ICC profile.
    pub icc: Option<Vec<u8>>,
    /// Exif block, from its byte order on.
    pub exif: Option<Vec<u8>>,
    /// XMP packet.
    pub xmp: Option<Vec<u8>>,
    /// Chunks of a PNG file: colour space, resolution, texts.
    pub chunks: Vec<Chunk>,
    /// Segments of a JPEG file: IPTC, comments.
    pub segments: Vec<Segment>,
    /// Unit and resolution on both axes, as in a JFIF segment.
    pub density: Option<(u8, u16, u16)>,
}

impl Metadata {
    /// Leaves out the colour profile, or all that is not needed to show the colours.
    pub fn strip(&mut self, icc: bool, metadata: bool) {
        if icc {
            self.icc = None;
        }
        if metadata {
            *self =
                Self { icc: self.icc.take(), chunks: std::mem::take(&mut self.chunks), ..Self::default() };
        }
        self.chunks.retain(|chunk| if chunk.is_colour() { !icc } else { !metadata });
    }

    /// Brings sizes and orientation up to date: the picture is upright, and `size` pixels large. It was `turned` for
    /// that, or not.
    pub fn update(&mut self, size: (u32, u32), turned: bool) {
        if let Some(exif) = &mut self.exif {
            exif::update(exif, size, turned);
        }
        if let Some(xmp) = &mut self.xmp {
            make_upright(xmp);
        }
    }

    /// The colours are those of another profile now.
    pub fn set_profile(&mut self, icc: Vec<u8>) {
        self.icc = Some(icc);
        self.chunks.retain(|chunk| !chunk.is_colour());
    }

    /// Removes a profile for other colours than the file's, `b"RGB "` or `b"GRAY"`: of a CMYK file, or of grey that was
    /// made RGB.
    pub fn keep_profile_of(&mut self, space: &[u8; 4]) {
        self.icc.take_if(|profile| profile.get(16..20) != Some(space));
    }

    /// In words, what is here that a kind of file cannot hold; `None` when it holds all.
    pub fn lost_in(&self, kind: &Kind) -> Option<String> {
        use Format::{Gif, Jpeg, Png, Tiff, WebP};
        let icc = [Png, Jpeg, WebP, Tiff, Gif].contains(&kind.format);
        let exif = [Png, Jpeg, WebP, Tiff].contains(&kind.format);
        let parts = [("colour profile", &self.icc, icc), ("Exif", &self.exif, exif), ("XMP", &self.xmp, icc)];
        let lost = parts.iter().filter(|(_, part, held)| part.is_some() && !held).map(|(name, ..)| *name);
        let lost: Vec<_> = lost.collect();
        (!lost.is_empty()).then(|| lost.join(" and "))
    }
}

/// Some readers trust the orientation in XMP. The value is one digit, so that no length changes.
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
        assert_eq!(lost("bmp").as_deref(), Some("colour profile and Exif"));
    }
}
