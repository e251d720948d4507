//! YUV4MPEG2: a line of parameters, then frames, each with a line of its own before its planes.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};

use super::format::{Format, Range, Sampling};
use crate::error::{Error, Reason, Result};

/// The first bytes of a stream.
pub const MAGIC: &[u8] = b"YUV4MPEG2 ";
const FRAME: &[u8] = b"FRAME";
/// Longest line of parameters accepted, in bytes; guards against other kinds of files.
const LONGEST_LINE: u64 = 4096;
/// Largest width and height, in pixels.
const LONGEST_SIDE: u32 = 1 << 16;

/// Whether a stream's frames consist of two fields each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interlacing {
    /// No, or unknown.
    Progressive,
    /// Yes, top or bottom field first.
    Fields,
    /// Each frame says so itself.
    Mixed,
}

/// The stream's parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Chroma format and bit depth.
    pub format: Format,
    /// The range from XCOLORRANGE. Without it, mono is full range, as ffmpeg writes it, and everything else limited
    /// range.
    pub range: Range,
    /// Whether frames consist of fields.
    pub interlacing: Interlacing,
    /// All parameters except width and height, unchanged.
    parameters: Vec<String>,
}

impl Header {
    /// Parses the first line, after the magic.
    fn parse(line: &str) -> Result<Self> {
        let mut sides = [None; 2];
        let (mut chroma, mut alternative, mut range, mut interlacing) = (None, None, None, None);
        let mut parameters = Vec::new();
        for word in line.split_ascii_whitespace() {
            let Some((tag, value)) = word.split_at_checked(1) else {
                return Err(Error::Picture(format!("'{word}' is not a YUV4MPEG2 parameter").into()));
            };
            let side = || {
                let side = value.parse().ok().filter(|side| (1..=LONGEST_SIDE).contains(side));
                let wrong = || {
                    Error::Picture(
                        format!("the size '{word}' is not a number from 1 to {LONGEST_SIDE}").into(),
                    )
                };
                side.ok_or_else(wrong).map(Some)
            };
            match tag {
                "W" => sides[0] = side()?,
                "H" => sides[1] = side()?,
                "C" => chroma = Some(value.to_owned()),
                "I" => interlacing = Some(value.to_owned()),
                "X" => {
                    if let Some(name) = value.strip_prefix("YSCSS=") {
                        alternative = Some(name.to_ascii_lowercase());
                    } else if let Some(name) = value.strip_prefix("COLORRANGE=") {
                        range = Some(if name.eq_ignore_ascii_case("FULL") {
                            Range::Full
                        } else {
                            Range::Limited
                        });
                    }
                }
                _ => {}
            }
            if !matches!(tag, "W" | "H") {
                parameters.push(word.to_owned());
            }
        }
        let [Some(width), Some(height)] = sides else {
            return Err(Error::Picture("the stream does not say its width and height".into()));
        };
        let format = Format::parse(chroma.or(alternative).as_deref().unwrap_or("420jpeg"))?;
        let by_sampling = if format.sampling == Sampling::Mono { Range::Full } else { Range::Limited };
        let interlacing = match interlacing.as_deref() {
            None | Some("p" | "?") => Interlacing::Progressive,
            Some("t" | "b") => Interlacing::Fields,
            Some("m") => Interlacing::Mixed,
            Some(other) => {
                return Err(Error::Picture(
                    format!("interlacing 'I{other}' is not one of Ip, It, Ib, Im").into(),
                ));
            }
        };
        Ok(Self { width, height, format, range: range.unwrap_or(by_sampling), interlacing, parameters })
    }

    /// Width and height.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The same parameters with another frame size.
    pub fn resized(&self, (width, height): (u32, u32)) -> Self {
        Self { width, height, ..self.clone() }
    }

    /// Frames per second as a fraction; `None` if the stream does not say.
    pub fn rate(&self) -> Option<(u32, u32)> {
        self.ratio("F")
    }

    /// Width to height of a pixel as a fraction; `None` if the stream does not say.
    pub fn pixel_aspect(&self) -> Option<(u32, u32)> {
        self.ratio("A")
    }

    /// Whether the top field of each frame comes first in time; `None` unless all frames consist of fields.
    pub fn top_field_first(&self) -> Option<bool> {
        let order = self.parameters.iter().find_map(|word| word.strip_prefix('I'));
        (self.interlacing == Interlacing::Fields).then(|| order == Some("t"))
    }

    /// A parameter that is two numbers above 0.
    fn ratio(&self, tag: &str) -> Option<(u32, u32)> {
        let value = self.parameters.iter().find_map(|word| word.strip_prefix(tag))?;
        let (a, b) = value.split_once(':')?;
        Some((a.parse().ok()?, b.parse().ok()?)).filter(|&(a, b)| a > 0 && b > 0)
    }

