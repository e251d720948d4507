//! Exit codes, the same for every command.

use srcnn_gpu::Error;

pub const DONE: u8 = 0;
pub const SOME_FAILED: u8 = 1;
pub const USAGE: u8 = 2;
pub const GPU: u8 = 3;
pub const MODEL: u8 = 4;
pub const OUTPUT: u8 = 5;
/// Another rank has ended, or the ranks do not fit together.
pub const RANKS: u8 = 6;
/// Stopped by Ctrl-C, with everything saved. After SIGTERM it is 143: 128 plus the signal's number.
pub const INTERRUPTED: u8 = 130;

/// The exit code of a command that ends with this error.
pub fn code(error: &Error) -> u8 {
    match error {
        Error::InvalidArgument(..) => USAGE,
        Error::NoAdapter(..)
        | Error::MissingCapability(..)
        | Error::OutOfMemory(..)
        | Error::Gpu(..)
        | Error::WrongResult(..)
        | Error::SelfTest(..) => GPU,
        Error::Model { .. } => MODEL,
        Error::Output { .. } => OUTPUT,
        Error::Ranks(..) => RANKS,
        _ => SOME_FAILED,
    }
}

/// The exit code of a command with one result per input: those of the inputs that failed, of `total`.
pub fn code_of(failures: &[u8], total: usize) -> u8 {
    match failures {
        [] => DONE,
        [only] if total == 1 => *only,
        _ => SOME_FAILED,
    }
}
