//! What comes with a picture's pixels.

use image::metadata::Orientation;

use super::chunk::Chunk;
use super::density::Density;
use super::exif;
use super::kind::{FileFormat, Kind};
use super::{photoshop, profile, xmp};

/// The header that Exif has in JPEG files, and that some programs also write in others. Its last byte varies.
pub const EXIF_HEADER: &[u8] = b"Exif\0";

/// Color profile, Exif, XMP, IPTC, texts, and the names of what only the file itself holds.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// ICC profile.
    pub icc: Option<Vec<u8>>,
    /// Chunks of a PNG file that say what the colors mean.
    pub colors: Vec<Chunk>,
    /// Exif block, starting with its byte order.
    pub exif: Option<Vec<u8>>,
    /// XMP packet.
    pub xmp: Option<Vec<u8>>,
    /// Segments of a JPEG file that a packet goes on in.
    pub extended_xmp: Vec<Vec<u8>>,
    /// IPTC records.
    pub iptc: Option<Vec<u8>>,
    /// Photoshop's image resources but for IPTC.
    pub resources: Vec<u8>,
    /// Comments, in UTF-8 or Latin-1.
    pub comments: Vec<Vec<u8>>,
    /// Text chunks of a PNG file, without those that have fields of their own here.
    pub texts: Vec<Chunk>,
    pub density: Option<Density>,
    /// Pictures, frames and the like that results do not have.
    pub beside: Vec<String>,
    /// Metadata that results do not have.
    pub lost: Vec<String>,
    /// By Exif or TIFF, how the stored pixels have to be turned; `None` if neither says so.
    pub orientation: Option<Orientation>,
}

impl Metadata {
    /// Notes something that results do not have: a picture or the like.
    pub fn without(&mut self, what: &str) {
        add(&mut self.beside, what);
    }

    /// Notes metadata that results do not have.
    pub fn not_kept(&mut self, what: &str) {
        add(&mut self.lost, what);
    }

    /// Brings Exif into its one form, leaves it out if it cannot be read, and takes the orientation from it unless that is
    /// known already. All readers end with this.
    pub fn settle(mut self) -> Self {
        while let Some(block) = self.exif.as_mut().filter(|block| block.starts_with(EXIF_HEADER)) {
            block.drain(..block.len().min(EXIF_HEADER.len() + 1));
        }
        let about = self.exif.as_deref().and_then(exif::about);
        match about {
            Some(about) => {
                let found = about.orientation.and_then(Orientation::from_exif);
                if let Some((known, block)) =
                    self.orientation.zip(self.exif.as_mut()).filter(|(known, _)| Some(*known) != found)
                {
                    // Other parts of the file count before Exif, and the decoder has followed them.
                    exif::set_orientation(block, known.to_exif());
                }
                self.orientation = self.orientation.or(found);
            }
            None if self.exif.take().is_some_and(|block| !block.is_empty()) => self.not_kept("damaged Exif"),
            None => {}
        }
        self.icc.take_if(|profile| profile.is_empty());
        self.xmp.take_if(|packet| packet.is_empty());
        self
    }

    /// Removes the color profile (`icc`), or everything that is not needed to show the colors (`metadata`).
    pub fn strip(&mut self, icc: bool, metadata: bool) {
        let colors = (self.icc.take(), std::mem::take(&mut self.colors));
        if metadata {
            *self = Self {
                beside: std::mem::take(&mut self.beside),
                orientation: self.orientation,
                ..Self::default()
            };
        }
        if !icc {
            (self.icc, self.colors) = colors;
        }
    }

    /// Makes the metadata those of a result: of `sizes`, columns and rows, the first are those of the picture and the others
    /// those of the result, both upright. `turned` says whether the picture was turned for that.
    pub fn update(&mut self, sizes: [(u32, u32); 2], turned: bool, kind: &Kind) {
        let extended = kind.format == FileFormat::Jpeg && !self.extended_xmp.is_empty();
        let upright = turned || self.orientation == Some(Orientation::NoTransforms);
        if let Some(block) = &mut self.exif {
            let about = exif::about(block).unwrap_or_default();
            exif::update(block, sizes[1], turned);
            if turned && about.thumbnail {
                self.not_kept("thumbnail");
            }
            if turned && about.preview {
                self.not_kept("right orientation of the preview in the maker's notes");
            }
        }
        if turned && photoshop::remove_thumbnails(&mut self.resources) {
            self.not_kept("thumbnail");
        }
        let changes = xmp::Changes { sizes, upright, turned, extended };
        if let Some((packet, gone)) = self.xmp.as_ref().and_then(|packet| changes.apply(packet)) {
            self.xmp = Some(packet);
            gone.into_iter().for_each(|what| self.without(what));
        }
    }

