//! Validation pictures, measured by the protocol `srcnn` as `eval` does.

use std::path::Path;

use image::ExtendedColorType;

use super::run::SetScore;
use crate::error::{Error, Result};
use crate::eval::Score;
use crate::eval::dataset::{Dataset, Picture, stem};
use crate::eval::protocol::{Compared, Luminance, Measured, Protocol};
use crate::eval::published;
use crate::headless::{Gpu, Headless, HeadlessOptions};
use crate::network::Channels;
use crate::weights::Weights;

/// Measures the networks of a run.
pub trait Validate {
    /// The sets, in the order of the scores.
    fn sets(&self) -> &[SetInfo];

    /// Averages for each set.
    ///
    /// # Errors
    /// Whatever keeps the network from running.
    fn evaluate(&mut self, weights: &Weights) -> Result<Vec<SetScore>>;

    /// Writes the sample results of the last evaluation into a folder as PNG files; creates the folder.
    ///
    /// # Errors
    /// [`Error::Output`].
    fn save_samples(&self, folder: &Path) -> Result<()>;
}

/// A validation set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SetInfo {
    /// The folder's name, with a number if another set has it too.
    pub name: String,
    /// What is compared.
    pub samples: Compared,
    /// Published averages on the same pictures: name and PSNR in dB.
    pub published: Vec<(String, f64)>,
}

/// Validation on the GPU.
#[derive(Debug)]
pub struct Validator {
    gpu: Gpu,
    /// Compiled by the first evaluation; later ones replace its weights.
    network: Option<Headless>,
    protocol: Protocol,
    sets: Vec<Vec<(String, Picture)>>,
    infos: Vec<SetInfo>,
    samples: Vec<(String, Sample)>,
}

impl Validator {
    /// Makes sure that folders hold pictures to measure on, by the names of their files.
    ///
    /// # Errors
    /// [`Error::Picture`] for a folder without pictures.
    pub fn check(folders: &[std::path::PathBuf]) -> Result<()> {
        folders.iter().try_for_each(|folder| Dataset::open(folder).map(drop))
    }

    /// Reads all pictures of the folders; one that cannot be read is logged and left out.
    ///
    /// # Errors
    /// [`Error::Picture`] for a folder without readable pictures, and as [`Protocol::new`].
    pub fn open(gpu: Gpu, folders: &[std::path::PathBuf], scale: usize, channels: Channels) -> Result<Self> {
        let protocol = Protocol::new(scale as f64, None, channels)?;
        let (mut sets, mut infos) = (Vec::new(), Vec::new());
        for folder in folders {
            let set = Dataset::open(folder)?;
            let pictures: Vec<_> = set
                .pictures
                .iter()
                .filter_map(|path| match Picture::read(path) {
                    Ok(picture) if picture.width.min(picture.height) / scale <= 2 => {
                        log::warn!("{}: too small to validate on; left out", path.display());
                        None
                    }
                    Ok(picture) => Some((stem(path), picture)),
                    Err(error) => {
                        log::warn!("{error}; left out");
                        None
                    }
                })
                .collect();
            if pictures.is_empty() {
                return Err(Error::Picture(
                    format!("{}: no readable picture to validate on", folder.display()).into(),
                ));
            }
            // Published figures are those of luminance, and of pictures that are not only called the same.
            let published = match protocol.samples() {
                Compared::Luminance => {
                    let stems = pictures.iter().map(|(name, _)| name.as_str());
                    mean_bicubic(&protocol, &pictures).map(|psnr| published_lines(stems, scale, psnr))
                }
                Compared::Rgb => None,
            };
            let published = published.unwrap_or_default();
            let is_taken = |name: &String| infos.iter().any(|info: &SetInfo| info.name == *name);
            let numbered = (2..).map(|number| format!("{} ({number})", set.name));
            let name = std::iter::once(set.name.clone()).chain(numbered).find(|name| !is_taken(name));
            infos.push(SetInfo { name: name.unwrap_or_default(), samples: protocol.samples(), published });
            sets.push(pictures);
        }
        Ok(Self { gpu, network: None, protocol, sets, infos, samples: Vec::new() })
    }
}

/// Mean PSNR of bicubic interpolation in dB.
fn mean_bicubic(protocol: &Protocol, pictures: &[(String, Picture)]) -> Option<f64> {
    let scores = pictures.iter().map(|(_, picture)| Ok(protocol.measure_bicubic(picture)?.score));
    let scores = scores.collect::<Result<Vec<_>>>().ok()?;
    Score::mean(&scores).map(|mean| mean.psnr_bicubic)
}

/// The published averages that diagrams show, when the stems are exactly the pictures of a published table, on which
/// bicubic interpolation has this mean PSNR: name and dB.
pub(super) fn published_lines<'a>(
    stems: impl IntoIterator<Item = &'a str>,
    scale: usize,
    bicubic: f64,
) -> Vec<(String, f64)> {
    let row = published::average(stems, scale).filter(|row| row.fits(bicubic));
    let lines = row.into_iter().flat_map(|row| [("SC", row.sc), ("SRCNN (ECCV 2014)", Some(row.srcnn))]);
    lines.filter_map(|(name, psnr)| Some((name.to_string(), psnr?))).collect()
}

impl Validate for Validator {
    fn sets(&self) -> &[SetInfo] {
        &self.infos
    }

    fn evaluate(&mut self, weights: &Weights) -> Result<Vec<SetScore>> {
        let network = match &mut self.network {
            Some(network) => {
                network.set_weights(weights)?;
                network
            }
            None => {
                let options = HeadlessOptions::default();
                self.network.insert(Headless::new(self.gpu.clone(), weights, options)?)
            }
        };
        self.samples.clear();
        let mut scores = Vec::new();
        for (info, pictures) in self.infos.iter().zip(&self.sets) {
            let mut measured = Vec::new();
            for (name, picture) in pictures {
                let one = self.protocol.measure(picture, network)?;
                if measured.is_empty() {
                    let file = |method| format!("{}_{name}_x{}_{method}.png", info.name, self.protocol.scale);
                    self.samples.extend(samples(&one).map(|(method, sample)| (file(method), sample)));
                }
                measured.push(one.score);
            }
            // Every set has at least one picture.
            let Some(mean) = Score::mean(&measured) else { continue };
            scores.push(SetScore {
                set: info.name.clone(),
                scale: self.protocol.scale,
                samples: self.protocol.samples(),
                psnr: mean.psnr,
                ssim: mean.ssim,
                psnr_bicubic: mean.psnr_bicubic,
                ssim_bicubic: mean.ssim_bicubic,
            });
        }
        Ok(scores)
    }

    fn save_samples(&self, folder: &Path) -> Result<()> {
        crate::atomic::create_folder(folder)?;
        for (name, Sample { width, height, color, data }) in &self.samples {
            super::run::save_png(&folder.join(name), data, *width as u32, *height as u32, *color)?;
        }
        Ok(())
    }
}

/// A picture to be saved.
#[derive(Debug)]
struct Sample {
    width: usize,
    height: usize,
    color: ExtendedColorType,
    data: Vec<u8>,
}

/// What was compared, with the names of the methods.
fn samples(measured: &Measured) -> [(&'static str, Sample); 2] {
    let sample = |plane: &Luminance, method: usize| {
        let colors = measured.colors.as_ref().map(|colors| colors[method].clone());
        let color = if colors.is_some() { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
        let data = colors.unwrap_or_else(|| plane.data.clone());
        Sample { width: plane.width, height: plane.height, color, data }
    };
    [("bicubic", sample(&measured.bicubic, 0)), ("srcnn", sample(&measured.network, 1))]
}
