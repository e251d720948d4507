//! The one list of what a result does not have of its picture's metadata.

use image::ColorType;

use super::chunk::Chunk;
use super::exif;
use super::jpeg::LONGEST;
use super::kind::{FileFormat, Kind};
use super::metadata::{Metadata, shown};
use super::segments::{ICC, XMP};
use super::{photoshop, profile};

/// Most texts to name.
const MOST_TEXTS: usize = 8;

impl Metadata {
    /// In words, what a result of this kind and color type does not have; `None` if it has all. To be asked after
    /// [`Metadata::update`].
    pub fn losses(&self, kind: &Kind, color: ColorType) -> Option<String> {
        use FileFormat::{Gif, Jpeg, Png, Tiff, WebP};
        let holds = |formats: &[FileFormat]| formats.contains(&kind.format);
        let is_jpeg = kind.format == Jpeg;
        let mut lost = self.lost_colors(kind, kind.stores_colors(color));
        let exif = &self.exif.as_deref();
        lost.extend(named("Exif", exif.is_some() && !holds_exif(kind)));
        lost.extend(named(
            "Exif of that length",
            is_jpeg && exif.is_some_and(|exif| exif.len() + 6 > LONGEST),
        ));
        if let Some(about) = exif.filter(|_| kind.format == Tiff).and_then(exif::about) {
            lost.extend(named("the maker's notes", about.notes));
            lost.extend(named("thumbnail", about.thumbnail));
        }
        lost.extend(named("XMP", self.xmp.is_some() && !holds(&[Png, Jpeg, WebP, Tiff, Gif])));
        let long = self.xmp.as_ref().is_some_and(|packet| packet.len() + XMP.len() > LONGEST);
        lost.extend(named("XMP of that length", is_jpeg && long));
        lost.extend(named("extended XMP", !self.extended_xmp.is_empty() && !is_jpeg));
        lost.extend(named("IPTC", self.iptc.is_some() && !holds(&[Png, Jpeg, Tiff])));
        let resources = photoshop::matters(&self.resources) && !holds(&[Png, Jpeg, Tiff]);
        lost.extend(named("Photoshop's data", resources));
        lost.extend(named("comments", !self.comments.is_empty() && !holds(&[Png, Jpeg, Gif])));
        let long = self.comments.iter().any(|comment| comment.len() > LONGEST);
        lost.extend(named("comments of that length", is_jpeg && long));
        let mut texts: Vec<String> = self.texts.iter().map(|text| shown(&text.keyword())).collect();
        texts.dedup();
        if texts.len() > MOST_TEXTS {
            texts.truncate(MOST_TEXTS);
            texts.push("..".into());
        }
        lost.extend(
            (!texts.is_empty() && kind.format != Png).then(|| format!("texts ({})", texts.join(", "))),
        );
        let unheld =
            (!lost.is_empty()).then(|| format!("a .{} file cannot hold {}", kind.extension, list(&lost)));
        let left = self.beside.iter().chain(&self.lost).map(String::as_str).collect::<Vec<_>>();
        let left = (!left.is_empty()).then(|| format!("the result is without {}", list(&left)));
        let parts: Vec<String> = unheld.into_iter().chain(left).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// What is lost of the meaning of the colors.
    fn lost_colors(&self, kind: &Kind, color: bool) -> Vec<String> {
        let mut lost = Vec::new();
        let is_png = kind.format == FileFormat::Png;
        let icc = if is_png { Ok(self.icc.clone()) } else { self.profile(color) };
        match icc {
            // Colors without a profile are taken for sRGB anyway.
            Ok(Some(icc)) if !holds_profile(kind) => {
                lost.extend(named("color profile", self.icc.is_some() || !profile::is_srgb(&icc)));
            }
            Ok(Some(icc)) => match profile::for_space(icc.clone(), color) {
                None => lost.push(profile::name(&icc)),
                Some(icc) => lost.extend(named(
                    "color profile of that length",
                    kind.format == FileFormat::Jpeg && icc.len() > 255 * (LONGEST - ICC.len() - 2),
                )),
            },
            Ok(None) => {}
            Err(what) => lost.push(what),
        }
        let brightness = self.colors.iter().any(Chunk::is_brightness);
        lost.extend(named("brightness of its display", brightness && !is_png));
        lost
    }

    /// In words, all that comes with the picture; `None` if there is nothing. For results that have only its pixels.
    pub fn contents(&self) -> Option<String> {
        let parts = [
            ("color profile", self.icc.is_some() || !self.colors.is_empty()),
            ("Exif", self.exif.is_some()),
            ("XMP", self.xmp.is_some()),
            ("IPTC", self.iptc.is_some()),
            ("comments", !self.comments.is_empty()),
            ("texts", !self.texts.is_empty()),
        ];
        let mut all: Vec<String> = parts.iter().filter_map(|&(name, there)| named(name, there)).collect();
        all.extend(self.beside.iter().chain(&self.lost).cloned());
        (!all.is_empty()).then(|| list(&all))
    }
}

fn holds_profile(kind: &Kind) -> bool {
    use FileFormat::{Gif, Jpeg, Png, Tiff, WebP};
    [Png, Jpeg, WebP, Tiff, Gif].contains(&kind.format)
}

fn holds_exif(kind: &Kind) -> bool {
    use FileFormat::{Jpeg, Png, Tiff, WebP};
    #[cfg(feature = "avif")]
    if kind.format == FileFormat::Avif {
        return true;
    }
    [Png, Jpeg, WebP, Tiff].contains(&kind.format)
}

fn named(name: &str, there: bool) -> Option<String> {
    there.then(|| name.into())
}

/// `a, b and c`.
fn list(parts: &[impl AsRef<str>]) -> String {
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    match parts.as_slice() {
        [] => String::new(),
        [one] => (*one).into(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(metadata: &Metadata, extension: &str) -> String {
        metadata.losses(Kind::named(extension).unwrap(), ColorType::Rgb8).unwrap_or_default()
    }

    #[test]
    fn what_each_kind_cannot_hold() {
        let mut icc = vec![0; 128];
        icc[16..20].copy_from_slice(b"RGB ");
        let mut metadata = Metadata {
            icc: Some(icc),
            exif: Some(b"II*\0".to_vec()),
            xmp: Some(vec![b' ']),
            iptc: Some(vec![0x1c]),
            comments: vec![b"hello".to_vec()],
            texts: vec![Chunk { name: *b"tEXt", data: b"Title\0hello".to_vec() }],
            ..Metadata::default()
        };
        assert_eq!(losses(&metadata, "png"), "");
        assert_eq!(losses(&metadata, "jpg"), "a .jpg file cannot hold texts (Title)");
        assert_eq!(losses(&metadata, "webp"), "a .webp file cannot hold IPTC, comments and texts (Title)");
        assert_eq!(losses(&metadata, "gif"), "a .gif file cannot hold Exif, IPTC and texts (Title)");
        let all = "color profile, Exif, XMP, IPTC, comments and texts (Title)";
        assert_eq!(losses(&metadata, "bmp"), format!("a .bmp file cannot hold {all}"));
        metadata.without("video");
        assert!(losses(&metadata, "png") == "the result is without video");
        assert!(losses(&metadata, "jpg").ends_with("texts (Title); the result is without video"));
        let long = Metadata { xmp: Some(vec![b' '; 1 << 16]), ..Metadata::default() };
        assert_eq!(losses(&long, "jpg"), "a .jpg file cannot hold XMP of that length");
        assert_eq!(losses(&long, "png"), "");
        assert_eq!(Metadata::default().contents(), None);
        assert!(metadata.contents().unwrap().starts_with("color profile, Exif"));
    }
}
