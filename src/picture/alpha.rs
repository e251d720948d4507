//! What enlarging has to do about alpha, which is straight: colors are not premultiplied with it.

use image::{DynamicImage, ImageBuffer, Luma, LumaA, Pixel, Rgb, Rgba};

/// How far, in pixels, colors under transparent pixels influence visible pixels of the result: the reach of
/// interpolation and network, with a margin.
const REACH: u32 = 12;

/// Whether all pixels have the same alpha. True for a picture without alpha.
pub fn is_constant(picture: &DynamicImage) -> bool {
    fn constant<T: Copy + PartialEq>(samples: &[T], channels: usize) -> bool {
        let mut alphas = samples.iter().skip(channels - 1).step_by(channels);
        let first = alphas.next();
        alphas.all(|alpha| Some(alpha) == first)
    }
    match picture {
        DynamicImage::ImageLumaA8(buffer) => constant(buffer, 2),
        DynamicImage::ImageRgba8(buffer) => constant(buffer, 4),
        DynamicImage::ImageLumaA16(buffer) => constant(buffer, 2),
        DynamicImage::ImageRgba16(buffer) => constant(buffer, 4),
        DynamicImage::ImageRgba32F(buffer) => constant(buffer, 4),
        _ => true,
    }
}

/// Whether every pixel is fully opaque.
pub fn is_opaque(picture: &DynamicImage) -> bool {
    match picture {
        DynamicImage::ImageLumaA8(buffer) => buffer.pixels().all(|p| p[1] == u8::MAX),
        DynamicImage::ImageRgba8(buffer) => buffer.pixels().all(|p| p[3] == u8::MAX),
        DynamicImage::ImageLumaA16(buffer) => buffer.pixels().all(|p| p[1] == u16::MAX),
        DynamicImage::ImageRgba16(buffer) => buffer.pixels().all(|p| p[3] == u16::MAX),
        DynamicImage::ImageRgba32F(buffer) => buffer.pixels().all(|p| p[3] >= 1.0),
        _ => true,
    }
}

/// Removes the alpha channel.
pub fn remove(picture: DynamicImage) -> DynamicImage {
    match picture {
        DynamicImage::ImageLumaA8(_) => picture.into_luma8().into(),
        DynamicImage::ImageRgba8(_) => picture.into_rgb8().into(),
        DynamicImage::ImageLumaA16(_) => picture.into_luma16().into(),
        DynamicImage::ImageRgba16(_) => picture.into_rgb16().into(),
        DynamicImage::ImageRgba32F(_) => picture.into_rgb32f().into(),
        other => other,
    }
}

/// Undoes premultiplication: divides the colors by alpha.
pub fn divide(picture: &mut DynamicImage) {
    fn each<P: Pixel>(buffer: &mut Buffer<P>, quotient: impl Fn(P::Subpixel, P::Subpixel) -> P::Subpixel) {
        for pixel in buffer.pixels_mut() {
            if let [colors @ .., alpha] = pixel.channels_mut() {
                colors.iter_mut().for_each(|sample| *sample = quotient(*sample, *alpha));
            }
        }
    }
    let narrow = |v: u8, a: u8| to_u8(f32::from(v) / f32::from(a.max(1)));
    let wide = |v: u16, a: u16| to_u16(f32::from(v) / f32::from(a.max(1)));
    match picture {
        DynamicImage::ImageLumaA8(buffer) => each(buffer, narrow),
        DynamicImage::ImageRgba8(buffer) => each(buffer, narrow),
        DynamicImage::ImageLumaA16(buffer) => each(buffer, wide),
        DynamicImage::ImageRgba16(buffer) => each(buffer, wide),
        DynamicImage::ImageRgba32F(buffer) => each(buffer, |v, a| if a > 0.0 { v / a } else { v }),
        _ => {}
    }
}

/// Puts the picture on a background color. A grey picture stays grey on a grey background.
pub fn flatten(picture: DynamicImage, background: [u8; 3]) -> DynamicImage {
    let gray = background[0] == background[1] && background[1] == background[2];
    let float = |value: u8| f32::from(value) / 255.0;
    let mix = |color: f32, alpha: f32, ground: u8| color * alpha + float(ground) * (1.0 - alpha);
    match picture {
        DynamicImage::ImageLumaA8(buffer) if gray => {
            let pixel = |p: &LumaA<u8>| Luma([to_u8(mix(float(p[0]), float(p[1]), background[0]))]);
            map(&buffer, pixel).into()
        }
        DynamicImage::ImageLumaA16(buffer) if gray => {
            let pixel = |p: &LumaA<u16>| {
                Luma([to_u16(mix(f32::from(p[0]) / 65535.0, f32::from(p[1]) / 65535.0, background[0]))])
            };
            map(&buffer, pixel).into()
        }
        DynamicImage::ImageLumaA8(_) => flatten(picture.into_rgba8().into(), background),
        DynamicImage::ImageLumaA16(_) => flatten(picture.into_rgba16().into(), background),
        DynamicImage::ImageRgba8(buffer) => {
            let pixel = |p: &Rgba<u8>| {
                let channel = |i: usize| to_u8(mix(float(p[i]), float(p[3]), background[i]));
                Rgb([channel(0), channel(1), channel(2)])
            };
            map(&buffer, pixel).into()
        }
        DynamicImage::ImageRgba16(buffer) => {
            let pixel = |p: &Rgba<u16>| {
                let part = |i: usize| f32::from(p[i]) / 65535.0;
                let channel = |i: usize| to_u16(mix(part(i), part(3), background[i]));
                Rgb([channel(0), channel(1), channel(2)])
            };
            map(&buffer, pixel).into()
        }
        DynamicImage::ImageRgba32F(buffer) => {
            let pixel = |p: &Rgba<f32>| Rgb([0, 1, 2].map(|i| mix(p[i], p[3], background[i])));
            map(&buffer, pixel).into()
        }
        other => other,
    }
}

