//! What the chunks of PNG files say of a picture, and writing the same.

use std::io::{Cursor, Write};

use png::chunk::ChunkType;
use png::text_metadata::{ITXtChunk, TEXtChunk, ZTXtChunk};
use png::{Decoder, EncodingError, Limits, Writer};

use super::chunk::{Chunk, latin_1};
use super::density::Density;
use super::metadata::{EXIF_HEADER, Metadata, shown};
use super::photoshop;
use super::segments::XMP as XMP_SEGMENT;

const XMP: &str = "XML:com.adobe.xmp";
const COMMENT: &str = "Comment";
/// Keywords of this beginning are those of metadata in other formats' terms, as ImageMagick writes them: in hexadecimal digits.
const RAW: &str = "Raw profile type ";
/// Bytes of a text that is compressed, at most.
const LONGEST_TEXT: usize = 1 << 24;
/// Chunks about how pixels are stored and shown, which say nothing of an enlarged picture.
const TECHNICAL: [&[u8; 4]; 19] = [
    b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"eXIf", b"pHYs", b"bKGD", b"hIST", b"sBIT",
    b"tIME", b"acTL", b"fcTL", b"fdAT", b"iDOT", b"vpAg", b"caNv", b"orNT",
];

/// Adds what the chunks hold to the metadata; the profile is the decoder's to read.
pub fn read(chunks: &[Chunk], metadata: &mut Metadata) {
    for chunk in chunks {
        match &chunk.name {
            b"eXIf" => drop(metadata.exif.get_or_insert_with(|| chunk.data.clone())),
            b"pHYs" => metadata.density = Density::of_phys(&chunk.data),
            b"caBX" => metadata.not_kept("content credentials"),
            _ if chunk.is_color() => metadata.colors.push(chunk.clone()),
            _ if chunk.is_text() => {}
            name if TECHNICAL.contains(&name) => {}
            name => metadata.not_kept(&format!("the chunk {}", shown(&latin_1(name)))),
        }
    }
    // Profiles count for less than chunks of their own.
    for chunk in chunks.iter().filter(|chunk| chunk.is_text()) {
        read_text(chunk, metadata);
    }
}

fn read_text(chunk: &Chunk, metadata: &mut Metadata) {
    let keyword = chunk.keyword();
    let kind = keyword.strip_prefix(RAW).map(str::to_ascii_lowercase);
    let known = ["exif", "app1", "xmp", "iptc", "8bim", "icc", "icm"];
    let is_profile = kind.as_deref().is_some_and(|kind| known.contains(&kind));
    if !is_profile && keyword != XMP && keyword != COMMENT {
        return metadata.texts.push(chunk.clone());
    }
    let Some(text) = text(chunk) else { return metadata.not_kept(&format!("the damaged text {keyword}")) };
    match (kind, keyword.as_str()) {
        (Some(kind), _) => match raw_profile(&text) {
            Some(profile) => take_profile(&kind, profile, metadata),
            None => metadata.not_kept(&format!("the damaged text {keyword}")),
        },
        (None, XMP) => drop(metadata.xmp.get_or_insert(text.into_bytes())),
        (None, _) => metadata.comments.push(text.into_bytes()),
    }
}

fn take_profile(kind: &str, profile: Vec<u8>, metadata: &mut Metadata) {
    let is_resources = profile.starts_with(b"8BIM") || profile.starts_with(photoshop::HEADER);
    match kind {
        "icc" | "icm" => drop(metadata.icc.get_or_insert(profile)),
        "iptc" | "8bim" if is_resources => {
            let bytes = profile.strip_prefix(photoshop::HEADER).unwrap_or(&profile);
            let (iptc, resources) = photoshop::split(bytes);
            metadata.iptc = metadata.iptc.take().or(iptc);
            metadata.resources.extend(resources);
        }
        "iptc" | "8bim" => drop(metadata.iptc.get_or_insert(profile)),
        "xmp" => drop(metadata.xmp.get_or_insert(profile)),
        _ => match profile.strip_prefix(XMP_SEGMENT) {
            Some(packet) => drop(metadata.xmp.get_or_insert(packet.to_vec())),
            None if kind == "exif" || profile.starts_with(EXIF_HEADER) => {
                metadata.exif.get_or_insert(profile);
            }
            None => metadata.not_kept("application data (APP1)"),
        },
    }
}

