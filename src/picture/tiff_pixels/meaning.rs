//! What the samples of a picture mean, and their conversion to colors.

use image::ColorType;

use super::storage::Storage;
use super::unpack::Row;
use super::{Entries, Entry};
use crate::picture::samples::color_type;

const PHOTOMETRIC: u16 = 0x0106;
const COLOR_MAP: u16 = 0x0140;
const INK_SET: u16 = 0x014c;
const EXTRA_SAMPLES: u16 = 0x0152;
const COEFFICIENTS: u16 = 0x0211;
const REFERENCE_BLACK_WHITE: u16 = 0x0214;

/// What the samples mean.
pub struct Meaning {
    /// The channels of the file that are read: colors, then alpha.
    pub channels: Vec<usize>,
    pub color: ColorType,
    /// Whether the colors are premultiplied with alpha.
    pub premultiplied: bool,
    /// Channels that are not read.
    pub left_out: usize,
    colors: Colors,
}

enum Colors {
    Gray { white_is_zero: bool },
    Rgb,
    Palette(Vec<[u8; 3]>),
    Cmyk,
    YCbCr(Conversion),
}

impl Colors {
    fn channels(&self) -> usize {
        match self {
            Self::Gray { .. } | Self::Palette(_) => 1,
            Self::Rgb | Self::YCbCr(_) => 3,
            Self::Cmyk => 4,
        }
    }
}

impl Meaning {
    pub fn new(entries: &Entries<'_>, storage: &Storage) -> Result<Self, String> {
        let guess = if storage.samples >= 3 { 2 } else { 1 };
        let colors = match entries.number(PHOTOMETRIC, guess) {
            zero @ (0 | 1) => Colors::Gray { white_is_zero: zero == 0 },
            2 => Colors::Rgb,
            3 => Colors::Palette(palette(entries, storage)?),
            4 => return Err("it is a mask for another picture and has no colors".into()),
            5 if entries.number(INK_SET, 1) != 1 => {
                return Err("its inks are not cyan, magenta, yellow and black; convert it to RGB".into());
            }
            5 => Colors::Cmyk,
            6 => Colors::YCbCr(Conversion::new(entries, storage.jpeg)),
            8..=10 => return Err("its colors are CIELab, which cannot be read; convert it to RGB".into()),
            32803 | 34892 => return Err("it is a camera's raw data; develop it to RGB".into()),
            32844 | 32845 => {
                return Err("its colors are SGI LogLuv, which cannot be read; convert it to RGB".into());
            }
            other => return Err(format!("its colors are of an unknown kind ({other}); convert it to RGB")),
        };
        let float = storage.float;
        if float && !matches!(colors, Colors::Gray { .. } | Colors::Rgb)
            || matches!(colors, Colors::YCbCr(_)) && storage.bits != 8
        {
            return Err(format!(
                "its colors cannot be read from samples of {} bits; convert it to RGB",
                storage.bits
            ));
        }
        let needed = colors.channels();
        let Some(more) = storage.samples.checked_sub(needed) else {
            return Err(format!("it has {} channels, but its kind of color needs {needed}", storage.samples));
        };
        let extra = entries.numbers(EXTRA_SAMPLES);
        // Without a word about one further channel it is alpha.
        let alpha = match extra.iter().position(|kind| [1, 2].contains(kind)) {
            Some(at) if more > 0 => {
                Some((storage.samples - more + at + more.saturating_sub(extra.len()), extra[at] == 1))
            }
            None if extra.is_empty()
                && more == 1
                && !matches!(colors, Colors::YCbCr(_) | Colors::Palette(_)) =>
            {
                Some((needed, false))
            }
            _ => None,
        };
        let alpha = alpha.filter(|(at, _)| *at < storage.samples);
        let channels: Vec<usize> = (0..needed).chain(alpha.map(|(at, _)| at)).collect();
        let depth = match (&colors, storage.bits) {
            _ if float => 32,
            (Colors::Palette(_), _) | (_, ..=8) => 8,
            _ => 16,
        };
        let colored = float || !matches!(colors, Colors::Gray { .. });
        Ok(Self {
            color: color_type(colored, alpha.is_some(), depth),
            premultiplied: alpha.is_some_and(|(_, premultiplied)| premultiplied),
            left_out: storage.samples - channels.len(),
            channels,
            colors,
        })
    }

