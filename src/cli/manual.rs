//! `srcnn-gpu completions` and `srcnn-gpu man`: files that packages ship with the program.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use srcnn_gpu::Result;

use crate::cli::output::{create_folder, print, print_text, write_atomically};

const NAME: &str = "srcnn-gpu";

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example: srcnn-gpu completions bash > ~/.local/share/bash-completion/completions/srcnn-gpu"
)]
pub struct CompletionsArgs {
    /// The shell to print them for
    shell: Shell,
}

/// Write the manual pages, one for the program and one for each command
#[derive(Debug, Args)]
#[command(after_help = "Example: srcnn-gpu man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Folder to write to, such as /usr/local/share/man/man1
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints a completion script.
///
/// # Errors
/// [`Error::Output`].
pub fn completions(args: &CompletionsArgs, mut command: Command) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, NAME, &mut script);
    print_text(&String::from_utf8_lossy(&script))
}

/// Writes the manual pages and prints their paths.
///
/// # Errors
/// [`Error::Output`].
pub fn man(args: &ManArgs, command: Command) -> Result<()> {
    create_folder(&args.folder)?;
    let mut command = command.disable_help_subcommand(true);
    // Gives subcommands their full names: srcnn-gpu-model-info.
    command.build();
    pages(&command, &args.folder)
}

/// Writes the page of a command and those of its subcommands.
fn pages(command: &Command, folder: &Path) -> Result<()> {
    let page = clap_mangen::Man::new(command.clone());
    let path = folder.join(page.get_filename());
    write_atomically(&path, |out| page.render(out))?;
    print(path.display())?;
    command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .try_for_each(|command| pages(command, folder))
}