/// The bytes in a raw profile: a line with its name, one with its length, and hexadecimal digits.
fn raw_profile(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.trim_start().split_once('\n')?;
    let rest = rest.trim_start();
    let (length, digits) = rest.split_once(|c: char| c.is_whitespace())?;
    let length: usize = length.parse().ok()?;
    let digits = digits.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let digits: Vec<u8> =
        digits.map(|byte| char::from(byte).to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let mut bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (bytes.len() >= length && length > 0).then(|| bytes.truncate(length))?;
    Some(bytes)
}

/// The text of a chunk. The PNG decoder reads it, out of a file of its own: chunks may also come behind the pixels.
fn text(chunk: &Chunk) -> Option<String> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut add = |name: &[u8; 4], data: &[u8]| {
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(name);
        file.extend(data);
        file.extend([0; 4]);
    };
    add(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    add(&chunk.name, &chunk.data);
    add(b"IDAT", &[0]);
    let limits = Limits { bytes: 2 * LONGEST_TEXT };
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), limits);
    decoder.ignore_checksums(true);
    let reader = decoder.read_info().ok()?;
    let info = reader.info();
    if let Some(text) = info.uncompressed_latin1_text.first() {
        return Some(text.text.clone());
    }
    if let Some(text) = info.compressed_latin1_text.first() {
        let mut text = text.clone();
        text.decompress_text_with_limit(LONGEST_TEXT).ok()?;
        return text.get_text().ok();
    }
    let mut text = info.utf8_text.first()?.clone();
    text.decompress_text_with_limit(LONGEST_TEXT).ok()?;
    text.get_text().ok()
}

/// Writes what has no field of its own in the header. All of it may stand before the pixels.
pub fn write<W: Write>(writer: &mut Writer<W>, metadata: &Metadata) -> Result<(), EncodingError> {
    for chunk in &metadata.colors {
        // PNG does not allow an sRGB chunk beside a profile, which takes precedence.
        if chunk.name != *b"sRGB" || metadata.icc.is_none() {
            writer.write_chunk(ChunkType(chunk.name), &chunk.data)?;
        }
    }
    if let Some(data) = metadata.density.and_then(Density::as_phys) {
        writer.write_chunk(ChunkType(*b"pHYs"), &data)?;
    }
    for chunk in &metadata.texts {
        writer.write_chunk(ChunkType(chunk.name), &chunk.data)?;
    }
    for comment in &metadata.comments {
        // A zero would end the text.
        let comment: Vec<u8> = comment.iter().copied().filter(|&byte| byte != 0).collect();
        match std::str::from_utf8(&comment) {
            Ok(text) if !text.is_ascii() => writer.write_text_chunk(&ITXtChunk::new(COMMENT, text))?,
            _ => writer.write_text_chunk(&TEXtChunk::new(COMMENT, latin_1(&comment)))?,
        }
    }
    let resources = photoshop::join(metadata.iptc.as_deref(), &metadata.resources);
    if photoshop::matters(&metadata.resources) {
        write_profile(writer, "8bim", &resources)?;
    } else if let Some(iptc) = &metadata.iptc {
        write_profile(writer, "iptc", iptc)?;
    }
    if let Some(xmp) = &metadata.xmp {
        writer.write_chunk(ChunkType(*b"iTXt"), &[XMP.as_bytes(), b"\0\0\0\0\0", xmp].concat())?;
    }
    Ok(())
}

