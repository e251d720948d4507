//! Enlarging an animation frame by frame: each one is decoded, enlarged and encoded before the next.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::enlarge::Enlarger;
use crate::error::{Error, Result};
use crate::headless::Verified;
use image::{ColorType, DynamicImage, ImageFormat};

use super::options::PictureOptions;
use crate::jobs::Job;
use crate::picture::{Animation, FrameWriter, Metadata, read_frames, refuse, store};

/// An animation file.
pub struct Animated {
    pub path: PathBuf,
    pub format: ImageFormat,
    pub animation: Animation,
    /// The frames' color type.
    pub color: ColorType,
    /// Columns and rows of a frame.
    pub size: (u32, u32),
}

impl Animated {
    /// The first frame, if it can be read.
    pub fn first(&self) -> Option<DynamicImage> {
        let frames = read_frames(&self.path, self.format, self.color, self.animation.frames);
        Some(frames.ok()?.next()?.ok()?.0)
    }
}

/// Enlarges all frames. Returns the bytes of the file to write, the time on the GPU, and what was compared with the CPU.
///
/// # Errors
/// Those of the device; [`Error::Picture`] for broken frames, [`Error::Output`] for frames that cannot be encoded.
pub fn enlarge(
    animated: &Animated,
    job: &Job,
    mut metadata: Metadata,
    options: &PictureOptions,
    enlarger: &mut Enlarger,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Vec<u8>, Duration, Vec<Verified>)> {
    let &Animated { ref path, format, animation, color, .. } = animated;
    let unwritten = |e: io::Error| Error::Output { path: job.output.clone(), reason: e.into() };
    let broken = |why: String| refuse(path, why);
    let mut file = Vec::new();
    let (mut gpu, mut verified) = (Duration::ZERO, Vec::new());
    let mut frames = read_frames(path, format, color, animation.frames)?;
    let mut next = |index: u64| -> Result<_> {
        let Some(frame) = frames.next() else { return Ok(None) };
        let (frame, delay) = frame?;
        let frame = options.prepare(frame);
        let total = u64::from(animation.frames);
        let mut report = |done, all| progress(index * all + done, total * all);
        let result = enlarger.enlarge(&frame, &options.enlarging(), &mut report)?;
        verified.extend_from_slice(enlarger.verified());
        gpu += enlarger.timing().gpu;
        Ok(Some((store(result, job.kind, &mut metadata).map_err(unwritten)?, metadata.clone(), delay)))
    };
    let Some((first, metadata, delay)) = next(0)? else { return Err(broken("it has no frames".into())) };
    let (size, color) = ((first.width(), first.height()), first.color());
    let mut writer =
        FrameWriter::new(&mut file, job.kind, size, color, &metadata, animation, &options.settings)
            .map_err(unwritten)?;
    writer.write(&first, delay).map_err(unwritten)?;
    let mut count = 1;
    while let Some((frame, _, delay)) = next(count)? {
        writer.write(&frame, delay).map_err(unwritten)?;
        count += 1;
    }
    if count != u64::from(animation.frames) {
        return Err(broken(format!("{count} of {} frames can be decoded", animation.frames)));
    }
    writer.finish().map_err(unwritten)?;
    Ok((file, gpu, verified))
}
