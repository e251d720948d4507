//! The command line.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use srcnn_gpu::headless::Gpu;
use srcnn_gpu::{Error, Result};

mod eval;

/// Which adapter to use.
#[derive(Debug, Clone, Args)]
pub struct GpuArgs {
    /// Adapter: index, part of its name, or auto
    #[arg(short, long, env = "SRCNN_GPU", value_name = "SPEC")]
    gpu: Option<String>,
    /// Backend: vulkan, metal, dx12 or gl
    #[arg(long)]
    backend: Option<String>,
}

impl GpuArgs {
    /// Opens the adapter.
    pub fn open(&self) -> Result<Gpu> {
        Err(Error::NoAdapter("not written yet".into()))
    }
}

/// SRCNN super-resolution on the GPU.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure PSNR and SSIM on folders of pictures
    Eval(eval::EvalArgs),
}

/// Parses the arguments, runs the command, tells its errors.
pub fn main() -> ExitCode {
    env_logger::init();
    let Command::Eval(args) = Cli::parse().command;
    match eval::run(&args, || args.gpu.open()) {
        Ok(all) => u8::from(!all).into(),
        Err(error) => {
            eprintln!("error: {error}");
            2.into()
        }
    }
}

/// Writes one line of results to stdout.
pub fn print(line: impl Display) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
        .map_err(|error| Error::Output { path: "standard output".into(), reason: error.to_string() })
}

/// Stand-in.
pub mod output {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use srcnn_gpu::{Error, Result};

    /// Writes a temporary file in the same folder and moves it into place when all went well.
    pub fn write_atomically(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
        let output = |e: io::Error| Error::Output { path: path.into(), reason: e.to_string() };
        let mut temporary = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(path)).map_err(output)?;
        write(temporary.as_file_mut()).map_err(output)?;
        temporary.persist(path).map_err(|e| output(e.error))?;
        Ok(())
    }
}

/// Stand-in.
pub mod progress {
    use std::time::Instant;

    /// Progress of one piece of work.
    pub struct Progress(String, Instant);

    impl Progress {
        /// Begins a piece of work.
        pub fn new(label: impl Into<String>) -> Self {
            Self(label.into(), Instant::now())
        }

        /// Tells that `done` of `total` steps are done.
        pub fn update(&mut self, done: u64, total: u64) {
            if self.1.elapsed().as_secs() >= 1 {
                eprintln!("{}: {done}/{total}", self.0);
            }
        }
    }
}
