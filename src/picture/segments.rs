//! JPEG files: a walk over their segments, to the end of the picture and beyond.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek};
use std::path::Path;

use super::density::Density;
use super::metadata::{EXIF_HEADER, Metadata};
use super::photoshop;
use crate::limits::Limit;

const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP11: u8 = 0xeb;
const APP12: u8 = 0xec;
const APP13: u8 = 0xed;
/// Says how the samples are coded, which only the decoder wants to know.
const ADOBE: u8 = 0xee;
const APP15: u8 = 0xef;
const COMMENT: u8 = 0xfe;
/// Frames of the kinds that are decoded: baseline, extended, progressive.
const FRAME: u8 = 0xc0;
const LAST_FRAME: u8 = PROGRESSIVE;
pub const PROGRESSIVE: u8 = 0xc2;
const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const TABLES: u8 = 0xdb;
/// Segments of tables that are looked at.
const MOST_TABLES: usize = 16;

pub const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
pub const XMP_EXTENSION: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
pub const ICC: &[u8] = b"ICC_PROFILE\0";
/// ISO 21496-1: a gain map is among the further pictures.
const GAIN_MAP: &[u8] = b"urn:iso:std:iso:ts:21496:-1\0";
/// The list of further pictures (CIPA DC-007).
const PICTURES: &[u8] = b"MPF\0";

/// Bytes behind the picture that are looked at.
const MOST_BEHIND: u64 = 1 << 22;

/// What a walk over a file finds.
#[derive(Debug, Default)]
pub struct Summary {
    /// Comments and application segments: marker and data.
    segments: Vec<(u8, Vec<u8>)>,
    /// What says how the picture is coded: marker and data. Of several before the first scan, the last.
    pub frame: Option<(u8, Vec<u8>)>,
    /// Quantization tables before the first scan, a segment each.
    pub tables: Vec<Vec<u8>>,
    /// Components in the first scan; `None` for a file that ends before it.
    pub scanned: Option<u8>,
    /// Whether the picture ends with its end marker.
    pub complete: bool,
    /// The first bytes behind the end marker.
    behind: Vec<u8>,
}

/// Walks over a file as far as it can be read. The decoder reports what is wrong with it.
pub fn summary(path: &Path) -> Summary {
    let file = File::open(path).map(|file| BufReader::with_capacity(1 << 16, file));
    file.map_or_else(|_| Summary::default(), |mut file| summary_of(&mut file))
}

/// The same for a file that is open.
pub fn summary_of(file: &mut (impl BufRead + Seek)) -> Summary {
    let mut summary = Summary::default();
    let _ = walk(file, &mut summary);
    summary
}

fn walk(file: &mut (impl BufRead + Seek), summary: &mut Summary) -> io::Result<()> {
    let mut start = [0; 2];
    file.read_exact(&mut start)?;
    if start != [0xff, START] {
        return Ok(());
    }
    let (mut kept, mut scans) = (0, 0);
    loop {
        let marker = next_marker(file)?;
        match marker {
            END if scans > 0 => {
                summary.complete = true;
                file.by_ref().take(MOST_BEHIND).read_to_end(&mut summary.behind)?;
                return Ok(());
            }
            // Another picture begins before the end of this one.
            START if scans > 0 => {
                summary.behind.extend([0xff, START, 0xff]);
                return Ok(());
            }
            START | END => continue,
            SCAN => scans += 1,
            // Between scans there are only tables, comments and application data. Anything else is damage.
            0xc4 | 0xcc | 0xdb..=0xdd | APP0..=APP15 | COMMENT => {}
            _ if scans == 0 => {}
            _ => continue,
        }
        let mut length = [0; 2];
        file.read_exact(&mut length)?;
        let length = usize::from(u16::from_be_bytes(length)).saturating_sub(2);
        let is_kept = match marker {
            APP0..=APP15 | COMMENT => (kept + length) as u64 <= Limit::Metadata.get(),
            FRAME..=LAST_FRAME => scans == 0,
            TABLES => scans == 0 && summary.tables.len() < MOST_TABLES,
            SCAN => scans == 1,
            _ => false,
        };
        if !is_kept {
            file.seek_relative(length as i64)?;
            continue;
        }
        let mut data = vec![0; length];
        file.read_exact(&mut data)?;
        match marker {
            SCAN => summary.scanned = Some(data.first().copied().unwrap_or(0)),
            FRAME..=LAST_FRAME => summary.frame = Some((marker, data)),
            TABLES => summary.tables.push(data),
            _ => {
                kept += length;
                summary.segments.push((marker, data));
            }
        }
    }
}

/// The next marker, behind whatever lies before it: pixels, in which `0xff` is followed by zero; restart markers; bytes that
/// fill.
fn next_marker(file: &mut impl BufRead) -> io::Result<u8> {
    loop {
        let buffer = file.fill_buf()?;
        let len = buffer.len();
        if len == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let Some(at) = buffer.iter().position(|&byte| byte == 0xff) else {
            file.consume(len);
            continue;
        };
        file.consume(at + 1);
        let mut marker = [0xff];
        while marker == [0xff] {
            file.read_exact(&mut marker)?;
        }
        if !matches!(marker[0], 0 | 1 | 0xd0..=0xd7) {
            return Ok(marker[0]);
        }
    }
}

