//! Pictures to texels and back, for the color types of the `image` crate; samples are floats in 0..1.

use std::ops::Range;

use image::{ColorType, DynamicImage, ImageBuffer, Luma, LumaA, Pixel, Rgb, Rgba};

use crate::error::{Error, Result};
use crate::planes::Planes;

/// Red, green, blue, alpha; or planes in the first channels.
pub(crate) type Texel = [f32; 4];

/// Tiles are read from this.
pub(crate) trait Source {
    /// Width and height.
    fn size(&self) -> (u32, u32);
    /// Appends the texels of a rectangle to `texels`, row by row.
    fn read(&self, columns: Range<usize>, rows: Range<usize>, texels: &mut Vec<Texel>);
}

/// Tiles are written to this.
pub(crate) trait Sink {
    /// Announces a tile whose first column is `x`. Tiles come in rows of tiles, from left to right.
    fn begin(&mut self, _x: usize, _rows: Range<usize>) -> Result<()> {
        Ok(())
    }
    /// Writes part of row `y`, from column `x` on.
    fn write(&mut self, x: usize, y: usize, texels: &[Texel]);
}

/// A sample of a picture.
trait Sample: image::Primitive {
    fn to_float(self) -> f32;
    /// Rounded half up and clamped where the type is an integer.
    fn from_float(value: f32) -> Self;
}

macro_rules! integer_sample {
    ($($type:ty),+) => {$(
        impl Sample for $type {
            fn to_float(self) -> f32 {
                f32::from(self) / f32::from(<$type>::MAX)
            }
            fn from_float(value: f32) -> Self {
                // The cast saturates and turns NaN into 0.
                (value * f32::from(<$type>::MAX) + 0.5) as $type
            }
        }
    )+};
}
integer_sample!(u8, u16);

impl Sample for f32 {
    fn to_float(self) -> f32 {
        self
    }
    fn from_float(value: f32) -> Self {
        value
    }
}

fn read_pixel<S: Sample>(pixel: &[S]) -> Texel {
    let v = |i: usize| pixel[i].to_float();
    match pixel.len() {
        1 => [v(0), v(0), v(0), 1.0],
        2 => [v(0), v(0), v(0), v(1)],
        3 => [v(0), v(1), v(2), 1.0],
        _ => [v(0), v(1), v(2), v(3)],
    }
}

fn write_pixel<S: Sample>(pixel: &mut [S], texel: &Texel) {
    // The channels of a grey picture are equal up to rounding; green is affected least by chrominance.
    let order: &[usize] = match pixel.len() {
        1 => &[1],
        2 => &[1, 3],
        3 => &[0, 1, 2],
        _ => &[0, 1, 2, 3],
    };
    for (sample, &channel) in pixel.iter_mut().zip(order) {
        *sample = S::from_float(texel[channel]);
    }
}

fn read_rows<P: Pixel<Subpixel: Sample>>(
    buffer: &ImageBuffer<P, Vec<P::Subpixel>>,
    columns: Range<usize>,
    rows: Range<usize>,
    texels: &mut Vec<Texel>,
) {
    let channels = usize::from(P::CHANNEL_COUNT);
    let stride = buffer.width() as usize * channels;
    for row in buffer.as_raw().chunks_exact(stride).take(rows.end).skip(rows.start) {
        let part = &row[columns.start * channels..columns.end * channels];
        texels.extend(part.chunks_exact(channels).map(read_pixel));
    }
}

fn write_row<P: Pixel<Subpixel: Sample>>(
    buffer: &mut ImageBuffer<P, Vec<P::Subpixel>>,
    x: usize,
    y: usize,
    texels: &[Texel],
) {
    let channels = usize::from(P::CHANNEL_COUNT);
    let start = (y * buffer.width() as usize + x) * channels;
    let row = &mut buffer.as_flat_samples_mut().samples[start..start + texels.len() * channels];
    for (pixel, texel) in row.chunks_exact_mut(channels).zip(texels) {
        write_pixel(pixel, texel);
    }
}

macro_rules! each_kind {
    ($picture:expr, $buffer:ident => $body:expr) => {
        match $picture {
            DynamicImage::ImageLuma8($buffer) => $body,
            DynamicImage::ImageLumaA8($buffer) => $body,
            DynamicImage::ImageRgb8($buffer) => $body,
            DynamicImage::ImageRgba8($buffer) => $body,
            DynamicImage::ImageLuma16($buffer) => $body,
            DynamicImage::ImageLumaA16($buffer) => $body,
            DynamicImage::ImageRgb16($buffer) => $body,
            DynamicImage::ImageRgba16($buffer) => $body,
            DynamicImage::ImageRgb32F($buffer) => $body,
            DynamicImage::ImageRgba32F($buffer) => $body,
            // `empty` creates no other types, and `check_color` refuses them as sources.
            _ => {}
        }
    };
}

