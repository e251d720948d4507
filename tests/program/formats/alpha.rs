//! Transparency: fringes, networks, backgrounds.

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

use super::corpus::encoded;
use super::desk::Desk;

const RED: [u8; 3] = [220, 40, 30];

/// A red disc, with a soft edge, on transparent black.
fn disc() -> DynamicImage {
    let pixel = |x: u32, y: u32| {
        let (dx, dy) = (x as f32 - 15.5, y as f32 - 15.5);
        let alpha = (255.0 * (10.0 - dx.hypot(dy)).clamp(0.0, 1.0)).round() as u8;
        if alpha == 0 { Rgba([0; 4]) } else { Rgba([RED[0], RED[1], RED[2], alpha]) }
    };
    RgbaImage::from_fn(32, 32, pixel).into()
}

#[test]
fn no_fringes_and_flat_areas_stay_flat() {
    let desk = Desk::new();
    desk.write("disc.png", encoded(&disc(), ImageFormat::Png));
    for how in ["auto", "net", "bicubic"] {
        desk.upscaled(&format!("disc.png -o {how}.png -s 3 --alpha {how}"));
        let result = desk.open(&format!("{how}.png")).into_rgba8();
        let visible = result.pixels().filter(|p| p[3] > 0);
        for pixel in visible.clone() {
            let off = pixel.0.iter().zip(RED).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(off <= 3, "{how}: a fringe of {pixel:?}");
        }
        assert!(visible.count() > 9 * 250);
        for (x, y, alpha) in [(48, 48, 255), (30, 60, 255), (1, 1, 0), (94, 50, 0)] {
            assert_eq!(result.get_pixel(x, y)[3], alpha, "{how} at {x}, {y}");
        }
    }
    assert_eq!(desk.open("auto.png"), desk.open("net.png"));
    assert_ne!(desk.open("net.png"), desk.open("bicubic.png"), "the network sharpens alpha");
}

#[test]
fn the_same_alpha_everywhere_needs_no_network() {
    let desk = Desk::new();
    let even = RgbaImage::from_fn(12, 9, |x, y| Rgba([(x * 20) as u8, (y * 25) as u8, 90, 77]));
    desk.write("even.png", encoded(&even.into(), ImageFormat::Png));
    desk.upscaled("even.png -o a.png");
    assert!(desk.open("a.png").into_rgba8().pixels().all(|p| p[3] == 77));
}

#[test]
fn jpeg_has_no_alpha() {
    let desk = Desk::new();
    desk.write("disc.png", encoded(&disc(), ImageFormat::Png));
    desk.fails("disc.png -o a.jpg", 1, &["disc.png", "alpha channel", ".jpg", "write png", "--background"]);
    assert!(!desk.path("a.jpg").exists());

    assert_eq!(desk.upscaled("disc.png -o a.jpg --background 00ff80 -q 100"), "");
    let flat = desk.open("a.jpg").into_rgb8();
    let near = |x: u32, y: u32, color: [u8; 3]| {
        let pixel = flat.get_pixel(x, y);
        assert!(pixel.0.iter().zip(color).all(|(a, b)| a.abs_diff(b) < 8), "{pixel:?} is not {color:?}");
    };
    near(2, 2, [0, 255, 128]);
    near(32, 32, RED);

    desk.upscaled("disc.png -o b.jpg --alpha drop");
    // Nothing is lost if nothing is transparent.
    let opaque = DynamicImage::from(disc().into_rgb8()).into_rgba8();
    desk.write("opaque.png", encoded(&opaque.into(), ImageFormat::Png));
    assert_eq!(desk.upscaled("opaque.png -o c.jpg"), "");
    desk.upscaled("disc.png -o flat.png --background #ffffff");
    assert!(!desk.open("flat.png").color().has_alpha());
    desk.fails("disc.png --background white", 2, &["--background", "six"]);
}
