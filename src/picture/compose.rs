//! Frames of an animation put together: each one becomes the whole picture as it is shown.

use image::{DynamicImage, ImageBuffer, Rgba};

/// A pixel with straight alpha.
pub type Pixel<S> = [S; 4];

/// A picture with alpha, in 8 or 16 bits.
#[derive(Clone)]
pub struct Canvas<S> {
    width: u32,
    height: u32,
    pixels: Vec<Pixel<S>>,
}

impl<S: Sample> Canvas<S> {
    /// `None` if there are not as many pixels as the picture needs.
    pub fn new(width: u32, height: u32, pixels: Vec<Pixel<S>>) -> Option<Self> {
        (pixels.len() as u64 == u64::from(width) * u64::from(height)).then_some(Self {
            width,
            height,
            pixels,
        })
    }

    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn at(&self, x: u32, y: u32) -> usize {
        y as usize * self.width as usize + x as usize
    }

    pub fn to_picture(&self) -> DynamicImage {
        S::picture(self.width, self.height, self.pixels.as_flattened().to_vec())
    }
}

/// A sample of 8 or 16 bits.
pub trait Sample: Copy + Default {
    const FULL: Self;
    /// From 0 to 1.
    fn share(self) -> f64;
    /// The nearest sample to a number from 0 to 1.
    fn nearest(share: f64) -> Self;
    /// A picture of red, green, blue and alpha, of which there are as many as it needs.
    fn picture(width: u32, height: u32, samples: Vec<Self>) -> DynamicImage;
}

macro_rules! sample {
    ($($type:ty),+) => {$(
        impl Sample for $type {
            const FULL: Self = <$type>::MAX;
            fn share(self) -> f64 {
                f64::from(self) / f64::from(<$type>::MAX)
            }
            fn nearest(share: f64) -> Self {
                // The cast saturates.
                (share * f64::from(<$type>::MAX)).round() as $type
            }
            fn picture(width: u32, height: u32, samples: Vec<Self>) -> DynamicImage {
                let buffer = ImageBuffer::<Rgba<$type>, _>::from_raw(width, height, samples);
                buffer.unwrap_or_default().into()
            }
        }
    )+};
}
sample!(u8, u16);

/// What happens to a frame before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposal {
    /// It stays.
    Keep,
    /// Its place becomes transparent.
    Clear,
    /// What was there before it comes back.
    Restore,
}

/// How a frame is put on the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Column and row of its first pixel.
    pub at: (u32, u32),
    /// Whether it is laid over the canvas, rather than replacing a part of it.
    pub over: bool,
    pub disposal: Disposal,
}

/// The canvas of an animation, transparent at first.
pub struct Composer<S: Sample> {
    canvas: Canvas<S>,
    /// The last frame: its place and size, and what to do about it.
    last: Option<(Placement, (u32, u32))>,
    /// The canvas without the last frame, if it is to come back.
    before: Option<Canvas<S>>,
}

impl<S: Sample> Composer<S> {
    pub fn new(width: u32, height: u32) -> Self {
        let pixels = vec![Pixel::<S>::default(); width as usize * height as usize];
        Self { canvas: Canvas { width, height, pixels }, last: None, before: None }
    }

    /// Puts the next frame on the canvas, as far as it lies within. Returns the picture to show.
    pub fn add(&mut self, frame: &Canvas<S>, placement: Placement) -> &Canvas<S> {
        match (self.last.take(), self.before.take()) {
            (_, Some(before)) => self.canvas = before,
            (Some((last, size)), _) if last.disposal == Disposal::Clear => {
                self.for_each_pixel(last.at, size, |pixel, _, _| *pixel = Pixel::default());
            }
            _ => {}
        }
        if placement.disposal == Disposal::Restore {
            self.before = Some(self.canvas.clone());
        }
        let (left, top) = placement.at;
        self.for_each_pixel(placement.at, frame.size(), |below, x, y| {
            let above = frame.pixels[frame.at(x - left, y - top)];
            *below = if placement.over { over(above, *below) } else { above };
        });
        self.last = Some((placement, frame.size()));
        &self.canvas
    }

    fn for_each_pixel(
        &mut self,
        (left, top): (u32, u32),
        (width, height): (u32, u32),
        mut act: impl FnMut(&mut Pixel<S>, u32, u32),
    ) {
        let end = |first: u32, length: u32, most: u32| first.saturating_add(length).min(most);
        let (right, bottom) = (end(left, width, self.canvas.width), end(top, height, self.canvas.height));
        for y in top..bottom {
            for x in left..right {
                let at = self.canvas.at(x, y);
                act(&mut self.canvas.pixels[at], x, y);
            }
        }
    }
}

/// One pixel over another, with straight alpha.
fn over<S: Sample>(above: Pixel<S>, below: Pixel<S>) -> Pixel<S> {
    let [alpha_above, alpha_below] = [above[3].share(), below[3].share()];
    if alpha_above >= 1.0 || alpha_below <= 0.0 {
        return above;
    }
    if alpha_above <= 0.0 {
        return below;
    }
    let (a, b) = (alpha_above, alpha_below * (1.0 - alpha_above));
    let color = |i: usize| S::nearest((above[i].share() * a + below[i].share() * b) / (a + b));
    [color(0), color(1), color(2), S::nearest(a + b)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_on_pixels() {
        let (half, full) = (32768u16, 65535);
        assert_eq!(over([9, 9, 9, 0], [1, 2, 3, half]), [1, 2, 3, half]);
        assert_eq!(over([9, 9, 9, full], [1, 2, 3, half]), [9, 9, 9, full]);
        assert_eq!(over([100, 0, 40, half], [0, 200, 40, full]), [50, 100, 40, full]);
        let both = over([300, 0, 0, half], [0, 300, 0, half]);
        assert_eq!(both, [200, 100, 0, 49152]);
        assert_eq!(over([200u8, 0, 0, 128], [0, 100, 0, 255]), [100, 50, 0, 255]);
    }

    #[test]
    fn frames_are_disposed_of() {
        let frame = |value: u8| Canvas { width: 1, height: 1, pixels: vec![[value, 0, 0, 255]] };
        let mut composer = Composer::new(3, 1);
        let mut shown = |value: u8, x: u32, disposal: Disposal| {
            let canvas = composer.add(&frame(value), Placement { at: (x, 0), over: true, disposal });
            canvas.pixels.iter().map(|pixel| if pixel[3] == 0 { 0 } else { pixel[0] }).collect::<Vec<u8>>()
        };
        assert_eq!(shown(1, 0, Disposal::Keep), [1, 0, 0]);
        assert_eq!(shown(2, 1, Disposal::Clear), [1, 2, 0]);
        assert_eq!(shown(3, 0, Disposal::Restore), [3, 0, 0]);
        assert_eq!(shown(4, 2, Disposal::Restore), [1, 0, 4]);
        assert_eq!(shown(5, 1, Disposal::Clear), [1, 5, 0]);
        // Outside of the canvas there is nothing.
        assert_eq!(shown(6, 7, Disposal::Keep), [1, 0, 0]);
    }
}
