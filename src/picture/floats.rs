//! Pictures of floats: whether their samples can be enlarged at all.

use image::DynamicImage;

/// Samples may lie this far outside of 0 to 1 without a word: enlarging does that too.
const AROUND: f32 = 0.1;
/// Samples further from zero than this are not meant as 0 to 1.
const FAR: f32 = 16.0;

/// Looks through the samples of a picture. Returns a remark on values outside of 0 to 1; the error says in words why the
/// picture cannot be enlarged: it has values that are no numbers, or its samples are on another scale.
pub fn check(picture: &DynamicImage) -> Result<Option<String>, String> {
    let (samples, channels): (&[f32], usize) = match picture {
        DynamicImage::ImageRgb32F(buffer) => (buffer, 3),
        DynamicImage::ImageRgba32F(buffer) => (buffer, 4),
        _ => return Ok(None),
    };
    if let Some(first) = samples.iter().position(|sample| !sample.is_finite()) {
        let count = samples.iter().filter(|sample| !sample.is_finite()).count();
        let (pixel, width) = (first / channels, picture.width() as usize);
        return Err(format!(
            "{count} of its samples are infinite or not numbers, first in column {}, row {}; give these pixels a value",
            pixel % width,
            pixel / width
        ));
    }
    let (low, high) = samples.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    if low < -FAR || high > FAR {
        let instead = match high {
            _ if low < -AROUND => "scale them to that range",
            ..=255.5 => "divide them by 255",
            ..=65535.5 => "divide them by 65535",
            _ => "scale them to that range",
        };
        return Err(format!(
            "its samples reach from {low} to {high}, but floats are read as 0 to 1; {instead}"
        ));
    }
    let outside = low < -AROUND || high > 1.0 + AROUND;
    Ok(outside.then(|| {
        format!(
            "its samples reach from {low} to {high}; only formats with floats keep what is outside of 0 to 1"
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer, Rgb, Rgba};

    fn checked(value: f32) -> Result<Option<String>, String> {
        let pixel = |x, _| if x == 2 { Rgb([0.5, value, 0.5]) } else { Rgb([0.0; 3]) };
        check(&ImageBuffer::from_fn(4, 2, pixel).into())
    }

    #[test]
    fn numbers_and_their_range() {
        assert_eq!(checked(1.0), Ok(None));
        assert_eq!(checked(-0.05), Ok(None));
        assert!(checked(1.5).unwrap().is_some_and(|remark| remark.contains("from 0 to 1.5")));
        for (value, words) in [
            (255.0, "from 0 to 255, but floats are read as 0 to 1; divide them by 255"),
            (60000.0, "divide them by 65535"),
            (-40.0, "from -40 to 0.5"),
            (f32::NAN, "2 of its samples are infinite or not numbers, first in column 2, row 0"),
            (f32::INFINITY, "column 2, row 0"),
        ] {
            assert!(checked(value).is_err_and(|why| why.contains(words)), "{value}");
        }
        let alpha = ImageBuffer::from_pixel(1, 1, Rgba([0.0, 0.0, 0.0, f32::NAN]));
        assert!(check(&alpha.into()).is_err());
        assert_eq!(check(&DynamicImage::new_rgb8(1, 1)), Ok(None));
    }
}
