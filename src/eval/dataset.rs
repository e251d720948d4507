//! Test pictures: a folder's files in the order of their names, read as MATLAB's `imread` reads them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, ImageReader};

use crate::color::{luminance_u8, rgb_to_ycbcr_u8};
use crate::error::{Error, Reason, Result};
use crate::guard::guarded;
use crate::hash::Fnv;
use crate::network::Channels;
use crate::picture::{PictureFile, is_junk, is_read};
use crate::ratio::Ratio;
use crate::resample::{ResampleTable, apply, output_len};

/// The picture files of one folder, or a single one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The folder's name, or that of the single picture without its extension.
    pub name: String,
    /// Its pictures, sorted by name.
    pub pictures: Vec<PathBuf>,
    /// Names of the entries that are not pictures, but for those of systems and hidden ones.
    pub skipped: Vec<String>,
}

impl Dataset {
    /// Lists a folder without its subfolders, or takes a single picture.
    ///
    /// # Errors
    /// [`Error::Picture`] when it cannot be listed or has no pictures.
    pub fn open(folder: &Path) -> Result<Self> {
        if folder.is_file() {
            return Ok(Self { name: stem(folder), pictures: vec![folder.into()], skipped: Vec::new() });
        }
        let failed = |e: std::io::Error| Error::Picture(Reason::from(e).within(folder.display()));
        let entries = std::fs::read_dir(folder).map_err(failed)?;
        let mut paths =
            entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        paths.sort_unstable();
        let (pictures, others): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| is_picture(path));
        if pictures.is_empty() {
            return Err(Error::Picture(
                format!(
                    "{}: no pictures in this folder; give a folder with PNG, BMP, TIFF or similar files",
                    folder.display()
                )
                .into(),
            ));
        }
        // `.` and `..` have no names of their own.
        let full = folder.canonicalize().unwrap_or_else(|_| folder.into());
        let name = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let is_hidden = |path: &&PathBuf| path.file_name().is_some_and(is_junk);
        let skipped = others.iter().filter(|path| !is_hidden(path)).map(|path| name(path)).collect();
        Ok(Self { name: name(&full), pictures, skipped })
    }

    /// What each picture is called in tables: its file's name without the extension, which those keep that would be called
    /// alike.
    pub fn names(&self) -> Vec<String> {
        let mut count: HashMap<String, usize> = HashMap::new();
        self.pictures.iter().for_each(|path| *count.entry(stem(path)).or_default() += 1);
        let whole = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name =
            |path: &PathBuf| Some(stem(path)).filter(|stem| count[stem] == 1).unwrap_or_else(|| whole(path));
        self.pictures.iter().map(name).collect()
    }
}

fn is_picture(path: &Path) -> bool {
    !path.file_name().is_some_and(is_junk) && path.is_file() && is_read(path)
}

/// Pixels of a picture whose header is enough to believe in.
const PLAIN: u64 = 1 << 24;

/// Columns and rows of a picture file, upright.
///
/// # Errors
/// [`Error::Picture`], with the path, for a file that is not a picture.
pub fn size(path: &Path) -> Result<(u32, u32)> {
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format).ok();
    // These formats never turn pictures, and anything but their headers takes long to read. What claims to be large is
    // looked at whole, as for reading it: a header alone is quickly written.
    let plain = reader.filter(|reader| matches!(reader.format(), Some(ImageFormat::Gif | ImageFormat::Bmp)));
    if let Some(reader) = plain
        && let Ok(Ok((width @ 1.., height @ 1..))) = guarded(|| reader.into_dimensions())
        && u64::from(width) * u64::from(height) <= PLAIN
    {
        return Ok((width, height));
    }
    Ok(PictureFile::open(path)?.size())
}

/// The file's name without folder and extension.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// An 8-bit test picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    samples: Samples,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Samples {
    Grey(Vec<u8>),
    Color(Vec<[u8; 3]>),
}

impl Picture {
    /// Reads a file; the format is that of its content. It is turned upright, alpha is dropped, 16 bits are rounded to 8.
    ///
    /// A picture is grey when it is stored with one channel, or with a palette of which it uses only greys: `imread` returns
    /// one channel in both cases. True color stays color, whatever it shows.
    ///
    /// # Errors
    /// [`Error::Picture`], with the path, when it cannot be read or decoded.
    pub fn read(path: &Path) -> Result<Self> {
        let file = PictureFile::open(path)?;
        let palette = file.has_palette();
        Ok(Self::new(&file.decode()?, palette))
    }

