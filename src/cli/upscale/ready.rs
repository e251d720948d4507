//! One picture from its file to its result's file.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use image::DynamicImage;
use srcnn_gpu::headless::Headless;
use srcnn_gpu::resample::output_len;
use srcnn_gpu::{Error, Result};

use super::super::jobs::{Job, Plan};
use super::super::output::write_atomically;
use super::super::picture::{Header, Kind, encode};
use super::super::progress::Progress;

/// A decoded picture, and where its result can be written, as far as is known before the work.
pub struct Ready {
    input: PathBuf,
    output: PathBuf,
    kind: &'static Kind,
    picture: DynamicImage,
    icc: Option<Vec<u8>>,
    width: u32,
    height: u32,
    decoding: Duration,
}

impl Ready {
    /// Does all that needs no adapter; `None` when the output exists and is kept.
    pub fn new(job: Job, plan: &Plan, scale: f64) -> Result<Option<Self>> {
        let Some(output) = plan.resolve(&job)? else {
            log::warn!("{} exists already, skipped (--existing)", job.output.display());
            return Ok(None);
        };
        let start = Instant::now();
        let Job { input, kind, .. } = job;
        let header = Header::open(&input)?;
        let [width, height] = [header.width, header.height].map(|len| output_len(len as usize, scale));
        kind.check(&header, width as u64, height as u64)?;
        let too_large = |_| Error::Picture(format!("{}: the result is too large", input.display()));
        let width = u32::try_from(width).map_err(too_large)?;
        let height = u32::try_from(height).map_err(too_large)?;
        let (picture, icc) = header.decode()?;
        Ok(Some(Self { input, output, kind, picture, icc, width, height, decoding: start.elapsed() }))
    }

    pub fn name(&self) -> String {
        self.input.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Enlarges, encodes, and returns the path that was written.
    pub fn finish(self, headless: &mut Headless, scale: f64, mut progress: Progress) -> Result<PathBuf> {
        let Self { input, output, kind, picture, icc, width, height, decoding } = self;
        let before = format!("{}x{} {:?}", picture.width(), picture.height(), picture.color());
        let result = headless.upscale(&picture, scale, &mut |done, total| progress.update(done, total))?;
        drop((picture, progress));
        let timing = headless.timing();
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
