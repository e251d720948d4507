//! One picture from its file to its result's file, in steps that different threads do: [`Opened`], [`Decoded`],
//! [`Enlarged`], written. Only the step on the GPU sees the device.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use image::DynamicImage;
use srcnn_gpu::{Enlargement, Error, Result};

use super::super::jobs::Job;
use super::super::output::write_atomically;
use super::super::picture::{Header, encode};
use super::args::PictureArgs;
use super::enlarge::Enlarger;

/// How long the steps of one picture took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    pub decode: Duration,
    /// The step on the GPU, from call to return.
    pub upscale: Duration,
    /// The part of it that the GPU was at work.
    pub gpu: Duration,
    pub encode: Duration,
}

/// A picture whose header has been read, and whose result can be written as what the job asks for.
pub struct Opened {
    job: Job,
    header: Header,
    enlargement: Enlargement,
}

impl Opened {
    /// Reads the header and checks what can be known from it.
    ///
    /// # Errors
    /// [`Error::Picture`] for files that are no pictures, and for results that cannot be held.
    pub fn new(job: Job, args: &PictureArgs) -> Result<Self> {
        let header = Header::open(&job.input)?;
        let refuse = |error: Error| Error::Picture(format!("{}: {error}", job.input.display()));
        let source = (header.width, header.height);
        let enlargement = args.size.enlargement(source).map_err(refuse)?;
        let (width, height) = enlargement.size(source).map_err(refuse)?;
        job.kind.check(&header, width.into(), height.into())?;
        Ok(Self { job, header, enlargement })
    }

    /// Decodes the picture.
    ///
    /// # Errors
    /// [`Error::Picture`] for broken files.
    pub fn decode(self) -> Result<Decoded> {
        let start = Instant::now();
        let (picture, icc) = self.header.decode()?;
        let times = Times { decode: start.elapsed(), ..Times::default() };
        Ok(Decoded { job: self.job, enlargement: self.enlargement, picture, icc, times })
    }
}

/// A picture in memory.
pub struct Decoded {
    job: Job,
    enlargement: Enlargement,
    picture: DynamicImage,
    icc: Option<Vec<u8>>,
    times: Times,
}

impl Decoded {
    /// The input's name, for messages.
    pub fn name(&self) -> String {
        self.job.input.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Computes the result; `progress` gets the tiles done and the tiles in all.
    ///
    /// # Errors
    /// Those of the device.
    pub fn enlarge(
        mut self,
        enlarger: &mut Enlarger<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Enlarged> {
        let picture = self.picture;
        let result = enlarger.enlarge(&picture, picture.color(), self.enlargement, progress)?;
        let timing = enlarger.timing();
        self.times = Times { upscale: timing.wall, gpu: timing.gpu, ..self.times };
        let source = (picture.width(), picture.height());
        Ok(Enlarged { job: self.job, source, result, icc: self.icc, times: self.times })
    }
}

/// A result in memory.
pub struct Enlarged {
    job: Job,
    source: (u32, u32),
    result: DynamicImage,
    icc: Option<Vec<u8>>,
    times: Times,
}

impl Enlarged {
    /// Encodes the result and puts it in place.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn write(mut self) -> Result<(PathBuf, Times)> {
        let start = Instant::now();
        let Job { input, output, kind } = self.job;
        let (from, to, color) =
            (self.source, (self.result.width(), self.result.height()), self.result.color());
        write_atomically(&output, |out| encode(out, self.result, kind, self.icc))?;
        self.times.encode = start.elapsed();
        let Times { decode, upscale, gpu, encode } = self.times;
        log::info!(
            "{}: {}x{} {color:?} to {}x{}; decode {}, upscale {} (GPU {}), encode {}",
            input.display(),
            from.0,
            from.1,
            to.0,
            to.1,
            ms(decode),
            ms(upscale),
            ms(gpu),
            ms(encode)
        );
        Ok((output, self.times))
    }
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
