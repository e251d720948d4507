//! Models and pictures that cannot be read; none of these needs an adapter.

use std::fs;

use image::{GrayImage, RgbaImage};

use crate::common::desk::{Desk, color, grey, identity};

#[test]
fn bad_models() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    fs::write(desk.path("text"), "not a model").unwrap();
    fs::write(desk.path("empty"), "").unwrap();
    let mut nan = identity(2.0);
    let one = nan.windows(4).rposition(|bytes| bytes == 1f32.to_le_bytes()).unwrap();
    nan[one..one + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(desk.path("nan"), nan).unwrap();
    let whole = identity(2.0);
    fs::write(desk.path("short"), &whole[..whole.len() - 4]).unwrap();
    for model in ["text", "empty", "nan", "short", "missing"] {
        desk.run(&format!("upscale a.png -m {model}")).fails(4, &["model", model]);
    }
    // One bad file among good ones is an error too: otherwise a wrong choice would go unnoticed.
    desk.upscale("a.png -m nan").fails(4, &["nan"]);
    assert!(!desk.exists("a_srcnn_x2.png"));
}

#[test]
fn bad_pictures_leave_everything_as_it_was() {
    let desk = Desk::new();
    fs::write(desk.path("text.png"), "just text").unwrap();
    fs::write(desk.path("empty.png"), "").unwrap();
    fs::write(desk.path("notes.txt"), "just text").unwrap();
    fs::create_dir(desk.path("hollow")).unwrap();
    fs::write(desk.path("hollow/notes.txt"), "just text").unwrap();
    fs::write(desk.path("out.png"), "precious").unwrap();
    for (input, why) in [
        ("text.png", "not a readable picture"),
        ("empty.png", "empty"),
        ("notes.txt", "not a kind of picture"),
        ("missing.png", "no such file"),
    ] {
        desk.upscale(&format!("{input} -o out.png")).fails(1, &[input, why]);
    }
    desk.upscale("hollow").fails(1, &["hollow", "no pictures"]);
    desk.upscale("hollow -o outs").fails(1, &["hollow", "no pictures"]);
    assert_eq!(fs::read(desk.path("out.png")).unwrap(), b"precious");
}

#[test]
fn results_beyond_memory_and_format_are_refused_early() {
    let desk = Desk::new();
    desk.save("large.png", GrayImage::new(4000, 4000));
    desk.upscale("large.png -s 512").fails(1, &["large.png", "2048000x2048000", "TiB", "available"]);
    desk.save("long.png", GrayImage::new(4000, 1));
    desk.upscale("long.png -s 32 -o long.jpg").fails(1, &["128000x32", ".jpg", "too large"]);
    desk.save("alpha.png", RgbaImage::new(4, 4));
    desk.upscale("alpha.png -o alpha.jpg").fails(1, &["alpha.png", "alpha channel", "write png"]);
    desk.save("color.png", color(4, 4));
    desk.upscale("color.png -o color.pgm").fails(1, &["colors", "ppm"]);
    // A header that promises far more than the file contains.
    fs::write(desk.path("bomb.ppm"), "P6 2000000 2000000 255\n").unwrap();
    desk.upscale("bomb.ppm").fails(1, &["bomb.ppm", "2000000x2000000", "TiB", "available"]);
    assert!(!desk.exists("long.jpg") && !desk.exists("alpha.jpg"));
}
