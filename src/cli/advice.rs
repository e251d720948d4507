//! Errors as one line each, with what to do about them on the command line. The library's own texts know no flags.

use std::path::Path;

use srcnn_gpu::Error;
use srcnn_gpu::limits::Limit;

use crate::cli::{color, progress};

/// What a command does when an error comes up, which decides on the flags that help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Pictures,
    Training,
}

/// Which flags help against an error.
fn advice(error: &Error, task: Task) -> Option<&'static str> {
    if let Some(limit) = Limit::behind(error) {
        return Some(match limit {
            Limit::Memory => "--limit memory=SIZE sets another limit, --limit memory=none has none",
            Limit::Metadata => "--limit metadata=SIZE allows more",
            Limit::Weights => "--limit weights=SIZE allows more",
            Limit::Stdin => "--limit stdin=SIZE allows more; a file by its name needs no limit",
            Limit::List => "--limit list=SIZE allows more",
            Limit::Time => "a smaller scale takes less; --limit time=TIME allows more, such as 48h",
        });
    }
    match error {
        Error::OutOfMemory(..) if task == Task::Training => Some("use a smaller --batch or --patch"),
        Error::OutOfMemory(..) => Some("use a smaller tile (--tile)"),
        Error::WrongResult(..) => Some(
            "`srcnn-gpu devices` tests the adapters, `model info` shows the network; \
             --gpu and --backend choose another adapter",
        ),
        Error::SelfTest(..) => Some("try another one (--gpu, --backend) or update its driver"),
        Error::MissingCapability(what) if what.contains("SHADER_F16") => {
            Some("use --precision f32, or an adapter that has them (srcnn-gpu devices)")
        }
        Error::Diverged(..) => Some("--lr sets them, --resume goes on from a checkpoint"),
        _ => None,
    }
}

/// The error on one line, with advice for work on pictures.
pub fn message(error: &Error) -> String {
    message_in(error, Task::Pictures)
}

fn message_in(error: &Error, task: Task) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut parts: Vec<&str> = lines.collect();
    parts.extend(advice(error, task));
    parts.join("; ")
}

/// As [`message`], and says which picture it is about if the error does not.
pub fn message_about(picture: Option<&Path>, error: &Error) -> String {
    let text = message(error);
    let nameless = matches!(
        error,
        Error::InvalidArgument(_) | Error::OutOfMemory(_) | Error::Gpu(_) | Error::WrongResult(_)
    );
    match picture.filter(|_| nameless).map(|path| path.display().to_string()) {
        Some(name) if !text.contains(&name) => format!("{name}: {text}"),
        _ => text,
    }
}

/// Prints an error about a picture as one line on stderr.
pub fn report_about(picture: Option<&Path>, error: &Error) {
    print(&message_about(picture, error));
}

/// Prints an error as one line on stderr, with advice for work on pictures.
pub fn report(error: &Error) {
    report_in(error, Task::Pictures);
}

/// As [`report`], with advice for a task.
pub fn report_in(error: &Error, task: Task) {
    print(&message_in(error, task));
}

fn print(message: &str) {
    progress::say(format_args!("{} {message}", color::label("error", color::ERROR)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_with_advice() {
        let full = Error::OutOfMemory("640 MiB".into());
        assert_eq!(message(&full), "out of GPU memory: 640 MiB; use a smaller tile (--tile)");
        let training = message_in(&full, Task::Training);
        assert_eq!(training, "out of GPU memory: 640 MiB; use a smaller --batch or --patch");
        assert_eq!(
            message_about(Some(Path::new("a.png")), &full),
            "a.png: out of GPU memory: 640 MiB; use a smaller tile (--tile)"
        );
        let named = Error::Picture("a.png: no".into());
        assert_eq!(message_about(Some(Path::new("a.png")), &named), "a.png: no");
        let long = Error::Picture(Limit::List.exceeded("@list: too long"));
        assert_eq!(message(&long), "@list: too long; --limit list=SIZE allows more");
        assert_eq!(message(&Error::Picture("a.png: no\n  such thing\n".into())), "a.png: no; such thing");
    }
}
