//! The command line program; see `srcnn-gpu --help`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
