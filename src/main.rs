//! The command line program; `srcnn-gpu --help` tells what it does.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
