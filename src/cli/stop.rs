//! Ctrl-C and SIGTERM: ending the program without leaving partial files behind.

#[cfg(unix)]
use srcnn_gpu::Reason;
use srcnn_gpu::{Error, Result, atomic};

/// Makes the first signal end the program, after `farewell` has run with the signal's exit code: 130 for Ctrl-C, 143 for
/// SIGTERM. Files that are being written are removed, whatever other threads are doing.
///
/// # Errors
/// [`Error::InvalidArgument`] if the signals cannot be caught.
pub fn at_once(farewell: impl FnOnce(u8) + Send + 'static) -> Result<()> {
    let mut farewell = Some(farewell);
    catch(move |code| {
        // First, so that nothing is reported about files that are about to be removed.
        if let Some(farewell) = farewell.take() {
            farewell(code);
        }
        atomic::abandon();
        end(code)
    })
}

/// Makes the first signal a wish: `stop` gets its exit code, as in [`at_once`]. The next one ends the program at once.
///
/// # Errors
/// As [`at_once`].
pub fn on_wish(mut stop: impl FnMut(u8) + Send + 'static) -> Result<()> {
    let mut again = false;
    catch(move |code| {
        if std::mem::replace(&mut again, true) {
            atomic::abandon();
            end(code);
        }
        stop(code);
    })
}

#[cfg(unix)]
fn catch(mut handler: impl FnMut(u8) + Send + 'static) -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
        .map_err(|e| Error::invalid(Reason::from(e).within("signals cannot be caught")))?;
    // The shell's convention: 128 plus the signal's number.
    std::thread::spawn(move || signals.forever().for_each(|signal| handler(128 + signal as u8)));
    Ok(())
}

/// Exits without the exit handlers of libraries: the driver's would destroy the device while another thread computes
/// on it.
#[cfg(unix)]
fn end(code: u8) {
    signal_hook::low_level::exit(code.into())
}

#[cfg(not(unix))]
fn catch(mut handler: impl FnMut(u8) + Send + 'static) -> Result<()> {
    ctrlc::set_handler(move || handler(crate::cli::exit::INTERRUPTED))
        .map_err(|e| Error::invalid(format!("Ctrl-C cannot be caught: {e}")))
}

#[cfg(not(unix))]
fn end(code: u8) {
    std::process::exit(code.into())
}
