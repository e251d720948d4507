//! Frames of an APNG file, composed in 16 bits: each one is the whole picture as it is shown.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::{ColorType, DynamicImage, ImageBuffer, Rgba};
use png::{BitDepth, BlendOp, Decoder, DecodingError, DisposeOp, FrameControl, Reader, Transformations};

use super::animation::Delay;
use super::samples::{convert, from_big_endian};

type Canvas = ImageBuffer<Rgba<u16>, Vec<u16>>;

/// The frames of a file, converted to `color`.
pub struct Frames {
    reader: Reader<BufReader<File>>,
    color: ColorType,
    left: u32,
    canvas: Canvas,
    /// How to dispose of the last frame before the next one: its place, and the canvas without it.
    disposal: Option<(FrameControl, Option<Canvas>)>,
}

impl Frames {
    pub fn open(path: &Path, color: ColorType) -> Result<Self, DecodingError> {
        let mut decoder = Decoder::new(BufReader::new(File::open(path)?));
        decoder.set_transformations(Transformations::EXPAND);
        let mut reader = decoder.read_info()?;
        let info = reader.info();
        let left = info.animation_control.map_or(0, |control| control.num_frames);
        let canvas = Canvas::new(info.width, info.height);
        if info.frame_control.is_none() {
            // The picture for programs without animations is not a frame.
            read_frame(&mut reader)?;
        }
        Ok(Self { reader, color, left, canvas, disposal: None })
    }

    fn read(&mut self) -> Result<(DynamicImage, Delay), DecodingError> {
        let frame = read_frame(&mut self.reader)?;
        let control = self.reader.info().frame_control.unwrap_or(FrameControl {
            width: frame.width(),
            height: frame.height(),
            ..FrameControl::default()
        });
        match self.disposal.take() {
            Some((last, None)) if last.dispose_op == DisposeOp::Background => {
                for_each_pixel(&last, |x, y| self.canvas.put_pixel(x, y, Rgba([0; 4])));
            }
            Some((_, Some(before))) => self.canvas = before,
            Some(_) | None => {}
        }
        let before = (control.dispose_op == DisposeOp::Previous).then(|| self.canvas.clone());
        let (left, top) = (control.x_offset, control.y_offset);
        for_each_pixel(&control, |x, y| {
            let (below, above) = (self.canvas.get_pixel_mut(x, y), frame.get_pixel(x - left, y - top));
            *below = if control.blend_op == BlendOp::Over { over(*above, *below) } else { *above };
        });
        self.disposal = Some((control, before));
        // A denominator of 0 means hundredths.
        let denominator = if control.delay_den == 0 { 100 } else { control.delay_den };
        let delay = Delay::new(u32::from(control.delay_num) * 1000, denominator.into());
        Ok((convert(DynamicImage::from(self.canvas.clone()), self.color), delay))
    }
}

impl Iterator for Frames {
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

/// The decoder has checked that frames lie within the picture.
fn for_each_pixel(frame: &FrameControl, mut act: impl FnMut(u32, u32)) {
    for y in frame.y_offset..frame.y_offset + frame.height {
        (frame.x_offset..frame.x_offset + frame.width).for_each(|x| act(x, y));
    }
}

fn read_frame(reader: &mut Reader<BufReader<File>>) -> Result<Canvas, DecodingError> {
    let size = reader.output_buffer_size().ok_or(DecodingError::LimitsExceeded)?;
    let mut samples = vec![0; size];
    let frame = reader.next_frame(&mut samples)?;
    samples.truncate(frame.buffer_size());
    let channels = frame.color_type.samples();
    let wide: Vec<u16> = match frame.bit_depth {
        BitDepth::Sixteen => from_big_endian(&samples),
        _ => samples.iter().map(|&sample| u16::from(sample) * 257).collect(),
    };
    let pixels = wide.chunks_exact(channels).flat_map(|pixel| match *pixel {
        [gray] => [gray, gray, gray, u16::MAX],
        [gray, alpha] => [gray, gray, gray, alpha],
        [red, green, blue] => [red, green, blue, u16::MAX],
        _ => [pixel[0], pixel[1], pixel[2], pixel[3]],
    });
    Canvas::from_raw(frame.width, frame.height, pixels.collect()).ok_or(DecodingError::LimitsExceeded)
}

/// One pixel over another, with straight alpha.
fn over(above: Rgba<u16>, below: Rgba<u16>) -> Rgba<u16> {
    match (above[3], below[3]) {
        (u16::MAX, _) | (_, 0) => return above,
        (0, _) => return below,
        _ => {}
    }
    let share = |value: u16| f64::from(value) / 65535.0;
    let (a, b) = (share(above[3]), share(below[3]) * (1.0 - share(above[3])));
    let color = |i: usize| ((f64::from(above[i]) * a + f64::from(below[i]) * b) / (a + b)).round() as u16;
    Rgba([color(0), color(1), color(2), ((a + b) * 65535.0).round() as u16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_on_pixels() {
        let (half, full) = (32768, 65535);
        assert_eq!(over(Rgba([9, 9, 9, 0]), Rgba([1, 2, 3, half])), Rgba([1, 2, 3, half]));
        assert_eq!(over(Rgba([9, 9, 9, full]), Rgba([1, 2, 3, half])), Rgba([9, 9, 9, full]));
        assert_eq!(over(Rgba([100, 0, 40, half]), Rgba([0, 200, 40, full])), Rgba([50, 100, 40, full]));
        let both = over(Rgba([300, 0, 0, half]), Rgba([0, 300, 0, half]));
        assert_eq!(both, Rgba([200, 100, 0, 49152]));
    }
}
