//! Frames of an APNG file, composed in 8 or 16 bits as they are stored.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::{ColorType, DynamicImage};
use png::{BitDepth, BlendOp, Decoder, DecodingError, DisposeOp, FrameControl, Reader, Transformations};

use super::animation::Delay;
use super::compose::{Canvas, Composer, Disposal, Placement, Sample};
use super::samples::{convert, from_big_endian};

/// Frames in order, each with the time that it is shown for.
type Frames = Box<dyn Iterator<Item = Result<(DynamicImage, Delay), DecodingError>>>;

/// The composed frames of a file, converted to `color`.
pub fn frames(path: &Path, color: ColorType) -> Result<Frames, DecodingError> {
    let mut decoder = Decoder::new(BufReader::new(File::open(path)?));
    decoder.set_transformations(Transformations::EXPAND);
    let reader = decoder.read_info()?;
    Ok(match reader.info().bit_depth {
        BitDepth::Sixteen => Box::new(Composed::<u16>::new(reader, color, from_big_endian)?),
        _ => Box::new(Composed::<u8>::new(reader, color, <[u8]>::to_vec)?),
    })
}

struct Composed<S: Sample> {
    reader: Reader<BufReader<File>>,
    color: ColorType,
    left: u32,
    composer: Composer<S>,
    /// Makes samples of the bytes of a frame.
    samples: fn(&[u8]) -> Vec<S>,
}

impl<S: Sample> Composed<S> {
    fn new(
        mut reader: Reader<BufReader<File>>,
        color: ColorType,
        samples: fn(&[u8]) -> Vec<S>,
    ) -> Result<Self, DecodingError> {
        let info = reader.info();
        let left = info.animation_control.map_or(0, |control| control.num_frames);
        let composer = Composer::new(info.width, info.height);
        if info.frame_control.is_none() {
            // The picture for programs without animations is not a frame.
            read_frame(&mut reader, samples)?;
        }
        Ok(Self { reader, color, left, composer, samples })
    }

    fn read(&mut self) -> Result<(DynamicImage, Delay), DecodingError> {
        let frame = read_frame(&mut self.reader, self.samples)?;
        let control = self.reader.info().frame_control.unwrap_or(FrameControl {
            width: frame.size().0,
            height: frame.size().1,
            ..FrameControl::default()
        });
        let placement = Placement {
            at: (control.x_offset, control.y_offset),
            over: control.blend_op == BlendOp::Over,
            disposal: match control.dispose_op {
                DisposeOp::None => Disposal::Keep,
                DisposeOp::Background => Disposal::Clear,
                DisposeOp::Previous => Disposal::Restore,
            },
        };
        let shown = self.composer.add(&frame, placement).to_picture();
        // A denominator of 0 means hundredths.
        let denominator = if control.delay_den == 0 { 100 } else { control.delay_den };
        let delay = Delay::new(u32::from(control.delay_num) * 1000, denominator.into());
        Ok((convert(shown, self.color), delay))
    }
}

impl<S: Sample> Iterator for Composed<S> {
    type Item = Result<(DynamicImage, Delay), DecodingError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let frame = self.read();
        if frame.is_err() {
            self.left = 0;
        }
        Some(frame)
    }
}

fn read_frame<S: Sample>(
    reader: &mut Reader<BufReader<File>>,
    samples: fn(&[u8]) -> Vec<S>,
) -> Result<Canvas<S>, DecodingError> {
    let size = reader.output_buffer_size().ok_or(DecodingError::LimitsExceeded)?;
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes)?;
    bytes.truncate(frame.buffer_size());
    let opaque = S::FULL;
    let samples = samples(&bytes);
    let pixels = samples.chunks_exact(frame.color_type.samples()).map(|pixel| match *pixel {
        [gray] => [gray, gray, gray, opaque],
        [gray, alpha] => [gray, gray, gray, alpha],
        [red, green, blue] => [red, green, blue, opaque],
        _ => [pixel[0], pixel[1], pixel[2], pixel[3]],
    });
    Canvas::new(frame.width, frame.height, pixels.collect()).ok_or(DecodingError::LimitsExceeded)
}
