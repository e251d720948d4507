//! A temporary folder, the program, and the tools that check its results.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::DynamicImage;
use serde_json::Value;
use srcnn_gpu::Weights;

pub struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// With the file of a sharpening network, marked as trained for a scale of 2.
    pub fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/sharpen.safetensors");
        let mut network = Weights::load(&file).unwrap();
        network.metadata.scales = vec![2.0];
        desk.write("model", network.to_safetensors().unwrap());
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn open(&self, name: &str) -> DynamicImage {
        image::open(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Runs `upscale`.
    pub fn upscale(&self, args: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
        command.current_dir(self.folder.path()).args(["upscale", "-m", "model", "--progress", "none"]);
        command.env_remove("RUST_LOG").env("XDG_RUNTIME_DIR", self.folder.path());
        command.args(args.split_whitespace()).output().unwrap()
    }

    /// Runs `upscale`, which must succeed, and returns its remarks.
    #[track_caller]
    pub fn upscaled(&self, args: &str) -> String {
        let output = self.upscale(args);
        let remarks = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{args}: {remarks}");
        // Summaries of folders and notes on the adapter and the network are not remarks on pictures.
        let others = ["no GPU in use", " done in ", "model was trained for x2, not for"];
        let known = |line: &&str| !others.iter().any(|words| line.contains(words));
        remarks.lines().filter(known).collect::<Vec<_>>().join("\n")
    }

    /// Runs `upscale`, which must fail with this code and with these words on one line.
    #[track_caller]
    pub fn fails(&self, args: &str, code: i32, words: &[&str]) {
        let output = self.upscale(args);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args}: {told}");
        let line = told.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        assert!(words.iter().all(|word| line.contains(word)), "{words:?} are not all in: {told}");
    }

    /// Runs another program in the folder; if it is not installed, prints a line and returns `None`.
    pub fn tool(&self, program: &str, args: &[&str]) -> Option<String> {
        match Command::new(program).current_dir(self.folder.path()).args(args).output() {
            Ok(output) => {
                let told = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{program} {args:?}: {told}");
                Some(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Err(error) => {
                eprintln!("SKIPPED: {program} cannot be run ({error})");
                None
            }
        }
    }

    /// What exiftool reads from files, by file name; numeric tags as numbers.
    pub fn exiftool(&self, names: &[&str]) -> Option<BTreeMap<String, Value>> {
        let args = [&["-j", "-n", "-G"], names].concat();
        let files: Vec<Value> = serde_json::from_str(&self.tool("exiftool", &args)?).unwrap();
        Some(files.into_iter().map(|file| (file["SourceFile"].as_str().unwrap().into(), file)).collect())
    }
}
