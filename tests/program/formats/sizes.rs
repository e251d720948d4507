//! Sizes given directly instead of by a factor, and factors in steps.

use image::{ColorType, GenericImageView, ImageFormat};

use srcnn_gpu::{Layer, LayerShape, Metadata, Weights};

use super::corpus::{encoded, picture};
use super::desk::Desk;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("a.png", encoded(&picture(ColorType::Rgb8, 20, 15), ImageFormat::Png));
    desk
}

#[test]
fn sizes_are_exact() {
    let desk = desk();
    for (args, name, size) in [
        ("--width 53", "a_srcnn_w53.png", (53, 40)),
        ("--height 31", "a_srcnn_h31.png", (41, 31)),
        ("--width 41 --height 60", "a_srcnn_41x60.png", (41, 60)),
        ("--fit 100x45", "a_srcnn_fit100x45.png", (60, 45)),
        ("--max-pixels 1200", "a_srcnn_max1200.png", (40, 30)),
        ("-s 3 --max-pixels 1200", "a_srcnn_x3.png", (40, 30)),
        ("-s 7.5", "a_srcnn_x7.5.png", (150, 113)),
    ] {
        assert_eq!(desk.upscaled(&format!("a.png {args}")), "");
        assert_eq!(desk.open(name).dimensions(), size, "{args}");
    }
    // Results of an earlier run are not taken as sources.
    desk.upscaled(". --width 30");
    assert!(!desk.path("a_srcnn_w53_srcnn_w30.png").exists() && desk.path("a_srcnn_w30.png").exists());
}

#[test]
fn smaller_sizes_are_refused() {
    let desk = desk();
    for args in ["--width 19", "--width 20", "--fit 20x500", "--max-pixels 299", "--width 400 --height 14"] {
        desk.fails(&format!("a.png {args}"), 1, &["a.png", "the picture has 20x15", "only enlarges"]);
    }
    desk.fails("a.png -s 2 --width 40", 2, &["--width"]);
    desk.fails("a.png --fit 40x40 --height 40", 2, &["--height"]);
    desk.fails("a.png --fit 40", 2, &["--fit", "1920x1080"]);
    desk.fails("a.png --width 0", 2, &["--width"]);
}

/// A network of scale 2 takes three steps to 8 without rounding in between: the result differs from three runs through
/// 8-bit files and is close to three runs through 16-bit files.
#[test]
fn large_factors_go_in_steps_without_rounding() {
    let desk = desk();
    desk.upscaled("a.png -s 8 -o steps.png --depth 16");
    for (depth, name) in [("8", "eight"), ("16", "sixteen")] {
        desk.upscaled(&format!("a.png -s 2 -o {name}1.png --depth {depth}"));
        desk.upscaled(&format!("{name}1.png -s 2 -o {name}2.png --depth {depth}"));
        desk.upscaled(&format!("{name}2.png -s 2 -o {name}.png --depth 16"));
    }
    let steps = desk.open("steps.png").into_rgb16();
    let distance = |name: &str| {
        let other = desk.open(&format!("{name}.png")).into_rgb16();
        assert_eq!(other.dimensions(), (160, 120));
        let sum: f64 = steps.iter().zip(other.iter()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        sum / steps.len() as f64
    };
    let (eight, sixteen) = (distance("eight"), distance("sixteen"));
    assert!(sixteen < 2.0 && eight > 10.0, "{eight} and {sixteen} of 65535");
}

/// Results of 64 MiB or more are written while they are computed, and equal smaller ones.
#[test]
fn large_results_are_written_in_bands() {
    let desk = Desk::new();
    // A network of one tap, since speed does not matter here.
    let shape = LayerShape { inputs: 1, filters: 1, size: 1 };
    let layer = Layer { shape, weight: vec![1.0], bias: vec![0.0] };
    let metadata = Metadata { scales: vec![4.0], ..Metadata::default() };
    let network = Weights::new(vec![layer.clone(), layer], metadata).unwrap();
    desk.write("model", network.to_safetensors().unwrap());
    desk.write("a.png", encoded(&picture(ColorType::Rgba16, 650, 810), ImageFormat::Png));
    for name in ["b.png", "b.tiff", "b.pam"] {
        assert_eq!(desk.upscaled(&format!("a.png -s 4 -o {name}")), "");
    }
    desk.upscaled("a.png -s 4 --depth 8 -o b.tga");
    let bands = desk.open("b.png");
    assert_eq!((bands.dimensions(), bands.color()), ((2600, 3240), ColorType::Rgba16));
    assert!(bands.as_bytes().len() > 1 << 26);
    assert!(desk.open("b.tiff") == bands && desk.open("b.pam") == bands);
    let near = |(a, b): (&u16, &u8)| (f32::from(*a) / 257.0 - f32::from(*b)).abs() <= 0.51;
    let whole = desk.open("b.tga");
    assert!(bands.as_rgba16().unwrap().iter().zip(whole.as_rgba8().unwrap().iter()).all(near));
    // A write that fails at the very end leaves nothing behind.
    desk.write("taken/keep", "");
    desk.fails("a.png -s 4 -o taken/keep/b.png", 5, &["taken/keep"]);
    let names: Vec<_> = std::fs::read_dir(desk.path("taken")).unwrap().collect();
    assert_eq!(names.len(), 1);
}
