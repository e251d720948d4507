//! The command line program.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use srcnn_gpu::Error;

mod cli;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Model(cli::model::ModelCommand),
}

fn main() -> ExitCode {
    let Command::Model(command) = Cli::parse().command;
    let Err(error) = cli::model::run(&command) else { return ExitCode::SUCCESS };
    eprintln!("error: {error}");
    ExitCode::from(match error {
        Error::Model { .. } => 4,
        Error::Output { .. } => 5,
        _ => 2,
    })
}
