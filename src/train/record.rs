//! The records of a run: the lines of its `metrics.jsonl`.

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::Result;
use crate::eval::protocol::Compared;

/// A line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Record {
    /// How training went since the last line of this kind.
    Step(StepRecord),
    /// How the network does on the validation sets.
    Eval(EvalRecord),
}

/// How training went over some steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Steps done.
    pub step: u64,
    /// Sub-images that have gone forward and backward: step times batch.
    pub backprops: u64,
    /// Mean of the steps' losses (equation 4) since the last record.
    pub loss: f64,
    /// The rates of the last step, one for each layer.
    pub learning_rates: Vec<f64>,
    /// Speed since the last record, without evaluations.
    pub subimages_per_second: f64,
}

/// Figures of one moment on all validation sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvalRecord {
    /// Steps done.
    pub step: u64,
    /// Sub-images that have gone forward and backward.
    pub backprops: u64,
    /// One for each set: those of the weights themselves.
    pub sets: Vec<SetScore>,
    /// The same of the average of the weights along the run; empty for a run that keeps none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub average: Vec<SetScore>,
}

impl EvalRecord {
    /// Whether the average of the weights does better than the weights themselves, by the sets that are not only watched.
    pub fn is_average_better(&self) -> bool {
        mean(&self.average, |set| set.psnr) > mean(&self.sets, |set| set.psnr)
    }

    /// The scores of the better of both.
    pub fn better(&self) -> &[SetScore] {
        if self.is_average_better() { &self.average } else { &self.sets }
    }

    /// Mean PSNR of the better of both over the sets that are not only watched, in dB: what the best weights are chosen by.
    pub fn psnr(&self) -> f64 {
        mean(self.better(), |set| set.psnr)
    }

    /// The same of bicubic interpolation.
    pub fn psnr_bicubic(&self) -> f64 {
        mean(&self.sets, |set| set.psnr_bicubic)
    }
}

/// A mean over the sets that are not only watched; NaN if there is none.
fn mean(sets: &[SetScore], value: impl Fn(&SetScore) -> f64) -> f64 {
    let choosing = sets.iter().filter(|set| !set.watched);
    choosing.clone().map(value).sum::<f64>() / choosing.count() as f64
}

/// Averages over one validation set: PSNR in dB, SSIM. NaN (null in JSON) where undefined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetScore {
    /// The set's name.
    pub set: String,
    /// Enlargement.
    pub scale: usize,
    /// What PSNR and SSIM compare.
    #[serde(default)]
    pub samples: Compared,
    /// Whether the set is only watched: it decides on nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watched: bool,
    /// PSNR of the network's results.
    #[serde(deserialize_with = "or_nan")]
    pub psnr: f64,
    /// SSIM of the network's results.
    #[serde(deserialize_with = "or_nan")]
    pub ssim: f64,
    /// PSNR of bicubic interpolation.
    #[serde(deserialize_with = "or_nan")]
    pub psnr_bicubic: f64,
    /// SSIM of bicubic interpolation.
    #[serde(deserialize_with = "or_nan")]
    pub ssim_bicubic: f64,
}

fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl Record {
    /// Steps done at this record.
    pub fn step(&self) -> u64 {
        match self {
            Self::Step(record) => record.step,
            Self::Eval(record) => record.step,
        }
    }
}

/// A line of the metrics and its text, without foreign bytes around it. Those within strings become U+FFFD.
pub(super) fn line(bytes: &[u8]) -> Option<(String, Record)> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.get(text.find('{')?..=text.rfind('}')?)?;
    Some((text.into(), serde_json::from_str(text).ok()?))
}
