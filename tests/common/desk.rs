//! The program itself, run in a temporary folder.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb, RgbImage};
use srcnn_gpu::{Layer, LayerShape, Metadata, Weights};

/// A temporary folder with a model in it.
pub struct Desk {
    folder: tempfile::TempDir,
}

/// The outcome of a run.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Desk {
    pub fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(desk.path("m.safetensors"), identity(2.0)).unwrap();
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn save(&self, name: &str, picture: impl Into<DynamicImage>) {
        picture.into().save(self.path(name)).unwrap();
    }

    pub fn open(&self, name: &str) -> DynamicImage {
        image::open(self.path(name)).unwrap()
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Names of the files in a folder, sorted, without hidden ones.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    }

    pub fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
        command.current_dir(self.folder.path()).args(args.split_whitespace());
        command.env_remove("SRCNN_GPU").env_remove("RUST_LOG");
        // Without it, a Mesa layer prints a message of its own.
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        command
    }

    pub fn run(&self, args: &str) -> Run {
        Run::from(self.command(args).output().unwrap())
    }

    /// Runs `upscale` with the desk's model.
    pub fn upscale(&self, args: &str) -> Run {
        self.run(&format!("upscale -m m.safetensors {args}"))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Asserts that the run failed with this code, printed nothing on stdout, and printed one line on stderr that
    /// contains all of `words`.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        let told: Vec<_> = self.stderr.lines().collect();
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert!(told.len() == 1 && told[0].starts_with("error: "), "not one error line: {}", self.stderr);
        for word in words {
            assert!(told[0].contains(word), "'{word}' is not in: {}", told[0]);
        }
        assert_eq!(self.stdout, "");
    }

    /// Asserts that the run ended with this code and a line on stderr that contains `words`, among any others.
    #[track_caller]
    pub fn fails_with(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert!(
            self.stderr.lines().any(|line| line.starts_with("error: ") && line.contains(words)),
            "{}",
            self.stderr
        );
    }

    /// Asserts that the run succeeded and printed these lines on stdout.
    #[track_caller]
    pub fn wrote(&self, lines: &[&str]) {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        let stdout: Vec<_> = self.stdout.lines().collect();
        assert_eq!(stdout, lines, "{}", self.stderr);
    }
}

/// The weight file of a network that passes luminance through.
pub fn identity(scale: f32) -> Vec<u8> {
    identity_for(vec![scale])
}

/// The same, trained for several scales, or for none in particular.
pub fn identity_for(scales: Vec<f32>) -> Vec<u8> {
    let shape = LayerShape { inputs: 1, filters: 1, size: 1 };
    let layer = Layer { shape, weight: vec![1.0], bias: vec![0.0] };
    let metadata = Metadata { scales, ..Metadata::default() };
    Weights::new(vec![layer.clone(), layer], metadata).unwrap().to_safetensors().unwrap()
}

pub fn grey(width: u32, height: u32) -> GrayImage {
    ImageBuffer::from_fn(width, height, |x, y| Luma([(40 + 7 * x + 5 * y) as u8]))
}

pub fn color(width: u32, height: u32) -> RgbImage {
    ImageBuffer::from_fn(width, height, |x, y| Rgb([(60 + 5 * x) as u8, (60 + 5 * y) as u8, 100]))
}

/// Smooth waves, which interpolation restores well but not exactly.
pub fn waves(width: u32, height: u32) -> RgbImage {
    ImageBuffer::from_fn(width, height, |x, y| {
        let wave = |a: f64, b: f64| 128.0 + 90.0 * (f64::from(x) / a).sin() * (f64::from(y) / b).cos();
        Rgb([wave(2.5, 3.0), wave(3.5, 2.0), wave(4.0, 5.0)].map(|v| v as u8))
    })
}
