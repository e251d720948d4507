//! Uncompressed video in Matroska, for the ffmpeg that encodes: frames with their times in nanoseconds, their colors, the order
//! of their fields and the shape of their pixels. RFC 9559 describes the format, and names the elements below.

use std::io::{self, Write};

use srcnn_gpu::video::format::{Format, Range, Sampling, Siting};
use srcnn_gpu::video::y4m::Header;

use super::color::{Colors, Mastering};
use super::times::Time;

/// The size of an element whose end is not known yet.
const UNKNOWN: [u8; 8] = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

/// What the file says of its one track.
pub struct Track<'a> {
    pub header: &'a Header,
    pub colors: Colors,
    pub mastering: &'a Mastering,
}

/// Writes a file from its beginning to its end, without seeking.
pub struct Matroska<W> {
    output: W,
}

impl<W: Write> Matroska<W> {
    /// Writes everything before the frames.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] for formats that ffmpeg has no name for; those of the output.
    pub fn new(mut output: W, track: &Track<'_>) -> io::Result<Self> {
        let tag = tag(&track.header.format)?;
        let mut start = Vec::new();
        element(&mut start, 0x1a45_dfa3, |ebml| {
            text(ebml, 0x4282, "matroska");
            number(ebml, 0x4287, 4);
            number(ebml, 0x4285, 2);
        });
        start.extend(0x1853_8067_u32.to_be_bytes());
        start.extend(UNKNOWN);
        element(&mut start, 0x1549_a966, |info| {
            // Nanoseconds in a unit of time.
            number(info, 0x2a_d7b1, 1);
            text(info, 0x4d80, "srcnn-gpu");
            text(info, 0x5741, "srcnn-gpu");
        });
        element(&mut start, 0x1654_ae6b, |tracks| element(tracks, 0xae, |entry| track.write(entry, tag)));
        output.write_all(&start)?;
        Ok(Self { output })
    }

    /// Writes a frame: a cluster of its own, since times within a cluster have 16 bits.
    ///
    /// # Errors
    /// Those of the output.
    pub fn write(&mut self, samples: &[u8], time: Time) -> io::Result<()> {
        // Track 1 at the cluster's own time.
        const BLOCK: [u8; 4] = [0x81, 0, 0, 0];
        let block_bytes = BLOCK.len() + samples.len();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        number(&mut before, 0xe7, u64::try_from(time.start).unwrap_or_default());
        if let Some(duration) = time.duration {
            number(&mut after, 0x9b, u64::try_from(duration).unwrap_or_default());
        }
        let mut block = Vec::new();
        id(&mut block, 0xa1);
        size(&mut block, block_bytes);
        block.extend(BLOCK);
        let group_bytes = block.len() + samples.len() + after.len();
        id(&mut before, 0xa0);
        size(&mut before, group_bytes);
        let mut cluster = Vec::new();
        id(&mut cluster, 0x1f43_b675);
        size(&mut cluster, before.len() + group_bytes);
        for part in [&cluster, &before, &block, samples, &after] {
            self.output.write_all(part)?;
        }
        self.output.flush()
    }
}

