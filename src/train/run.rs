//! A run is a folder: `config.toml`, `metrics.jsonl`, `best.safetensors`, `last.ckpt`, `curve.svg`, `filters.png` and
//! `samples`. Every file except the metrics is replaced as a whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{ExtendedColorType, ImageFormat};

use super::checkpoint::Checkpoint;
use super::config::TrainConfig;
use super::record::line;
pub use super::record::{EvalRecord, Record, SetScore, StepRecord};
use crate::atomic::{create_folder, explained, folder_can_be, sweep, write_atomically};
use crate::bounded;
use crate::error::{Error, Reason, Result};
use crate::own;
pub use crate::weights::BEST;
use crate::weights::Weights;

/// The name of the file that is locked while a process works on a run.
const LOCK: &str = ".srcnn-gpu.lock";

/// The folder of a run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    /// Keeps other processes out, as long as it is open.
    lock: Option<Arc<fs::File>>,
}

impl PartialEq for RunFolder {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl RunFolder {
    /// A new run, for this process alone: creates the folder if necessary, locks it as [`RunFolder::lock`] does, and writes
    /// the configuration, with the command line as a comment.
    ///
    /// # Errors
    /// [`Error::Output`] when there is a run in it already, or nothing can be written there.
    pub fn create(path: &Path, config: &TrainConfig, command: &str) -> Result<Self> {
        let mut run = Self { path: path.into(), lock: None };
        run.check_new()?;
        create_folder(path)?;
        run.lock()?;
        // Another process may have created it since.
        run.check_new()?;
        run.write_config(config, command)?;
        Ok(run)
    }

    /// Makes sure that [`RunFolder::create`] would succeed, as far as that can be known before; creates nothing.
    ///
    /// # Errors
    /// As [`RunFolder::create`].
    pub fn can_be(path: &Path) -> Result<()> {
        Self { path: path.into(), lock: None }.check_new()?;
        folder_can_be(path)
    }

    fn check_new(&self) -> Result<()> {
        let files = [self.config(), self.checkpoint(), self.metrics()];
        let Some(file) = files.iter().find(|file| file.exists()) else { return Ok(()) };
        let reason = format!(
            "a run is there already ({}); resume it, or choose another folder",
            file.file_name().unwrap_or_default().to_string_lossy()
        );
        Err(Error::Output { path: self.path.clone(), reason: reason.into() })
    }

    /// Keeps other processes out of the run, until this and all its clones are dropped. File systems that cannot lock keep
    /// nobody out.
    ///
    /// # Errors
    /// [`Error::Output`] when another process works on the run, or nothing can be written there.
    pub fn lock(&mut self) -> Result<()> {
        let path = self.path.join(LOCK);
        let file = own::open_or_create(&path).map_err(|e| self.failed(&path, e))?;
        if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
            let reason = "another process works on this run; wait for it, or choose another folder";
            return Err(Error::Output { path: self.path.clone(), reason: reason.into() });
        }
        self.lock = Some(Arc::new(file));
        Ok(())
    }

    /// An existing run and its configuration. To continue it, call [`RunFolder::lock`] before its checkpoint is read.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the folder is not that of a run, or its configuration cannot be used.
    pub fn open(path: &Path) -> Result<(Self, TrainConfig)> {
        let run = Self { path: path.into(), lock: None };
        if path.is_file() {
            return Err(Error::invalid(format!(
                "{}: it is a file; name the folder of the run that it belongs to",
                path.display()
            )));
        }
        let file = run.config();
        let text = bounded::read_text(&file, 1 << 20).map_err(|e| {
            let place = format_args!("{}: not the folder of a run: config.toml", path.display());
            Error::invalid(Reason::from(e).within(place))
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
        let command = command.replace(char::is_control, " ");
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
        self.path.join(BEST)
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
        let open = own::open_or_create(&path);
        open.and_then(|mut file| file.write_all(&line)).map_err(|e| self.failed(&path, e))
    }

    /// All complete lines of the metrics, without what an interrupted write left at the end.
    ///
    /// # Errors
    /// [`Error::Output`] when the file exists but cannot be read.
    pub fn records(&self) -> Result<Vec<Record>> {
        Ok(self.lines()?.into_iter().map(|(_, record)| record).collect())
    }

    /// The lines of [`RunFolder::records`], as they are in the file.
    fn lines(&self) -> Result<Vec<(String, Record)>> {
        let path = self.metrics();
        let bytes = match own::read(&path, u64::MAX) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(self.failed(&path, e)),
        };
        let (mut lines, mut damaged) = (Vec::new(), 0);
        for bytes in bytes.split_inclusive(|&byte| byte == b'\n') {
            match line(bytes) {
                Some(line) => lines.push(line),
                None => damaged += u32::from(bytes.ends_with(b"\n") && !bytes.trim_ascii().is_empty()),
            }
        }
        if damaged > 0 {
            log::warn!("{}: {damaged} damaged lines are left out", path.display());
        }
        Ok(lines)
    }

    /// Cuts the metrics back to those up to `step`, from where a checkpoint continues, and returns them. Removes files that
    /// a killed process left half written.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn rewind(&self, step: u64) -> Result<Vec<Record>> {
        sweep(&self.path);
        let mut lines = self.lines()?;
        lines.retain(|(_, record)| record.step() <= step);
        let text: String = lines.iter().flat_map(|(text, _)| [text, "\n"]).collect();
        self.replace(&self.metrics(), text.as_bytes())?;
        Ok(lines.into_iter().map(|(_, record)| record).collect())
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
    use crate::eval::protocol::Compared;
    use crate::train::recipe::{Overrides, resolve};

    fn config() -> TrainConfig {
        let flags = Overrides {
            data: vec!["pictures".into()],
            scale: Some("3".parse().unwrap()),
            ..Overrides::default()
        };
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
        let score = SetScore {
            set,
            scale,
            samples: Compared::Rgb,
            watched: false,
            psnr: 32.39,
            ssim: f64::NAN,
            psnr_bicubic: 30.39,
            ssim_bicubic: 0.8682,
        };
        Record::Eval(EvalRecord { step, backprops: 2 * step, sets: vec![score], average: Vec::new() })
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
    fn foreign_bytes_harm_no_number() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&folder.path().join("run"), &config(), "").unwrap();
        let line = |step: u64, loss: &str| {
            format!(
                r#"{{"kind":"step","step":{step},"backprops":2,"loss":{loss},"learning_rates":[1e-4],"subimages_per_second":1.10}}"#
            )
        };
        // Digits that a number of 64 bits does not have, or that are written otherwise, stay.
        let texts = [line(1, "0.100000000000000000001"), line(2, "3e-1"), line(3, "0.50"), line(4, "0.7")];
        let mut bytes = b"\xef\xbb\xbf".to_vec();
        for (text, foreign) in texts.iter().zip([&b"\xff"[..], b"\x00\x80", b"", b""]) {
            bytes.extend([text.as_bytes(), foreign, b"\n", b"{\"kind\":\xff}\n"].concat());
        }
        fs::write(run.metrics(), bytes).unwrap();
        assert_eq!(run.records().unwrap().len(), 4);
        assert_eq!(run.rewind(3).unwrap().len(), 3);
        assert_eq!(fs::read_to_string(run.metrics()).unwrap(), texts[..3].join("\n") + "\n");
    }

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let run = RunFolder::create(&path, &config(), "").unwrap();
        let (mut other, _) = RunFolder::open(&path).unwrap();
        let refused = other.lock().unwrap_err().to_string();
        assert!(refused.contains("another process works on this run"), "{refused}");
        drop(run);
        other.lock().unwrap();
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
