//! Color profiles: made of what PNG files say in chunks, and converting colors to sRGB.

use image::DynamicImage;
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, CmsError, ColorPrimaries, ColorProfile, DataColorSpace,
    Layout, LocalizableString, MatrixCoefficients, ProfileText, ToneReprCurve, TransferCharacteristics,
    TransformOptions, XyY, Xyz, Xyzd, adaption_matrix_d, curve_from_gamma,
};

use super::chunk::Chunk;

/// What `gAMA` says of sRGB, in units of 100000; `cHRM` is in the same unit.
const SRGB_GAMMA: u32 = 45_455;
const UNIT: f64 = 100_000.0;
/// Where a profile has the date that it was made at: year, month and day, hours, minutes and seconds.
const DATE: std::ops::Range<usize> = 24..36;
const D65: [f64; 2] = [0.3127, 0.329];

/// The color space that a profile is for: `b"RGB "`, `b"GRAY"`, `b"CMYK"` or another.
pub fn space(icc: &[u8]) -> Option<&[u8]> {
    icc.get(16..20)
}

/// What to call a profile, in messages.
pub fn name(icc: &[u8]) -> String {
    match space(icc) {
        Some(b"RGB ") => "a color profile for RGB".into(),
        Some(b"GRAY") => "a color profile for shades of grey".into(),
        Some(b"CMYK") => "a color profile for CMYK".into(),
        _ => "a color profile for other colors".into(),
    }
}

/// The profile for colors or for shades of grey; `None` if it is for something else. Of one for shades of grey, one for colors
/// can be made.
pub fn for_space(icc: Vec<u8>, color: bool) -> Option<Vec<u8>> {
    match (space(&icc)?, color) {
        (b"RGB ", true) | (b"GRAY", false) => Some(icc),
        (b"GRAY", true) => {
            let grey = ColorProfile::new_from_slice(&icc).ok()?;
            let mut profile = with_curve(ColorProfile::new_srgb(), grey.gray_trc.clone()?, true);
            (profile.description, profile.cicp) = (grey.description, None);
            encoded(profile, D65).ok()
        }
        _ => None,
    }
}

/// Whether a profile is the one for sRGB that is made here.
pub fn is_srgb(icc: &[u8]) -> bool {
    [true, false].iter().any(|&color| encoded(srgb(color), D65).is_ok_and(|own| own == icc))
}

/// A profile made of a PNG file's chunks; `None` if there are none, or none that count before a profile.
///
/// # Errors
/// In words, what no profile can be made of.
pub fn of_chunks(chunks: &[Chunk], has_profile: bool, color: bool) -> Result<Option<Vec<u8>>, String> {
    let named = |name| chunks.iter().find(|chunk| &chunk.name == name).map(|chunk| chunk.data.as_slice());
    let (profile, white) = match (named(b"cICP"), named(b"sRGB"), named(b"gAMA"), named(b"cHRM")) {
        (Some(cicp), ..) => of_cicp(cicp, color).ok_or("colors as told by cICP")?,
        _ if has_profile => return Ok(None),
        (_, Some(_), ..) => (srgb(color), D65),
        (_, _, None, None) => return Ok(None),
        (_, _, gamma, primaries) => {
            of_gamma(gamma, primaries, color).ok_or("colors as told by gAMA and cHRM")?
        }
    };
    encoded(profile, white).map(Some).map_err(|e| format!("colors as told by its chunks ({e:?})"))
}

