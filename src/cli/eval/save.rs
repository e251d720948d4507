//! `--save` and `--html`: checks before the work, and the pictures that are saved.

use std::collections::HashMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageFormat};
use srcnn_gpu::atomic::{folder_of, writable_folder};
use srcnn_gpu::eval::dataset::{Dataset, stem};
use srcnn_gpu::eval::protocol::Measured;
use srcnn_gpu::picture::PictureFile;
use srcnn_gpu::{Error, Reason, Result};

use crate::cli::output::write_atomically;

/// Makes sure before any work is done that the page can be written; creates its folder.
///
/// # Errors
/// [`Error::Output`].
pub fn check_page(path: &Path) -> Result<()> {
    if path.is_dir() {
        let reason = "it is a folder; name the file of the page".into();
        return Err(Error::Output { path: path.into(), reason });
    }
    writable_folder(folder_of(path))
}

/// Makes sure before any work is done that the folder is writable, and that no two pictures would get the same name; creates
/// the folder.
///
/// # Errors
/// [`Error::Output`], and [`Error::InvalidArgument`] for names that clash.
pub fn check_folder(folder: &Path, datasets: &[Dataset]) -> Result<()> {
    let mut seen: HashMap<String, &PathBuf> = HashMap::new();
    for path in datasets.iter().flat_map(|set| &set.pictures) {
        if let Some(other) = seen.insert(stem(path), path) {
            return Err(Error::invalid(format!(
                "{} and {} would be saved under one name; use --save with one of these folders at a time",
                other.display(),
                path.display()
            )));
        }
    }
    writable_folder(folder)
}

/// Warns of what comes with a picture, and is not saved with its pixels.
pub fn tell_losses(path: &Path) {
    let contents = PictureFile::open(path).ok().and_then(|file| file.metadata().contents());
    if let Some(contents) = contents {
        log::warn!("{}: its pixels are saved without {contents}", path.display());
    }
}

/// Where results are saved, and under which names.
pub struct Saver<'a> {
    pub folder: &'a Path,
    /// The picture's name with its scale.
    pub name: String,
}

impl Saver<'_> {
    /// Writes the baseline: luminance, or colors where these are compared.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn bicubic(&self, measured: &Measured) -> Result<()> {
        let Measured { bicubic, colors, .. } = measured;
        let colors = colors.as_ref().map(|[bicubic, _]| bicubic);
        self.write("bicubic", (bicubic.width, bicubic.height), &bicubic.data, colors)
    }

    /// Writes a network's result under the name of its method.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn network(&self, method: &str, measured: &Measured) -> Result<()> {
        let Measured { network, colors, .. } = measured;
        let colors = colors.as_ref().map(|[_, network]| network);
        self.write(method, (network.width, network.height), &network.data, colors)
    }

    fn write(
        &self,
        method: &str,
        (width, height): (usize, usize),
        grey: &[u8],
        colors: Option<&Vec<u8>>,
    ) -> Result<()> {
        let path = self.folder.join(format!("{}_{}.png", self.name, method.replace(['/', '\\'], "-")));
        let (samples, color) = match colors {
            Some(colors) => (colors.as_slice(), ExtendedColorType::Rgb8),
            None => (grey, ExtendedColorType::L8),
        };
        let mut png = Cursor::new(Vec::new());
        let (width, height) = (width as u32, height as u32);
        image::write_buffer_with_format(&mut png, samples, width, height, color, ImageFormat::Png)
            .map_err(|e| Error::Output { path: path.clone(), reason: Reason::of(e) })?;
        write_atomically(&path, |file| file.write_all(png.get_ref()))
    }
}