impl Track<'_> {
    fn write(&self, entry: &mut Vec<u8>, tag: [u8; 4]) {
        let header = self.header;
        number(entry, 0xd7, 1);
        number(entry, 0x73c5, 1);
        number(entry, 0x83, 1);
        text(entry, 0x22_b59c, "und");
        text(entry, 0x86, "V_UNCOMPRESSED");
        if let Some((frames, seconds)) = header.rate() {
            let (frames, nanoseconds) = (u64::from(frames), 1_000_000_000 * u64::from(seconds));
            number(entry, 0x23_e383, ((nanoseconds + frames / 2) / frames).max(1));
        }
        element(entry, 0xe0, |video| {
            number(video, 0xb0, header.width.into());
            number(video, 0xba, header.height.into());
            bytes(video, 0x2e_b524, &tag);
            if let Some((across, down)) = header.pixel_aspect() {
                number(video, 0x54b0, u64::from(header.width) * u64::from(across));
                number(video, 0x54ba, u64::from(header.height) * u64::from(down));
                // Not pixels: only their ratio counts.
                number(video, 0x54b2, 3);
            }
            // Whether there are fields, and which one is shown first.
            number(video, 0x9a, if header.top_field_first().is_some() { 1 } else { 2 });
            if let Some(top) = header.top_field_first() {
                number(video, 0x9d, if top { 1 } else { 6 });
            }
            element(video, 0x55b0, |color| self.write_color(color));
        });
    }

    fn write_color(&self, color: &mut Vec<u8>) {
        let Header { format, range, .. } = self.header;
        let Colors { matrix, transfer, primaries } = self.colors;
        for (id, value) in [(0x55b1, matrix), (0x55ba, transfer), (0x55bb, primaries)] {
            if let Some(value) = value {
                number(color, id, value);
            }
        }
        number(color, 0x55b9, if *range == Range::Limited { 1 } else { 2 });
        if format.sampling == Sampling::S420 {
            let (columns, rows) = match format.siting {
                Siting::Center => (2, 2),
                Siting::Left => (1, 2),
                Siting::TopLeft => (1, 1),
            };
            number(color, 0x55b7, columns);
            number(color, 0x55b8, rows);
        }
        if let Some([most, average]) = self.mastering.light {
            number(color, 0x55bc, most);
            number(color, 0x55bd, average);
        }
        if let Some(display) = self.mastering.display {
            element(color, 0x55d0, |mastering| {
                for (id, value) in (0x55d1..).zip(display) {
                    bytes(mastering, id, &value.to_be_bytes());
                }
            });
        }
    }
}

