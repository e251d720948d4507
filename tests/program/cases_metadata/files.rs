//! Files with metadata where other encoders do not put them.

use image::{DynamicImage, ImageFormat};

use crate::formats::corpus::encoded;

/// A chunk of a PNG file.
pub fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [name.as_slice(), data].concat();
    let crc = named.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1)))
    });
    [(data.len() as u32).to_be_bytes().as_slice(), &named, &(!crc).to_be_bytes()].concat()
}

/// A PNG file with chunks before and behind its pixels.
pub fn png_with(picture: &DynamicImage, before: &[Vec<u8>], behind: &[Vec<u8>]) -> Vec<u8> {
    let mut file = encoded(picture, ImageFormat::Png);
    file.splice(file.len() - 12..file.len() - 12, behind.concat());
    // Behind the signature and the header.
    file.splice(33..33, before.concat());
    file
}

/// A text as ImageMagick writes metadata of other formats into PNG files; as `tEXt`, or uncompressed `iTXt`.
pub fn raw_profile(name: &[u8; 4], kind: &str, bytes: &[u8]) -> Vec<u8> {
    let digits: Vec<String> =
        bytes.chunks(36).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
    let text = format!("\n{kind}\n{:8}\n{}\n", bytes.len(), digits.join("\n"));
    let flags: &[u8] = if name == b"iTXt" { &[0; 4] } else { &[] };
    let keyword = format!("Raw profile type {kind}\0");
    chunk(name, &[keyword.as_bytes(), flags, text.as_bytes()].concat())
}

/// The same compressed: one block of deflate that stores bytes as they are.
pub fn compressed_profile(kind: &str, bytes: &[u8]) -> Vec<u8> {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let text = format!("\n{kind}\n{:8}\n{digits}\n", bytes.len()).into_bytes();
    let (mut a, mut b) = (1u32, 0u32);
    for &byte in &text {
        a = (a + u32::from(byte)) % 65521;
        b = (b + a) % 65521;
    }
    let len = text.len() as u16;
    let zlib =
        [&[0x78, 1, 1][..], &len.to_le_bytes(), &(!len).to_le_bytes(), &text, &(b << 16 | a).to_be_bytes()];
    chunk(b"zTXt", &[format!("Raw profile type {kind}\0\0").as_bytes(), &zlib.concat()].concat())
}

/// A segment of a JPEG file.
pub fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    [&[0xff, marker], (data.len() as u16 + 2).to_be_bytes().as_slice(), data].concat()
}

/// A JPEG file with segments behind its first one.
pub fn jpeg_with(picture: &DynamicImage, segments: &[Vec<u8>]) -> Vec<u8> {
    let mut file = encoded(picture, ImageFormat::Jpeg);
    file.splice(20..20, segments.concat());
    file
}

/// A segment with an XMP packet of these properties, in the namespaces that the tests use.
pub fn xmp_segment(properties: &str) -> Vec<u8> {
    segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", packet(properties).as_bytes()].concat())
}

/// An XMP packet.
pub fn packet(properties: &str) -> String {
    let namespaces = [
        ("tiff", "http://ns.adobe.com/tiff/1.0/"),
        ("exif", "http://ns.adobe.com/exif/1.0/"),
        ("dc", "http://purl.org/dc/elements/1.1/"),
        ("hdrgm", "http://ns.adobe.com/hdr-gain-map/1.0/"),
        ("HDRGainMap", "http://ns.apple.com/HDRGainMap/1.0/"),
        ("GCamera", "http://ns.google.com/photos/1.0/camera/"),
        ("Container", "http://ns.google.com/photos/1.0/container/"),
        ("Item", "http://ns.google.com/photos/1.0/container/item/"),
        ("xmpNote", "http://ns.adobe.com/xmp/note/"),
    ];
    let declared: Vec<String> =
        namespaces.iter().map(|(name, uri)| format!("xmlns:{name}='{uri}'")).collect();
    format!(
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' {} \
         {properties}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>",
        declared.join(" ")
    )
}

/// An Exif block whose one entry is the orientation, in a kind of number: 1 for 8 bits, 3 for 16, 4 for 32.
pub fn orientation(number: u8, kind: u16) -> Vec<u8> {
    let value = match kind {
        3 => [0, number, 0, 0],
        4 => [0, 0, 0, number],
        _ => [number, 0, 0, 0],
    };
    let entry = [0x0112u16.to_be_bytes(), kind.to_be_bytes()].concat();
    [b"MM\0*\0\0\0\x08\0\x01", entry.as_slice(), &[0, 0, 0, 1], &value, &[0; 4]].concat()
}

/// A WebP file with chunks that its header, if it has one, does not announce.
pub fn webp_with(picture: &DynamicImage, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = encoded(picture, ImageFormat::WebP);
    let pixels = file.split_off(12);
    let side = |length: u32| (length - 1).to_le_bytes()[..3].to_vec();
    let header = [vec![0; 4], side(picture.width()), side(picture.height())].concat();
    for (name, data) in
        [(b"VP8X", header.as_slice())].iter().chain(&[(b"    ", pixels.as_slice())]).chain(chunks)
    {
        if name.as_slice() != b"    " {
            file.extend(*name);
            file.extend((data.len() as u32).to_le_bytes());
        }
        file.extend(*data);
        file.resize(file.len().next_multiple_of(2), 0);
    }
    let len = (file.len() - 8) as u32;
    file[4..8].copy_from_slice(&len.to_le_bytes());
    file
}

/// IPTC records with a keyword.
pub const IPTC: &[u8] = b"\x1c\x02\x19\0\x05alpha";

/// A JPEG segment with IPTC records, and another of Photoshop's resources: a path.
pub fn photoshop(with_path: bool) -> Vec<u8> {
    let path: &[u8] = if with_path { b"8BIM\x07\xd0\x04path\0\0\0\0\x04abcd" } else { b"" };
    let records = [b"8BIM\x04\x04\0\0\0\0\0\x0a", IPTC].concat();
    segment(0xed, &[b"Photoshop 3.0\0", path, &records].concat())
}
