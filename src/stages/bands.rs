//! Writing a large result while it is computed, so that it is never in memory as a whole.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;

use crate::enlarge::Enlarger;
use crate::error::{Error, Result};
use crate::headless::Progress;
use image::DynamicImage;

use super::options::PictureOptions;
use crate::jobs::Job;
use crate::picture::{Metadata, convert, encode_rows, stored};

/// Bands that may wait to be written.
const WAITING: usize = 1;

/// Enlarges a picture to `size` pixels and writes the result as the job says; one thread computes while another encodes.
/// Returns what [`Job::write`] does.
///
/// # Errors
/// As [`Enlarger::enlarge_in_bands`]; [`Error::Output`] for a file that cannot be written.
pub fn enlarge(
    picture: &DynamicImage,
    size: (u32, u32),
    job: &Job,
    mut metadata: Metadata,
    options: &PictureOptions,
    enlarger: &mut Enlarger,
    progress: Progress<'_>,
) -> Result<Option<PathBuf>> {
    let unwritten = |e: io::Error| Error::Output { path: job.output.clone(), reason: e.into() };
    let color = stored(options.color, job.kind, &mut metadata).map_err(unwritten)?;
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
                Error::Output { path: job.output.clone(), reason: "the encoder has stopped".into() }
            })
        };
        let computed = enlarger.enlarge_in_bands(picture, &options.enlarging(), &mut take, progress);
        drop(sender);
        let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // If one side gives up, the other one's error is only a consequence.
        if gone { written.and_then(|path| computed.map(|()| path)) } else { computed.and(written) }
    })
}
