//! One picture from its file to its result's file, in steps that different threads do: [`Opened`], [`Decoded`],
//! [`Enlarged`], written. Only the step on the GPU sees the device.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use image::{ColorType, DynamicImage};
use srcnn_gpu::{Enlargement, Error, Result};

use super::args::{Alpha, ContentArgs, PictureArgs};
use super::bands;
use super::enlarge::Enlarger;
use super::frames::{self, Animated};
use crate::cli::jobs::Job;
use srcnn_gpu::picture::{Metadata, PictureFile, Settings, alpha, encode, profile, without_alpha};

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
    header: PictureFile,
    metadata: Metadata,
    how: How,
    result: (u32, u32),
}

/// How one picture is enlarged.
#[derive(Debug, Clone, Copy)]
pub struct How {
    pub enlargement: Enlargement,
    /// The result's colour type.
    pub color: ColorType,
    pub alpha: Alpha,
    pub background: Option<[u8; 3]>,
    pub to_srgb: bool,
    pub settings: Settings,
}

impl Opened {
    /// Reads the header and checks what can be known from it.
    ///
    /// # Errors
    /// [`Error::Picture`] for files that are no pictures, and for what the result's format cannot hold.
    pub fn new(job: Job, args: &PictureArgs) -> Result<Self> {
        let mut header = PictureFile::open(&job.input)?;
        let refuse = |why: String| Error::Picture(format!("{}: {why}", job.input.display()));
        let source = (header.width, header.height);
        let enlargement = args.size.enlargement(source).map_err(|e| refuse(e.to_string()))?;
        let (width, height) = enlargement.size(source).map_err(|e| refuse(e.to_string()))?;
        if let Some(animation) = header.animation
            && !job.kind.animation
        {
            return Err(refuse(format!(
                "has {} frames, which a .{} file cannot hold; write gif, png or webp",
                animation.frames, job.kind.extension
            )));
        }
        let content = &args.content;
        let (color, loss) = content.color(&header, job.kind)?;
        let mut metadata = header.metadata();
        content.strip(&mut metadata);
        metadata.update((width, height), header.is_turned());
        let lost = metadata.lost_in(job.kind);
        let lost = lost.map(|what| format!("a .{} file cannot hold {what}", job.kind.extension));
        for remark in
            loss.into_iter().chain(lost).chain(header.remark()).chain(content.remark(&header, job.kind))
        {
            log::warn!("{}: {remark}", job.input.display());
        }
        let &ContentArgs { alpha, background, .. } = content;
        let (to_srgb, settings) = (content.to_srgb(), content.settings());
        let how = How { enlargement, color, alpha, background, to_srgb, settings };
        Ok(Self { job, header, metadata, how, result: (width, height) })
    }

    /// Width and height of the picture and of its result.
    pub fn size(&self) -> [(u32, u32); 2] {
        [(self.header.width, self.header.height), self.result]
    }

