//! The stages of one picture from file to file, which run on different threads: [`Opened`], [`Decoded`], [`Enlarged`],
//! written. Only the step from `Decoded` to `Enlarged` uses the device.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::enlarge::{Enlarger, Pass, Route, Traces, work};
use crate::headless::{Progress, Verified};
use crate::picture::{Metadata, PictureFile, Settings, alpha, encode, profile, refuse, without_alpha};
use image::{DynamicImage, ImageFormat};

use crate::error::Result;
use crate::jobs::Job;
use frames::Animated;
use options::PictureOptions;

mod bands;
mod content;
mod estimate;
mod frames;
mod options;
mod size;

pub use content::{ContentArgs, PictureArgs};
pub use size::SizeArgs;

/// JPEG files below this quality are taken for compressed. On Set5 photo is better than small at 80, by 0.50 dB at x2 and 0.24
/// at x3, and about as good at 90 (docs/degradations.md has the command).
const PHOTO_BELOW: u8 = 85;

/// Whether a file's header says that the picture has the traces of compression, for which there may be networks of their own.
/// [`Traces`] finds them in the pixels of files that do not say so.
pub fn is_compressed(file: &PictureFile) -> bool {
    file.jpeg_quality().is_some_and(|quality| quality < PHOTO_BELOW)
}

/// Whether a picture has the traces of compression, by those of a JPEG file in its pixels: of files that may be compressed in
/// another way, pixels without them say nothing.
pub fn told_by_traces(traced: bool, format: Option<ImageFormat>) -> Option<bool> {
    let other = matches!(format, Some(ImageFormat::WebP | ImageFormat::Avif) | None);
    (traced || !other).then_some(traced)
}

/// What there is to tell of a picture before it is enlarged.
#[derive(Debug, Clone)]
pub struct About {
    /// Width and height, of the picture and of its result.
    pub size: [(u32, u32); 2],
    /// Names of the networks.
    pub network: String,
    /// Of JPEG files, an estimate.
    pub jpeg_quality: Option<u8>,
}

/// How long the stages of one picture took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    pub decode: Duration,
    /// On the GPU's thread, from call to return.
    pub upscale: Duration,
    /// The part of `upscale` in which the GPU was at work.
    pub gpu: Duration,
    pub encode: Duration,
}

/// A picture whose header has been read, and whose result can be written in the job's format.
pub struct Opened {
    job: Job,
    header: PictureFile,
    metadata: Metadata,
    options: PictureOptions,
    way: Way,
    /// Those for pixels without and with the traces of compression, where they decide.
    ways: Option<[Way; 2]>,
}

/// What a picture goes through.
struct Way {
    passes: Vec<Pass>,
    about: About,
}

impl Opened {
    /// Reads the header, checks what can be known from it, and warns of what gets lost.
    ///
    /// # Errors
    /// [`Error::Picture`] for files that are not pictures, and for what the result's format cannot hold.
    pub fn new(job: Job, args: &PictureArgs, route: &Route<'_>) -> Result<Self> {
        let header = PictureFile::open(&job.input)?;
        let refuse = |why: String| refuse(&job.input, why);
        let source = header.size();
        let enlargement = args.size.enlargement(source).map_err(|e| refuse(e.to_string()))?;
        let (width, height) = enlargement.size(source).map_err(|e| refuse(e.to_string()))?;
        let jpeg_quality = header.jpeg_quality();
        // What the header does not say, the pixels may.
        let compressed = is_compressed(&header).then_some(true);
        let way = |compressed| -> Result<Way> {
            let passes = route.passes(source, enlargement, compressed).map_err(|e| refuse(e.to_string()))?;
            let size = [source, (width, height)];
            Ok(Way { about: About { size, network: route.names(&passes), jpeg_quality }, passes })
        };
        let looks = compressed.is_none() && route.tells_apart();
        let ways = if looks { Some([way(Some(false))?, way(Some(true))?]) } else { None };
        let way = way(compressed)?;
        if let Some(quality) = jpeg_quality {
            log::info!(
                "{}: JPEG of a quality of about {quality}, network {}",
                job.input.display(),
                way.about.network
            );
        }
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
        metadata.update([source, (width, height)], header.is_turned(), job.kind);
        let lost = match content.to_srgb() && header.animation.is_none() && color.has_color() {
            // There is nothing to hold of sRGB.
            true => metadata.without_colors().losses(job.kind, color),
            false => metadata.losses(job.kind, color),
        };
        for remark in loss.into_iter().chain(lost).chain(content.remark(&header, job.kind)) {
            log::warn!("{}: {remark}", job.input.display());
        }
        let &ContentArgs { alpha, background, .. } = content;
        let (to_srgb, settings) = (content.to_srgb(), content.settings());
        let options = PictureOptions { enlargement, compressed, color, alpha, background, to_srgb, settings };
        Ok(Self { job, header, metadata, options, way, ways })
    }

