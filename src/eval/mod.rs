//! Measuring a network on test pictures: named protocols, reports, published figures.
//!
//! [`dataset`] finds and reads the pictures, [`protocol`] makes the network's input from one of them and measures its
//! result, [`Report`] collects the figures, [`table`] prints them beside those in [`published`], and [`html`] shows them
//! with the pictures. [`compare`] measures existing pictures.

pub mod compare;
pub mod dataset;
pub mod html;
pub mod protocol;
pub mod published;
pub mod table;

use serde::Serialize;

use crate::error::Result;
use crate::headless::{Headless, Timing};
use crate::network::{Architecture, Padding};
use crate::planes::Planes;
use protocol::{Measured, Protocol};
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
    /// The same from call to return, with upload and readback.
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
        let [psnr_bicubic, psnr, ssim_bicubic, ssim, bicubic_ms, gpu_ms, wall_ms] =
            sum.map(|sum| sum / count);
        (count > 0.0).then_some(Score { psnr_bicubic, psnr, ssim_bicubic, ssim, bicubic_ms, gpu_ms, wall_ms })
    }

    fn figures(&self) -> [f64; 7] {
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

/// One set of pictures at one scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetReport {
    /// The folder's name.
    pub set: String,
    /// Enlargement.
    pub scale: usize,
    /// Name of the protocol.
    pub protocol: &'static str,
    /// Pixels left out on each side: what was asked for, or the network's radius if that is more.
    pub shave: usize,
    /// The weight file.
    pub model: String,
    /// Filter sizes and counts.
    pub architecture: String,
    /// The padding that the network ran with.
    pub padding: Padding,
    /// One row for each picture that could be measured.
    pub images: Vec<Row>,
    /// Means of the rows; null without rows.
    pub average: Option<Row>,
    /// Published averages of the same architecture on the same pictures.
    #[serde(skip)]
    pub published_networks: Vec<NetworkAverage>,
}

impl SetReport {
    /// A report without pictures.
    pub fn new(
        set: &str,
        protocol: &Protocol,
        model: &str,
        architecture: &Architecture,
        padding: Padding,
    ) -> Self {
        Self {
            set: set.into(),
            scale: protocol.scale,
            protocol: Protocol::NAME,
            shave: protocol.shave,
            model: model.into(),
            architecture: architecture.to_string(),
            padding,
            images: Vec::new(),
            average: None,
            published_networks: Vec::new(),
        }
    }

    /// Adds the picture of a file with this stem.
    pub fn add(&mut self, stem: &str, measured: &Measured) {
        self.shave = self.shave.max(measured.border);
        let published = published::image(stem, self.scale).copied();
        self.images.push(Row { image: Some(stem.into()), score: measured.score, published });
    }

    /// Averages the pictures, and looks up published averages of the same pictures.
    pub fn finish(&mut self, architecture: &Architecture) {
        let stems = || self.images.iter().filter_map(|row| row.image.as_deref());
        let published = published::average(stems(), self.scale).copied();
        let networks = published::network_averages(stems(), self.scale, architecture);
        let mean = Score::mean(self.images.iter().map(|row| &row.score));
        self.average = mean.map(|score| Row { image: None, score, published });
        self.published_networks = networks;
    }
}

/// All sets and scales of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// In the order of the folders, each with its scales in the order asked for.
    pub sets: Vec<SetReport>,
}