    /// From a decoded picture. With `palette`, a picture whose R, G and B are equal everywhere is grey.
    pub fn new(picture: &DynamicImage, palette: bool) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let colors = || picture.to_rgb8().pixels().map(|pixel| pixel.0).collect::<Vec<_>>();
        let samples = if picture.color().has_color() {
            let colors = colors();
            if palette && is_grey(&colors) {
                Samples::Grey(colors.iter().map(|color| color[0]).collect())
            } else {
                Samples::Color(colors)
            }
        } else {
            Samples::Grey(picture.to_luma8().into_raw())
        };
        Self { width, height, samples }
    }

    /// Whether it has one channel.
    pub fn is_grey(&self) -> bool {
        matches!(self.samples, Samples::Grey(_))
    }

    /// The same as a grey picture, where R, G and B are equal in all pixels.
    pub fn to_grey(&self) -> Option<Self> {
        let grey = match &self.samples {
            Samples::Grey(grey) => grey.clone(),
            Samples::Color(colors) if is_grey(colors) => colors.iter().map(|color| color[0]).collect(),
            Samples::Color(_) => return None,
        };
        Some(Self { samples: Samples::Grey(grey), ..*self })
    }

    /// The picture at a size from 0 to 1, by bicubic and rounded to 8 bits, as a picture file of that size would be.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an empty picture or a size that is not a positive number.
    pub fn resized(&self, size: f64) -> Result<Self> {
        let (width, height) = (output_len(self.width, size), output_len(self.height, size));
        let rows = ResampleTable::bicubic(self.height, height, size)?;
        let columns = ResampleTable::bicubic(self.width, width, size)?;
        let small = |plane: Vec<f64>| apply(&plane, &rows, &columns).into_iter().map(|v| v.round() as u8);
        let samples = match &self.samples {
            Samples::Grey(grey) => Samples::Grey(small(grey.iter().map(|&v| v.into()).collect()).collect()),
            Samples::Color(colors) => {
                let plane =
                    |channel: usize| small(colors.iter().map(|color| color[channel].into()).collect());
                let rest = plane(1).zip(plane(2));
                Samples::Color(plane(0).zip(rest).map(|(red, (green, blue))| [red, green, blue]).collect())
            }
        };
        Ok(Self { width, height, samples })
    }

    /// A number that follows from the picture's content and size, to draw for it what is left open.
    pub fn key(&self) -> u64 {
        let mut hash = Fnv::default();
        hash.add(&(self.width as u64).to_le_bytes());
        match &self.samples {
            Samples::Grey(grey) => hash.add(grey),
            Samples::Color(colors) => hash.add(colors.as_flattened()),
        }
        hash.hash()
    }

    /// The top left part whose sides are multiples of `scale`, the authors' `modcrop`; for 2.5, which is 5/2, multiples of 5.
    pub fn modcrop(&self, scale: impl Into<Ratio>) -> Self {
        fn crop<T: Copy>(samples: &[T], old_width: usize, width: usize, height: usize) -> Vec<T> {
            samples
                .chunks_exact(old_width.max(1))
                .take(height)
                .flat_map(|row| &row[..width])
                .copied()
                .collect()
        }
        let scale = scale.into();
        let (width, height) = (scale.cut(self.width), scale.cut(self.height));
        let samples = match &self.samples {
            Samples::Grey(grey) => Samples::Grey(crop(grey, self.width, width, height)),
            Samples::Color(colors) => Samples::Color(crop(colors, self.width, width, height)),
        };
        Self { width, height, samples }
    }

    /// Luminance: grey as it is (0..255), colors through `rgb2ycbcr` (16..235).
    pub fn luminance(&self) -> Vec<u8> {
        match &self.samples {
            Samples::Grey(grey) => grey.clone(),
            Samples::Color(colors) => colors.iter().map(|&rgb| luminance_u8(rgb)).collect(),
        }
    }

    /// The picture in a network's channels, 8 bits each. Grey fills Y as it is with 128 for Cb and Cr,
    /// or all of R, G and B.
    pub fn planes(&self, channels: Channels) -> Vec<Vec<u8>> {
        let plane = |pick: &dyn Fn([u8; 3]) -> u8| match &self.samples {
            Samples::Grey(grey) => grey.iter().map(|&v| pick([v; 3])).collect(),
            Samples::Color(colors) => colors.iter().map(|&rgb| pick(rgb)).collect::<Vec<_>>(),
        };
        match channels {
            Channels::Y => vec![self.luminance()],
            Channels::YCbCr => {
                vec![
                    self.luminance(),
                    plane(&|rgb| rgb_to_ycbcr_u8(rgb)[1]),
                    plane(&|rgb| rgb_to_ycbcr_u8(rgb)[2]),
                ]
            }
            Channels::Rgb => (0..3).map(|i| plane(&|rgb| rgb[i])).collect(),
        }
    }
}

fn is_grey(colors: &[[u8; 3]]) -> bool {
    colors.iter().all(|[r, g, b]| r == g && g == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(pixels: &[[u8; 3]], width: u32) -> DynamicImage {
        let height = pixels.len() as u32 / width;
        image::RgbImage::from_raw(width, height, pixels.concat()).unwrap().into()
    }

    #[test]
    fn grey_stays_grey() {
        let greys = color(&[[9; 3], [200; 3]], 2);
        let palette = Picture::new(&greys, true);
        assert!(palette.is_grey());
        assert_eq!(palette.luminance(), [9, 200]);
        assert_eq!(palette.planes(Channels::YCbCr), [[9, 200], [128, 128], [128, 128]]);
        assert!(!Picture::new(&greys, false).is_grey());
        assert!(!Picture::new(&color(&[[9, 9, 8]], 1), true).is_grey());
        assert_eq!(Picture::new(&DynamicImage::ImageLuma8(greys.to_luma8()), false), palette);
    }

    #[test]
    fn modcrop_cuts_right_and_bottom() {
        let pixels: Vec<[u8; 3]> = (0..35).map(|i| [i, 0, 255]).collect();
        let cut = Picture::new(&color(&pixels, 5), false).modcrop(3);
        assert_eq!((cut.width, cut.height), (3, 6));
        assert_eq!(cut.planes(Channels::Rgb)[0][..6], [0, 1, 2, 5, 6, 7]);
        let between = Picture::new(&color(&pixels, 5), false).modcrop(Ratio::of(2.5).unwrap());
        assert_eq!((between.width, between.height), (5, 5));
        let gone = cut.modcrop(4);
        assert_eq!((gone.width, gone.height, gone.luminance().len()), (0, 4, 0));
    }
}
