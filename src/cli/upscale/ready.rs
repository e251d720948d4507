//! One picture from its file to its result's file.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use image::DynamicImage;
use srcnn_gpu::{Enlargement, Error, Result};

use super::super::jobs::{Job, Plan};
use super::super::output::write_atomically;
use super::super::picture::{Header, Kind, encode};
use super::super::progress::Progress;
use super::args::PictureArgs;
use super::enlarge::Enlarger;

/// A decoded picture, and where its result can be written, as far as is known before the work.
pub struct Ready {
    input: PathBuf,
    output: PathBuf,
    kind: &'static Kind,
    picture: DynamicImage,
    icc: Option<Vec<u8>>,
    enlargement: Enlargement,
    decoding: Duration,
}

impl Ready {
    /// Does all that needs no adapter; `None` when the output exists and is kept.
    pub fn new(job: Job, plan: &Plan, args: &PictureArgs) -> Result<Option<Self>> {
        let Some(output) = plan.resolve(&job)? else {
            log::warn!("{} exists already, skipped (--existing)", job.output.display());
            return Ok(None);
        };
        let start = Instant::now();
        let Job { input, kind, .. } = job;
        let header = Header::open(&input)?;
        let refuse = |error: Error| Error::Picture(format!("{}: {error}", input.display()));
        let source = (header.width, header.height);
        let enlargement = args.size.enlargement(source).map_err(refuse)?;
        let (width, height) = enlargement.size(source).map_err(refuse)?;
        kind.check(&header, width.into(), height.into())?;
        let (picture, icc) = header.decode()?;
        Ok(Some(Self { input, output, kind, picture, icc, enlargement, decoding: start.elapsed() }))
    }

    pub fn name(&self) -> String {
        self.input.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Enlarges, encodes, and returns the path that was written.
    pub fn finish(self, enlarger: &mut Enlarger<'_>, mut progress: Progress) -> Result<PathBuf> {
        let Self { input, output, kind, picture, icc, enlargement, decoding } = self;
        let before = format!("{}x{} {:?}", picture.width(), picture.height(), picture.color());
        let mut tell = |done, total| progress.update(done, total);
        let result = enlarger.enlarge(&picture, picture.color(), enlargement, &mut tell)?;
        drop((picture, progress));
        let (width, height) = (result.width(), result.height());
        let timing = enlarger.timing();
        let start = Instant::now();
        write_atomically(&output, |out| encode(out, result, kind, icc))?;
        log::info!(
            "{}: {before} to {width}x{height}; decode {}, upscale {} (GPU {}), encode {}",
            input.display(),
            ms(decoding),
            ms(timing.wall),
            ms(timing.gpu),
            ms(start.elapsed())
        );
        Ok(output)
    }
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