type Buffer<P> = ImageBuffer<P, Vec<<P as Pixel>::Subpixel>>;

fn map<P: Pixel, Q: Pixel>(buffer: &Buffer<P>, pixel: impl Fn(&P) -> Q) -> Buffer<Q> {
    let mut result = Buffer::<Q>::new(buffer.width(), buffer.height());
    result.pixels_mut().zip(buffer.pixels()).for_each(|(to, from)| *to = pixel(from));
    result
}

// The casts saturate.
fn to_u8(value: f32) -> u8 {
    (value * 255.0 + 0.5) as u8
}

fn to_u16(value: f32) -> u16 {
    (value * 65535.0 + 0.5) as u16
}

/// Alpha as a grey picture, as RGB floats if the picture has floats; `None` for a picture without alpha.
pub fn plane(picture: &DynamicImage) -> Option<DynamicImage> {
    Some(match picture {
        DynamicImage::ImageLumaA8(buffer) => map(buffer, |p| Luma([p[1]])).into(),
        DynamicImage::ImageRgba8(buffer) => map(buffer, |p| Luma([p[3]])).into(),
        DynamicImage::ImageLumaA16(buffer) => map(buffer, |p| Luma([p[1]])).into(),
        DynamicImage::ImageRgba16(buffer) => map(buffer, |p| Luma([p[3]])).into(),
        DynamicImage::ImageRgba32F(buffer) => map(buffer, |p| Rgb([p[3]; 3])).into(),
        _ => return None,
    })
}

/// Replaces alpha by a grey picture of the same size and depth, except in pixels that interpolation left fully
/// transparent or fully opaque: a network's small errors are invisible on soft edges but visible in flat areas.
pub fn set_plane(picture: &mut DynamicImage, plane: &DynamicImage) {
    fn set<P: Pixel, Q: Pixel<Subpixel = P::Subpixel>>(
        picture: &mut Buffer<P>,
        plane: &Buffer<Q>,
        full: P::Subpixel,
        none: P::Subpixel,
    ) {
        let last = usize::from(P::CHANNEL_COUNT) - 1;
        for (pixel, new) in picture.pixels_mut().zip(plane.pixels()) {
            let alpha = &mut pixel.channels_mut()[last];
            if *alpha > none && *alpha < full {
                *alpha = new.channels()[0];
            }
        }
    }
    match (picture, plane) {
        (DynamicImage::ImageLumaA8(p), DynamicImage::ImageLuma8(a)) => set(p, a, u8::MAX, 0),
        (DynamicImage::ImageRgba8(p), DynamicImage::ImageLuma8(a)) => set(p, a, u8::MAX, 0),
        (DynamicImage::ImageLumaA16(p), DynamicImage::ImageLuma16(a)) => set(p, a, u16::MAX, 0),
        (DynamicImage::ImageRgba16(p), DynamicImage::ImageLuma16(a)) => set(p, a, u16::MAX, 0),
        (DynamicImage::ImageRgba32F(p), DynamicImage::ImageRgb32F(a)) => set(p, a, 1.0 - 1e-4, 1e-4),
        _ => {}
    }
}