fn write_profile<W: Write>(writer: &mut Writer<W>, kind: &str, bytes: &[u8]) -> Result<(), EncodingError> {
    let lines: Vec<String> =
        bytes.chunks(36).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
    let text = format!("\n{kind}\n{:8}\n{}\n", bytes.len(), lines.join("\n"));
    writer.write_text_chunk(&ZTXtChunk::new(format!("{RAW}{kind}"), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], data: &[u8]) -> Chunk {
        Chunk { name: *name, data: data.to_vec() }
    }

    fn read_from(chunks: &[Chunk]) -> Metadata {
        let mut metadata = Metadata::default();
        read(chunks, &mut metadata);
        metadata
    }

    #[test]
    fn raw_profiles() {
        assert_eq!(raw_profile("\nexif\n       3\n0aB\nf 01\n").unwrap(), [0x0a, 0xbf, 0x01]);
        for broken in ["", "\nexif\n", "\nexif\n 9\n00\n", "\nexif\n 1\nzz\n", "\nexif\n x\n00\n"] {
            assert_eq!(raw_profile(broken), None, "{broken}");
        }
        let text = |kind: &str, bytes: &[u8]| {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            chunk(b"tEXt", format!("{RAW}{kind}\0\n{kind}\n{:8}\n{digits}\n", bytes.len()).as_bytes())
        };
        let packet = [XMP_SEGMENT, b"<x/>"].concat();
        let found = read_from(&[text("APP1", b"Exif\0\0II"), text("APP1", &packet), text("icc", b"profile")]);
        assert_eq!(found.exif.unwrap(), b"Exif\0\0II");
        assert_eq!((found.xmp.unwrap(), found.icc.unwrap()), (b"<x/>".to_vec(), b"profile".to_vec()));
        // A chunk of its own counts for more, wherever it stands.
        let found = read_from(&[text("exif", b"Exif\0\0MM"), chunk(b"eXIf", b"II")]);
        assert_eq!(found.exif.unwrap(), b"II");
        assert!(found.texts.is_empty() && found.lost.is_empty());
        let found = read_from(&[
            chunk(b"tEXt", b"Raw profile type exif\0x"),
            chunk(b"abCD", b""),
            chunk(b"tIME", b""),
        ]);
        assert_eq!(found.lost, ["the chunk abCD", "the damaged text Raw profile type exif"]);
    }

    #[test]
    fn what_is_written_is_read() {
        let metadata = Metadata {
            xmp: Some(b"<x/>".to_vec()),
            iptc: Some(b"\x1c\x02\x19\0\x05alpha".to_vec()),
            comments: vec![b"hello".to_vec(), "h\u{e9}llo \u{20ac}".into(), b"latin \xe9".to_vec()],
            texts: vec![chunk(b"tEXt", b"Title\0a title")],
            colors: vec![chunk(b"sRGB", &[0])],
            density: Some(Density::Phys(5906, 5906, true)),
            ..Metadata::default()
        };
        for resources in [Vec::new(), b"8BIM\x03\xed\0\0\0\0\0\x02hi".to_vec()] {
            let metadata = Metadata { resources, ..metadata.clone() };
            let mut file = Vec::new();
            let mut writer = png::Encoder::new(&mut file, 1, 1).write_header().unwrap();
            write(&mut writer, &metadata).unwrap();
            writer.write_image_data(&[0]).unwrap();
            writer.finish().unwrap();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.png");
            std::fs::write(&path, file).unwrap();
            let found = read_from(&crate::picture::png::chunks(&path));
            assert_eq!((found.xmp, found.iptc), (metadata.xmp, metadata.iptc));
            assert_eq!(
                (found.texts, found.colors, found.density),
                (metadata.texts, metadata.colors, metadata.density)
            );
            assert_eq!(found.resources, metadata.resources);
            assert_eq!(found.comments[..2], metadata.comments[..2]);
            assert_eq!(found.comments[2], "latin é".as_bytes());
            assert!(found.lost.is_empty());
        }
    }
}