    /// Bytes of a frame, without its line.
    pub fn frame_bytes(&self) -> usize {
        self.format.frame_bytes(self.size())
    }
}

/// The first line, without its newline.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "YUV4MPEG2 W{} H{}", self.width, self.height)?;
        self.parameters.iter().try_for_each(|word| write!(f, " {word}"))
    }
}

/// One frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The rest of the line after `FRAME`, including the leading space.
    pub parameters: String,
    /// Luma, then Cb and Cr; rows without gaps.
    pub data: Vec<u8>,
}

impl Frame {
    /// Whether the frame says that it consists of two fields.
    fn has_fields(&self) -> bool {
        // The second letter of I: how the frame was sampled in time.
        let interlacing = self.parameters.split_ascii_whitespace().find_map(|word| word.strip_prefix('I'));
        interlacing.is_some_and(|letters| letters.as_bytes().get(1) == Some(&b'i'))
    }

    /// Whether to treat the frame as two fields.
    pub fn is_interlaced(&self, stream: Interlacing) -> bool {
        match stream {
            Interlacing::Progressive => false,
            Interlacing::Fields => true,
            Interlacing::Mixed => self.has_fields(),
        }
    }
}

/// Reads a stream.
#[derive(Debug)]
pub struct Reader<R> {
    input: BufReader<R>,
    header: Header,
    frames: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the stream's parameters.
    ///
    /// # Errors
    /// [`Error::Picture`] if it is not a YUV4MPEG2 stream, or an unsupported one.
    pub fn new(input: R) -> Result<Self> {
        let mut input = BufReader::with_capacity(1 << 16, input);
        let line =
            read_line(&mut input).map_err(|e| Error::Picture(Reason::from(e).within("cannot be read")))?;
        let Some(parameters) = line.strip_prefix(MAGIC) else {
            let what = if line.is_empty() { "there is nothing in it" } else { "it does not begin like one" };
            return Err(Error::Picture(format!("not a YUV4MPEG2 stream: {what}").into()));
        };
        let Some(parameters) = parameters.strip_suffix(b"\n") else {
            return Err(Error::Picture("the first line is incomplete or too long".into()));
        };
        let header = Header::parse(&String::from_utf8_lossy(parameters))?;
        Ok(Self { input, header, frames: 0 })
    }

    /// The stream's parameters.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the next frame; `false` at the end of the stream.
    ///
    /// # Errors
    /// [`Error::Picture`] for a stream that is broken or ends within a frame.
    pub fn read(&mut self, frame: &mut Frame) -> Result<bool> {
        let number = self.frames + 1;
        let broken = |e: io::Error| {
            Error::Picture(Reason::from(e).within(format_args!("frame {number} cannot be read")))
        };
        let line = read_line(&mut self.input).map_err(broken)?;
        if line.is_empty() {
            return Ok(false);
        }
        let bytes = self.header.frame_bytes();
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(match FRAME.starts_with(&line[..line.len().min(FRAME.len())]) {
                true => Error::Picture(
                    format!("the stream is truncated: it ends in the line of frame {number}").into(),
                ),
                false => no_frame(number),
            });
        };
        let parameters =
            line.strip_prefix(FRAME).filter(|rest| rest.first().is_none_or(|&byte| byte == b' '));
        let parameters = parameters.ok_or_else(|| no_frame(number))?;
        frame.parameters = String::from_utf8_lossy(parameters).into_owned();
        frame.data.clear();
        let no_memory = |_| Error::Picture(format!("not enough memory for frames of {bytes} bytes").into());
        frame.data.try_reserve_exact(bytes).map_err(no_memory)?;
        (&mut self.input).take(bytes as u64).read_to_end(&mut frame.data).map_err(broken)?;
        if frame.data.len() < bytes {
            let there = frame.data.len();
            return Err(Error::Picture(
                format!("the stream is truncated: frame {number} ends after {there} of {bytes} bytes").into(),
            ));
        }
        self.frames = number;
        Ok(true)
    }
}

fn no_frame(number: u64) -> Error {
    Error::Picture(format!(
        "there is no FRAME where frame {number} should begin: the frames do not have the size that the stream states"
    ).into())
}

/// A line including its newline, if it has one.
fn read_line(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    input.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Writes a stream.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
}

