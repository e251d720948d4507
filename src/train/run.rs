//! A run is a folder: `config.toml`, `metrics.jsonl`, `best.safetensors`, `last.ckpt`, `curve.svg`, `filters.png` and
//! `samples`. Every file except the metrics is replaced as a whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageFormat};
use serde::{Deserialize, Deserializer, Serialize};

use super::checkpoint::Checkpoint;
use super::config::TrainConfig;
use crate::atomic::{explained, sweep, write_atomically};
use crate::bounded;
use crate::error::{Error, Reason, Result};
use crate::weights::Weights;

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
    /// One for each set.
    pub sets: Vec<SetScore>,
}

impl EvalRecord {
    /// Mean PSNR over the sets, what the best weights are chosen by.
    pub fn psnr(&self) -> f64 {
        self.sets.iter().map(|set| set.psnr).sum::<f64>() / self.sets.len() as f64
    }
}

/// Averages over one validation set: PSNR in dB, SSIM. NaN (null in JSON) where undefined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetScore {
    /// The set's name.
    pub set: String,
    /// Enlargement.
    pub scale: usize,
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

/// The folder of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A new run: creates the folder if necessary and writes its configuration, with the command line as a comment.
    ///
    /// # Errors
    /// [`Error::Output`] when there is a run in it already, or nothing can be written there.
    pub fn create(path: &Path, config: &TrainConfig, command: &str) -> Result<Self> {
        let failed = |reason: Reason| Error::Output { path: path.into(), reason };
        let run = Self { path: path.into() };
        if let Some(file) = [run.config(), run.checkpoint(), run.metrics()].iter().find(|file| file.exists())
        {
            return Err(failed(
                format!(
                    "a run is there already ({}); resume it, or choose another folder",
                    file.file_name().unwrap_or_default().to_string_lossy()
                )
                .into(),
            ));
        }
        fs::create_dir_all(path).map_err(|e| failed(explained(e)))?;
        run.write_config(config, command)?;
        Ok(run)
    }

    /// An existing run and its configuration.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the folder is not that of a run, or its configuration cannot be used.
    pub fn open(path: &Path) -> Result<(Self, TrainConfig)> {
        let run = Self { path: path.into() };
        let file = run.config();
        let text = bounded::read_text(&file, 1 << 20).map_err(|e| {
            Error::invalid(
                Reason::from(e).within(format_args!("{}: not the folder of a run", file.display())),
            )
        })?;
        let config = TrainConfig::from_toml(&text)
            .map_err(|e| Error::invalid(Reason::from(e).within(file.display())))?;
        Ok((run, config))
    }

    /// Replaces the configuration.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn write_config(&self, config: &TrainConfig, command: &str) -> Result<()> {
        let command = command.replace(['\n', '\r'], " ");
        let text = format!("# {command}\n# srcnn-gpu {}\n\n{}", env!("CARGO_PKG_VERSION"), config.to_toml()?);
        self.replace(&self.config(), text.as_bytes())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// One JSON object a line: [`Record`].
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// The last checkpoint.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("last.ckpt")
    }

    /// The weights with the best validation PSNR; without validation, the latest.
    pub fn best(&self) -> PathBuf {
        self.path.join("best.safetensors")
    }

    /// PSNR over backprops.
    pub fn curve(&self) -> PathBuf {
        self.path.join("curve.svg")
    }

    /// The first layer's filters.
    pub fn filters(&self) -> PathBuf {
        self.path.join("filters.png")
    }

    /// Results on validation pictures.
    pub fn samples(&self) -> PathBuf {
        self.path.join("samples")
    }

    /// Adds a line to the metrics.
    ///
    /// # Errors
    /// [`Error::Output`], for a full disk or a folder that is gone.
    pub fn append(&self, record: &Record) -> Result<()> {
        let path = self.metrics();
        let mut line = serde_json::to_vec(record).map_err(|e| Error::invalid(Reason::of(e)))?;
        line.push(b'\n');
        let open = fs::File::options().create(true).append(true).open(&path);
        open.and_then(|mut file| file.write_all(&line)).map_err(|e| self.failed(&path, e))
    }

    /// All complete lines of the metrics, without what an interrupted write left at the end.
    ///
    /// # Errors
    /// [`Error::Output`] when the file exists but cannot be read.
    pub fn records(&self) -> Result<Vec<Record>> {
        let path = self.metrics();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(self.failed(&path, e)),
        }
    }

    /// Cuts the metrics back to those up to `step`, from where a checkpoint continues, and returns them. Removes files that
    /// a killed process left half written.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn rewind(&self, step: u64) -> Result<Vec<Record>> {
        sweep(&self.path);
        let mut records = self.records()?;
        records.retain(|record| record.step() <= step);
        let lines: Result<Vec<String>, _> =
            records.iter().map(|record| serde_json::to_string(record).map(|line| line + "\n")).collect();
        let text = lines.map_err(|e| Error::invalid(Reason::of(e)))?.concat();
        self.replace(&self.metrics(), text.as_bytes())?;
        Ok(records)
    }

    /// Replaces the best weights.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn save_best(&self, weights: &Weights) -> Result<()> {
        self.replace(&self.best(), &weights.to_safetensors()?)
    }

    /// Reads the last checkpoint; `None` if the run was cut off before its first one.
    ///
    /// # Errors
    /// [`Error::Model`] when it cannot be read.
    pub fn load_checkpoint(&self) -> Result<Option<Checkpoint>> {
        let path = self.checkpoint();
        path.exists().then(|| Checkpoint::load(&path)).transpose()
    }

    /// Replaces a file of the run.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        write_atomically(path, |file| file.write_all(bytes))
    }

    fn failed(&self, path: &Path, error: io::Error) -> Error {
        let reason = match self.path.is_dir() {
            true => explained(error),
            false => Reason::new(format!("the folder {} is gone", self.path.display()), error),
        };
        Error::Output { path: path.into(), reason }
    }
}

