//! `srcnn-gpu`: the command line of the library.

mod cli;

use clap::Parser;

fn main() -> std::process::ExitCode {
    let cli::Command::Eval(args) = cli::Cli::parse().command;
    match cli::eval::run(&args, || args.gpu.open()) {
        Ok(true) => 0.into(),
        Ok(false) => 1.into(),
        Err(error) => {
            eprintln!("error: {error}");
            2.into()
        }
    }
}