impl<W: Write> Writer<W> {
    /// Writes the stream's parameters.
    ///
    /// # Errors
    /// Those of the underlying writer.
    pub fn new(mut output: W, header: &Header) -> io::Result<Self> {
        writeln!(output, "{header}")?;
        Ok(Self { output })
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// Those of the underlying writer.
    pub fn write(&mut self, frame: &Frame) -> io::Result<()> {
        writeln!(self.output, "FRAME{}", frame.parameters)?;
        self.output.write_all(&frame.data)?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(line: &str) -> Result<Header> {
        Reader::new(format!("YUV4MPEG2 {line}\n").as_bytes()).map(|reader| reader.header().clone())
    }

    #[test]
    fn parameters_pass_through() {
        let line = "F30000:1001 It A128:117 C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=FULL XOTHER=1";
        let header = header(&format!("W720 H576 {line}")).unwrap();
        assert_eq!((header.size(), header.range), ((720, 576), Range::Full));
        assert_eq!(header.interlacing, Interlacing::Fields);
        assert_eq!((header.rate(), header.pixel_aspect()), (Some((30000, 1001)), Some((128, 117))));
        assert_eq!(header.top_field_first(), Some(true));
        assert_eq!(header.resized((1440, 1152)).to_string(), format!("YUV4MPEG2 W1440 H1152 {line}"));
    }

    #[test]
    fn defaults() {
        let plain = header("H3 W2").unwrap();
        assert_eq!(plain.format, Format::parse("420jpeg").unwrap());
        assert_eq!((plain.range, plain.interlacing), (Range::Limited, Interlacing::Progressive));
        assert_eq!((plain.rate(), plain.pixel_aspect(), plain.top_field_first()), (None, None, None));
        assert_eq!(header("H3 W2 F0:0 Ib").unwrap().rate(), None);
        assert_eq!(header("W2 H3 Cmono").unwrap().range, Range::Full);
        assert_eq!(header("W2 H3 Cmono XCOLORRANGE=LIMITED").unwrap().range, Range::Limited);
        assert_eq!(header("W2 H3 XYSCSS=422P10").unwrap().format, Format::parse("422p10").unwrap());
    }

    #[test]
    fn frames_come_back_as_they_were_written() {
        let header = header("W3 H2 F25:1 C420p10").unwrap();
        let frame = |seed: u8, parameters: &str| Frame {
            parameters: parameters.into(),
            data: (0..header.frame_bytes() as u8).map(|i| i.wrapping_mul(seed)).collect(),
        };
        let frames = [frame(3, ""), frame(10, " Ipii XTRA")];
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, &header).unwrap();
        frames.iter().for_each(|frame| writer.write(frame).unwrap());
        let mut reader = Reader::new(bytes.as_slice()).unwrap();
        assert_eq!(reader.header(), &header);
        let mut frame = Frame::default();
        for expected in &frames {
            assert!(reader.read(&mut frame).unwrap());
            assert_eq!(&frame, expected);
        }
        assert!(!reader.read(&mut frame).unwrap());
        assert!(frames[1].is_interlaced(Interlacing::Mixed) && !frames[0].is_interlaced(Interlacing::Mixed));
        assert!(frames[0].is_interlaced(Interlacing::Fields));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        for (line, reason) in [
            ("W2", "width and height"),
            ("W0 H2", "'W0'"),
            ("W2 H-2", "'H-2'"),
            ("W99999999 H2", "'W99999999'"),
            ("W2 H2 C440", "'440'"),
            ("W2 H2 Ix", "'Ix'"),
            ("W2 H2 é", "'é'"),
        ] {
            let error = header(line).unwrap_err();
            assert!(matches!(&error, Error::Picture(text) if text.contains(reason)), "{line}: {error}");
        }
        let text = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes).map_err(|e| e.to_string())?;
            let mut frame = Frame::default();
            while reader.read(&mut frame).map_err(|e| e.to_string())? {}
            Ok::<_, String>(())
        };
        for (stream, reason) in [
            ("", "nothing in it"),
            ("RIFF....", "not a YUV4MPEG2 stream"),
            ("YUV4MPEG2 W2 H2", "first line"),
            ("YUV4MPEG2 W2 H2 Cmono\nFRAME\nabcdFRAME\nab", "frame 2 ends after 2 of 4 bytes"),
            ("YUV4MPEG2 W2 H2 Cmono\nFRAME\nabcdFRA", "truncated: it ends in the line of frame 2"),
            ("YUV4MPEG2 W2 H2 Cmono\nFRAME\nabcdefFRAME\n", "no FRAME where frame 2"),
            ("YUV4MPEG2 W2 H2 Cmono\nFRAMES\nabcd", "no FRAME where frame 1"),
        ] {
            let error = text(stream.as_bytes()).unwrap_err();
            assert!(error.contains(reason) && !error.contains('\n'), "{stream:?}: {error}");
        }
        assert_eq!(text(b"YUV4MPEG2 W2 H2 Cmono\n"), Ok(()));
    }
}
