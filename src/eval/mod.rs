//! Measuring networks on test pictures: named protocols, reports, published figures.
//!
//! [`dataset`] finds and reads the pictures, [`protocol`] makes the network's input from one of them and measures its
//! result, [`Report`] collects the figures, [`table`] prints them beside those in [`published`], and [`html`] shows them
//! with the pictures. [`compare`] measures existing pictures.

pub mod compare;
pub mod dataset;
mod degraded;
pub mod html;
pub mod protocol;
pub mod published;
pub mod table;

use std::time::Instant;

use serde::{Serialize, Serializer};

use crate::degrade::Degradation;
#[cfg(feature = "dictionary")]
use crate::dictionary::DictionaryUpscaler;
use crate::error::Result;
use crate::headless::{Headless, Timing};
use crate::network::{Architecture, Padding};
use crate::planes::Planes;
use crate::ratio::Ratio;
use crate::resample::Imresize;
pub use degraded::{Chain, degrade};
use protocol::{Compared, Measured, Protocol};
use published::{NetworkAverage, Published};

/// What is measured: anything that enlarges planes by bicubic interpolation and refines them.
pub trait Enlarge {
    /// Enlarges `low`, in the network's channels and not rounded, to `width` x `height` pixels. Without padding the result
    /// is smaller by the network's radius on each side. Also returns how long it took.
    ///
    /// # Errors
    /// Whatever prevents the network from running on this picture.
    fn enlarge(&mut self, low: &Planes, width: usize, height: usize) -> Result<(Planes, Timing)>;
}

impl Enlarge for Headless {
    fn enlarge(&mut self, low: &Planes, width: usize, height: usize) -> Result<(Planes, Timing)> {
        let planes = self.upscale_planes(low, (width as u32, height as u32))?;
        Ok((planes, self.timing()))
    }
}

#[cfg(feature = "dictionary")]
impl Enlarge for DictionaryUpscaler {
    fn enlarge(&mut self, low: &Planes, width: usize, height: usize) -> Result<(Planes, Timing)> {
        let planes = self.upscale_planes(low, (width as u32, height as u32))?;
        Ok((planes, self.timing()))
    }
}

/// Bicubic interpolation on the CPU in f64: the baseline as a method of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bicubic;

impl Enlarge for Bicubic {
    fn enlarge(&mut self, low: &Planes, width: usize, height: usize) -> Result<(Planes, Timing)> {
        let start = Instant::now();
        let resize = Imresize::to(low.height, low.width, height, width)?;
        let mut data = Vec::with_capacity(width * height * low.channels);
        for plane in low.data.chunks_exact(low.width * low.height) {
            let plane: Vec<f64> = plane.iter().map(|&v| f64::from(v)).collect();
            data.extend(resize.apply(&plane, |v| v)?.into_iter().map(|v| v as f32));
        }
        let timing = Timing { wall: start.elapsed(), ..Timing::default() };
        Ok((Planes::new(width, height, low.channels, data)?, timing))
    }
}

/// The figures of one picture, or their means over a set. In JSON, infinities and NaN become null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// PSNR of bicubic interpolation in dB; infinite when it restores the picture.
    pub psnr_bicubic: f64,
    /// PSNR of the network's result in dB.
    pub psnr: f64,
    /// SSIM of bicubic interpolation; NaN for a picture smaller than the window.
    pub ssim_bicubic: f64,
    /// SSIM of the network's result.
    pub ssim: f64,
    /// Time of bicubic interpolation, here on the CPU in f64, in milliseconds.
    pub bicubic_ms: f64,
    /// The network's time on the GPU in milliseconds.
    pub gpu_ms: f64,
    /// The same from call to return, with upload and readback, without the compilation of kernels.
    pub wall_ms: f64,
}

impl Score {
    /// The mean of every figure; `None` without scores.
    pub fn mean<'a>(scores: impl IntoIterator<Item = &'a Score>) -> Option<Score> {
        let mut sum = [0.0; 7];
        let mut count = 0.0;
        for score in scores {
            sum.iter_mut().zip(score.figures()).for_each(|(sum, figure)| *sum += figure);
            count += 1.0;
        }
        (count > 0.0).then(|| Self::of_figures(sum.map(|sum| sum / count)))
    }

    /// Figures of nothing: all NaN.
    pub(crate) fn missing() -> Self {
        Self::of_figures([f64::NAN; 7])
    }

    /// The inverse of [`Score::figures`].
    pub fn of_figures(figures: [f64; 7]) -> Self {
        let [psnr_bicubic, psnr, ssim_bicubic, ssim, bicubic_ms, gpu_ms, wall_ms] = figures;
        Self { psnr_bicubic, psnr, ssim_bicubic, ssim, bicubic_ms, gpu_ms, wall_ms }
    }

    /// All figures, in the order of the fields.
    pub fn figures(&self) -> [f64; 7] {
        let &Self { psnr_bicubic, psnr, ssim_bicubic, ssim, bicubic_ms, gpu_ms, wall_ms } = self;
        [psnr_bicubic, psnr, ssim_bicubic, ssim, bicubic_ms, gpu_ms, wall_ms]
    }
}

/// A row of a report: one picture, or the average of a set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The file's name without its extension; absent from the average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Its measured figures.
    #[serde(flatten)]
    pub score: Score,
    /// The paper's figures for the same picture and scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

