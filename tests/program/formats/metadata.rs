//! Profiles, Exif, XMP, orientation, resolution.

use image::metadata::Orientation;
use image::{ColorType, ImageEncoder, ImageFormat};

use super::corpus::{described, encoded, exif, picture, profile, xmp};
use super::desk::Desk;

const SOURCES: [(&str, ImageFormat); 3] =
    [("a.png", ImageFormat::Png), ("a.jpg", ImageFormat::Jpeg), ("a.webp", ImageFormat::WebP)];

/// From every format to every other that can hold them, TIFF included.
#[test]
fn profile_exif_and_xmp_go_from_format_to_format() {
    let desk = Desk::new();
    let picture = picture(ColorType::Rgb8, 20, 10);
    for (name, format) in SOURCES {
        desk.write(&format!("in/{name}"), described(&picture, format, &exif(6, 20), &xmp(6)));
    }
    let mut results = Vec::new();
    for (name, _) in SOURCES {
        for extension in ["png", "jpg", "webp", "tiff"] {
            let result = format!("out/{}.{extension}", name.replace('.', "_"));
            std::fs::create_dir_all(desk.path("out")).unwrap();
            let told = desk.upscaled(&format!("in/{name} -o {result} -s 2"));
            let lost = ["webp", "tiff"].contains(&extension) && name != "a.webp";
            let lost = lost.then(|| format!("warning: in/{name}: a .{extension} file cannot hold comments"));
            assert_eq!(told, lost.unwrap_or_default());
            results.push(result);
        }
    }
    for extension in ["png", "jpg", "webp", "tiff"] {
        let result = format!("out/tiff.{extension}");
        assert_eq!(desk.upscaled(&format!("out/a_jpg.tiff -o {result} -s 2")), "");
        results.push(result);
    }
    let names: Vec<&str> = results.iter().map(String::as_str).collect();
    let Some(found) = desk.exiftool(&names) else { return };
    for name in names {
        let tags = &found[name];
        let scale = if name.starts_with("out/tiff.") { 2 } else { 1 };
        let (width, height) = (20 * scale, 40 * scale);
        assert_eq!(tags["EXIF:Make"], "Testcam", "{name}: {tags:#}");
        assert_eq!(tags["EXIF:Artist"], "Somebody", "{name}");
        assert_eq!(tags["EXIF:DateTimeOriginal"], "2020:02:03 04:05:06", "{name}");
        assert_eq!(tags["EXIF:GPSLatitude"], 48.5, "{name}");
        // From TIFF there is no orientation left, as pixels are upright.
        assert!(tags.get("EXIF:Orientation").is_none_or(|number| number == 1), "{name}");
        assert_eq!(tags["EXIF:ExifImageWidth"], width, "{name}");
        assert_eq!(tags["XMP:Title"], "A title", "{name}");
        assert_eq!(tags["XMP:Orientation"], 1, "{name}");
        assert_eq!(tags["Composite:ImageSize"], format!("{width} {height}"), "{name}");
        assert_eq!(tags["ICC_Profile:ProfileDescription"], "tests", "{name}");
        // The profile is unchanged, byte for byte.
        let extracted = desk.tool("exiftool", &["-icc_profile", "-b", "-w", "%d%f_%e.icc", name]);
        assert!(extracted.is_some());
        let icc = std::fs::read(desk.path(&format!("{}.icc", name.replace('.', "_")))).unwrap();
        assert_eq!(icc, profile(b"RGB "), "{name}");
    }
    // Metadata that only the same format can hold.
    assert_eq!(found["out/a_png.png"]["PNG:Comment"], "a comment");
    assert_eq!(found["out/a_png.png"]["PNG:PixelsPerUnitX"], 5906);
    assert_eq!(found["out/a_jpg.jpg"]["File:Comment"], "a comment");
    assert_eq!(found["out/a_jpg.jpg"]["JFIF:XResolution"], 150);
}

#[test]
fn metadata_can_be_dropped() {
    let desk = Desk::new();
    let picture = picture(ColorType::Rgb8, 20, 10);
    for (name, format) in SOURCES {
        desk.write(&format!("in/{name}"), described(&picture, format, &exif(1, 20), &xmp(1)));
    }
    desk.upscaled("in -o bare/ --metadata strip");
    desk.upscaled("in -o empty/ --metadata strip --icc strip");
    desk.upscaled("in -o plain/ --icc strip");
    let paths = |folder: &str| SOURCES.map(|(name, _)| format!("{folder}/{name}"));
    for (folder, icc, rest) in [("bare", true, false), ("empty", false, false), ("plain", false, true)] {
        let paths = paths(folder);
        let Some(found) = desk.exiftool(&paths.each_ref().map(String::as_str)) else { return };
        for (name, tags) in found {
            let has = |group: &str| tags.as_object().unwrap().keys().any(|tag| tag.starts_with(group));
            assert_eq!(has("ICC_Profile:"), icc, "{name}: {tags:#}");
            assert_eq!((has("EXIF:"), has("XMP:")), (rest, rest), "{name}: {tags:#}");
            assert_eq!(has("PNG:Comment") || has("File:Comment"), rest && !name.ends_with("webp"), "{name}");
        }
    }
}