/// Replaces a PNG file.
///
/// # Errors
/// [`Error::Output`].
pub fn save_png(path: &Path, pixels: &[u8], width: u32, height: u32, color: ExtendedColorType) -> Result<()> {
    let mut png = io::Cursor::new(Vec::new());
    image::write_buffer_with_format(&mut png, pixels, width, height, color, ImageFormat::Png)
        .map_err(|e| Error::Output { path: path.into(), reason: Reason::of(e) })?;
    write_atomically(path, |file| file.write_all(png.get_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::recipe::{Overrides, resolve};

    fn config() -> TrainConfig {
        let flags = Overrides { data: vec!["pictures".into()], scale: Some(3), ..Overrides::default() };
        resolve(None, &flags).unwrap()
    }

    fn step(step: u64) -> Record {
        let (learning_rates, subimages_per_second) = (vec![1e-4, 1e-5], 12.5);
        Record::Step(StepRecord {
            step,
            backprops: 2 * step,
            loss: 0.1,
            learning_rates,
            subimages_per_second,
        })
    }

    fn eval(step: u64) -> Record {
        let (set, scale) = ("Set5".into(), 3);
        let score =
            SetScore { set, scale, psnr: 32.39, ssim: f64::NAN, psnr_bicubic: 30.39, ssim_bicubic: 0.8682 };
        Record::Eval(EvalRecord { step, backprops: 2 * step, sets: vec![score] })
    }

    #[test]
    fn a_new_run_and_the_same_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/run");
        let run = RunFolder::create(&path, &config(), "srcnn-gpu train\npictures").unwrap();
        let text = fs::read_to_string(run.config()).unwrap();
        assert!(text.starts_with("# srcnn-gpu train pictures\n"), "{text}");
        assert_eq!(RunFolder::open(&path).unwrap(), (run.clone(), config()));
        let again = RunFolder::create(&path, &config(), "").unwrap_err().to_string();
        assert!(again.contains("resume it"), "{again}");
        assert_eq!(run.load_checkpoint().unwrap(), None);
        fs::write(run.checkpoint(), b"not a checkpoint").unwrap();
        assert!(matches!(run.load_checkpoint(), Err(Error::Model { .. })));
        assert!(RunFolder::open(folder.path()).unwrap_err().to_string().contains("not the folder of a run"));
    }

    #[test]
    fn metrics_are_cut_back() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&folder.path().join("run"), &config(), "").unwrap();
        assert_eq!(run.records().unwrap(), []);
        for record in [step(1), step(2), eval(2), step(3)] {
            run.append(&record).unwrap();
        }
        let mut file = fs::File::options().append(true).open(run.metrics()).unwrap();
        file.write_all(b"{\"kind\":\"step\",\"st").unwrap();
        assert_eq!(run.records().unwrap().len(), 4);
        let kept = run.rewind(2).unwrap();
        assert_eq!(kept.len(), 3);
        let Record::Eval(record) = &kept[2] else { panic!("{kept:?}") };
        assert!(record.sets[0].ssim.is_nan() && record.psnr() == 32.39);
        run.append(&step(3)).unwrap();
        let text = fs::read_to_string(run.metrics()).unwrap();
        assert_eq!(text.lines().count(), 4);
        let json: serde_json::Value = serde_json::from_str(text.lines().nth(2).unwrap()).unwrap();
        assert_eq!((&json["kind"], &json["sets"][0]["psnr_bicubic"]), (&"eval".into(), &30.39.into()));
    }

    #[test]
    fn a_folder_that_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&folder.path().join("run"), &config(), "").unwrap();
        fs::remove_dir_all(run.path()).unwrap();
        for error in [run.append(&step(1)).unwrap_err(), run.rewind(0).unwrap_err()] {
            assert!(matches!(error, Error::Output { .. }), "{error}");
        }
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        assert!(matches!(RunFolder::create(&file.join("run"), &config(), ""), Err(Error::Output { .. })));
    }
}