    /// What there is to tell of the picture, as far as its header says.
    pub fn about(&self) -> &About {
        &self.way.about
    }

    /// Width and height of the result.
    fn result(&self) -> (u32, u32) {
        self.way.about.size[1]
    }

    /// The multiply-adds that the picture will take.
    pub fn work(&self) -> f64 {
        work(&self.way.passes) * self.frames()
    }

    /// How many pictures there are to enlarge: the frames of an animation, or 1.
    fn frames(&self) -> f64 {
        f64::from(self.header.animation.map_or(1, |animation| animation.frames.max(1)))
    }

    /// About the bytes of host memory that the picture and its result take.
    pub fn memory(&self) -> u64 {
        let (width, height) = self.result();
        let bytes = self.job.kind.memory(self.before(), self.options.color, width.into(), height.into());
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Bytes of the picture and of what becomes of it before the last pass.
    fn before(&self) -> u64 {
        self.header.bytes.saturating_add(Route::memory(&self.way.passes))
    }

    /// Refuses results that the kind of file or the memory available now cannot hold.
    ///
    /// # Errors
    /// [`Error::Picture`].
    pub fn check(&self) -> Result<()> {
        let (job, color, result) = (&self.job, self.options.color, self.result());
        // Alpha may turn out to be opaque everywhere, and is then left out of the file.
        let hoped = if job.kind.alpha { color } else { without_alpha(color) };
        job.kind.check(&job.input, self.before(), hoped, result.0.into(), result.1.into())
    }

    /// Decodes the picture. Frames of an animation are decoded later, one at a time.
    ///
    /// # Errors
    /// [`Error::Picture`] for broken files, for transparent pixels that the result cannot hold, and as
    /// [`Opened::check`].
    pub fn decode(self) -> Result<Decoded> {
        self.check()?;
        let start = Instant::now();
        let (frames, told) = (self.frames(), self.way.about.network.clone());
        let format = self.header.format;
        let Self { job, header, mut metadata, mut options, way, ways } = self;
        let source = match (header.animation, header.format) {
            (Some(animation), Some(format)) => {
                let (path, size) = (job.input.clone(), header.size());
                Source::Frames(Animated { path, format, animation, color: header.color, size })
            }
            _ => {
                let mut picture = header.decode()?;
                if options.color.has_alpha() && !job.kind.alpha {
                    if !alpha::is_opaque(&picture) {
                        return Err(refuse(
                            &job.input,
                            format!(
                                "has an alpha channel, which a .{} file cannot hold; write png, webp or tiff, or choose a --background",
                                job.kind.extension
                            ),
                        ));
                    }
                    picture = alpha::remove(picture);
                    options.color = without_alpha(options.color);
                }
                let unusable =
                    |why: String| refuse(&job.input, format!("{why}; --icc strip leaves the profile out"));
                if options.to_srgb
                    && picture.color().has_color()
                    && let Some(icc) = metadata
                        .profile(true)
                        .map_err(|what| unusable(format!("its {what} cannot be converted to sRGB")))?
                {
                    let (converted, srgb) = profile::to_srgb(picture, &icc).map_err(unusable)?;
                    picture = converted;
                    metadata.set_profile(srgb);
                }
                Source::Still(options.prepare(picture))
            }
        };
        let mut found = None;
        if let Some(ways) = ways {
            let traced = source.is_traced();
            options.compressed = told_by_traces(traced, format);
            let [clean, compressed] = ways;
            let own = match options.compressed {
                Some(true) => compressed,
                Some(false) => clean,
                None => way,
            };
            let network = own.about.network;
            if network != told {
                let (path, which) = (job.input.display(), if traced { "have the" } else { "have no" });
                log::info!("{path}: its pixels {which} traces of a JPEG file, network {network}");
                found = Some(Found { network, traced, work: work(&own.passes) * frames });
            }
        }
        let times = Times { decode: start.elapsed(), ..Times::default() };
        Ok(Decoded { job, source, metadata, options, found, times })
    }
}

/// A picture in memory, or an animation about to be read.
pub struct Decoded {
    job: Job,
    source: Source,
    metadata: Metadata,
    options: PictureOptions,
    found: Option<Found>,
    times: Times,
}

/// What the pixels of a picture have changed of what its header said.
#[derive(Debug, Clone)]
pub struct Found {
    /// Names of the networks.
    pub network: String,
    /// Whether there are the traces of a JPEG file in them.
    pub traced: bool,
    /// The multiply-adds that the picture will take.
    pub work: f64,
}

enum Source {
    Still(DynamicImage),
    Frames(Animated),
}

impl Source {
    /// Whether it, or the first frame, has the traces of compression.
    fn is_traced(&self) -> bool {
        match self {
            Self::Still(picture) => Traces::are_in(picture),
            Self::Frames(animated) => animated.first().is_some_and(|frame| Traces::are_in(&frame)),
        }
    }
}

impl Decoded {
    /// What its pixels have changed: with the traces of compression it gets the networks that are meant for these, without them others.
    pub fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// Computes the result; `progress` gets the number of tiles done and of all tiles. Can be called again after a failure.
    ///
    /// # Errors
    /// Those of the device; [`Error::Picture`] for broken frames.
    pub fn enlarge(&self, enlarger: &mut Enlarger, progress: Progress<'_>) -> Result<Enlarged> {
        let (job, options, metadata) = (&self.job, &self.options, self.metadata.clone());
        let mut times = self.times;
        let start = Instant::now();
        let mut verified = Vec::new();
        let (result, summary) = match &self.source {
            Source::Still(picture) => {
                let from = (picture.width(), picture.height());
                estimate::check(enlarger, job, from, 1, options)?;
                let to = enlarger.result_size(from, &options.enlarging())?;
                let summary = format!("{}x{} {:?} to {}x{}", from.0, from.1, picture.color(), to.0, to.1);
                let result = if job.kind.in_bands(options.color, to.0.into(), to.1.into()) {
                    ResultData::Written(bands::enlarge(
                        picture, to, job, metadata, options, enlarger, progress,
                    )?)
                } else {
                    ResultData::Still(
                        enlarger.enlarge(picture, &options.enlarging(), progress)?,
                        Box::new(metadata),
                    )
                };
                verified.extend_from_slice(enlarger.verified());
                times.gpu = enlarger.timing().gpu;
                (result, summary)
            }
            Source::Frames(animated) => {
                estimate::check(enlarger, job, animated.size, animated.animation.frames, options)?;
                let enlarged = frames::enlarge(animated, job, metadata, options, enlarger, progress)?;
                let (bytes, gpu, of_frames) = enlarged;
                (times.gpu, verified) = (gpu, of_frames);
                (ResultData::Encoded(bytes), format!("{} frames", animated.animation.frames))
            }
        };
        times.upscale = start.elapsed();
        Ok(Enlarged { job: job.clone(), result, settings: options.settings, summary, times, verified })
    }
}

/// A result, in memory or written already.
pub struct Enlarged {
    job: Job,
    result: ResultData,
    settings: Settings,
    /// Sizes before and after, for the log.
    summary: String,
    times: Times,
    verified: Vec<Verified>,
}

enum ResultData {
    Still(DynamicImage, Box<Metadata>),
    /// The file of an animation.
    Encoded(Vec<u8>),
    /// A large picture that was written while it was computed, to this path.
    Written(Option<PathBuf>),
}

impl Enlarged {
    /// What was compared with the CPU, once for each pass of each frame; empty unless the enlarger verifies.
    pub fn verified(&self) -> &[Verified] {
        &self.verified
    }

    /// Encodes the result and puts it in place, unless that is done already. Returns what [`Job::write`] does.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn write(mut self) -> Result<(Option<PathBuf>, Times)> {
        let start = Instant::now();
        let job = self.job;
        let output = match self.result {
            ResultData::Still(picture, metadata) => {
                job.write(|out| encode(out, picture, job.kind, *metadata, &self.settings))?
            }
            ResultData::Encoded(bytes) => job.write(|out| out.write_all(&bytes))?,
            ResultData::Written(output) => output,
        };
        self.times.encode = start.elapsed();
        let Times { decode, upscale, gpu, encode } = self.times;
        log::info!(
            "{}: {}; decode {}, upscale {} (GPU {}), encode {}",
            job.input.display(),
            self.summary,
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