/// The bytes of a profile for colors with this white, which are the same whenever it is made.
fn encoded(mut profile: ColorProfile, white: [f64; 2]) -> Result<Vec<u8>, CmsError> {
    // As ICC wants it: everything is relative to D50, and a matrix says how white became that.
    let adaptation =
        adaption_matrix_d(XyY::new(white[0], white[1], 1.0).to_xyz(), Xyz::new(0.9642, 1.0, 0.8249));
    profile.chromatic_adaptation = Some(adaptation);
    profile.white_point = Xyzd { x: 0.9642, y: 1.0, z: 0.8249 };
    profile.media_white_point = Some(profile.white_point);
    let mut bytes = profile.encode()?;
    // The encoder writes down the time.
    if let Some(date) = bytes.get_mut(DATE) {
        date.copy_from_slice(&[0x07, 0xea, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    Ok(bytes)
}

fn srgb(color: bool) -> ColorProfile {
    let srgb = ColorProfile::new_srgb();
    match srgb.red_trc.clone() {
        Some(curve) if !color => described(with_curve(srgb, curve, false), "Grey with the curve of sRGB"),
        _ => srgb,
    }
}

fn described(mut profile: ColorProfile, name: &str) -> ColorProfile {
    let text = |text: &str| {
        Some(ProfileText::Localizable(vec![LocalizableString::new("en".into(), "US".into(), text.into())]))
    };
    (profile.description, profile.copyright) = (text(name), text("Public Domain"));
    profile
}

/// The profile with the same curve for all colors, or one for shades of grey with this curve.
fn with_curve(mut profile: ColorProfile, curve: ToneReprCurve, color: bool) -> ColorProfile {
    if !color {
        let mut grey = ColorProfile::new_gray_with_gamma(1.0);
        grey.gray_trc = Some(curve);
        return grey;
    }
    profile.red_trc = Some(curve.clone());
    profile.green_trc = Some(curve.clone());
    profile.blue_trc = Some(curve);
    profile
}

/// The profile for code points of ITU-T H.273, primaries, transfer, matrix and range; and its white.
fn of_cicp(data: &[u8], color: bool) -> Option<(ColorProfile, [f64; 2])> {
    // Pictures have RGB, in the full range.
    let &[primaries, transfer, 0, 1] = data else { return None };
    let color_primaries = CicpColorPrimaries::try_from(primaries).ok()?;
    let transfer_characteristics = TransferCharacteristics::try_from(transfer).ok()?;
    let matrix_coefficients = MatrixCoefficients::Identity;
    let cicp =
        CicpProfile { color_primaries, transfer_characteristics, matrix_coefficients, full_range: true };
    let profile = ColorProfile::new_from_cicp(cicp);
    let curve = profile.red_trc.clone()?;
    let name = match (primaries, transfer) {
        (1, 13) => "sRGB IEC61966-2.1".into(),
        (12, 13) => "Display P3".into(),
        (9, 16) => "Rec.2020 PQ".into(),
        (9, 18) => "Rec.2020 HLG".into(),
        _ => format!("Primaries {primaries} and transfer {transfer} of H.273"),
    };
    let white = match color_primaries {
        CicpColorPrimaries::Bt470M | CicpColorPrimaries::GenericFilm => [0.31, 0.316],
        CicpColorPrimaries::Xyz => [1.0 / 3.0; 2],
        CicpColorPrimaries::Smpte431 => [0.314, 0.351],
        _ => D65,
    };
    let profile = if color { profile } else { with_curve(profile, curve, false) };
    Some((described(profile, &name), white))
}

/// The profile for a gamma and for white, red, green and blue, of which one may be missing; and its white.
fn of_gamma(gamma: Option<&[u8]>, primaries: Option<&[u8]>, color: bool) -> Option<(ColorProfile, [f64; 2])> {
    let number =
        |data: &[u8], at: usize| Some(u32::from_be_bytes(data.get(4 * at..4 * at + 4)?.try_into().ok()?));
    let gamma = gamma.map(|data| number(data, 0)).unwrap_or(Some(SRGB_GAMMA))?;
    // Programs write this for sRGB, whose curve is a little different.
    let is_srgb = gamma.abs_diff(SRGB_GAMMA) <= SRGB_GAMMA / 20;
    if !(5_000..=1_000_000).contains(&gamma) {
        return None;
    }
    let curve = if is_srgb {
        ColorProfile::new_srgb().red_trc?
    } else {
        curve_from_gamma((UNIT / f64::from(gamma)) as f32)
    };
    let mut profile = with_curve(ColorProfile::new_srgb(), curve, color);
    let (mut srgb_primaries, mut white) = (true, D65);
    if let Some(data) = primaries.filter(|_| color) {
        let points = (0..4).map(|at| {
            let point =
                [number(data, 2 * at)?, number(data, 2 * at + 1)?].map(|value| f64::from(value) / UNIT);
            (point[1] > 0.0 && point[0] + point[1] <= 1.01).then_some(point)
        });
        let points: Vec<[f64; 2]> = points.collect::<Option<_>>()?;
        let usual = [D65, [0.64, 0.33], [0.3, 0.6], [0.15, 0.06]];
        srgb_primaries = points.iter().zip(usual).all(|(a, b)| (0..2).all(|i| (a[i] - b[i]).abs() < 0.003));
        if !srgb_primaries {
            let point = |at: usize| Chromaticity { x: points[at][0] as f32, y: points[at][1] as f32 };
            white = points[0];
            let primaries = ColorPrimaries { red: point(1), green: point(2), blue: point(3) };
            profile.update_rgb_colorimetry(XyY::new(white[0], white[1], 1.0), primaries);
            let matrix = [profile.red_colorant, profile.green_colorant, profile.blue_colorant];
            // Primaries in a line have no matrix.
            matrix
                .iter()
                .all(|c| [c.x, c.y, c.z].iter().all(|v| v.is_finite() && v.abs() < 4.0))
                .then_some(())?;
        }
    }
    if is_srgb && srgb_primaries {
        return Some((srgb(color), D65));
    }
    profile.cicp = None;
    Some((described(profile, &format!("Gamma {:.2}", UNIT / f64::from(gamma))), white))
}

/// Converts an RGB picture with the profile `icc` to sRGB: in floats if the picture has floats, else in 16 bits so that
/// little is lost to rounding. Also returns the result's profile. The error says in words why it cannot be done.
pub fn to_srgb(picture: DynamicImage, icc: &[u8]) -> Result<(DynamicImage, Vec<u8>), String> {
    let failed = |e: CmsError| format!("the color profile cannot be used: {e:?}");
    let profile = ColorProfile::new_from_slice(icc).map_err(failed)?;
    if profile.color_space != DataColorSpace::Rgb {
        return Err("the color profile is not one for RGB".into());
    }
    let transfer = profile.cicp.map(|cicp| cicp.transfer_characteristics);
    if let Some(TransferCharacteristics::Smpte2084 | TransferCharacteristics::Hlg) = transfer {
        return Err("its colors are brighter than sRGB can be (HDR)".into());
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
    Ok((picture, encoded(srgb, D65).map_err(failed)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], data: &[u8]) -> Chunk {
        Chunk { name: *name, data: data.to_vec() }
    }

    fn big(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    /// What a color becomes in sRGB by the profile of these chunks.
    fn converted(chunks: &[Chunk], color: [u8; 3]) -> [u8; 3] {
        let icc = of_chunks(chunks, false, true).unwrap().unwrap();
        let picture = image::RgbImage::from_pixel(1, 1, image::Rgb(color));
        to_srgb(picture.into(), &icc).unwrap().0.to_rgb8().get_pixel(0, 0).0
    }

    #[test]
    fn chunks_count_by_their_rank() {
        let [p3, srgb] = [chunk(b"cICP", &[12, 13, 0, 1]), chunk(b"sRGB", &[0])];
        let linear = chunk(b"gAMA", &big(&[100_000]));
        let of = |chunks: &[&Chunk], has_profile| {
            let chunks: Vec<Chunk> = chunks.iter().map(|&chunk| chunk.clone()).collect();
            of_chunks(&chunks, has_profile, true)
        };
        assert!(is_srgb(&of(&[&srgb, &linear], false).unwrap().unwrap()));
        assert!(!is_srgb(&of(&[&linear], false).unwrap().unwrap()));
        assert!(!is_srgb(&of(&[&srgb, &p3, &linear], true).unwrap().unwrap()));
        assert_eq!(of(&[&srgb, &linear], true), Ok(None));
        assert_eq!(of(&[], false), Ok(None));
        // Programs write this pair for sRGB.
        let usual = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
        let pair = [chunk(b"gAMA", &big(&[45_455])), chunk(b"cHRM", &big(&usual))];
        assert!(is_srgb(&of_chunks(&pair, false, true).unwrap().unwrap()));
        for broken in
            [&chunk(b"cICP", &[12, 13, 1, 1]), &chunk(b"cICP", &[12, 2, 0, 1]), &chunk(b"gAMA", &[0; 4])]
        {
            assert!(of(&[broken], false).is_err(), "{broken:?}");
        }
        let line = chunk(b"cHRM", &big(&[31_270, 32_900, 20_000, 20_000, 30_000, 30_000, 40_000, 40_000]));
        assert!(of(&[&line], false).is_err());
    }

    #[test]
    fn colors_by_chunks() {
        // 0.5 in linear light is 188 in sRGB.
        let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(&a, b)| a.abs_diff(b) <= 1);
        let linear = [chunk(b"gAMA", &big(&[100_000]))];
        assert!(near(converted(&linear, [128, 0, 255]), [188, 0, 255]));
        let p3 = [chunk(b"cICP", &[12, 13, 0, 1])];
        assert!(near(converted(&p3, [128; 3]), [128; 3]));
        // By definition of the primaries; the same numbers by cHRM.
        let by_cicp = converted(&p3, [150, 90, 60]);
        let primaries = [31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000];
        let by_chrm = [chunk(b"gAMA", &big(&[45_455])), chunk(b"cHRM", &big(&primaries))];
        assert!(near(by_cicp, converted(&by_chrm, [150, 90, 60])) && by_cicp[0] > 154, "{by_cicp:?}");
        // White stays white, whatever it was.
        let warm = [34_570, 35_850, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
        let warm = [chunk(b"gAMA", &big(&[100_000])), chunk(b"cHRM", &big(&warm))];
        assert!(near(converted(&warm, [255; 3]), [255; 3]) && near(converted(&warm, [128; 3]), [188; 3]));
        let pq = of_chunks(&[chunk(b"cICP", &[9, 16, 0, 1])], false, true).unwrap().unwrap();
        assert!(to_srgb(DynamicImage::new_rgb8(1, 1), &pq).unwrap_err().contains("HDR"));
    }

    #[test]
    fn profiles_for_grey() {
        let grey = of_chunks(&[chunk(b"gAMA", &big(&[100_000]))], false, false).unwrap().unwrap();
        assert_eq!(space(&grey), Some(b"GRAY".as_slice()));
        let colors = for_space(grey.clone(), true).unwrap();
        assert_eq!(space(&colors), Some(b"RGB ".as_slice()));
        let picture = image::RgbImage::from_pixel(1, 1, image::Rgb([128; 3]));
        let made = to_srgb(picture.into(), &colors).unwrap().0.to_rgb8().get_pixel(0, 0).0;
        assert!(made.iter().all(|value| value.abs_diff(188) <= 1), "{made:?}");
        assert_eq!(for_space(grey.clone(), false), Some(grey));
        assert_eq!(for_space(colors, false), None);
        assert!(is_srgb(&of_chunks(&[chunk(b"sRGB", &[0])], false, false).unwrap().unwrap()));
    }
}
