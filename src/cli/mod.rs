//! The command line: arguments, exit codes, what goes to which stream. Results go to stdout, all else
//! to stderr.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use log::LevelFilter;
use srcnn_gpu::headless::adapter::{self, AdapterSelection};
use srcnn_gpu::headless::{Gpu, Pipelines, cache_folder};
use srcnn_gpu::wgpu::{Backends, DeviceType};
use srcnn_gpu::{Error, Precision, Result};

mod bench;
mod compare;
mod degrade;
mod devices;
mod eval;
mod jobs;
mod manual;
mod model;
mod models;
mod output;
mod precision;
mod progress;
mod shaders;
mod stop;
mod train;
mod trust;
mod tuning;
mod upscale;

/// Exit codes, the same for every command.
mod exit {
    pub const DONE: u8 = 0;
    pub const SOME_FAILED: u8 = 1;
    pub const USAGE: u8 = 2;
    pub const GPU: u8 = 3;
    pub const MODEL: u8 = 4;
    pub const OUTPUT: u8 = 5;
    /// Stopped by Ctrl-C, with everything saved; by SIGTERM it is 143.
    pub const INTERRUPTED: u8 = 130;
}

/// SRCNN super-resolution on the GPU.
#[derive(Debug, Parser)]
#[command(
    name = "srcnn-gpu",
    version,
    after_help = "Exit codes: 0 all done, 1 some inputs failed, 2 usage, 3 GPU, 4 model, 5 output, 130 or 143 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Enlarge pictures
    Upscale(upscale::UpscaleArgs),
    /// Measure PSNR and SSIM on folders of pictures
    Eval(eval::EvalArgs),
    /// Measure PSNR and SSIM between pictures or folders of pictures
    Compare(compare::CompareArgs),
    /// Train a network on folders of pictures
    Train(Box<train::TrainArgs>),
    /// Make low-resolution pictures as the evaluation does
    Degrade(degrade::DegradeArgs),
    /// Convert weight files and look into them
    Model(model::ModelCommand),
    /// List the adapters, with a self test of each
    Devices(devices::DevicesArgs),
    /// Measure the adapter, the network's kernels and a picture from file to file
    Bench(bench::BenchArgs),
    /// Write the kernels of a network as files in a shading language
    Shaders(shaders::ShadersArgs),
    /// Print a shell's completions
    Completions(manual::CompletionsArgs),
    /// Write manual pages
    Man(manual::ManArgs),
}

#[derive(Debug, Args)]
struct Common {
    /// Say more on stderr: sizes and times; twice: what the library does
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Nothing but errors on stderr
    #[arg(long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// How to show progress on stderr; auto is a bar on a terminal, else a line every few seconds
    #[arg(long, global = true, value_enum, default_value_t, value_name = "HOW")]
    progress: progress::Mode,
}

/// Which adapter to use: part of every command that computes.
#[derive(Debug, Clone, Args)]
pub struct GpuArgs {
    /// Adapter: auto, an index of `srcnn-gpu devices`, or a part of its name; cpu or -1 is a software one; upscale
    /// shares the work between several: 0,1
    #[arg(short, long, env = "SRCNN_GPU", value_name = "SPEC", allow_negative_numbers = true)]
    gpu: Option<String>,
    /// Graphics API to use, of those in this build; else WGPU_BACKEND, else all
    #[arg(long, value_enum, value_name = "API")]
    backend: Option<BackendName>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BackendName {
    Vulkan,
    Metal,
    Dx12,
    Gl,
}

impl GpuArgs {
    /// What is asked for, adapter by adapter. Only numbers make a list: names may have commas in them.
    fn specs(&self) -> Vec<Option<String>> {
        let spec = self.gpu.as_deref().map(str::trim).unwrap_or_default();
        let is_number = |word: &str| word.trim().parse::<i64>().is_ok();
        let words: Vec<&str> =
            if spec.split(',').all(is_number) { spec.split(',').collect() } else { vec![spec] };
        let spec = |word: &str| match word.trim() {
            "" => None,
            "-1" | "cpu" => Some("software".into()),
            word => Some(word.into()),
        };
        words.into_iter().map(spec).collect()
    }

    /// How many adapters are asked for.
    pub fn count(&self) -> usize {
        self.specs().len()
    }

    fn selection_of(&self, gpu: Option<String>) -> AdapterSelection {
        AdapterSelection {
            gpu,
            backends: self.backend.map(|name| match name {
                BackendName::Vulkan => Backends::VULKAN,
                BackendName::Metal => Backends::METAL,
                BackendName::Dx12 => Backends::DX12,
                BackendName::Gl => Backends::GL,
            }),
        }
    }

    /// The selection that the flags and variables describe; the first one of several.
    pub fn selection(&self) -> AdapterSelection {
        self.selection_of(self.specs().swap_remove(0))
    }

