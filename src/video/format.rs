//! How samples are stored in frames: chroma subsampling, siting, bit depth, range.
//!
//! Siting is where a chroma sample lies. Sample `j` of a plane with one sample for every `f` of luma lies at luma
//! coordinate `f j + o`. Enlarging by `s` as `imresize` does moves luma coordinate `u` to `s (u + 1/2) - 1/2`, and the
//! samples of the result must lie at `f j' + o` again. So `j'` reads the coordinate `j = (j' + p) / s - p`, where
//! `p = (o + 1/2) / f` is the sample's position within its own pixel: 1/2 for the center, 1/4 for chroma that lies on
//! every second luma sample ([`crate::resample::ResampleTable::bicubic_sited`]).

use crate::error::{Error, Result};

/// Chroma subsampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// 4:0:0, luma only.
    Mono,
    /// 4:2:0, half the columns and half the rows.
    S420,
    /// 4:1:1, a quarter of the columns.
    S411,
    /// 4:2:2, half the columns.
    S422,
    /// 4:4:4, the same size as luma.
    S444,
}

/// Where the chroma samples of 4:2:0 lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Siting {
    /// In the center of four luma samples: `420jpeg`.
    Center,
    /// On luma columns, between luma rows: `420mpeg2`, as in H.264 and HEVC.
    Left,
    /// On luma columns and rows: `420paldv`. In interlaced streams Cr lies on the first and Cb on the second of each
    /// two lines of a field, as in DV. In progressive streams both lie on the first; those are not DV, but ffmpeg has
    /// no other name for samples at the top left.
    TopLeft,
}

/// Which sample values stand for black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// 16 and 235, scaled by a power of two for more than 8 bits.
    Limited,
    /// 0 and the largest value.
    Full,
}

/// The sample format of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Chroma subsampling.
    pub sampling: Sampling,
    /// Chroma siting; only meaningful for 4:2:0.
    pub siting: Siting,
    /// Bits per sample, 8 to 16; more than 8 take two bytes, low byte first.
    pub depth: u32,
}

/// One of the two fields of an interlaced frame: every second line, starting at line 0 or 1.
pub(super) type Parity = usize;

impl Format {
    /// Parses the stream parameter C, such as `420mpeg2` or `422p10`.
    ///
    /// # Errors
    /// [`Error::Picture`] for an unknown format.
    pub fn parse(tag: &str) -> Result<Self> {
        let unknown = || {
            Error::Picture(format!(
                "chroma format '{tag}' is not supported; use mono, 420, 411, 422 or 444 with 8 to 16 bits \
                 (ffmpeg: -pix_fmt yuv420p or another)"
            ).into())
        };
        let (sampling, rest) = match tag.split_at_checked(tag.len().min(3)) {
            _ if tag.starts_with("mono") => (Sampling::Mono, &tag[4..]),
            Some(("420", rest)) => (Sampling::S420, rest),
            Some(("411", rest)) => (Sampling::S411, rest),
            Some(("422", rest)) => (Sampling::S422, rest),
            Some(("444", rest)) => (Sampling::S444, rest),
            _ => return Err(unknown()),
        };
        let eight = |siting| Ok(Self { sampling, siting, depth: 8 });
        let depth = match (sampling, rest) {
            (_, "") | (Sampling::S420, "jpeg") => return eight(Siting::Center),
            (Sampling::S420, "mpeg2") => return eight(Siting::Left),
            (Sampling::S420, "paldv") => return eight(Siting::TopLeft),
            (Sampling::Mono, depth) => depth,
            (_, rest) => rest.strip_prefix('p').unwrap_or_default(),
        };
        let depth = depth.parse().ok().filter(|depth| (8..=16).contains(depth));
        // The tag does not say where deeper samples lie; players and encoders assume left.
        Ok(Self { sampling, siting: Siting::Left, depth: depth.ok_or_else(unknown)? })
    }