impl Summary {
    /// The metadata in the segments, and the names of what only this file holds.
    pub fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::default();
        let (mut profile, mut resources) = (Profile::default(), Vec::new());
        for (marker, data) in &self.segments {
            match *marker {
                APP0 => metadata.density = metadata.density.or(Density::of_jfif(data)),
                APP1 => read_app1(data, &mut metadata),
                APP2 if data.starts_with(ICC) => profile.add(&data[ICC.len()..]),
                APP2 if data.starts_with(GAIN_MAP) => metadata.without("HDR gain map"),
                APP2 if data.starts_with(PICTURES) => {}
                APP11 if contains(data, b"c2pa") => metadata.not_kept("content credentials"),
                APP12 if data.starts_with(b"Ducky") => {}
                APP13 if data.starts_with(photoshop::HEADER) => {
                    resources.extend_from_slice(&data[photoshop::HEADER.len()..]);
                }
                COMMENT => metadata.comments.push(data.clone()),
                ADOBE => {}
                app => metadata.not_kept(&format!("application data (APP{})", app - APP0)),
            }
        }
        (metadata.iptc, metadata.resources) = photoshop::split(&resources);
        match profile.whole() {
            Ok(icc) => metadata.icc = icc,
            Err(()) => metadata.not_kept("damaged color profile"),
        }
        let padding = |byte: &u8| [0, 0xff].contains(byte) || byte.is_ascii_whitespace();
        let (picture, video) =
            (contains(&self.behind, &[0xff, START, 0xff]), contains(&self.behind, b"ftyp"));
        if picture {
            metadata.without("further pictures");
        }
        if video {
            metadata.without("video");
        }
        if !picture && !video && !self.behind.iter().all(padding) {
            metadata.without("data behind the picture");
        }
        metadata
    }
}

fn read_app1(data: &[u8], metadata: &mut Metadata) {
    if let Some(block) = data.strip_prefix(EXIF_HEADER).and_then(|rest| rest.get(1..)) {
        // A long block goes on in further segments, which do not begin with a byte order.
        match &mut metadata.exif {
            Some(exif) if !block.starts_with(b"II") && !block.starts_with(b"MM") => exif.extend(block),
            Some(_) => {}
            exif => *exif = Some(block.to_vec()),
        }
    } else if let Some(packet) = data.strip_prefix(XMP) {
        metadata.xmp.get_or_insert_with(|| packet.to_vec());
    } else if data.starts_with(XMP_EXTENSION) {
        metadata.extended_xmp.push(data.to_vec());
    } else {
        metadata.not_kept("application data (APP1)");
    }
}

/// A color profile in numbered parts.
#[derive(Default)]
struct Profile<'a> {
    parts: Vec<(u8, &'a [u8])>,
    total: u8,
}

impl<'a> Profile<'a> {
    fn add(&mut self, data: &'a [u8]) {
        if let [number, total, part @ ..] = data {
            self.parts.push((*number, part));
            self.total = *total;
        }
    }

    /// The profile; an error if a part is missing.
    fn whole(mut self) -> Result<Option<Vec<u8>>, ()> {
        self.parts.sort_by_key(|(number, _)| *number);
        self.parts.dedup_by_key(|(number, _)| *number);
        match self.parts.len() {
            0 => Ok(None),
            count if count == usize::from(self.total) => {
                let bytes: Vec<u8> = self.parts.iter().flat_map(|(_, part)| part.iter().copied()).collect();
                Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
            }
            _ => Err(()),
        }
    }
}

fn contains(data: &[u8], part: &[u8]) -> bool {
    data.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn walked(bytes: &[u8]) -> Summary {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        summary(file.path())
    }

    fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
        [&[0xff, marker], (data.len() as u16 + 2).to_be_bytes().as_slice(), data].concat()
    }

    #[test]
    fn the_end_is_that_of_the_scan() {
        let start = [0xff, START].to_vec();
        let thumbnail = segment(APP1, b"Exif\0\0II*\0\xff\xd8\xff\xda\xff\xd9");
        let scan = [segment(SCAN, &[1, 1, 0, 0, 63, 0]), vec![5, 0xff, 0, 0xff, 0xd0, 7]].concat();
        let comment = [vec![0xff, 0xff], segment(COMMENT, b"hello")].concat();
        let cut = [start, thumbnail, comment, scan].concat();
        let summary = walked(&cut);
        assert!(!summary.complete);
        assert_eq!(summary.metadata().comments, [b"hello".to_vec()]);
        let whole = [cut.as_slice(), &[0xff, END]].concat();
        assert!(walked(&whole).complete && walked(&whole).metadata().beside.is_empty());
        // The second scan is cut, and only the further picture has an end.
        let more = segment(SCAN, &[1, 1, 0, 0, 63, 0]);
        assert!(!walked(&[cut.as_slice(), &more, &[9, 9]].concat()).complete);
        let two = walked(&[cut.as_slice(), &whole].concat());
        assert!(!two.complete && two.metadata().beside == ["further pictures"]);
        let behind = |data: &[u8]| walked(&[&whole, data].concat()).metadata().beside;
        assert_eq!(behind(&[0xff, START, 0xff, 0xe0]), ["further pictures"]);
        assert_eq!(behind(b"\0\0\0\x18ftypmp42"), ["video"]);
        assert_eq!(behind(b"trailer"), ["data behind the picture"]);
        assert!(behind(&[0, 0, 0xff, b'\n']).is_empty());
        for len in 0..whole.len() {
            // Only that it returns.
            let _ = walked(&whole[..len]).metadata();
        }
    }

    #[test]
    fn profiles_in_parts() {
        let part = |number: u8, data: &[u8]| segment(APP2, &[ICC, &[number, 2], data].concat());
        let file =
            |parts: &[Vec<u8>]| walked(&[&[0xff, START], parts.concat().as_slice()].concat()).metadata();
        assert_eq!(file(&[part(2, b"world"), part(1, b"hello ")]).icc.unwrap(), b"hello world");
        let missing = file(&[part(2, b"world")]);
        assert!(missing.icc.is_none() && missing.lost == ["damaged color profile"]);
    }
}
