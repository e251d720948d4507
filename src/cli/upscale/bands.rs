//! A large result, written while it is computed: it is never in memory as a whole.

use std::io;
use std::sync::mpsc::sync_channel;

use image::DynamicImage;
use srcnn_gpu::{Error, Result};

use super::enlarge::{Enlarger, Tell};
use super::ready::How;
use crate::cli::jobs::Job;
use srcnn_gpu::picture::{Metadata, convert, encode_rows, stored};

/// Bands that wait to be written.
const WAITING: usize = 1;

/// Enlarges a picture to `size` pixels and writes the result as the job says; one thread computes, one encodes.
///
/// # Errors
/// As [`Enlarger::enlarge_in_bands`]; [`Error::Output`] for a file that cannot be written.
pub fn enlarge(
    picture: &DynamicImage,
    size: (u32, u32),
    job: &Job,
    mut metadata: Metadata,
    how: &How,
    enlarger: &mut Enlarger<'_>,
    progress: Tell<'_>,
) -> Result<()> {
    let unwritten = |e: io::Error| Error::Output { path: job.output.clone(), reason: e.to_string() };
    let color = stored(how.color, job.kind, &mut metadata).map_err(unwritten)?;
    let (sender, bands) = sync_channel::<DynamicImage>(WAITING);
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            job.write(|out| {
                encode_rows(out, size, color, job.kind, &metadata, |out| {
                    let mut rows = 0;
                    for band in bands {
                        rows += band.height();
                        out.write_all(convert(band, color).as_bytes())?;
                    }
                    if rows == size.1 {
                        Ok(())
                    } else {
                        Err(io::Error::other("rows of the result are missing"))
                    }
                })
            })
        });
        let mut gone = false;
        let mut take = |band| {
            sender.send(band).map_err(|_| {
                gone = true;
                Error::Output { path: job.output.clone(), reason: "nothing takes its rows".into() }
            })
        };
        let computed = enlarger.enlarge_in_bands(picture, how, &mut take, progress);
        drop(sender);
        let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Where one side gives up, the other one's error only follows from it.
        if gone { written.and(computed) } else { computed.and(written) }
    })
}
