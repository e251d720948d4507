//! Validation pictures, measured by the protocol `srcnn` as `eval` does.

use std::path::Path;

use image::{DynamicImage, GenericImageView, GrayImage, RgbImage};

use super::config::TrainConfig;
use super::run::SetScore;
use crate::degrade::Degradation;
use crate::error::{Error, Result};
use crate::eval::Score;
use crate::eval::dataset::{Dataset, Picture, stem};
use crate::eval::protocol::{Compared, Luminance, Measured, Protocol};
use crate::eval::published;
use crate::headless::{Gpu, Headless, HeadlessOptions};
use crate::ratio::Ratio;
use crate::weights::Weights;

/// Measures the networks of a run.
pub trait Validate {
    /// The sets, in the order of the scores.
    fn sets(&self) -> &[SetInfo];

    /// Measures a network on all sets.
    ///
    /// # Errors
    /// Whatever keeps the network from running.
    fn evaluate(&mut self, weights: &Weights) -> Result<Evaluation>;
}

/// What a network does on the validation sets.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// Averages for each set.
    pub sets: Vec<SetScore>,
    /// Results for the first picture of each set, of 8 bits, with the names of their files.
    pub samples: Vec<(String, DynamicImage)>,
}

impl Evaluation {
    /// Writes the samples into a folder as PNG files; creates the folder.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn save_samples(&self, folder: &Path) -> Result<()> {
        crate::atomic::create_folder(folder)?;
        for (name, picture) in &self.samples {
            let (width, height) = picture.dimensions();
            let color = picture.color().into();
            super::run::save_png(&folder.join(name), picture.as_bytes(), width, height, color)?;
        }
        Ok(())
    }
}

/// A validation set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SetInfo {
    /// The folder's name, with a number if another set has it too.
    pub name: String,
    /// Enlargement.
    pub scale: usize,
    /// What is compared.
    pub samples: Compared,
    /// Whether it is only watched: no weights are chosen by it.
    pub watched: bool,
    /// Published averages on the same pictures: name and PSNR in dB.
    pub published: Vec<(String, f64)>,
}

/// Validation on the GPU.
#[derive(Debug)]
pub struct Validator {
    gpu: Gpu,
    /// Compiled by the first evaluation; later ones replace its weights.
    network: Option<Headless>,
    /// The pictures of each folder.
    folders: Vec<Vec<(String, Picture)>>,
    /// For each set its folder and its protocol: each folder is a set for each scale.
    sets: Vec<(usize, Protocol)>,
    infos: Vec<SetInfo>,
}

impl Validator {
    /// Makes sure that folders hold pictures to measure on, by the names of their files.
    ///
    /// # Errors
    /// [`Error::Picture`] for a folder without pictures.
    pub fn check(folders: &[std::path::PathBuf]) -> Result<()> {
        folders.iter().try_for_each(|folder| Dataset::open(folder).map(drop))
    }

