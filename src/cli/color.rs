//! Colors of words on stderr: on terminals only, and never against the user's wish (https://no-color.org).

use std::io::IsTerminal;
use std::sync::OnceLock;

use clap::builder::styling::{AnsiColor, Style};

/// For what ends in a failure.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// For what the user should know.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// A word and a colon, in color where stderr shows it.
pub fn label(word: &str, style: Style) -> String {
    if is_on() { format!("{style}{word}:{style:#}") } else { format!("{word}:") }
}

fn is_on() -> bool {
    static ON: OnceLock<bool> = OnceLock::new();
    *ON.get_or_init(|| {
        wanted(
            |name| std::env::var(name).ok().filter(|value| !value.is_empty()),
            std::io::stderr().is_terminal(),
        )
    })
}

/// Whether the environment wants colors.
fn wanted(variable: impl Fn(&str) -> Option<String>, terminal: bool) -> bool {
    if variable("NO_COLOR").is_some() {
        return false;
    }
    if variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    // Old consoles of Windows show the codes as they are; newer terminals tell by a variable.
    let able = cfg!(not(windows)) || variable("WT_SESSION").or_else(|| variable("TERM")).is_some();
    terminal && able && variable("TERM").as_deref() != Some("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_where_they_are_wanted() {
        let on = |variables: &[(&str, &str)], terminal| {
            let value =
                |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, v)| v.to_string());
            wanted(value, terminal)
        };
        let xterm = ("TERM", "xterm");
        assert!(on(&[xterm], true) && !on(&[xterm], false));
        assert!(!on(&[("TERM", "dumb")], true));
        assert!(!on(&[xterm, ("NO_COLOR", "1")], true));
        assert!(on(&[("CLICOLOR_FORCE", "1")], false) && !on(&[("CLICOLOR_FORCE", "0")], false));
        assert!(!on(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true));
    }
}