    /// Number of planes: luma and, unless mono, two chroma planes.
    pub fn planes(&self) -> usize {
        if self.sampling == Sampling::Mono { 1 } else { 3 }
    }

    /// Luma columns and rows of one chroma sample.
    fn subsampling(&self) -> [usize; 2] {
        match self.sampling {
            Sampling::Mono | Sampling::S444 => [1, 1],
            Sampling::S420 => [2, 2],
            Sampling::S411 => [4, 1],
            Sampling::S422 => [2, 1],
        }
    }

    /// Columns and rows of a plane (0 luma, 1 Cb, 2 Cr) in frames of this size, rounded up.
    pub fn plane_size(&self, plane: usize, frame: (u32, u32)) -> [usize; 2] {
        let [columns, rows] = if plane == 0 { [1, 1] } else { self.subsampling() };
        [(frame.0 as usize).div_ceil(columns), (frame.1 as usize).div_ceil(rows)]
    }

    /// Bytes per sample.
    pub fn sample_bytes(&self) -> usize {
        if self.depth > 8 { 2 } else { 1 }
    }

    /// Bytes per frame.
    pub fn frame_bytes(&self, frame: (u32, u32)) -> usize {
        let samples = |plane| self.plane_size(plane, frame).iter().product::<usize>();
        (0..self.planes()).map(samples).sum::<usize>() * self.sample_bytes()
    }

    /// The largest sample value.
    pub fn largest(&self) -> u32 {
        (1 << self.depth) - 1
    }

    /// Position of a plane's samples within their pixels, from 0 to 1, along columns and along rows; with a parity,
    /// within the pixels of that field.
    pub(super) fn sites(&self, plane: usize, field: Option<Parity>) -> [f64; 2] {
        let [columns, _] = self.subsampling();
        let [on_columns, on_rows] = match (self.sampling, self.siting) {
            _ if plane == 0 => [false, false],
            (Sampling::S420, siting) => [siting != Siting::Center, siting == Siting::TopLeft],
            _ => [columns > 1, false],
        };
        let column = if on_columns { 0.5 / columns as f64 } else { 0.5 };
        let row = match field {
            None if on_rows => 0.25,
            None => 0.5,
            // Cr lies on the first, third, .. line of a field and Cb on the second, fourth, ..; a chroma line stands
            // for four lines of the frame.
            Some(parity) if on_rows => (0.5 + parity as f64 + if plane == 1 { 2.0 } else { 0.0 }) / 4.0,
            // Line k of the field is line 2 k + parity of its plane.
            Some(parity) => (0.5 + parity as f64) / 2.0,
        };
        [column, row]
    }
}

/// Factor and offset that turn sample values into the values to compute with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mapping {
    pub factor: f64,
    pub offset: f64,
}

impl Mapping {
    /// For a plane: luma as luminance networks expect it, chroma divided by the largest sample.
    pub fn new(format: &Format, range: Range, plane: usize) -> Self {
        let largest = f64::from(format.largest());
        match range {
            _ if plane > 0 => Self { factor: 1.0 / largest, offset: 0.0 },
            Range::Limited => {
                Self { factor: 1.0 / (255.0 * f64::from(1 << (format.depth - 8))), offset: 0.0 }
            }
            Range::Full => Self { factor: 219.0 / (255.0 * largest), offset: 16.0 / 255.0 },
        }
    }