    /// The profile that the colors have, whether from a profile or from chunks; `color` is false for a profile of shades of
    /// grey. Of what PNG files say, `cICP` counts before a profile, then `sRGB`, then `gAMA` and `cHRM` (PNG, third edition,
    /// section 4.3).
    ///
    /// # Errors
    /// In words, what the chunks say that no profile can be made of.
    pub fn profile(&self, color: bool) -> Result<Option<Vec<u8>>, String> {
        match profile::of_chunks(&self.colors, self.icc.is_some(), color) {
            Ok(None) => Ok(self.icc.clone()),
            Err(_) if self.icc.is_some() => Ok(self.icc.clone()),
            made => made,
        }
    }

    /// The same without what says what the colors mean.
    pub fn without_colors(&self) -> Self {
        Self { icc: None, colors: Vec::new(), ..self.clone() }
    }

    /// Sets the profile after the colors were converted to it.
    pub fn set_profile(&mut self, icc: Vec<u8>) {
        self.icc = Some(icc);
        self.colors.clear();
    }

    /// Keeps of what says what the colors mean only that which a kind of file with colors, or with shades of grey, can hold:
    /// chunks in PNG; elsewhere a profile, of the chunks if there is no other.
    pub fn fit_colors(&mut self, kind: &Kind, color: bool) {
        if kind.format != FileFormat::Png {
            self.icc = self.profile(color).ok().flatten();
            self.colors.clear();
        }
        self.icc = self.icc.take().and_then(|icc| profile::for_space(icc, color));
    }
}

/// Most entries of a list: files can be made that would fill pages.
const LONGEST_LIST: usize = 12;

fn add(list: &mut Vec<String>, what: &str) {
    if list.len() < LONGEST_LIST && !list.iter().any(|known| known == what) {
        list.push(what.into());
    }
}

/// A name out of a file, in a form that can be shown.
pub fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>().trim().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exif_in_its_one_form() {
        let block = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        for header in [b"".as_slice(), b"Exif\0\0", b"Exif\0\xff", b"Exif\0\0Exif\0\0"] {
            let exif = Some([header, block].concat());
            let metadata = Metadata { exif, ..Metadata::default() }.settle();
            assert_eq!(metadata.exif.as_deref(), Some(block.as_slice()));
            assert_eq!(metadata.orientation, Some(Orientation::Rotate90));
        }
        // The decoder knows better.
        let exif = Some(block.to_vec());
        let orientation = Some(Orientation::NoTransforms);
        let known = Metadata { exif, orientation, ..Metadata::default() }.settle();
        assert_eq!(known.orientation, Some(Orientation::NoTransforms));
        assert_eq!(known.exif.and_then(|block| exif::about(&block)?.orientation), Some(1));
        let broken = Metadata { exif: Some(b"Exif\0".to_vec()), ..Metadata::default() }.settle();
        assert!(broken.exif.is_none() && broken.lost.is_empty());
        let broken = Metadata { exif: Some(b"XX*\0\x08\0\0\0".to_vec()), ..Metadata::default() }.settle();
        assert!(broken.exif.is_none() && broken.lost == ["damaged Exif"]);
    }

    #[test]
    fn stripping() {
        let full = || Metadata {
            icc: Some(vec![1]),
            colors: vec![Chunk { name: *b"gAMA", data: vec![] }],
            comments: vec![vec![2]],
            lost: vec!["damaged Exif".into()],
            beside: vec!["video".into()],
            orientation: Some(Orientation::Rotate90),
            ..Metadata::default()
        };
        let [mut all, mut bare] = [full(), full()];
        all.strip(true, false);
        assert!(all.icc.is_none() && all.colors.is_empty() && all.comments.len() == 1);
        bare.strip(false, true);
        assert!(
            bare.icc.is_some() && bare.colors.len() == 1 && bare.comments.is_empty() && bare.lost.is_empty()
        );
        assert!(bare.beside == ["video"] && bare.orientation.is_some());
    }
}
