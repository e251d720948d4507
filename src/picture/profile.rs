//! Converting colors to sRGB.

use image::DynamicImage;
use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Converts an RGB picture with the profile `icc` to sRGB: in floats if the picture has floats, else in 16 bits so that
/// little is lost to rounding. Also returns the result's profile. The error says in words why it cannot be done.
pub fn to_srgb(picture: DynamicImage, icc: &[u8]) -> Result<(DynamicImage, Vec<u8>), String> {
    let failed = |e: CmsError| format!("the color profile cannot be used: {e:?}");
    let profile = ColorProfile::new_from_slice(icc).map_err(failed)?;
    if profile.color_space != DataColorSpace::Rgb {
        return Err("the color profile is not one for RGB".into());
    }
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    let alpha = picture.color().has_alpha();
    let layout = if alpha { Layout::Rgba } else { Layout::Rgb };
    let row = picture.width() as usize * if alpha { 4 } else { 3 };

    fn rows<T: Copy>(
        samples: &mut [T],
        row: usize,
        transform: impl Fn(&[T], &mut [T]) -> Result<(), CmsError>,
    ) -> Result<(), CmsError> {
        let mut source = Vec::with_capacity(row);
        for row in samples.chunks_exact_mut(row) {
            source.clear();
            source.extend_from_slice(row);
            transform(&source, row)?;
        }
        Ok(())
    }
    let mut picture = match (picture, alpha) {
        (picture @ (DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_)), _) => picture,
        (picture, false) => picture.into_rgb16().into(),
        (picture, true) => picture.into_rgba16().into(),
    };
    let wide = profile.create_transform_16bit(layout, &srgb, layout, options).map_err(failed)?;
    let float = profile.create_transform_f32(layout, &srgb, layout, options).map_err(failed)?;
    match &mut picture {
        DynamicImage::ImageRgb16(buffer) => rows(buffer, row, |from, to| wide.transform(from, to)),
        DynamicImage::ImageRgba16(buffer) => rows(buffer, row, |from, to| wide.transform(from, to)),
        DynamicImage::ImageRgb32F(buffer) => rows(buffer, row, |from, to| float.transform(from, to)),
        DynamicImage::ImageRgba32F(buffer) => rows(buffer, row, |from, to| float.transform(from, to)),
        _ => Ok(()),
    }
    .map_err(failed)?;
    Ok((picture, srgb.encode().map_err(failed)?))
}