    /// Reads all pictures of the configuration's folders, those of `val` before those of `watch`; one that cannot be read is logged and left out. They are degraded as
    /// the training pictures are, with draws of their own that stay the same.
    ///
    /// # Errors
    /// [`Error::Picture`] for a folder without readable pictures, and as [`Protocol::with_degradation`].
    pub fn open(gpu: Gpu, config: &TrainConfig) -> Result<Self> {
        let scales: Vec<usize> = config.scale.iter().collect();
        let largest = scales.iter().copied().max().unwrap_or(1);
        let protocol = |&scale: &usize| {
            let protocol = Protocol::new(scale as f64, None, config.channels)?;
            Ok::<_, Error>((scale, protocol.with_degradation(config.degradation)?))
        };
        let protocols = scales.iter().map(protocol).collect::<Result<Vec<_>>>()?;
        let (mut folders, mut sets, mut infos) = (Vec::new(), Vec::new(), Vec::<SetInfo>::new());
        let watched = config.watch.iter().map(|folder| (folder, true));
        for (folder, watched) in config.val.iter().map(|folder| (folder, false)).chain(watched) {
            let set = Dataset::open(folder)?;
            let pictures: Vec<_> = set
                .pictures
                .iter()
                .filter_map(|path| match Picture::read(path) {
                    Ok(picture) if picture.width.min(picture.height) / largest <= 2 => {
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
            let is_taken = |name: &String| infos.iter().any(|info: &SetInfo| info.name == *name);
            let numbered = (2..).map(|number| format!("{} ({number})", set.name));
            let name = std::iter::once(set.name.clone()).chain(numbered).find(|name| !is_taken(name));
            let name = name.unwrap_or_default();
            for (scale, protocol) in &protocols {
                infos.push(SetInfo {
                    name: name.clone(),
                    scale: *scale,
                    samples: protocol.samples(),
                    watched,
                    published: published(&pictures, protocol),
                });
                sets.push((folders.len(), *protocol));
            }
            folders.push(pictures);
        }
        Ok(Self { gpu, network: None, folders, sets, infos })
    }
}

impl Validator {
    /// Number of pictures of each set.
    pub fn counts(&self) -> Vec<usize> {
        self.sets.iter().map(|(folder, _)| self.folders[*folder].len()).collect()
    }

    /// Scores of each set's pictures, and samples, that are in part `index` of `count`: every `count`-th of them.
    ///
    /// # Errors
    /// Whatever keeps the network from running.
    pub fn measure(&mut self, weights: &Weights, (index, count): (usize, usize)) -> Result<Scores> {
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
        let mut scores = Scores::default();
        for (info, (folder, protocol)) in self.infos.iter().zip(&self.sets) {
            let mut measured = Vec::new();
            for (name, picture) in self.folders[*folder].iter().skip(index).step_by(count) {
                let one = protocol.measure(picture, network)?;
                if measured.is_empty() {
                    let file = |method| format!("{}_{name}_x{}_{method}.png", info.name, info.scale);
                    for (method, sample) in samples(&one) {
                        scores.samples.extend(sample.map(|sample| (file(method), sample)));
                    }
                }
                measured.push(one.score);
            }
            scores.sets.push(measured);
        }
        Ok(scores)
    }

    /// Averages for each set, of the scores of all its pictures.
    pub fn averages(&self, scores: &[Vec<Score>]) -> Vec<SetScore> {
        let average = |(info, scores): (&SetInfo, &Vec<Score>)| {
            // Every set has at least one picture.
            let mean = Score::mean(scores)?;
            Some(SetScore {
                set: info.name.clone(),
                scale: info.scale,
                samples: info.samples,
                watched: info.watched,
                psnr: mean.psnr,
                ssim: mean.ssim,
                psnr_bicubic: mean.psnr_bicubic,
                ssim_bicubic: mean.ssim_bicubic,
            })
        };
        self.infos.iter().zip(scores).filter_map(average).collect()
    }
}

/// What part of the pictures gives.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    /// For each set, those of its pictures.
    pub sets: Vec<Vec<Score>>,
    /// As those of [`Evaluation`].
    pub samples: Vec<(String, DynamicImage)>,
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
    scale: impl Into<Ratio>,
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

    fn evaluate(&mut self, weights: &Weights) -> Result<Evaluation> {
        let Scores { sets, samples } = self.measure(weights, (0, 1))?;
        Ok(Evaluation { sets: self.averages(&sets), samples })
    }
}

/// Published averages on these pictures. They are those of luminance, of clean pictures, and of pictures that are not only
/// called the same.
fn published(pictures: &[(String, Picture)], protocol: &Protocol) -> Vec<(String, f64)> {
    let applies = protocol.samples() == Compared::Luminance && protocol.degradation == Degradation::BICUBIC;
    let stems = pictures.iter().map(|(name, _)| name.as_str());
    let psnr = mean_bicubic(protocol, pictures).filter(|_| applies);
    psnr.map(|psnr| published_lines(stems, protocol.scale, psnr)).unwrap_or_default()
}

/// What was compared, with the names of the methods.
fn samples(measured: &Measured) -> [(&'static str, Option<DynamicImage>); 2] {
    let sample = |plane: &Luminance, method: usize| {
        let (width, height) = (plane.width as u32, plane.height as u32);
        match &measured.colors {
            Some(colors) => RgbImage::from_raw(width, height, colors[method].clone()).map(DynamicImage::from),
            None => GrayImage::from_raw(width, height, plane.data.clone()).map(DynamicImage::from),
        }
    };
    [("bicubic", sample(&measured.bicubic, 0)), ("srcnn", sample(&measured.network, 1))]
}