#[test]
fn what_a_format_cannot_hold_is_reported() {
    let desk = Desk::new();
    let picture = picture(ColorType::Rgb8, 20, 10);
    desk.write("a.png", described(&picture, ImageFormat::Png, &exif(1, 20), &xmp(1)));
    for extension in ["bmp", "qoi", "tga", "ppm"] {
        let remarks = desk.upscaled(&format!("a.png -o a.{extension}"));
        assert!(remarks.contains("cannot hold color profile, Exif, XMP and comments"), "{remarks}");
        assert_eq!(remarks.lines().count(), 1, "{remarks}");
    }
    assert_eq!(desk.upscaled("a.png -o b.bmp --icc strip --metadata strip"), "");
}

/// All eight orientations come out as the same upright picture.
#[test]
fn orientations_are_applied() {
    let desk = Desk::new();
    let upright = picture(ColorType::Rgb8, 12, 7);
    desk.write("upright.png", encoded(&upright, ImageFormat::Png));
    desk.upscaled("upright.png -s 2");
    let expected = desk.open("upright_srcnn_x2.png");
    for number in 1..=8u8 {
        // Turned the opposite way, so that the orientation turns it back.
        let mut stored = upright.clone();
        stored.apply_orientation(match Orientation::from_exif(number).unwrap() {
            Orientation::Rotate90 => Orientation::Rotate270,
            Orientation::Rotate270 => Orientation::Rotate90,
            other => other,
        });
        for (name, format) in [("png", ImageFormat::Png), ("webp", ImageFormat::WebP)] {
            let file = described(&stored, format, &exif(number.into(), 12), &xmp(number.into()));
            desk.write(&format!("in/{number}.{name}"), file);
        }
        let tiff = super::corpus::tiff(
            stored.width(),
            stored.height(),
            stored.as_bytes(),
            &[(0x102, &[8, 8, 8]), (0x103, &[1]), (0x106, &[2]), (0x112, &[number.into()]), (0x115, &[3])],
        );
        desk.write(&format!("in/{number}.tiff"), tiff);
    }
    desk.upscaled("in -o out/ -s 2");
    for number in 1..=8 {
        for extension in ["png", "webp", "tiff"] {
            let name = format!("out/{number}.{extension}");
            assert_eq!(desk.open(&name), expected, "{name}");
        }
    }
    let Some(found) = desk.exiftool(&["out"]) else { return };
    assert_eq!(found.len(), 24);
    for (name, tags) in found {
        let orientation = tags.get("EXIF:Orientation").or(tags.get("IFD0:Orientation"));
        assert_eq!(orientation, Some(&1.into()), "{name}: {tags:#}");
    }
}

/// By the definition of both color spaces: the same curve, different primaries.
fn p3_to_srgb(color: [u8; 3]) -> [f64; 3] {
    const MATRIX: [[f64; 3]; 3] =
        [[1.2249, -0.2249, 0.0], [-0.0421, 1.0421, 0.0], [-0.0196, -0.0786, 1.0983]];
    let linear = color.map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    });
    MATRIX.map(|row| {
        let v: f64 = row.iter().zip(linear).map(|(a, b)| a * b).sum();
        let v = v.clamp(0.0, 1.0);
        255.0 * if v <= 0.0031308 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 }
    })
}

#[test]
fn colors_are_converted_to_srgb() {
    let desk = Desk::new();
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let colors = [[128, 128, 128], [150, 90, 60], [40, 90, 200], [60, 180, 70]];
    for (index, color) in colors.into_iter().enumerate() {
        let mut file = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
        encoder.set_icc_profile(p3.clone()).unwrap();
        image::RgbImage::from_pixel(12, 9, image::Rgb(color)).write_with_encoder(encoder).unwrap();
        desk.write(&format!("in/{index}.png"), file);
    }
    assert_eq!(desk.upscaled("in -o out/ --icc srgb"), "");
    for (index, color) in colors.into_iter().enumerate() {
        let expected = p3_to_srgb(color);
        assert!(index == 0 || expected.iter().zip(color).any(|(a, b)| (a - f64::from(b)).abs() > 4.0));
        let result = desk.open(&format!("out/{index}.png"));
        for pixel in result.as_rgb8().unwrap().pixels() {
            let near = pixel.0.iter().zip(expected).all(|(a, b)| (f64::from(*a) - b).abs() < 2.0);
            assert!(near, "{color:?} became {pixel:?}, not {expected:?}");
        }
    }
    let Some(found) = desk.exiftool(&["out/1.png"]) else { return };
    let name = found["out/1.png"]["ICC_Profile:ProfileDescription"].as_str().unwrap();
    assert!(name.contains("sRGB"), "{name}");
}

/// A profile for colors other than those written would be wrong.
#[test]
fn grey_profiles_stay_with_grey() {
    let desk = Desk::new();
    let grey = picture(ColorType::L8, 9, 9);
    desk.write("a.png", described(&grey, ImageFormat::Png, &exif(1, 9), &xmp(1)));
    desk.upscaled("a.png -o b.png");
    desk.upscaled("a.png -o b.webp");
    let Some(found) = desk.exiftool(&["b.png", "b.webp"]) else { return };
    assert_eq!(found["b.png"]["ICC_Profile:ColorSpaceData"], "GRAY");
    assert_eq!(found["b.webp"].get("ICC_Profile:ColorSpaceData"), None);
    assert_eq!(found["b.webp"]["EXIF:Make"], "Testcam");
}
