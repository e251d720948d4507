//! A picture to look at: its pixels, and halved copies for views from far away.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use eframe::egui;
use eframe::wgpu::TextureFormat;
use image::{DynamicImage, RgbaImage};
use srcnn_gpu::enlarge::Traces;
use srcnn_gpu::picture::{PictureFile, alpha, depth};
use srcnn_gpu::stages::{is_compressed, told_by_traces};
use srcnn_gpu::{Error, Result, guard};

/// What is behind pictures that one can see through.
const BEHIND: [u8; 3] = [128; 3];
/// Halving ends when both sides are this short, in pixels.
const SMALL: u32 = 512;
/// Rows that are converted at a time, an even number.
const STRIP: u32 = 64;

/// A decoded picture.
pub struct Picture {
    pub path: PathBuf,
    pixels: DynamicImage,
    /// Each half as large as the one before; the first is half as large as the picture.
    halves: Vec<RgbaImage>,
    /// Whether it has the traces of compression, for which there are networks of their own, if that is known.
    pub compressed: Option<bool>,
    /// Frames of an animation; only the first is shown.
    pub frames: Option<u32>,
}

impl Picture {
    /// Reads a file. Transparent parts get a gray background.
    ///
    /// # Errors
    /// [`Error::Picture`] for what is no picture, or a broken one.
    pub fn load(path: &Path) -> Result<Self> {
        let file = PictureFile::open(path)?;
        let (compressed, format) = (is_compressed(&file), file.format);
        let frames = file.animation.map(|animation| animation.frames);
        let pixels = guard::picture(path, || file.decode())?;
        let compressed = match compressed {
            true => Some(true),
            false => told_by_traces(Traces::are_in(&pixels), format),
        };
        let pixels = if pixels.color().has_alpha() { alpha::flatten(pixels, BEHIND) } else { pixels };
        let halves = halves(&pixels);
        Ok(Self { path: path.into(), pixels, halves, compressed, frames })
    }

    /// Width and height.
    pub fn size(&self) -> (u32, u32) {
        (self.pixels.width(), self.pixels.height())
    }

    /// Number of sizes that it is there in.
    pub fn levels(&self) -> usize {
        1 + self.halves.len()
    }

    /// Width and height, halved so many times.
    pub fn level_size(&self, level: usize) -> [u32; 2] {
        match level.checked_sub(1).and_then(|half| self.halves.get(half)) {
            Some(half) => [half.width(), half.height()],
            None => [self.pixels.width(), self.pixels.height()],
        }
    }

    /// Texels of a part, row by row, as upscalers read them: in 8 bits where the picture has no more.
    pub fn part(&self, [columns, rows]: [Range<u32>; 2]) -> (TextureFormat, Vec<u8>) {
        let (width, height) = (columns.end - columns.start, rows.end - rows.start);
        let part = self.pixels.crop_imm(columns.start, rows.start, width, height);
        if depth(self.pixels.color()) == 8 {
            return (TextureFormat::Rgba8Unorm, part.to_rgba8().into_raw());
        }
        let floats = part.to_rgba32f().into_raw();
        (TextureFormat::Rgba32Float, floats.into_iter().flat_map(f32::to_le_bytes).collect())
    }

    /// Texels of a part in 8 bits, halved so many times.
    pub fn level_part(&self, level: usize, [columns, rows]: [Range<u32>; 2]) -> Vec<u8> {
        let (width, height) = (columns.end - columns.start, rows.end - rows.start);
        match level.checked_sub(1).and_then(|half| self.halves.get(half)) {
            Some(half) => image::imageops::crop_imm(half, columns.start, rows.start, width, height)
                .to_image()
                .into_raw(),
            None => self.pixels.crop_imm(columns.start, rows.start, width, height).to_rgba8().into_raw(),
        }
    }
}

/// Half, a quarter, .. of a picture, until it is small.
fn halves(pixels: &DynamicImage) -> Vec<RgbaImage> {
    let mut halves: Vec<RgbaImage> = Vec::new();
    let (mut width, mut height) = (pixels.width(), pixels.height());
    while width.max(height) > SMALL {
        let next = match halves.last() {
            Some(before) => half(width, height, |rows| {
                let row = 4 * width as usize;
                before.as_raw()[rows.start as usize * row..rows.end as usize * row].to_vec()
            }),
            None => half(width, height, |rows| {
                pixels.crop_imm(0, rows.start, width, rows.end - rows.start).to_rgba8().into_raw()
            }),
        };
        (width, height) = next.dimensions();
        halves.push(next);
    }
    halves
}

