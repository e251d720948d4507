//! What the directories of TIFF files say of a picture.

use image::metadata::Orientation;

use super::exif::{Directories, Entry, tag};
use super::metadata::Metadata;
use super::photoshop;

pub const XMP: u16 = 0x02bc;
pub const ICC: u16 = 0x8773;
pub const IPTC: u16 = 0x83bb;
pub const PHOTOSHOP: u16 = 0x8649;
const LAYERS: u16 = 0x935c;
const GEOGRAPHIC: [u16; 9] = [0x830e, 0x8480, 0x8482, 0x85d8, 0x87af, 0x87b0, 0x87b1, 0xa480, 0xa481];
const TRANSFER_FUNCTION: u16 = 0x012d;
const WHITE: u16 = 0x013e;
const PRIMARIES: u16 = 0x013f;
/// Entries with high numbers that are kept, or that are about how pixels are stored.
const KNOWN: [u16; 24] = [
    IPTC,
    PHOTOSHOP,
    ICC,
    tag::EXIF,
    tag::GPS,
    tag::INTEROPERABILITY,
    0x8298,
    0x9c9b,
    0x9c9c,
    0x9c9d,
    0x9c9e,
    0x9c9f,
    0x80a4,
    0x80e3,
    0x80e4,
    0x80e5,
    0x80e6,
    0x828d,
    0x828e,
    0x84e3,
    0x84e6,
    0xc4a5,
    0xea1c,
    0xea1d,
];

/// Takes the profile, XMP, IPTC, and what would be Exif in another format, from the directories.
pub fn read(directories: &Directories, metadata: &mut Metadata) {
    let find = |tag: u16| directories.main.iter().find(|entry| entry.tag == tag);
    let bytes = |tag: u16| Some(find(tag)?.data().to_vec()).filter(|data| !data.is_empty());
    metadata.xmp = bytes(XMP);
    metadata.icc = bytes(ICC);
    let records = bytes(IPTC).map(in_order);
    let (other, resources) = photoshop::split(&bytes(PHOTOSHOP).unwrap_or_default());
    let are_whole = records.as_ref().is_some_and(|records| photoshop::is_iptc(records));
    metadata.iptc = if are_whole { records } else { other.or(records) };
    metadata.resources = resources;
    let described = directories.descriptive();
    metadata.exif = (!described.is_empty()).then(|| described.to_block());
    metadata.orientation = find(tag::ORIENTATION).and_then(orientation);
    if directories.exif.iter().any(|entry| entry.tag == tag::MAKER_NOTE) {
        metadata.not_kept("the maker's notes");
    }
    for entry in &directories.main {
        match entry.tag {
            LAYERS => metadata.not_kept("layers"),
            TRANSFER_FUNCTION | WHITE | PRIMARIES if metadata.icc.is_none() && !is_srgb(entry) => {
                metadata.not_kept("colors as told by TIFF's own entries");
            }
            tag if GEOGRAPHIC.contains(&tag) => metadata.not_kept("GeoTIFF's entries"),
            // Numbers given out to companies, but for those of well-known uses.
            tag @ 0x8000.. if !KNOWN.contains(&tag) => metadata.not_kept(&format!("the entry {tag}")),
            _ => {}
        }
    }
}

/// A number of any width; values are little-endian.
fn orientation(entry: &Entry) -> Option<Orientation> {
    let (first, rest) = entry.data().split_first()?;
    rest.iter().all(|&byte| byte == 0).then(|| Orientation::from_exif(*first))?
}

/// Records out of an entry that calls them 32-bit numbers, as some programs do: the bytes of each may be in the wrong order.
fn in_order(mut records: Vec<u8>) -> Vec<u8> {
    if records.first() != Some(&0x1c) && records.get(3) == Some(&0x1c) {
        records.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    }
    records
}

/// Whether white or primaries, as fractions, are those of sRGB.
fn is_srgb(entry: &Entry) -> bool {
    let usual: &[f64] = match entry.tag {
        WHITE => &[0.3127, 0.329],
        PRIMARIES => &[0.64, 0.33, 0.3, 0.6, 0.15, 0.06],
        _ => return false,
    };
    let number = |bytes: &[u8]| f64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let values: Vec<f64> =
        entry.data().chunks_exact(8).map(|pair| number(pair) / number(&pair[4..])).collect();
    values.len() == usual.len() && values.iter().zip(usual).all(|(a, b)| (a - b).abs() < 0.003)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(main: Vec<Entry>) -> Metadata {
        let mut metadata = Metadata::default();
        read(&Directories { main, ..Directories::default() }, &mut metadata);
        metadata
    }

    fn fractions(tag: u16, values: &[u32]) -> Entry {
        Entry::bytes(
            tag,
            7,
            values.iter().flat_map(|value| [value.to_le_bytes(), 10_000u32.to_le_bytes()].concat()).collect(),
        )
    }

    #[test]
    fn what_is_lost_is_named() {
        let srgb =
            [fractions(WHITE, &[3127, 3290]), fractions(PRIMARIES, &[6400, 3300, 3000, 6000, 1500, 600])];
        assert!(read_from(srgb.to_vec()).lost.is_empty());
        let wide = fractions(PRIMARIES, &[6800, 3200, 2650, 6900, 1500, 600]);
        assert_eq!(read_from(vec![wide.clone()]).lost, ["colors as told by TIFF's own entries"]);
        assert!(read_from(vec![wide, Entry::bytes(ICC, 7, vec![0; 128])]).lost.is_empty());
        let others =
            [Entry::shorts(0x87af, &[1]), Entry::shorts(0xfde8, &[1]), Entry::bytes(LAYERS, 7, vec![1])];
        assert_eq!(read_from(others.to_vec()).lost, ["GeoTIFF's entries", "the entry 65000", "layers"]);
    }

    #[test]
    fn records_that_are_cut_count_for_less() {
        let whole = b"\x1c\x02\x19\0\x05alpha";
        let resources = Entry::bytes(PHOTOSHOP, 1, photoshop::join(Some(whole), &[]));
        let cut = Entry::bytes(IPTC, 7, whole[..7].to_vec());
        assert_eq!(read_from(vec![cut.clone(), resources]).iptc.unwrap(), whole);
        assert_eq!(read_from(vec![cut]).iptc.unwrap(), &whole[..7]);
    }

    #[test]
    fn orientations_of_any_width() {
        for entry in [Entry::shorts(tag::ORIENTATION, &[6]), Entry::longs(tag::ORIENTATION, &[6])] {
            assert_eq!(read_from(vec![entry]).orientation, Some(Orientation::Rotate90));
        }
        for number in [0, 9, 256 + 6] {
            assert_eq!(read_from(vec![Entry::shorts(tag::ORIENTATION, &[number])]).orientation, None);
        }
    }
}
