//! Where a video's frames come from.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use srcnn_gpu::picture::refuse;
use srcnn_gpu::video::format::Format;
use srcnn_gpu::video::y4m::Reader;
use srcnn_gpu::{Error, Result};

use super::is_pipe;
use crate::cli::upscale::ffmpeg::{About, Clip, Content, Pixels, is_hdr};
use srcnn_gpu::jobs::is_y4m;

/// A video, before its frames are read.
pub enum Input {
    /// YUV4MPEG2, and how many frames there are if they have no parameters.
    Stream { reader: Reader<Box<dyn Read + Send>>, frames: Option<u64> },
    /// Anything else.
    Clip(Box<Clip>),
}

impl Input {
    /// # Errors
    /// [`Error::Picture`] for inputs that are not video.
    pub fn open(path: &Path, is_stream: bool) -> Result<Self> {
        if !is_stream && !is_pipe(path) && !is_y4m(path) {
            return Clip::open(path).map(|clip| Self::Clip(Box::new(clip)));
        }
        let (mut bytes, name) = (None, name(path));
        let failed = |error| match error {
            Error::Picture(reason) => Error::Picture(reason.within(&name)),
            other => other,
        };
        let stream: Box<dyn Read + Send> = if is_pipe(path) {
            Box::new(io::stdin())
        } else {
            let file = File::open(path).map_err(|e| refuse(path, e.to_string()))?;
            bytes = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|about| about.len());
            Box::new(file)
        };
        let reader = Reader::new(stream).map_err(failed)?;
        let frame = reader.header().frame_bytes() as u64 + b"FRAME\n".len() as u64;
        Ok(Self::Stream { reader, frames: bytes.map(|bytes| bytes / frame) })
    }

    /// Width and height.
    pub fn size(&self) -> (u32, u32) {
        match self {
            Self::Stream { reader, .. } => reader.header().size(),
            Self::Clip(clip) => clip.size(),
        }
    }

    /// The number of frames, as far as it can be known.
    pub fn frames(&self) -> Option<u64> {
        match self {
            Self::Stream { frames, .. } => *frames,
            Self::Clip(clip) => clip.frames(),
        }
    }

    /// What an encoder has to know of it.
    ///
    /// # Errors
    /// [`Error::Picture`] for samples in a form that this program does not have.
    pub fn content<'a>(&self, about: &'a About) -> Result<Content<'a>> {
        let mastering = &about.mastering;
        match self {
            Self::Stream { reader, .. } => {
                let header = reader.header();
                let top_first = header.top_field_first();
                Ok(Content { format: header.format, is_rgb: false, is_hdr: false, top_first, mastering })
            }
            Self::Clip(clip) => {
                let pixels = Pixels::of(&clip.video.pix_fmt);
                let format: Format = pixels.decoded()?;
                let is_hdr = clip.video.color_transfer.as_deref().is_some_and(is_hdr);
                let top_first = clip.top_first();
                Ok(Content { format, is_rgb: pixels.is_rgb, is_hdr, top_first, mastering })
            }
        }
    }

    /// What a source says about its pictures besides.
    pub fn about(&self) -> About {
        match self {
            Self::Stream { .. } => About::default(),
            Self::Clip(clip) => About::new(clip),
        }
    }

    /// Tells what is going to be lost.
    pub fn warn(&self, to_y4m: bool) {
        let Self::Clip(clip) = self else { return };
        let name = clip.path.display();
        let pixels = Pixels::of(&clip.video.pix_fmt);
        if let Some(loss) = pixels.loss {
            // Most animated pictures have alpha without using it.
            let level = if pixels.is_rgb { log::Level::Info } else { log::Level::Warn };
            log::log!(level, "{name}: {loss} ({})", clip.video.pix_fmt);
        } else if clip.video.tags.get("alpha_mode").is_some_and(|mode| mode == "1") {
            // WebM's transparency is a stream within the stream.
            log::warn!("{name}: transparency is not kept");
        }
        if clip.is_dolby_vision() {
            log::warn!("{name}: the metadata of Dolby Vision, which describe each frame, are not kept");
        }
        if to_y4m && clip.varies() {
            log::warn!(
                "{name}: the frames follow one another at different distances, which .y4m cannot hold"
            );
        }
        if to_y4m && !clip.others.is_empty() {
            log::info!("{name}: .y4m holds frames only, not sound and what else there is");
        }
    }
}

/// What to call an input in messages.
pub fn name(path: &Path) -> String {
    if is_pipe(path) { "standard input".into() } else { path.display().to_string() }
}