/// One method on one set of pictures at one scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetReport {
    /// The folder's name.
    pub set: String,
    /// Enlargement; in JSON a number.
    pub scale: Ratio,
    /// Name of the protocol.
    pub protocol: &'static str,
    /// How the pictures lost their quality; as text in JSON.
    pub degradation: Degradation,
    /// What PSNR and SSIM compare.
    pub samples: Compared,
    /// Pixels left out on each side: what was asked for, or the network's radius if that is more.
    pub shave: usize,
    /// A short name, which differs from those of the other methods of a table.
    pub name: String,
    /// The weight file, or `bicubic`.
    pub model: String,
    /// Filter sizes and counts of a network; method, scale and size of a dictionary; null for bicubic interpolation.
    pub architecture: Option<String>,
    /// The padding that a network ran with; null for other methods.
    pub padding: Option<Padding>,
    /// One row for each picture that could be measured.
    pub images: Vec<Row>,
    /// Means of the rows; null without rows.
    pub average: Option<Row>,
    /// Published averages of the same architecture on the same pictures.
    #[serde(skip)]
    pub published_networks: Vec<NetworkAverage>,
}

impl SetReport {
    /// The report of a network, without pictures. Its short name is that of its file.
    pub fn new(
        set: &str,
        protocol: &Protocol,
        model: &str,
        architecture: &Architecture,
        padding: Padding,
    ) -> Self {
        let (architecture, padding) = (Some(architecture.to_string()), Some(padding));
        Self { architecture, padding, ..Self::bicubic(set, protocol) }.named(model, model)
    }

    /// The report of a method that is no network, without pictures; `what` says what it is.
    pub fn method(set: &str, protocol: &Protocol, model: &str, what: &str) -> Self {
        Self { architecture: Some(what.into()), ..Self::bicubic(set, protocol) }.named(model, model)
    }

    /// The report of bicubic interpolation alone, without pictures.
    pub fn bicubic(set: &str, protocol: &Protocol) -> Self {
        Self {
            set: set.into(),
            scale: protocol.scale,
            protocol: Protocol::NAME,
            degradation: protocol.degradation,
            samples: protocol.samples(),
            shave: protocol.shave,
            name: "bicubic".into(),
            model: "bicubic".into(),
            architecture: None,
            padding: None,
            images: Vec::new(),
            average: None,
            published_networks: Vec::new(),
        }
    }

    /// The same under a short name, and with another name of the weight file.
    #[must_use]
    pub fn named(self, name: &str, model: &str) -> Self {
        Self { name: name.into(), model: model.into(), ..self }
    }

    fn has_published(&self) -> bool {
        self.samples == Compared::Luminance && self.degradation == Degradation::BICUBIC
    }

    /// To stand behind set and scale: the degradation where it is not the usual one, such as `, bicubic,jpeg:30`.
    pub fn remark(&self) -> String {
        if self.degradation == Degradation::BICUBIC {
            String::new()
        } else {
            format!(", {}", self.degradation)
        }
    }

    /// What the baseline is: bicubic interpolation, or at scale 1 the picture that is restored.
    pub fn baseline(&self) -> &'static str {
        if self.scale == 1 { "input" } else { "bicubic" }
    }

    /// Whether this is a network or another method, and not the baseline alone.
    pub fn is_network(&self) -> bool {
        self.architecture.is_some()
    }

    /// Adds the picture of a file with this stem, with published figures if it can be the picture that they are for. These are
    /// of luminance, and of clean pictures.
    pub fn add(&mut self, stem: &str, measured: &Measured) {
        self.add_score(stem, measured.score, measured.border);
    }

    /// As [`SetReport::add`], for figures that come from elsewhere; `border` is what was left out on each side.
    pub fn add_score(&mut self, stem: &str, score: Score, border: usize) {
        self.shave = self.shave.max(border);
        let published = published::image(stem, self.scale).copied();
        let is_same = |row: &Published| row.fits(score.psnr_bicubic);
        let published = published.filter(|row| self.has_published() && is_same(row));
        self.images.push(Row { image: Some(stem.into()), score, published });
    }

    /// Averages the pictures, and looks up published averages of the same pictures: of `architecture`, and of all methods.
    pub fn finish(&mut self, architecture: Option<&Architecture>) {
        let mean = Score::mean(self.images.iter().map(|row| &row.score));
        let mut average = mean.map(|score| Row { image: None, score, published: None });
        if self.images.iter().all(|row| row.published.is_some()) {
            let stems = || self.images.iter().filter_map(|row| row.image.as_deref());
            let published = published::average(stems(), self.scale).copied();
            average.iter_mut().for_each(|row| row.published = published);
            let networks = architecture.map(|of| published::network_averages(stems(), self.scale, of));
            self.published_networks = networks.unwrap_or_default();
        }
        self.average = average;
    }

    /// The weight file with architecture and padding, or `bicubic interpolation`.
    pub fn description(&self) -> String {
        match (&self.architecture, self.padding) {
            (Some(architecture), Some(padding)) => {
                format!("{}, {architecture}, padding {padding}", self.model)
            }
            (Some(what), None) => format!("{}, {what}", self.model),
            _ if self.scale == 1 => "the pictures as they are".into(),
            _ => "bicubic interpolation".into(),
        }
    }

    /// The same with what it is in brackets, as a title has it.
    pub fn title(&self) -> String {
        match (&self.architecture, self.padding) {
            (Some(architecture), Some(padding)) => {
                format!("{} (network {architecture}, padding {padding})", self.model)
            }
            (Some(what), None) => format!("{} ({what})", self.model),
            _ => "bicubic interpolation".into(),
        }
    }
}

/// All sets and scales of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// A table for each set and scale, in the order of the folders. Its methods have measured the same pictures, and the
    /// same pixels of them. In JSON, `sets` lists all methods of all tables.
    #[serde(rename = "sets", serialize_with = "flat")]
    pub tables: Vec<Vec<SetReport>>,
}

fn flat<S: Serializer>(tables: &[Vec<SetReport>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(tables.iter().flatten())
}
