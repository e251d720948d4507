//! The command line: parses the arguments, runs a command, reports its errors. Results go to stdout, everything else to
//! stderr.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};
use log::LevelFilter;

mod advice;
mod args;
mod bench;
mod color;
mod compare;
mod degrade;
mod devices;
mod eval;
mod exit;
mod export;
mod limit;
mod manual;
mod model;
mod output;
mod plot;
mod progress;
mod shaders;
mod stop;
mod train;
mod upscale;
mod wide_vectors;

use advice::Task;

/// SRCNN super-resolution on the GPU
#[derive(Debug, Parser)]
#[command(
    name = "srcnn-gpu",
    version,
    after_help = "Examples:
  srcnn-gpu upscale photo.jpg
  srcnn-gpu eval Set5 -s 3

`srcnn-gpu COMMAND --help` explains a command.

Exit codes: 0 all done, 1 some inputs failed, 2 usage, 3 GPU, 4 model, 5 output, 130 or 143 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Enlarge pictures and video
    Upscale(upscale::UpscaleArgs),
    /// Measure PSNR and SSIM of networks on test pictures
    Eval(eval::EvalArgs),
    /// Measure PSNR and SSIM between pictures that you have
    Compare(compare::CompareArgs),
    /// Train a network on folders of pictures
    Train(Box<train::TrainArgs>),
    /// Draw the curves of training runs in one diagram
    Plot(plot::PlotArgs),
    /// Shrink pictures the way the evaluation does
    Degrade(degrade::DegradeArgs),
    /// Convert and inspect weight files
    Model(model::ModelCommand),
    /// Write a network as a file for other programs
    Export(export::ExportCommand),
    /// List the adapters (GPUs) and test each one
    Devices(devices::DevicesArgs),
    /// Measure how fast an adapter is
    Bench(bench::BenchArgs),
    /// Write a network's kernels as files in a shading language
    Shaders(shaders::ShadersArgs),
    /// Print completions for a shell
    Completions(manual::CompletionsArgs),
    /// Write the manual pages
    Man(manual::ManArgs),
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Messages")]
struct Common {
    /// Say more: sizes and times; twice, what the library does
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Say nothing but errors
    #[arg(long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// How to show progress: auto (a bar on a terminal, else a line every few seconds), bar, lines (NN.NN%, for programs), json
    /// (events on the standard output, from upscale and train) or none
    #[arg(long, global = true, value_enum, default_value_t, value_name = "HOW", hide_possible_values = true)]
    progress: progress::Mode,
    /// Set a limit on what one input may ask for: memory, metadata, weights, stdin or list to a size such as 4G, time (to
    /// compute a picture) to a span such as 48h, or any of them to none; repeatable
    #[arg(long = "limit", global = true, value_name = "NAME=VALUE", value_parser = limit::parse)]
    limits: Vec<limit::Setting>,
}

/// Parses the arguments, runs the command, reports its error.
pub fn main() -> ExitCode {
    wide_vectors::ask_for();
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let like_ncnn = arguments.get(1).is_some_and(|first| upscale::is_ncnn_flag(first));
    if like_ncnn {
        arguments.insert(1, "upscale".into());
    }
    let mut cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    // Front ends of the ncnn programs read progress as lines.
    if like_ncnn && cli.common.progress == progress::Mode::Auto && !std::io::stderr().is_terminal() {
        cli.common.progress = progress::Mode::Lines;
    }
    start_log(&cli.common);
    cli.common.limits.iter().for_each(|setting| setting.apply());
    if let Command::Upscale(args) = &mut cli.command
        && like_ncnn
    {
        args.picture.size.or_scale(upscale::NCNN_SCALE);
    }
    srcnn_gpu::guard::silence();
    // JSON events are results, so --quiet does not silence them.
    let quiet = cli.common.quiet && cli.common.progress != progress::Mode::Json;
    progress::set_mode(if quiet { progress::Mode::None } else { cli.common.progress });
    let outcome = match &cli.command {
        Command::Upscale(args) => upscale::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Train(args) => train::run(args),
        Command::Plot(args) => plot::run(args).map(|()| exit::DONE),
        Command::Degrade(args) => degrade::run(args),
        Command::Model(command) => model::run(command).map(|()| exit::DONE),
        Command::Export(command) => export::run(command).map(|()| exit::DONE),
        Command::Devices(args) => devices::run(args).map(|()| exit::DONE),
        Command::Bench(args) => bench::run(args).map(|()| exit::DONE),
        Command::Shaders(args) => shaders::run(args).map(|()| exit::DONE),
        Command::Completions(args) => manual::completions(args, Cli::command()).map(|()| exit::DONE),
        Command::Man(args) => manual::man(args, Cli::command()).map(|()| exit::DONE),
    };
    outcome
        .unwrap_or_else(|error| {
            let training = matches!(cli.command, Command::Train(_));
            advice::report_in(&error, if training { Task::Training } else { Task::Pictures });
            exit::code(&error)
        })
        .into()
}

/// Prints clap's help and version as they are, and its errors on one line.
fn usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    match error.kind() {
        DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand => {
            // If this fails, nobody is there to read the text.
            let _ = error.print();
        }
        _ => {
            let text = plain_numbers(error);
            let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
            // What looks like a wrong option is one: nobody wants it as a file's name.
            let useless = ["For more information", "tip: to pass"];
            let lines =
                lines.filter(|line| !line.is_empty() && !useless.iter().any(|begin| line.starts_with(begin)));
            let text = lines.collect::<Vec<_>>().join(" ").replace(" tip: ", "; ");
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            progress::say(format_args!("{} {text}; try --help", color::label("error", color::ERROR)));
        }
    }
    // clap's own codes: 0 for help and version, 2 for the rest.
    u8::try_from(error.exit_code()).unwrap_or(exit::USAGE).into()
}

/// clap's text, in which the standard library's words for what is no number are replaced.
fn plain_numbers(error: &clap::Error) -> String {
    use std::error::Error as _;
    use std::num::{IntErrorKind, ParseFloatError, ParseIntError};
    let text = error.to_string();
    let Some(cause) = error.source() else { return text };
    let words = match cause.downcast_ref::<ParseIntError>().map(ParseIntError::kind) {
        Some(IntErrorKind::PosOverflow | IntErrorKind::NegOverflow) => "the number is out of range",
        Some(_) => "a whole number is needed",
        None if cause.is::<ParseFloatError>() => "a number is needed",
        None => return text,
    };
    text.replace(&cause.to_string(), words)
}

/// Log lines go to stderr as `warning: ..`; those of wgpu only if they are errors.
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
            log::Level::Warn => {
                writeln!(out, "{} {}", color::label("warning", color::WARNING), record.args())
            }
            level => {
                let name = level.as_str().to_lowercase();
                writeln!(out, "{} {}", color::label(&name, color::ERROR), record.args())
            }
        })
        .init();
}