    /// Whether a row of a chunk already is what [`Meaning::write`] would make of it.
    pub fn is_as_stored(&self, storage: &Storage) -> bool {
        let plain = matches!(self.colors, Colors::Rgb | Colors::Gray { white_is_zero: false });
        let whole =
            !storage.float && [8, 16].contains(&storage.bits) && (!storage.planar || storage.samples == 1);
        plain && whole && self.channels.iter().copied().eq(0..storage.samples)
    }

    /// Writes a row of pixels as samples of `color` in the machine's byte order.
    pub fn write(&self, row: &Row, storage: &Storage, target: &mut [u8]) {
        let width = usize::from(self.color.bytes_per_pixel());
        let (stored, written) = (self.channels.len(), usize::from(self.color.channel_count()));
        if storage.float {
            for (pixel, target) in row.floats.chunks_exact(stored).zip(target.chunks_exact_mut(width)) {
                let colors = self.floats(pixel);
                for (sample, target) in colors.iter().zip(target.chunks_exact_mut(4)).take(written) {
                    target.copy_from_slice(&sample.to_ne_bytes());
                }
            }
            return;
        }
        let depth = Depth { bits: storage.bits.min(32), wide: width / written == 2 };
        for (pixel, target) in row.integers.chunks_exact(stored).zip(target.chunks_exact_mut(width)) {
            let colors = self.integers(pixel, depth);
            if depth.wide {
                for (sample, target) in colors.iter().zip(target.chunks_exact_mut(2)) {
                    target.copy_from_slice(&sample.to_ne_bytes());
                }
            } else {
                colors.iter().zip(target).for_each(|(sample, target)| *target = *sample as u8);
            }
        }
    }

    /// Red, green, blue, and alpha if there is one.
    fn floats(&self, pixel: &[f32]) -> [f32; 4] {
        match (&self.colors, pixel) {
            (Colors::Gray { white_is_zero }, [gray, alpha @ ..]) => {
                let gray = if *white_is_zero { 1.0 - gray } else { *gray };
                [gray, gray, gray, alpha.first().copied().unwrap_or(1.0)]
            }
            (_, [red, green, blue, alpha @ ..]) => {
                [*red, *green, *blue, alpha.first().copied().unwrap_or(1.0)]
            }
            _ => [0.0; 4],
        }
    }

    /// The pixel's samples as they are written, in the first places.
    fn integers(&self, pixel: &[u32], depth: Depth) -> [u16; 4] {
        let scale = |value: u32| depth.scale(value);
        let alpha = |rest: &[u32]| rest.first().map_or(0, |&alpha| scale(alpha));
        match (&self.colors, pixel) {
            (Colors::Gray { white_is_zero: true }, [gray, rest @ ..]) => {
                [scale(depth.top() - gray.min(&depth.top())), alpha(rest), 0, 0]
            }
            (Colors::Gray { .. }, [gray, rest @ ..]) => [scale(*gray), alpha(rest), 0, 0],
            (Colors::Palette(colors), [index, rest @ ..]) => {
                let [red, green, blue] =
                    colors.get(*index as usize).copied().unwrap_or_default().map(u16::from);
                [red, green, blue, alpha(rest)]
            }
            (Colors::Rgb, [red, green, blue, rest @ ..]) => {
                [scale(*red), scale(*green), scale(*blue), alpha(rest)]
            }
            (Colors::Cmyk, [cyan, magenta, yellow, black, rest @ ..]) => {
                let top = u32::from(depth.written_top());
                let light = |ink: &u32| {
                    let (ink, black) = (top - u32::from(scale(*ink)), top - u32::from(scale(*black)));
                    // Products of 16 bits and half of a divisor fit into 32 bits.
                    ((ink * black + top / 2) / top) as u16
                };
                [light(cyan), light(magenta), light(yellow), alpha(rest)]
            }
            (Colors::YCbCr(conversion), [y, cb, cr, rest @ ..]) => {
                let [red, green, blue] = conversion.to_rgb([*y, *cb, *cr]);
                [red, green, blue, alpha(rest)]
            }
            _ => [0; 4],
        }
    }
}

/// Bits of the stored samples, and whether 16 bits rather than 8 are written.
#[derive(Clone, Copy)]
struct Depth {
    bits: u32,
    wide: bool,
}

