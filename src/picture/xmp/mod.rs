//! XMP packets, changed in place so that they speak of the result: its size and orientation, and no further pictures, which
//! results do not have.

mod scan;

use std::ops::Range;

use scan::{DECLARATION, Name, Tag, ends, tags};

const TIFF: &str = "http://ns.adobe.com/tiff/1.0/";
const EXIF: &str = "http://ns.adobe.com/exif/1.0/";
const DIMENSIONS: &str = "http://ns.adobe.com/xap/1.0/sType/Dimensions#";
const REGIONS: &str = "http://www.metadataworkinggroup.com/schemas/regions/";
const MICROSOFT: &str = "http://ns.microsoft.com/photo/1.2/";
const BASIC: &str = "http://ns.adobe.com/xap/1.0/";
const NOTE: &str = "http://ns.adobe.com/xmp/note/";
const PANORAMA: &str = "http://ns.google.com/photos/1.0/panorama/";
const CAMERA: &str = "http://ns.google.com/photos/1.0/camera/";
const CONTAINERS: [&str; 2] =
    ["http://ns.google.com/photos/1.0/container/", "http://ns.google.com/photos/dd/1.0/container/"];
/// Namespaces that are only about further pictures, and what they say the file has.
const PICTURES: [(&str, &str); 10] = [
    ("http://ns.adobe.com/hdr-gain-map/1.0/", GAIN_MAP),
    ("http://ns.apple.com/HDRGainMap/1.0/", GAIN_MAP),
    ("http://ns.apple.com/pixeldatainfo/1.0/", "further pictures"),
    ("http://ns.google.com/photos/1.0/container/item/", ""),
    ("http://ns.google.com/photos/dd/1.0/item/", ""),
    ("http://ns.google.com/photos/dd/1.0/device/", DEPTH),
    ("http://ns.google.com/photos/dd/1.0/profile/", DEPTH),
    ("http://ns.google.com/photos/dd/1.0/depthmap/", DEPTH),
    ("http://ns.google.com/photos/dd/1.0/camera/", DEPTH),
    ("http://ns.google.com/photos/dd/1.0/image/", DEPTH),
];
/// The same where the picture is in extended XMP.
const EXTENDED: [(&str, &str); 3] = [
    ("http://ns.google.com/photos/1.0/depthmap/", DEPTH),
    ("http://ns.google.com/photos/1.0/image/", "further pictures"),
    ("http://ns.google.com/photos/1.0/audio/", "sound"),
];
const GAIN_MAP: &str = "HDR gain map";
const DEPTH: &str = "depth map";
const VIDEO: &str = "video";

/// What a packet is to say.
#[derive(Debug, Clone, Copy)]
pub struct Changes {
    /// Columns and rows of the upright picture, and of the result.
    pub sizes: [(u32, u32); 2],
    /// Whether the result is upright by what Exif said: then XMP has to agree.
    pub upright: bool,
    /// Whether the picture was turned to become upright.
    pub turned: bool,
    /// Whether the result keeps extended XMP, which a packet refers to.
    pub extended: bool,
}

/// What becomes of a property.
enum Rule {
    Keep,
    Set(u32),
    /// Multiply by how much longer an axis has become.
    Scale(usize),
    /// Remove it with all that it contains, which the text names.
    Remove(&'static str),
}

impl Changes {
    fn rule(&self, name: &Name, applied: bool, content: &[u8]) -> Rule {
        let namespace = name.namespace.as_str();
        let (width, height) = self.sizes[1];
        match (namespace, name.local.as_str()) {
            (TIFF, "Orientation") if self.upright => Rule::Set(1),
            (TIFF, "ImageWidth") | (EXIF, "PixelXDimension") => Rule::Set(width),
            (TIFF, "ImageLength") | (EXIF, "PixelYDimension") => Rule::Set(height),
            (DIMENSIONS, "w") if applied => Rule::Set(width),
            (DIMENSIONS, "h") if applied => Rule::Set(height),
            (REGIONS, "Regions") | (MICROSOFT, "RegionInfo") if self.turned => {
                Rule::Remove("regions of faces")
            }
            (BASIC, "Thumbnails") if self.turned => Rule::Remove("thumbnail"),
            (NOTE, "HasExtendedXMP") if !self.extended => Rule::Remove(""),
            (PANORAMA, local) if local.ends_with("WidthPixels") || local.ends_with("LeftPixels") => {
                Rule::Scale(0)
            }
            (PANORAMA, "LargestValidInteriorRectLeft" | "LargestValidInteriorRectWidth") => Rule::Scale(0),
            (PANORAMA, local) if local.ends_with("HeightPixels") || local.ends_with("TopPixels") => {
                Rule::Scale(1)
            }
            (PANORAMA, "LargestValidInteriorRectTop" | "LargestValidInteriorRectHeight") => Rule::Scale(1),
            (CAMERA, local) if local.starts_with("MicroVideo") || local.starts_with("MotionPhoto") => {
                Rule::Remove(VIDEO)
            }
            _ if CONTAINERS.contains(&namespace) => Rule::Remove(contained(content)),
            _ => match self.pictures().find(|(known, _)| *known == namespace) {
                Some((_, what)) => Rule::Remove(what),
                None => Rule::Keep,
            },
        }
    }

