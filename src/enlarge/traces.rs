//! The traces that JPEG files leave in pixels, wherever these have been saved since.
//!
//! JPEG rounds the cosine coefficients of each block of 8 x 8 pixels to multiples of a step (ITU-T T.81, A.3.4), most of
//! them to 0. So on the grid of these blocks more coefficients are close to 0 than on the 63 others, as far as the picture
//! was neither scaled nor blurred afterwards. Fan and de Queiroz, *Identification of bitmap compression history* (IEEE TIP
//! 2003), find a file's past by its blocks too.

use std::array::from_fn;

use image::{DynamicImage, GenericImageView};

use crate::color::rgb_to_ycbcr;

/// Side of a block.
const SIDE: usize = 8;
/// The coefficients that are looked at, by the sum of their two frequencies: lower ones are seldom rounded to 0, of higher
/// ones there is nothing in smooth pictures.
const FREQUENCIES: std::ops::RangeInclusive<usize> = 3..=7;
/// What is close to 0, of luminance from 0 to 1: two of 255 steps, in a range of 219. The result of rounding pixels stays
/// below; steps of JPEG files of quality 95 hardly reach it.
const CLOSE: f32 = 2.0 * 219.0 / (255.0 * 255.0);
/// Below this a coefficient is 0 but for rounding. Flat areas have such ones on every grid, and drawings of squares on some, so
/// they tell nothing.
const ZERO: f32 = 1e-5;
/// Blocks in a row that are looked at together, and how often in each direction at most.
const WINDOW: usize = 64;
const WINDOWS: usize = 8;
/// Coefficients on a grid that are too few to tell.
const LEAST: u32 = 256;

/// The grid of 8 x 8 blocks that stands out the most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traces {
    /// Column and row of a block's first pixel, 0 to 7.
    pub grid: [usize; 2],
    /// Of the coefficients that are not close to 0 on other grids, the share that is on this one, 0 to 1. About 0.04 for
    /// pictures that never were JPEG files; 0.15 at quality 90, 0.35 at 80, 0.6 at 50.
    pub vanished: f64,
    /// By how many of their standard deviations this grid has more than the others: up to 3.2 for pictures that never were JPEG
    /// files.
    pub deviations: f64,
}

impl Traces {
    /// Traces of a picture's luminance, which `at` gives for a column and a row, from 0 to 1. Of large pictures it looks at 64
    /// windows of 64 x 64 blocks. `None` for pictures that are too small or too plain to tell.
    pub fn look([width, height]: [usize; 2], at: impl Fn(usize, usize) -> f32) -> Option<Self> {
        let cosines = cosines();
        let mut counts = [[[0_u32; 2]; SIDE]; SIDE];
        for top in starts(height) {
            for left in starts(width) {
                let columns = (width - left).min(WINDOW + SIDE - 1);
                let rows = (height - top).min(WINDOW + SIDE - 1);
                let pixels =
                    (0..rows).map(|y| from_fn(|x| if x < columns { at(left + x, top + y) } else { 0.0 }));
                let pixels: Vec<[f32; WINDOW + SIDE - 1]> = pixels.collect();
                count(&cosines, &pixels, columns + 1 - SIDE, &mut counts);
            }
        }
        Self::of_counts(&counts)
    }

    /// Traces of a picture's luminance.
    pub fn of(picture: &DynamicImage) -> Option<Self> {
        let size = [picture.width() as usize, picture.height() as usize];
        match picture {
            DynamicImage::ImageRgb32F(floats) => {
                Self::look(size, |x, y| luminance(floats.get_pixel(x as u32, y as u32).0))
            }
            _ => Self::look(size, |x, y| {
                let [red, green, blue, _] = picture.get_pixel(x as u32, y as u32).0;
                luminance([red, green, blue].map(|value| f32::from(value) / 255.0))
            }),
        }
    }

    /// Whether a picture has strong ones.
    pub fn are_in(picture: &DynamicImage) -> bool {
        Self::of(picture).is_some_and(|traces| traces.are_strong())
    }

    /// Whether networks that are meant for such traces do better than others: below a quality of about 88.
    pub fn are_strong(&self) -> bool {
        self.vanished > 0.16 && self.deviations > 4.0
    }

