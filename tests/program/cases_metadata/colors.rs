//! Colors as told by chunks of PNG files.

use image::{ColorType, DynamicImage, Rgb, RgbImage};

use super::files::{chunk, png_with};
use crate::formats::corpus::picture;
use crate::formats::desk::Desk;

const LINEAR: u32 = 100_000;

fn gamma(value: u32) -> Vec<u8> {
    chunk(b"gAMA", &value.to_be_bytes())
}

fn p3() -> Vec<u8> {
    chunk(b"cICP", &[12, 13, 0, 1])
}

fn flat(color: [u8; 3]) -> DynamicImage {
    RgbImage::from_pixel(12, 10, Rgb(color)).into()
}

fn near(picture: &DynamicImage, expected: [u8; 3], by: u8) -> bool {
    picture.to_rgb8().pixels().all(|pixel| pixel.0.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= by))
}

#[test]
fn other_formats_get_a_profile() {
    let desk = Desk::new();
    let picture = picture(ColorType::Rgb8, 14, 10);
    for (name, chunks, description) in [
        ("p3", vec![p3()], "Display P3"),
        ("linear", vec![gamma(LINEAR)], "Gamma 1.00"),
        ("srgb", vec![chunk(b"sRGB", &[0]), gamma(LINEAR)], "sRGB IEC61966-2.1"),
        ("first", vec![gamma(LINEAR), chunk(b"sRGB", &[0]), p3()], "Display P3"),
        ("pq", vec![chunk(b"cICP", &[9, 16, 0, 1])], "Rec.2020 PQ"),
    ] {
        desk.write(&format!("{name}.png"), png_with(&picture, &chunks, &[]));
        for extension in ["jpg", "webp", "tiff", "gif"] {
            let result = format!("{name}_x.{extension}");
            assert_eq!(desk.upscaled(&format!("{name}.png -o {result} -s 2")), "");
            let Some(found) = desk.exiftool(&[&result]) else { continue };
            assert_eq!(found[&result]["ICC_Profile:ProfileDescription"], description, "{result}");
        }
        // The same format holds the same chunks.
        assert_eq!(desk.upscaled(&format!("{name}.png -o {name}_x.png -s 2")), "");
        let result = std::fs::read(desk.path(&format!("{name}_x.png"))).unwrap();
        let holds = |chunk: &[u8]| result.windows(chunk.len()).any(|part| part == chunk);
        assert!(chunks.iter().all(|chunk| holds(chunk)), "{name}");
        // Without a profile, colors are taken for sRGB: only of others there is something to tell.
        let told = desk.upscaled(&format!("{name}.png -o {name}_x.bmp -s 2"));
        let lost = format!("warning: {name}.png: a .bmp file cannot hold color profile");
        assert_eq!(told, if name == "srgb" { String::new() } else { lost });
    }
}

#[test]
fn what_no_profile_can_be_made_of_is_told() {
    let desk = Desk::new();
    let picture = picture(ColorType::Rgb8, 14, 10);
    desk.write("a.png", png_with(&picture, &[chunk(b"cICP", &[2, 2, 0, 1])], &[]));
    assert_eq!(desk.upscaled("a.png -o a.png.png -s 2"), "");
    let told = desk.upscaled("a.png -o a.jpg -s 2");
    assert_eq!(told, "warning: a.png: a .jpg file cannot hold colors as told by cICP");
    desk.fails("a.png -o a.webp -s 2 --icc srgb", 1, &["a.png", "cICP", "--icc strip"]);
    desk.write("pq.png", png_with(&picture, &[chunk(b"cICP", &[9, 16, 0, 1])], &[]));
    desk.fails("pq.png -o pq.webp -s 2 --icc srgb", 1, &["pq.png", "HDR", "--icc strip"]);
    desk.write("bright.png", png_with(&picture, &[chunk(b"cLLI", &[0; 8])], &[]));
    assert!(
        desk.upscaled("bright.png -o bright.jpg -s 2").ends_with("cannot hold brightness of its display")
    );
}

/// Half of the light is 188 in sRGB; P3's numbers are smaller than sRGB's for the same saturated color.
#[test]
fn conversion_to_srgb_obeys_chunks() {
    let desk = Desk::new();
    let primaries: Vec<u8> = [31_270u32, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000]
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect();
    let by_primaries = vec![gamma(45_455), chunk(b"cHRM", &primaries)];
    for (name, chunks, color, expected) in [
        ("linear", vec![gamma(LINEAR)], [128, 128, 128], [188, 188, 188]),
        ("p3", vec![p3()], [150, 90, 60], [158, 88, 53]),
        ("primaries", by_primaries, [150, 90, 60], [158, 88, 53]),
        ("srgb", vec![chunk(b"sRGB", &[0]), gamma(LINEAR)], [150, 90, 60], [150, 90, 60]),
        ("first", vec![chunk(b"sRGB", &[0]), p3()], [150, 90, 60], [158, 88, 53]),
    ] {
        desk.write(&format!("{name}.png"), png_with(&flat(color), &chunks, &[]));
        for extension in ["png", "webp", "bmp"] {
            let result = format!("{name}_x.{extension}");
            assert_eq!(desk.upscaled(&format!("{name}.png -o {result} -s 2 --icc srgb")), "");
            let made = desk.open(&result);
            assert!(near(&made, expected, 2), "{result}: {:?}", made.to_rgb8().get_pixel(5, 5));
        }
        let result = std::fs::read(desk.path(&format!("{name}_x.png"))).unwrap();
        let has = |name: &[u8]| result.windows(4).any(|part| part == name);
        assert!(has(b"iCCP") && !has(b"cICP") && !has(b"gAMA") && !has(b"cHRM"), "{name}");
    }
    desk.upscaled("p3.png -o stripped.png -s 2 --icc strip");
    assert!(near(&desk.open("stripped.png"), [150, 90, 60], 1));
    // Equal results at every time: a profile has a date.
    let first = std::fs::read(desk.path("p3_x.png")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    desk.upscaled("p3.png -o again.png -s 2 --icc srgb");
    assert!(std::fs::read(desk.path("again.png")).unwrap() == first);
}

#[test]
fn shades_of_grey_get_a_profile_of_their_own() {
    let desk = Desk::new();
    let picture = picture(ColorType::L8, 14, 10);
    desk.write("a.png", png_with(&picture, &[gamma(LINEAR)], &[]));
    for (extension, space) in [("jpg", "GRAY"), ("tiff", "GRAY"), ("webp", "RGB ")] {
        assert_eq!(desk.upscaled(&format!("a.png -o b.{extension} -s 2")), "");
        let Some(found) = desk.exiftool(&[&format!("b.{extension}")]) else { continue };
        let tags = found.values().next().unwrap();
        assert_eq!(tags["ICC_Profile:ColorSpaceData"], space, "{extension}");
        assert_eq!(tags["ICC_Profile:ProfileDescription"], "Gamma 1.00", "{extension}");
    }
    // The profile goes on to a format that has no grey.
    assert_eq!(desk.upscaled("b.tiff -o c.webp -s 2"), "");
    let Some(found) = desk.exiftool(&["c.webp"]) else { return };
    assert_eq!(found["c.webp"]["ICC_Profile:ColorSpaceData"], "RGB ");
    // One without a curve cannot.
    let bare = crate::formats::corpus::described(
        &picture,
        image::ImageFormat::Png,
        &super::files::orientation(1, 3),
        "<x/>",
    );
    desk.write("bare.png", bare);
    let told = desk.upscaled("bare.png -o bare.webp -s 2");
    assert!(told.contains("a .webp file cannot hold a color profile for shades of grey"), "{told}");
}