    /// Bytes of host memory that the picture and its result take, about.
    pub fn memory(&self) -> u64 {
        let (header, (width, height)) = (&self.header, self.result);
        let bytes = self.job.kind.memory(header.bytes, self.how.color, width.into(), height.into());
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Refuses results that cannot be held, with the memory that is there now.
    ///
    /// # Errors
    /// [`Error::Picture`].
    pub fn check(&self) -> Result<()> {
        let (job, color) = (&self.job, self.how.color);
        // Alpha may turn out to be opaque everywhere, and then needs no room in the file.
        let hoped = if job.kind.alpha { color } else { without_alpha(color) };
        job.kind.check(&job.input, self.header.bytes, hoped, self.result.0.into(), self.result.1.into())
    }

    /// Decodes the picture; an animation's frames are decoded when their turn comes.
    ///
    /// # Errors
    /// [`Error::Picture`] for broken files, for transparent pixels that the result cannot hold, and as
    /// [`Opened::check`].
    pub fn decode(self) -> Result<Decoded> {
        self.check()?;
        let start = Instant::now();
        let Self { job, header, mut metadata, mut how, .. } = self;
        let source = match (header.animation, header.format) {
            (Some(animation), Some(format)) => {
                Source::Frames(Animated { path: job.input.clone(), format, animation, color: header.color })
            }
            _ => {
                let mut picture = header.decode()?;
                if how.color.has_alpha() && !job.kind.alpha {
                    if !alpha::is_opaque(&picture) {
                        return Err(Error::Picture(format!(
                            "{}: has an alpha channel, which a .{} file cannot hold; write png, webp or tiff, or choose a --background",
                            job.input.display(),
                            job.kind.extension
                        )));
                    }
                    picture = alpha::remove(picture);
                    how.color = without_alpha(how.color);
                }
                if let Some(icc) =
                    metadata.icc.as_ref().filter(|_| how.to_srgb && picture.color().has_color())
                {
                    let refuse = |why: String| Error::Picture(format!("{}: {why}", job.input.display()));
                    let (converted, srgb) = profile::to_srgb(picture, icc).map_err(refuse)?;
                    picture = converted;
                    metadata.set_profile(srgb);
                }
                Source::Still(how.prepare(picture))
            }
        };
        let times = Times { decode: start.elapsed(), ..Times::default() };
        Ok(Decoded { job, source, metadata, how, times })
    }
}

impl How {
    /// What is done to a picture before it is enlarged.
    pub fn prepare(&self, mut picture: DynamicImage) -> DynamicImage {
        if !picture.color().has_alpha() {
            return picture;
        }
        if let Some(colour) = self.background {
            return alpha::flatten(picture, colour);
        }
        if self.alpha == Alpha::Drop {
            return alpha::remove(picture);
        }
        alpha::bleed(&mut picture);
        picture
    }
}

/// A picture in memory.
pub struct Decoded {
    job: Job,
    source: Source,
    metadata: Metadata,
    how: How,
    times: Times,
}

enum Source {
    Still(DynamicImage),
    Frames(Animated),
}

impl Decoded {
    /// Computes the result; `progress` gets the tiles done and the tiles in all.
    ///
    /// # Errors
    /// Those of the device; [`Error::Picture`] for broken frames.
    pub fn enlarge(
        mut self,
        enlarger: &mut Enlarger<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Enlarged> {
        let (job, how, metadata) = (self.job, self.how, self.metadata);
        let start = Instant::now();
        let (result, story) = match self.source {
            Source::Still(picture) => {
                let from = (picture.width(), picture.height());
                let to = enlarger.result_size(from, &how)?;
                let story = format!("{}x{} {:?} to {}x{}", from.0, from.1, picture.color(), to.0, to.1);
                let result = if job.kind.in_bands(how.color, to.0.into(), to.1.into()) {
                    bands::enlarge(&picture, to, &job, metadata, &how, enlarger, progress)?;
                    Outcome::Written
                } else {
                    Outcome::Still(enlarger.enlarge(&picture, &how, progress)?, metadata)
                };
                self.times.gpu = enlarger.timing().gpu;
                (result, story)
            }
            Source::Frames(animated) => {
                let (bytes, gpu) = frames::enlarge(&animated, &job, metadata, &how, enlarger, progress)?;
                self.times.gpu = gpu;
                (Outcome::Encoded(bytes), format!("{} frames", animated.animation.frames))
            }
        };
        self.times.upscale = start.elapsed();
        Ok(Enlarged { job, result, settings: how.settings, story, times: self.times })
    }
}

/// A result in memory.
pub struct Enlarged {
    job: Job,
    result: Outcome,
    settings: Settings,
    /// From what to what.
    story: String,
    times: Times,
}

enum Outcome {
    Still(DynamicImage, Metadata),
    /// An animation, whose frames were never together in memory.
    Encoded(Vec<u8>),
    /// A large picture, which was written while it was computed.
    Written,
}

impl Enlarged {
    /// Encodes the result and puts it in place.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn write(mut self) -> Result<(PathBuf, Times)> {
        let start = Instant::now();
        let job = self.job;
        match self.result {
            Outcome::Still(picture, metadata) => {
                job.write(|out| encode(out, picture, job.kind, metadata, &self.settings))?;
            }
            Outcome::Encoded(bytes) => job.write(|out| out.write_all(&bytes))?,
            Outcome::Written => {}
        }
        self.times.encode = start.elapsed();
        let Times { decode, upscale, gpu, encode } = self.times;
        log::info!(
            "{}: {}; decode {}, upscale {} (GPU {}), encode {}",
            job.input.display(),
            self.story,
            ms(decode),
            ms(upscale),
            ms(gpu),
            ms(encode)
        );
        Ok((job.output, self.times))
    }
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