    /// `[row][column]` of the grid: coefficients that are close to 0, and all.
    fn of_counts(counts: &[[[u32; 2]; SIDE]; SIDE]) -> Option<Self> {
        let shares: Vec<f64> = counts
            .iter()
            .flatten()
            .map(|[close, all]| f64::from(*close) / f64::from((*all).max(1)))
            .collect();
        if counts.iter().flatten().any(|[_, all]| *all < LEAST) {
            return None;
        }
        let most = (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b]))?;
        let mut others: Vec<f64> =
            (0..shares.len()).filter(|&grid| grid != most).map(|grid| shares[grid]).collect();
        others.sort_by(f64::total_cmp);
        let count = others.len() as f64;
        let mean = others.iter().sum::<f64>() / count;
        let variance = others.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / count;
        let more = shares[most] - others[others.len() / 2];
        Some(Self {
            grid: [most % SIDE, most / SIDE],
            vanished: more / (1.0 - others[others.len() / 2]).max(f64::EPSILON),
            // A small constant for pictures that are the same on all other grids.
            deviations: more / (variance.sqrt() + 0.002),
        })
    }
}

/// Luminance of a color, which is what JPEG files keep in the finer steps.
fn luminance(rgb: [f32; 3]) -> f32 {
    rgb_to_ycbcr(rgb.map(f64::from))[0] as f32
}

/// Where windows begin along an axis: at multiples of a block's side, so that all have the grids in the same order.
fn starts(length: usize) -> impl Iterator<Item = usize> + Clone {
    let blocks = (length + 1).saturating_sub(SIDE);
    let windows = blocks.div_ceil(WINDOW);
    let taken = windows.min(WINDOWS);
    // With more windows than are taken, they are spread from the first to the last.
    (0..taken).map(move |index| index * windows.saturating_sub(1) / (taken - 1).max(1) * WINDOW)
}

/// `[frequency][pixel]` of the orthonormal cosine transform of 8 pixels.
fn cosines() -> [[f32; SIDE]; SIDE] {
    from_fn(|frequency| {
        let scale = if frequency == 0 { 1.0 } else { 2.0 } / SIDE as f64;
        from_fn(|pixel| {
            let angle = (2 * pixel + 1) as f64 * frequency as f64 * std::f64::consts::PI / (2 * SIDE) as f64;
            (scale.sqrt() * angle.cos()) as f32
        })
    })
}