    /// Namespaces to be removed as a whole.
    fn pictures(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let extended = EXTENDED.into_iter().filter(|_| !self.extended);
        PICTURES.into_iter().chain(extended)
    }

    /// The value of a number that may have become another one.
    fn number(&self, rule: &Rule, old: &[u8]) -> Option<String> {
        match rule {
            Rule::Set(number) => Some(number.to_string()),
            Rule::Scale(axis) => {
                let old: f64 = std::str::from_utf8(old).ok()?.trim().parse().ok()?;
                let [from, to] =
                    self.sizes.map(|(width, height)| f64::from(if *axis == 0 { width } else { height }));
                Some(format!("{:.0}", old * to / from)).filter(|_| from > 0.0)
            }
            Rule::Keep | Rule::Remove(_) => None,
        }
    }

    /// The changed packet, and what it no longer speaks of; `None` if it cannot be read.
    pub fn apply(&self, packet: &[u8]) -> Option<(Vec<u8>, Vec<&'static str>)> {
        let tags = tags(packet)?;
        let ends = ends(&tags);
        let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        let mut gone = Vec::new();
        let is_applied = |name: &Name| name.namespace == REGIONS && name.local == "AppliedToDimensions";
        // The elements around, by whether their sizes are those of the picture.
        let mut around: Vec<bool> = Vec::new();
        let mut index = 0;
        while let Some(tag) = tags.get(index) {
            index += 1;
            let Tag::Start { name, attributes, whole, is_empty } = tag else {
                around.pop();
                continue;
            };
            let applied = around.last() == Some(&true) || is_applied(name);
            let last = ends[index - 1];
            let end = tags[last].place();
            // Of an empty element there is none.
            let content = packet.get(whole.end..end.start).unwrap_or_default();
            let rule = self.rule(name, applied, &packet[whole.start..end.end]);
            if let Rule::Remove(what) = rule {
                gone.push(what);
                edits.push((whole.start..end.end, Vec::new()));
                index = last + 1;
                continue;
            }
            for attribute in attributes {
                let value = &packet[attribute.value.clone()];
                let declares = attribute.name.namespace == DECLARATION
                    && self
                        .pictures()
                        .map(|(known, _)| known)
                        .chain(CONTAINERS)
                        .any(|known| known.as_bytes() == value);
                let rule = self.rule(&attribute.name, applied, value);
                if let Rule::Remove(what) = rule {
                    gone.push(what);
                }
                if declares || matches!(rule, Rule::Remove(_)) {
                    edits.push((attribute.whole.clone(), Vec::new()));
                } else if let Some(number) = self.number(&rule, value) {
                    edits.push((attribute.value.clone(), number.into_bytes()));
                }
            }
            if !is_empty
                && !content.contains(&b'<')
                && let Some(number) = self.number(&rule, content)
            {
                edits.push((whole.end..end.start, number.into_bytes()));
            }
            if !is_empty {
                around.push(applied);
            }
        }
        let mut changed = Vec::with_capacity(packet.len());
        let mut at = 0;
        for (place, text) in edits {
            changed.extend_from_slice(&packet[at..place.start]);
            changed.extend(text);
            at = place.end;
        }
        changed.extend_from_slice(&packet[at..]);
        gone.retain(|what| !what.is_empty());
        Some((changed, gone))
    }
}

/// What a list of further pictures contains, by its text.
fn contained(text: &[u8]) -> &'static str {
    let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    if has(b"GainMap") {
        GAIN_MAP
    } else if has(b"MotionPhoto") || has(b"video/") {
        VIDEO
    } else if has(b"Depth") {
        DEPTH
    } else if has(b"Length=") || has(b"Length>") {
        "further pictures"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGES: Changes =
        Changes { sizes: [(30, 20), (60, 40)], upright: true, turned: false, extended: false };

    fn packet(properties: &str) -> String {
        format!(
            "<r:RDF xmlns:r='rdf' xmlns:t='{TIFF}' xmlns:e='{EXIF}' xmlns:d='{DIMENSIONS}' xmlns:m='{REGIONS}' \
             xmlns:p='{PANORAMA}' xmlns:n='{NOTE}' xmlns:c='{CAMERA}'><r:Description {properties}</r:RDF>"
        )
    }

    fn applied(changes: Changes, before: &str) -> (String, Vec<&'static str>) {
        let (bytes, gone) = changes.apply(packet(before).as_bytes()).unwrap();
        (String::from_utf8(bytes).unwrap(), gone)
    }

    #[test]
    fn sizes_and_orientation_follow_the_picture() {
        for (before, after) in [
            ("t:Orientation='6'/>", "t:Orientation='1'/>"),
            (
                "><t:Orientation>8</t:Orientation></r:Description>",
                "><t:Orientation>1</t:Orientation></r:Description>",
            ),
            (
                "e:PixelXDimension = \"30\" e:PixelYDimension=''/>",
                "e:PixelXDimension = \"60\" e:PixelYDimension='40'/>",
            ),
            (
                "><t:ImageWidth>9</t:ImageWidth></r:Description>",
                "><t:ImageWidth>60</t:ImageWidth></r:Description>",
            ),
            (
                "p:FullPanoWidthPixels='300' p:CroppedAreaTopPixels='7'/>",
                "p:FullPanoWidthPixels='600' p:CroppedAreaTopPixels='14'/>",
            ),
            (
                "><m:Regions><m:AppliedToDimensions d:w='30'><d:h>20</d:h></m:AppliedToDimensions></m:Regions><x d:w='8'/></r:Description>",
                "><m:Regions><m:AppliedToDimensions d:w='60'><d:h>40</d:h></m:AppliedToDimensions></m:Regions><x d:w='8'/></r:Description>",
            ),
            ("t:Orientation='6' n:HasExtendedXMP='A'/>", "t:Orientation='1'/>"),
        ] {
            assert_eq!(applied(CHANGES, before), (packet(after), vec![]));
        }
        let as_it_was = Changes { upright: false, extended: true, ..CHANGES };
        let before = "t:Orientation='6' n:HasExtendedXMP='A'/>";
        assert_eq!(applied(as_it_was, before), (packet(before), vec![]));
        let turned = Changes { turned: true, ..CHANGES };
        assert_eq!(
            applied(turned, "><m:Regions/></r:Description>"),
            (packet("></r:Description>"), vec!["regions of faces"])
        );
    }

    #[test]
    fn pictures_that_are_gone_are_not_promised() {
        let [container, item] = [CONTAINERS[0], PICTURES[3].0];
        let before = format!(
            "xmlns:g='{}' xmlns:C='{container}' g:Version='1.0' c:MicroVideoOffset='7' c:BurstID='b'>\
             <C:Directory xmlns:I='{item}'><r:Seq><r:li><C:Item I:Semantic='GainMap' I:Length='9'/></r:li></r:Seq>\
             </C:Directory><g:GainMapMin><r:Seq><r:li>0</r:li></r:Seq></g:GainMapMin></r:Description>",
            PICTURES[0].0
        );
        let (after, gone) = applied(CHANGES, &before);
        assert_eq!(after, packet("c:BurstID='b'></r:Description>"));
        assert_eq!(gone, [GAIN_MAP, VIDEO, GAIN_MAP, GAIN_MAP]);
        // A list of the one picture that is there is no loss.
        let alone = format!("xmlns:C='{container}'><C:Directory><C:Item/></C:Directory></r:Description>");
        let nothing = packet("></r:Description>").replace("Description >", "Description>");
        assert_eq!(applied(CHANGES, &alone), (nothing, vec![]));
    }

    #[test]
    fn what_cannot_be_read_is_left_alone() {
        assert!(CHANGES.apply(b"<a").is_none());
        assert!(CHANGES.apply(b"\xfe\xff\0<\0a\0/\0>").is_none());
    }
}