impl Depth {
    /// The largest stored sample.
    fn top(self) -> u32 {
        u32::MAX >> (32 - self.bits)
    }

    fn written_top(self) -> u16 {
        if self.wide { u16::MAX } else { u8::MAX.into() }
    }

    fn scale(self, value: u32) -> u16 {
        let (top, written) = (u64::from(self.top()), u64::from(self.written_top()));
        ((u64::from(value) * written + top / 2) / top) as u16
    }
}

fn palette(entries: &Entries<'_>, storage: &Storage) -> Result<Vec<[u8; 3]>, String> {
    let map = entries.get(COLOR_MAP).map(Entry::words).unwrap_or_default();
    let count = if storage.bits <= 16 { 1usize << storage.bits } else { usize::MAX };
    if storage.float || Some(map.len()) != count.checked_mul(3) {
        return Err(format!(
            "its palette has {} numbers, which is wrong for {} bits",
            map.len(),
            storage.bits
        ));
    }
    // Some programs write the numbers in 8 bits; the format wants 16.
    let narrow = map.iter().all(|&value| value < 256);
    let level = |value: u16| if narrow { value as u8 } else { (value >> 8) as u8 };
    Ok((0..count).map(|i| [map[i], map[count + i], map[2 * count + i]].map(level)).collect())
}

/// How brightness and two differences of colors become red, green and blue.
struct Conversion {
    /// Shares of red, green and blue in brightness.
    shares: [f64; 3],
    /// Black and white of each channel; of the differences, none and all.
    reference: [f64; 6],
}

impl Conversion {
    fn new(entries: &Entries<'_>, jpeg: bool) -> Self {
        let fractions = |tag| entries.get(tag).map(Entry::fractions).unwrap_or_default();
        let shares = <[f64; 3]>::try_from(fractions(COEFFICIENTS)).ok();
        let shares = shares.filter(|shares| shares.iter().all(|share| *share > 0.0) && !jpeg);
        let reference = <[f64; 6]>::try_from(fractions(REFERENCE_BLACK_WHITE)).ok();
        let reference = reference.filter(|r| r.chunks(2).all(|pair| pair[0] < pair[1]) && !jpeg);
        Self {
            shares: shares.unwrap_or([0.299, 0.587, 0.114]),
            reference: reference.unwrap_or([0.0, 255.0, 128.0, 255.0, 128.0, 255.0]),
        }
    }

    fn to_rgb(&self, samples: [u32; 3]) -> [u16; 3] {
        let [red_share, green_share, blue_share] = self.shares;
        let level = |channel: usize, range: f64| {
            let (black, white) = (self.reference[2 * channel], self.reference[2 * channel + 1]);
            (f64::from(samples[channel]) - black) * range / (white - black)
        };
        let (y, cb, cr) = (level(0, 255.0), level(1, 127.0), level(2, 127.0));
        let red = y + cr * (2.0 - 2.0 * red_share);
        let blue = y + cb * (2.0 - 2.0 * blue_share);
        let green = (y - red_share * red - blue_share * blue) / green_share;
        // The casts saturate.
        [red, green, blue].map(|value| u16::from((value + 0.5) as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_fill_the_range_of_8_or_16_bits() {
        let scaled = |bits, wide, value| Depth { bits, wide }.scale(value);
        assert_eq!([0, 1].map(|v| scaled(1, false, v)), [0, 255]);
        assert_eq!([1, 2, 3].map(|v| scaled(2, false, v)), [85, 170, 255]);
        assert_eq!(scaled(4, false, 9), 153);
        assert_eq!(scaled(12, true, 4095), 65535);
        assert_eq!(scaled(16, true, 12345), 12345);
        assert_eq!(scaled(32, true, u32::MAX / 2), 32767);
    }

    #[test]
    fn brightness_and_differences() {
        let standard = Conversion::new(&Entries(&[]), false);
        assert_eq!(standard.to_rgb([255, 128, 128]), [255; 3]);
        assert_eq!(standard.to_rgb([76, 85, 255]), [254, 0, 0]);
        let video = [16.0, 235.0, 128.0, 240.0, 128.0, 240.0];
        let video = Conversion { reference: video, ..standard };
        assert_eq!(video.to_rgb([16, 128, 128]), [0; 3]);
        assert_eq!(video.to_rgb([235, 128, 128]), [255; 3]);
    }
}
