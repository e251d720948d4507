//! How samples lie in frames: chroma subsampling, siting, bit depth, range.
//!
//! Siting is where the middle of a chroma sample is. Sample `j` of a plane that has one sample for `f` of luma sits at
//! the luma coordinate `f j + o`; enlarged by `s` as `imresize` does it, luma coordinate `u` becomes
//! `s (u + 1/2) - 1/2`, and the samples of the result have to sit at `f j' + o` again. So `j'` reads the coordinate
//! `j = (j' + p) / s - p` with `p = (o + 1/2) / f`, the sample's place within its own pixel: 1/2 in the middle, 1/4 for
//! chroma that sits on every second luma sample ([`crate::resample::ResampleTable::bicubic_sited`]).

use crate::error::{Error, Result};

/// Chroma subsampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Luma only.
    Mono,
    /// 4:2:0, half the columns and rows.
    S420,
    /// 4:1:1, a quarter of the columns.
    S411,
    /// 4:2:2, half the columns.
    S422,
    /// 4:4:4, as much as luma.
    S444,
}

/// Where the chroma samples of 4:2:0 sit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Siting {
    /// In the middle of four luma samples: `420jpeg`.
    Centre,
    /// On luma columns, between luma rows: `420mpeg2`, as in H.264 and HEVC.
    Left,
    /// On luma columns and rows: `420paldv`. In interlaced streams Cr sits on the first line of two lines of a
    /// field and Cb on the second, as in DV; in progressive ones (which DV is not; ffmpeg has no other name for
    /// samples at the top left) both sit on the first.
    TopLeft,
}

/// Which sample values are black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// 16 and 235, times a power of two for more than 8 bits.
    Limited,
    /// 0 and the largest.
    Full,
}

/// The samples of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Chroma subsampling.
    pub sampling: Sampling,
    /// Chroma siting; says nothing for others than 4:2:0.
    pub siting: Siting,
    /// Bits of a sample, 8 to 16; more than 8 take two bytes, the lower first.
    pub depth: u32,
}

/// One of the two fields of an interlaced frame: its lines are every second one, from 0 or 1 on.
pub(super) type Parity = usize;

impl Format {
    /// From the stream's parameter C, such as `420mpeg2` or `422p10`.
    ///
    /// # Errors
    /// [`Error::Picture`] for those that are not known.
    pub fn parse(tag: &str) -> Result<Self> {
        let unknown = || {
            Error::Picture(format!(
                "chroma format '{tag}' is not supported: mono, 420, 411, 422 or 444 with 8 to 16 bits are \
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
            (_, "") | (Sampling::S420, "jpeg") => return eight(Siting::Centre),
            (Sampling::S420, "mpeg2") => return eight(Siting::Left),
            (Sampling::S420, "paldv") => return eight(Siting::TopLeft),
            (Sampling::Mono, depth) => depth,
            (_, rest) => rest.strip_prefix('p').unwrap_or_default(),
        };
        let depth = depth.parse().ok().filter(|depth| (8..=16).contains(depth));
        // Nothing says where deeper ones sit; left is what players and encoders assume then.
        Ok(Self { sampling, siting: Siting::Left, depth: depth.ok_or_else(unknown)? })
    }

    /// Luma and, where there are any, two chroma planes.
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

    /// Columns and rows of a plane (0 luma, 1 Cb, 2 Cr) in frames of this size; rounded up.
    pub fn plane_size(&self, plane: usize, frame: (u32, u32)) -> [usize; 2] {
        let [columns, rows] = if plane == 0 { [1, 1] } else { self.subsampling() };
        [(frame.0 as usize).div_ceil(columns), (frame.1 as usize).div_ceil(rows)]
    }

    /// Bytes of a sample.
    pub fn sample_bytes(&self) -> usize {
        if self.depth > 8 { 2 } else { 1 }
    }

    /// Bytes of a frame.
    pub fn frame_bytes(&self, frame: (u32, u32)) -> usize {
        let samples = |plane| self.plane_size(plane, frame).iter().product::<usize>();
        (0..self.planes()).map(samples).sum::<usize>() * self.sample_bytes()
    }

    /// The largest sample value.
    pub fn largest(&self) -> u32 {
        (1 << self.depth) - 1
    }

    /// Where the samples of a plane sit within their pixels, from 0 to 1: along columns, along rows. With a parity,
    /// within the pixels of that field.
    pub(super) fn sites(&self, plane: usize, field: Option<Parity>) -> [f64; 2] {
        let [columns, _] = self.subsampling();
        let [on_columns, on_rows] = match (self.sampling, self.siting) {
            _ if plane == 0 => [false, false],
            (Sampling::S420, siting) => [siting != Siting::Centre, siting == Siting::TopLeft],
            _ => [columns > 1, false],
        };
        let column = if on_columns { 0.5 / columns as f64 } else { 0.5 };
        let row = match field {
            None if on_rows => 0.25,
            None => 0.5,
            // Lines 0, 2, 4, .. of a field have Cr on the first, third, .. and Cb on the second, fourth, ..; a
            // chroma line stands for four lines of the frame.
            Some(parity) if on_rows => (0.5 + parity as f64 + if plane == 1 { 2.0 } else { 0.0 }) / 4.0,
            // Line k of the field is line 2 k + parity of its plane.
            Some(parity) => (0.5 + parity as f64) / 2.0,
        };
        [column, row]
    }
}

/// Factor and offset that take samples to what is computed with; `unmap` goes back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mapping {
    pub factor: f64,
    pub offset: f64,
}

impl Mapping {
    /// For a plane: luma as networks on luminance expect it, chroma as it is over the largest sample.
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

    /// From computed values to samples.
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
            ("420", format(Sampling::S420, Siting::Centre, 8)),
            ("420jpeg", format(Sampling::S420, Siting::Centre, 8)),
            ("420mpeg2", format(Sampling::S420, Siting::Left, 8)),
            ("420paldv", format(Sampling::S420, Siting::TopLeft, 8)),
            ("420p10", format(Sampling::S420, Siting::Left, 10)),
            ("444p16", format(Sampling::S444, Siting::Left, 16)),
            ("mono", format(Sampling::Mono, Siting::Centre, 8)),
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

    /// Coordinates of luma, from the definitions of the formats: the place p of a sample in its pixel follows from
    /// the frame's lines and columns that it stands for, and the one that it sits at.
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