/// Gives fully transparent pixels near visible ones a similar color. Their own color, often black, would show as a
/// fringe along the edges of the result.
pub fn bleed(picture: &mut DynamicImage) {
    fn spread<P: Pixel>(
        buffer: &mut Buffer<P>,
        to_float: impl Fn(P::Subpixel) -> f32,
        from_float: impl Fn(f32) -> P::Subpixel,
    ) {
        let (width, height) = buffer.dimensions();
        let last = usize::from(P::CHANNEL_COUNT) - 1;
        let mut known: Vec<bool> = buffer.pixels().map(|p| to_float(p.channels()[last]) > 0.0).collect();
        if known.iter().all(|&known| known) || !known.iter().any(|&known| known) {
            return;
        }
        let at = |x: u32, y: u32| y as usize * width as usize + x as usize;
        let around = |x: u32, y: u32| {
            let columns = x.saturating_sub(1)..=(x + 1).min(width - 1);
            let rows = y.saturating_sub(1)..=(y + 1).min(height - 1);
            rows.flat_map(move |y| columns.clone().map(move |x| (x, y)))
        };
        let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let edge = |&(x, y): &(u32, u32)| !known[at(x, y)] && around(x, y).any(|(x, y)| known[at(x, y)]);
        let mut front: Vec<(u32, u32)> = all.filter(edge).collect();
        for _ in 0..REACH {
            // The whole front at once, so that the result does not depend on the order of its pixels.
            for &(x, y) in &front {
                let mut sum = [0.0; 3];
                let mut count = 0.0;
                for (x, y) in around(x, y).filter(|&(x, y)| known[at(x, y)]) {
                    let pixel = buffer.get_pixel(x, y).channels();
                    sum.iter_mut().zip(&pixel[..last]).for_each(|(sum, &v)| *sum += to_float(v));
                    count += 1.0;
                }
                let pixel = buffer.get_pixel_mut(x, y).channels_mut();
                pixel[..last].iter_mut().zip(sum).for_each(|(sample, sum)| *sample = from_float(sum / count));
            }
            front.iter().for_each(|&(x, y)| known[at(x, y)] = true);
            let mut next: Vec<_> = front.iter().flat_map(|&(x, y)| around(x, y)).collect();
            next.retain(|&(x, y)| !known[at(x, y)]);
            next.sort_unstable();
            next.dedup();
            front = next;
        }
    }
    let (from_u8, from_u16) = (|v: u8| f32::from(v) / 255.0, |v: u16| f32::from(v) / 65535.0);
    match picture {
        DynamicImage::ImageLumaA8(buffer) => spread(buffer, from_u8, to_u8),
        DynamicImage::ImageRgba8(buffer) => spread(buffer, from_u8, to_u8),
        DynamicImage::ImageLumaA16(buffer) => spread(buffer, from_u16, to_u16),
        DynamicImage::ImageRgba16(buffer) => spread(buffer, from_u16, to_u16),
        DynamicImage::ImageRgba32F(buffer) => spread(buffer, |v| v, |v| v),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbaImage;

    #[test]
    fn colors_spread_under_transparent_pixels() {
        let mut picture = RgbaImage::from_pixel(40, 3, Rgba([0, 0, 0, 0]));
        picture.put_pixel(0, 1, Rgba([200, 100, 50, 9]));
        let mut picture = DynamicImage::from(picture);
        bleed(&mut picture);
        let picture = picture.as_rgba8().unwrap();
        for x in 1..=REACH {
            assert_eq!(picture.get_pixel(x, 0).0, [200, 100, 50, 0], "{x}");
        }
        assert_eq!(picture.get_pixel(REACH + 1, 0).0, [0; 4]);
        assert_eq!(picture.get_pixel(0, 1).0, [200, 100, 50, 9], "visible pixels stay");
    }

    #[test]
    fn flattening() {
        let picture = RgbaImage::from_pixel(1, 1, Rgba([255, 0, 100, 51]));
        let flat = flatten(picture.into(), [0, 100, 200]);
        assert_eq!(flat.as_rgb8().unwrap().get_pixel(0, 0).0, [51, 80, 180]);
        let gray = ImageBuffer::from_pixel(1, 1, LumaA([100u8, 0]));
        assert_eq!(flatten(gray.clone().into(), [7; 3]).as_luma8().unwrap()[(0, 0)].0, [7]);
        assert_eq!(flatten(gray.into(), [7, 8, 9]).as_rgb8().unwrap()[(0, 0)].0, [7, 8, 9]);
    }

    #[test]
    fn division() {
        let mut picture = DynamicImage::from(RgbaImage::from_pixel(1, 1, Rgba([50, 100, 0, 100])));
        divide(&mut picture);
        assert_eq!(picture.as_bytes(), [128, 255, 0, 100]);
        let mut clear = DynamicImage::from(ImageBuffer::from_pixel(1, 1, LumaA([0u16, 0])));
        divide(&mut clear);
        assert_eq!(clear.as_luma_alpha16().unwrap()[(0, 0)].0, [0, 0]);
    }

    #[test]
    fn alpha_planes() {
        let mut picture =
            DynamicImage::from(ImageBuffer::from_fn(3, 1, |x, _| LumaA([5u8, [0, 128, 255][x as usize]])));
        assert!(!is_constant(&picture) && !is_opaque(&picture));
        let plane = plane(&picture).unwrap();
        assert_eq!(plane.as_bytes(), [0, 128, 255]);
        set_plane(&mut picture, &DynamicImage::from(ImageBuffer::from_pixel(3, 1, Luma([99u8]))));
        assert_eq!(picture.as_bytes(), [5, 0, 5, 99, 5, 255], "flat areas stay");
        assert!(is_opaque(&remove(picture)));
    }
}