/// Adds the coefficients of all blocks in a window, of which `blocks` begin in each row.
fn count(
    cosines: &[[f32; SIDE]; SIDE],
    pixels: &[[f32; WINDOW + SIDE - 1]],
    blocks: usize,
    counts: &mut [[[u32; 2]; SIDE]; SIDE],
) {
    let along = |row: &[f32; WINDOW + SIDE - 1]| -> [[f32; WINDOW]; SIDE] {
        from_fn(|frequency| {
            from_fn(|x| {
                row[x..x + SIDE].iter().zip(&cosines[frequency]).map(|(pixel, cosine)| pixel * cosine).sum()
            })
        })
    };
    let rows: Vec<[[f32; WINDOW]; SIDE]> = pixels.iter().map(along).collect();
    for (y, rows) in rows.windows(SIDE).enumerate() {
        let (mut close, mut all) = ([0_u32; WINDOW], [0_u32; WINDOW]);
        for across in 0..SIDE {
            for down in (0..SIDE).filter(|down| FREQUENCIES.contains(&(across + down))) {
                let mut sums = [0.0_f32; WINDOW];
                for (row, cosine) in rows.iter().zip(&cosines[down]) {
                    for (sum, value) in sums.iter_mut().zip(&row[across]) {
                        *sum += value * cosine;
                    }
                }
                for ((sum, close), all) in sums.iter().zip(&mut close).zip(&mut all) {
                    let size = sum.abs();
                    *all += u32::from(size > ZERO);
                    *close += u32::from(size > ZERO && size < CLOSE);
                }
            }
        }
        for (x, (close, all)) in close.into_iter().zip(all).enumerate().take(blocks) {
            let [close_here, all_here] = &mut counts[y % SIDE][x % SIDE];
            (*close_here, *all_here) = (*close_here + close, *all_here + all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, RgbImage, imageops};
    use jpeg_encoder::{ColorType, Encoder};

    /// Waves of many lengths and directions, edges and a little noise.
    fn picture(side: u32) -> RgbImage {
        let noise =
            |x: u32, y: u32| f64::from((x * 7919 + y * 104_729).wrapping_mul(2_654_435_761) >> 24) / 16.0;
        RgbImage::from_fn(side, side, |x, y| {
            let [u, v] = [x, y].map(f64::from);
            let waves = (u * 0.9 + v * 0.3).sin() * 25.0
                + (v * 1.3 - u * 0.4).sin() * 20.0
                + ((u * u + v * v) / 150.0).sin() * 30.0;
            let edge = if (u * 0.7 + v).rem_euclid(37.0) < 11.0 { 50.0 } else { 0.0 };
            let value = 90.0 + waves + edge + noise(x, y);
            image::Rgb(
                [value, value * 0.8 + 20.0, 200.0 - value * 0.6].map(|value| value.clamp(0.0, 255.0) as u8),
            )
        })
    }

    fn as_jpeg(picture: &RgbImage, quality: u8) -> RgbImage {
        let mut file = Vec::new();
        let encoder = Encoder::new(&mut file, quality);
        encoder.encode(picture, picture.width() as u16, picture.height() as u16, ColorType::Rgb).unwrap();
        image::load_from_memory(&file).unwrap().into_rgb8()
    }

    fn look(picture: RgbImage) -> Traces {
        Traces::of(&picture.into()).unwrap()
    }

    /// The grid is found wherever a picture was cut, in small pictures and in those that are looked at in parts only.
    #[test]
    fn grids_are_found() {
        for side in [80, 200, 1500] {
            let clean = picture(side);
            assert!(!look(clean.clone()).are_strong());
            for quality in [20, 50, 80] {
                let whole = as_jpeg(&clean, quality);
                for [left, top] in [[0, 0], [3, 6]] {
                    let cut = imageops::crop_imm(&whole, left, top, side - 8, side - 8).to_image();
                    let traces = look(cut);
                    assert!(traces.are_strong(), "{side} {quality}: {traces:?}");
                    assert_eq!(
                        traces.grid,
                        [left, top].map(|from| (8 - from as usize) % 8),
                        "{side} {quality}"
                    );
                }
            }
            assert!(!look(as_jpeg(&clean, 97)).are_strong());
        }
    }

    /// No JPEG file: a scaled one, squares of 8 and of 4 pixels, stripes, flat areas.
    #[test]
    fn what_has_no_traces() {
        let low = as_jpeg(&picture(256), 40);
        assert!(!look(imageops::resize(&low, 180, 180, imageops::FilterType::CatmullRom)).are_strong());
        let colors = picture(64);
        for size in [4, 8, 16] {
            let squares = RgbImage::from_fn(256, 256, |x, y| *colors.get_pixel(x / size % 64, y / size % 64));
            assert!(!Traces::are_in(&squares.into()), "{size}");
            let stripes = RgbImage::from_fn(256, 256, |x, _| {
                image::Rgb([if x % size < size / 2 { 250 } else { 10 }; 3])
            });
            assert!(!Traces::are_in(&stripes.into()), "{size}");
        }
        assert_eq!(Traces::of(&RgbImage::from_pixel(64, 64, image::Rgb([90; 3])).into()), None);
        for (width, height) in [(1, 1), (7, 300), (300, 7), (9, 9)] {
            assert_eq!(Traces::of(&RgbImage::new(width, height).into()), None);
        }
    }

    /// Floats and grey pictures have the traces of the same pixels.
    #[test]
    fn other_samples() {
        let low = DynamicImage::from(as_jpeg(&picture(128), 50));
        let bytes = Traces::of(&low).unwrap();
        let floats = Traces::of(&low.to_rgb32f().into()).unwrap();
        assert!((bytes.vanished - floats.vanished).abs() < 1e-3 && bytes.grid == floats.grid);
        let grey: GrayImage = low.to_luma8();
        assert!(Traces::are_in(&grey.into()));
        let not_finite = image::Rgb32FImage::from_pixel(64, 64, image::Rgb([f32::NAN; 3]));
        assert_eq!(Traces::of(&not_finite.into()), None);
    }

    /// The transform is that of T.81, A.3.3.
    #[test]
    fn cosines_are_orthonormal() {
        let cosines = cosines();
        for (i, a) in cosines.iter().enumerate() {
            for (j, b) in cosines.iter().enumerate() {
                let product: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert!((product - f32::from(u8::from(i == j))).abs() < 1e-6);
            }
        }
    }
}