/// The means of 2x2 pixels each; the last ones of odd sides count twice.
fn half(width: u32, height: u32, rows: impl Fn(Range<u32>) -> Vec<u8>) -> RgbaImage {
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let mut texels = Vec::with_capacity(4 * half_width as usize * half_height as usize);
    for first in (0..height).step_by(STRIP as usize) {
        let strip = rows(first..(first + STRIP).min(height));
        for pair in strip.chunks(8 * width as usize) {
            let (above, below) = pair.split_at(4 * width as usize);
            let below = if below.is_empty() { above } else { below };
            for x in 0..half_width as usize {
                let (left, right) = (8 * x, (8 * x + 4).min(4 * (width as usize - 1)));
                texels.extend((0..4).map(|channel| {
                    let sum: u16 = [
                        above[left + channel],
                        above[right + channel],
                        below[left + channel],
                        below[right + channel],
                    ]
                    .into_iter()
                    .map(u16::from)
                    .sum();
                    ((sum + 2) / 4) as u8
                }));
            }
        }
    }
    RgbaImage::from_raw(half_width, half_height, texels).unwrap_or_default()
}

/// Reads pictures on threads of their own; only the one that was asked for last counts.
pub struct Loader {
    sender: Sender<(u64, PathBuf, Result<Picture>)>,
    receiver: Receiver<(u64, PathBuf, Result<Picture>)>,
    asked: u64,
    /// The file that is being read.
    pub loading: Option<PathBuf>,
}

impl Default for Loader {
    fn default() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver, asked: 0, loading: None }
    }
}

impl Loader {
    /// Begins to read a file.
    pub fn ask(&mut self, path: &Path, context: &egui::Context) {
        self.asked += 1;
        self.loading = Some(path.into());
        let (sender, context, number, path) =
            (self.sender.clone(), context.clone(), self.asked, path.to_path_buf());
        thread::spawn(move || {
            let picture = Picture::load(&path);
            // Nobody is interested when the window has been closed.
            let _ = sender.send((number, path, picture));
            context.request_repaint();
        });
    }

    /// The picture that was asked for, once it is there.
    pub fn take(&mut self) -> Option<(PathBuf, Result<Arc<Picture>, Error>)> {
        let (number, path, picture) = self.receiver.try_recv().ok()?;
        if number != self.asked {
            return None;
        }
        self.loading = None;
        Some((path, picture.map(Arc::new)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgba, RgbaImage};

    #[test]
    fn halves_are_means() {
        let picture = RgbaImage::from_fn(1025, 3, |x, y| Rgba([(x % 200) as u8, y as u8 * 10, 7, 255]));
        let halves = halves(&DynamicImage::from(picture));
        assert_eq!(halves.iter().map(RgbaImage::dimensions).collect::<Vec<_>>(), [(513, 2), (257, 1)]);
        // (0 + 1 + 0 + 1) / 4 rounds up; the last column and row count twice.
        assert_eq!(halves[0].get_pixel(0, 0).0, [1, 5, 7, 255]);
        assert_eq!(halves[0].get_pixel(512, 1).0, [24, 20, 7, 255]);
    }

    #[test]
    fn parts_are_texels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        RgbaImage::from_fn(700, 9, |x, y| Rgba([x as u8, y as u8, 3, 255])).save(&path).unwrap();
        let picture = Picture::load(&path).unwrap();
        assert_eq!((picture.size(), picture.levels(), picture.level_size(1)), ((700, 9), 2, [350, 5]));
        let (format, texels) = picture.part([5..7, 8..9]);
        assert_eq!((format, texels), (TextureFormat::Rgba8Unorm, vec![5, 8, 3, 255, 6, 8, 3, 255]));
        assert_eq!(picture.level_part(1, [0..1, 4..5]), [1, 8, 3, 255]);
        std::fs::write(&path, "no picture").unwrap();
        assert!(Picture::load(&path).is_err());
    }
}