/// ffmpeg's code for a format of samples.
fn tag(format: &Format) -> io::Result<[u8; 4]> {
    let tag = match (format.sampling, format.depth) {
        (Sampling::Mono, 8) => *b"Y800",
        (Sampling::S420, 8) => *b"I420",
        (Sampling::S411, 8) => *b"Y41B",
        (Sampling::S422, 8) => *b"Y42B",
        (Sampling::S444, 8) => *b"444P",
        (Sampling::Mono, depth @ (9 | 10 | 12 | 14 | 16)) => [b'Y', b'1', 0, depth as u8],
        (Sampling::S420, depth @ (9 | 10 | 12 | 14 | 16)) => [b'Y', b'3', 11, depth as u8],
        (Sampling::S422, depth @ (9 | 10 | 12 | 14 | 16)) => [b'Y', b'3', 10, depth as u8],
        (Sampling::S444, depth @ (9 | 10 | 12 | 14 | 16)) => [b'Y', b'3', 0, depth as u8],
        (_, depth) => {
            let why = format!("ffmpeg has no format of {depth} bits for this kind of chroma");
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
    };
    Ok(tag)
}

/// An identifier, which includes the marker of its own length.
fn id(to: &mut Vec<u8>, id: u32) {
    let bytes = id.to_be_bytes();
    to.extend(&bytes[(id.leading_zeros() / 8) as usize..]);
}

/// The size of an element, in eight bytes.
fn size(to: &mut Vec<u8>, size: usize) {
    to.extend((size as u64 | 1 << 56).to_be_bytes());
}

fn element(to: &mut Vec<u8>, name: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::new();
    fill(&mut content);
    bytes(to, name, &content);
}

fn bytes(to: &mut Vec<u8>, name: u32, content: &[u8]) {
    id(to, name);
    size(to, content.len());
    to.extend(content);
}

fn text(to: &mut Vec<u8>, name: u32, text: &str) {
    bytes(to, name, text.as_bytes());
}

fn number(to: &mut Vec<u8>, name: u32, value: u64) {
    bytes(to, name, &value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use srcnn_gpu::video::y4m::Reader;

    /// Elements are read back by the definition: an identifier, a size, and either elements or a value.
    fn find<'a>(mut bytes: &'a [u8], path: &[u32]) -> Vec<&'a [u8]> {
        let Some((&wanted, below)) = path.split_first() else { return vec![bytes] };
        let mut found = Vec::new();
        while let Some(first) = bytes.first() {
            let (name, rest) = bytes.split_at(first.leading_zeros() as usize + 1);
            let name = name.iter().fold(0, |name, &byte| name << 8 | u32::from(byte));
            let (size, rest) = rest.split_at(8);
            let size = u64::from_be_bytes(size.try_into().unwrap()) & !(0xff << 56);
            let size = usize::try_from(size).unwrap().min(rest.len());
            if name == wanted {
                found.extend(find(&rest[..size], below));
            }
            bytes = &rest[size..];
        }
        found
    }

    #[test]
    fn what_is_written_can_be_found_again() {
        let line = "YUV4MPEG2 W6 H4 F30000:1001 Ib A4:3 C420p10 XCOLORRANGE=FULL\n";
        let header = Reader::new(line.as_bytes()).unwrap().header().clone();
        let mastering = Mastering { display: Some([0.5; 10]), light: Some([1000, 400]) };
        let colors = Colors { matrix: Some(9), transfer: Some(16), primaries: None };
        let mut file = Vec::new();
        let track = Track { header: &header, colors, mastering: &mastering };
        let mut matroska = Matroska::new(&mut file, &track).unwrap();
        let samples = [7; 6 * 4 * 3];
        matroska.write(&samples, Time { start: 1 << 40, duration: Some(33) }).unwrap();
        matroska.write(&samples, Time { start: 2 << 40, duration: None }).unwrap();

        let number = |path: &[u32]| {
            let found = find(&file, &[&[0x1853_8067], path].concat());
            found.iter().map(|v| v.iter().fold(0, |n, &b| n << 8 | u64::from(b))).collect::<Vec<_>>()
        };
        let video = |names: &[u32]| number(&[&[0x1654_ae6b, 0xae, 0xe0], names].concat());
        assert_eq!((video(&[0xb0]), video(&[0xba])), (vec![6], vec![4]));
        assert_eq!(video(&[0x2e_b524]), [u64::from(u32::from_be_bytes([b'Y', b'3', 11, 10]))]);
        assert_eq!((video(&[0x54b0]), video(&[0x54ba])), (vec![24], vec![12]));
        assert_eq!((video(&[0x9a]), video(&[0x9d])), (vec![1], vec![6]));
        let color = |name: u32| video(&[0x55b0, name]);
        assert_eq!(
            [color(0x55b1), color(0x55ba), color(0x55bb), color(0x55b9)],
            [vec![9], vec![16], vec![], vec![2]]
        );
        assert_eq!([color(0x55b7), color(0x55b8), color(0x55bc), color(0x55bd)], [[1], [2], [1000], [400]]);
        assert_eq!(video(&[0x55b0, 0x55d0, 0x55da]), [0.5_f64.to_bits()]);
        assert_eq!(number(&[0x1654_ae6b, 0xae, 0x23_e383]), [33_366_667]);
        assert_eq!(number(&[0x1f43_b675, 0xe7]), [1 << 40, 2 << 40]);
        assert_eq!(number(&[0x1f43_b675, 0xa0, 0x9b]), [33]);
        let blocks = find(&file, &[0x1853_8067, 0x1f43_b675, 0xa0, 0xa1]);
        assert!(
            blocks.len() == 2
                && blocks.iter().all(|block| block[..4] == [0x81, 0, 0, 0] && block[4..] == samples)
        );
    }

    #[test]
    fn depths_without_a_name() {
        let error = tag(&Format { sampling: Sampling::S420, siting: Siting::Left, depth: 11 }).unwrap_err();
        assert!(error.to_string().contains("11 bits"), "{error}");
    }
}
