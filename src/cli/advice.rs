//! Errors as one line each, with what to do about them on the command line. The library's own texts know no flags.

use srcnn_gpu::Error;

use crate::cli::progress;

/// What a command does when an error comes up, which decides on the flags that help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Pictures,
    Training,
}

/// Which flags help against an error.
fn advice(error: &Error, task: Task) -> Option<&'static str> {
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

/// Prints an error as one line on stderr, with advice for work on pictures.
pub fn report(error: &Error) {
    report_in(error, Task::Pictures);
}

/// As [`report`], with advice for a task.
pub fn report_in(error: &Error, task: Task) {
    progress::say(format_args!("error: {}", message_in(error, task)));
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
        assert_eq!(message(&Error::Picture("a.png: no\n  such thing\n".into())), "a.png: no; such thing");
    }
}