impl Source for DynamicImage {
    fn size(&self) -> (u32, u32) {
        (self.width(), self.height())
    }

    fn read(&self, columns: Range<usize>, rows: Range<usize>, texels: &mut Vec<Texel>) {
        each_kind!(self, buffer => read_rows(buffer, columns, rows, texels));
    }
}

impl Sink for DynamicImage {
    fn write(&mut self, x: usize, y: usize, texels: &[Texel]) {
        each_kind!(self, buffer => write_row(buffer, x, y, texels));
    }
}

/// An empty picture of a color type.
///
/// # Errors
/// [`Error::Picture`] for an unsupported color type, or when memory runs out.
pub(crate) fn empty(color: ColorType, width: u32, height: u32) -> Result<DynamicImage> {
    fn buffer<P: Pixel<Subpixel: Sample>>(
        width: u32,
        height: u32,
    ) -> Result<ImageBuffer<P, Vec<P::Subpixel>>> {
        let samples = u64::from(width) * u64::from(height) * u64::from(P::CHANNEL_COUNT);
        let no_memory =
            || Error::Picture(format!("not enough memory for a result of {width}x{height} pixels").into());
        let samples = usize::try_from(samples).map_err(|_| no_memory())?;
        let mut data = Vec::new();
        data.try_reserve_exact(samples).map_err(|_| no_memory())?;
        data.resize(samples, P::Subpixel::from_float(0.0));
        ImageBuffer::from_raw(width, height, data).ok_or_else(no_memory)
    }
    Ok(match color {
        ColorType::L8 => buffer::<Luma<u8>>(width, height)?.into(),
        ColorType::La8 => buffer::<LumaA<u8>>(width, height)?.into(),
        ColorType::Rgb8 => buffer::<Rgb<u8>>(width, height)?.into(),
        ColorType::Rgba8 => buffer::<Rgba<u8>>(width, height)?.into(),
        ColorType::L16 => buffer::<Luma<u16>>(width, height)?.into(),
        ColorType::La16 => buffer::<LumaA<u16>>(width, height)?.into(),
        ColorType::Rgb16 => buffer::<Rgb<u16>>(width, height)?.into(),
        ColorType::Rgba16 => buffer::<Rgba<u16>>(width, height)?.into(),
        ColorType::Rgb32F => buffer::<Rgb<f32>>(width, height)?.into(),
        ColorType::Rgba32F => buffer::<Rgba<f32>>(width, height)?.into(),
        other => return Err(not_known(other)),
    })
}

/// Refuses unsupported color types.
///
/// # Errors
/// [`Error::Picture`] for an unsupported color type.
pub(crate) fn check_color(color: ColorType) -> Result<()> {
    use ColorType::{L8, L16, La8, La16, Rgb8, Rgb16, Rgb32F, Rgba8, Rgba16, Rgba32F};
    match color {
        L8 | La8 | Rgb8 | Rgba8 | L16 | La16 | Rgb16 | Rgba16 | Rgb32F | Rgba32F => Ok(()),
        other => Err(not_known(other)),
    }
}

fn not_known(color: ColorType) -> Error {
    Error::Picture(format!("color type {color:?} is not supported").into())
}

impl Source for Planes {
    fn size(&self) -> (u32, u32) {
        (self.width as u32, self.height as u32)
    }

    fn read(&self, columns: Range<usize>, rows: Range<usize>, texels: &mut Vec<Texel>) {
        let plane = self.width * self.height;
        for y in rows {
            texels.extend(columns.clone().map(|x| {
                let mut texel = [0.0; 4];
                for (c, value) in texel.iter_mut().enumerate().take(self.channels) {
                    *value = self.data[c * plane + y * self.width + x];
                }
                texel
            }));
        }
    }
}

impl Sink for Planes {
    fn write(&mut self, x: usize, y: usize, texels: &[Texel]) {
        let plane = self.width * self.height;
        for (i, texel) in texels.iter().enumerate() {
            for (c, value) in texel.iter().enumerate().take(self.channels) {
                self.data[c * plane + y * self.width + x + i] = *value;
            }
        }
    }
}