    /// From computed values back to sample values.
    pub fn inverse(self) -> Self {
        Self { factor: 1.0 / self.factor, offset: -self.offset / self.factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        let format = |sampling, siting, depth| Format { sampling, siting, depth };
        for (tag, expected) in [
            ("420", format(Sampling::S420, Siting::Center, 8)),
            ("420jpeg", format(Sampling::S420, Siting::Center, 8)),
            ("420mpeg2", format(Sampling::S420, Siting::Left, 8)),
            ("420paldv", format(Sampling::S420, Siting::TopLeft, 8)),
            ("420p10", format(Sampling::S420, Siting::Left, 10)),
            ("444p16", format(Sampling::S444, Siting::Left, 16)),
            ("mono", format(Sampling::Mono, Siting::Center, 8)),
            ("mono12", format(Sampling::Mono, Siting::Left, 12)),
        ] {
            assert_eq!(Format::parse(tag).unwrap(), expected, "{tag}");
        }
        for tag in
            ["", "4", "440", "444alpha", "422jpeg", "420p", "420p7", "420p17", "42010", "monop10", "é20"]
        {
            let error = Format::parse(tag).unwrap_err().to_string();
            assert!(error.contains(&format!("'{tag}'")), "{error}");
        }
    }

    #[test]
    fn sizes() {
        let bytes = |tag, size| Format::parse(tag).unwrap().frame_bytes(size);
        assert_eq!(bytes("420", (5, 3)), 15 + 2 * 3 * 2);
        assert_eq!(bytes("411", (5, 3)), 15 + 2 * 2 * 3);
        assert_eq!(bytes("422p10", (5, 3)), 2 * (15 + 2 * 3 * 3));
        assert_eq!((bytes("444", (5, 3)), bytes("mono16", (5, 3))), (45, 30));
    }

    /// Checks against luma coordinates from the formats' definitions: the position p follows from where the sample
    /// lies and from how many lines or columns of the frame it stands for.
    #[test]
    fn sites_follow_from_coordinates() {
        let place = |sits_at: f64, stands_for: f64| (sits_at + 0.5) / stands_for;
        let sites = |tag, plane, field| Format::parse(tag).unwrap().sites(plane, field);
        assert_eq!(sites("420jpeg", 1, None), [place(0.5, 2.0); 2]);
        assert_eq!(sites("420mpeg2", 2, None), [place(0.0, 2.0), place(0.5, 2.0)]);
        assert_eq!(sites("420paldv", 1, None), [place(0.0, 2.0); 2]);
        assert_eq!(sites("411", 1, None), [place(0.0, 4.0), place(0.0, 1.0)]);
        assert_eq!(sites("422", 1, None), [place(0.0, 2.0), place(0.0, 1.0)]);
        assert_eq!(sites("444", 1, None), [place(0.0, 1.0); 2]);
        for parity in [0, 1] {
            let line = parity as f64;
            assert_eq!(sites("420mpeg2", 0, Some(parity))[1], place(line, 2.0));
            // Chroma line 2 k + parity of the frame sits between the frame's lines 4 k + 2 parity and the next.
            assert_eq!(sites("420mpeg2", 1, Some(parity))[1], place(2.0 * line + 0.5, 4.0));
            assert_eq!(sites("420paldv", 2, Some(parity))[1], place(line, 4.0));
            assert_eq!(sites("420paldv", 1, Some(parity))[1], place(2.0 + line, 4.0));
        }
    }

    #[test]
    fn luma_is_what_rgb2ycbcr_gives() {
        let map = |tag, range, v| {
            let Mapping { factor, offset } = Mapping::new(&Format::parse(tag).unwrap(), range, 0);
            v * factor + offset
        };
        for (tag, range, black, white) in [
            ("420", Range::Limited, 16.0, 235.0),
            ("420p10", Range::Limited, 64.0, 940.0),
            ("420", Range::Full, 0.0, 255.0),
            ("420p12", Range::Full, 0.0, 4095.0),
        ] {
            assert!((map(tag, range, black) - 16.0 / 255.0).abs() < 1e-12, "{tag} {range:?}");
            assert!((map(tag, range, white) - 235.0 / 255.0).abs() < 1e-12, "{tag} {range:?}");
            let mapping = Mapping::new(&Format::parse(tag).unwrap(), range, 0);
            let back = mapping.inverse();
            assert!(
                ((white * mapping.factor + mapping.offset) * back.factor + back.offset - white).abs() < 1e-9
            );
        }
    }
}
