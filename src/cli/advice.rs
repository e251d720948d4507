//! Errors as one line each, with what to do about them on the command line. The library's own texts know no flags.

use srcnn_gpu::Error;

use crate::cli::progress;

/// Which flags help against an error.
fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::OutOfMemory(..) => Some("use a smaller tile (--tile)"),
        Error::SelfTest(..) => Some("try another one (--gpu, --backend) or update its driver"),
        Error::MissingCapability(what) if what.contains("SHADER_F16") => {
            Some("use --precision f32, or an adapter that has them (srcnn-gpu devices)")
        }
        Error::Diverged(..) => Some("--lr sets them, --resume goes on from a checkpoint"),
        _ => None,
    }
}

/// The error on one line, with advice.
pub fn message(error: &Error) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut parts: Vec<&str> = lines.collect();
    // Texts that come from a comparison or a driver may already end in the same words.
    parts.extend(advice(error).filter(|advice| !text.ends_with(advice)));
    parts.join("; ")
}

/// Prints an error as one line on stderr.
pub fn report(error: &Error) {
    progress::suspended(|| eprintln!("error: {}", message(error)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_with_advice_said_once() {
        let full = message(&Error::OutOfMemory("640 MiB".into()));
        assert!(full.starts_with("out of GPU memory: 640 MiB"), "{full}");
        assert_eq!(full.matches("; use a smaller tile (--tile)").count(), 1, "{full}");
        assert_eq!(message(&Error::Picture("a.png: no\n  such thing\n".into())), "a.png: no; such thing");
    }
}
