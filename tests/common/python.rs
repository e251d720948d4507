//! Python, for tests against the programs that read what this one writes.

use std::path::Path;
use std::process::{Command, Stdio};

/// Python with these modules; `SRCNN_PYTHON` names another one than `python3`. Without them, prints a line and returns `None`.
pub fn python(modules: &str) -> Option<Command> {
    let name = std::env::var_os("SRCNN_PYTHON").unwrap_or_else(|| "python3".into());
    let import = format!("import {modules}");
    let found =
        Command::new(&name).args(["-c", &import]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(Command::new(name));
    }
    eprintln!(
        "SKIPPED: no Python with {modules}; install them with pip, SRCNN_PYTHON names the Python that has them"
    );
    None
}

/// Runs a script of the tests in a folder and returns what it printed.
pub fn run(mut python: Command, script: &str, folder: &Path) -> String {
    let output = python.current_dir(folder).args(["-c", script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