    /// Opens the adapter; says on stderr when it is a software one.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for several adapters, and those of opening.
    pub fn open(&self) -> Result<Gpu> {
        match self.open_all()? {
            mut one if one.len() == 1 => Ok(one.swap_remove(0)),
            _ => Err(Error::invalid("this command computes on one adapter; --gpu names several")),
        }
    }

    /// Opens all adapters that are asked for.
    ///
    /// # Errors
    /// Those of opening one.
    pub fn open_all(&self) -> Result<Vec<Gpu>> {
        let open = |spec| {
            let mut gpu = adapter::open(&self.selection_of(spec))?;
            if let Some(folder) = cache_folder() {
                gpu.pipelines = Pipelines::in_folder(&gpu, &folder);
            }
            let name = adapter::describe(&gpu.info);
            match gpu.info.device_type {
                DeviceType::Cpu => log::warn!("no GPU in use: {name} computes on the processor, slowly"),
                _ => log::info!("using {name}"),
            }
            trust::test(&gpu, Precision::F32)?;
            Ok(gpu)
        };
        self.specs().into_iter().map(open).collect()
    }
}

/// Parses the arguments, runs the command, tells its errors.
pub fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let family = arguments.get(1).is_some_and(|first| upscale::is_family_flag(first));
    if family {
        arguments.insert(1, "upscale".into());
    }
    let mut cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    // Front ends of that family read its lines.
    if family && cli.common.progress == progress::Mode::Auto && !std::io::stderr().is_terminal() {
        cli.common.progress = progress::Mode::Lines;
    }
    start_log(&cli.common);
    // Events are results, which are printed all the same.
    let quiet = cli.common.quiet && cli.common.progress != progress::Mode::Json;
    progress::set_mode(if quiet { progress::Mode::None } else { cli.common.progress });
    let outcome = match &cli.command {
        Command::Upscale(args) => upscale::run(args),
        Command::Eval(args) => {
            let all_done = eval::run(args, || args.gpu.open());
            all_done.map(|all| if all { exit::DONE } else { exit::SOME_FAILED })
        }
        Command::Compare(args) => compare::run(args),
        Command::Train(args) => train::run(args),
        Command::Degrade(args) => degrade::run(args),
        Command::Model(command) => model::run(command).map(|()| exit::DONE),
        Command::Devices(args) => devices::run(args).map(|()| exit::DONE),
        Command::Bench(args) => bench::run(args).map(|()| exit::DONE),
        Command::Shaders(args) => shaders::run(args).map(|()| exit::DONE),
        Command::Completions(args) => manual::completions(args, Cli::command()).map(|()| exit::DONE),
        Command::Man(args) => manual::man(args, Cli::command()).map(|()| exit::DONE),
    };
    outcome
        .unwrap_or_else(|error| {
            report(&error);
            exit_code(&error)
        })
        .into()
}

/// clap's help and version as they are, its errors on one line.
fn usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    match error.kind() {
        DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand => {
            // Nobody is left to read the text when this fails.
            let _ = error.print();
        }
        _ => {
            let text = error.to_string();
            let told = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
            let told = told.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
            eprintln!("{}; try --help", told.collect::<Vec<_>>().join(" "));
        }
    }
    // clap's own codes: 0 for help and version, 2 for the rest.
    u8::try_from(error.exit_code()).unwrap_or(exit::USAGE).into()
}

/// Log lines are the program's remarks: `warning: ..`; wgpu's own only when they are errors.
fn start_log(common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Warn,
        (false, 1) => LevelFilter::Info,
        (false, _) => LevelFilter::Debug,
    };
    env_logger::Builder::new()
        .filter_level(LevelFilter::Error)
        .filter_module("srcnn_gpu", level)
        .parse_default_env()
        .target(env_logger::Target::Pipe(Box::new(progress::Stderr)))
        .format(|out, record| match record.level() {
            log::Level::Info => writeln!(out, "{}", record.args()),
            level => {
                let name =
                    if level == log::Level::Warn { "warning".into() } else { level.as_str().to_lowercase() };
                writeln!(out, "{name}: {}", record.args())
            }
        })
        .init();
}

/// An error as one line on stderr.
fn report(error: &Error) {
    let text = error.to_string();
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    progress::suspended(|| eprintln!("error: {}", lines.join("; ")));
}

fn exit_code(error: &Error) -> u8 {
    match error {
        Error::InvalidArgument(_) => exit::USAGE,
        Error::NoAdapter(_)
        | Error::MissingCapability(_)
        | Error::OutOfMemory(_)
        | Error::Gpu(_)
        | Error::SelfTest(_) => exit::GPU,
        Error::Model { .. } => exit::MODEL,
        Error::Output { .. } => exit::OUTPUT,
        _ => exit::SOME_FAILED,
    }
}

/// Writes one line of results to stdout.
///
/// # Errors
/// As [`output::print`].
pub fn print(line: impl Display) -> Result<()> {
    output::print(&format!("{line}\n"))
}
