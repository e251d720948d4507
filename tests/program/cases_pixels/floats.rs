use std::fs;

use image::{ImageBuffer, Rgb};

use super::{Cases, level};
use crate::common::desk::{Desk, grey};
use crate::common::tiff::Tiff;

const FLOAT: u16 = 3;

/// Half precision of numbers from 0 to 1 that it holds exactly.
fn half(value: f64) -> u64 {
    let bits = value.to_bits();
    if value == 0.0 { 0 } else { ((bits >> 52) - 1023 + 15) << 10 | (bits >> 42 & 1023) }
}

#[test]
fn floats_of_all_sizes() {
    let mut cases = Cases::new();
    let value = |x: u32, y: u32| f64::from(level(x, y) / 4) / 64.0;
    let same = ImageBuffer::from_fn(12, 9, |x, y| Rgb([(value(x, y) * 65535.0).round() as u16; 3]));
    let pixels = || (0..9).flat_map(|y| (0..12).map(move |x| (x, y)));
    type Bits = fn(f64) -> u64;
    let sizes: [(u16, Bits); 3] = [(16, half), (32, |v| (v as f32).to_bits().into()), (64, f64::to_bits)];
    for (bits, store) in sizes {
        for (form, file) in Tiff::forms(12, 9) {
            let len = usize::from(bits / 8);
            let black = file.numbers(pixels().map(|(x, y)| store(value(x, y))), len);
            let white = file.numbers(pixels().map(|(x, y)| store(1.0 - value(x, y))), len);
            let color = file.numbers(pixels().flat_map(|(x, y)| [store(value(x, y)); 3]), len);
            for (name, kind, channels, samples) in
                [("black", 1, 1, black), ("white", 0, 1, white), ("color", 2, 3, color)]
            {
                let file = file.clone().samples(kind, bits, channels).shorts(0x153, &[FLOAT]).strip(samples);
                cases.add(&format!("{name}{bits}{form}"), "tif", &file.file(), same.clone(), 2);
            }
        }
    }
    cases.check();
}

fn floats(values: [f32; 6]) -> Vec<u8> {
    let (_, file) = Tiff::forms(3, 2).remove(0);
    let samples = file.numbers(values.map(|value| value.to_bits().into()), 4);
    file.samples(1, 32, 1).shorts(0x153, &[FLOAT]).strip(samples).file()
}

/// What is wrong with a file is told as its fault, and ends no run.
#[test]
fn values_that_are_no_colors() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    for (name, value, words) in [
        ("a", f32::NAN, "in/a.tif: 3 of its samples are infinite or not numbers, first in column 1, row 1"),
        ("b", f32::INFINITY, "column 1, row 1"),
        ("c", f32::NEG_INFINITY, "column 1, row 1"),
        ("d", 255.0, "its samples reach from 0 to 255, but floats are read as 0 to 1; divide them by 255"),
    ] {
        fs::write(desk.path(&format!("in/{name}.tif")), floats([0.0, 0.2, 0.4, 0.6, value, 1.0])).unwrap();
        desk.upscale(&format!("in/{name}.tif -o out.tif")).fails(1, &[words]);
    }
    desk.save("in/z.png", grey(4, 4));
    let run = desk.upscale("in -o out/ -f png");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(desk.names("out"), ["z.png"]);

    // What a format with floats can keep is kept, and told.
    fs::write(desk.path("bright.tif"), floats([0.0, 0.2, 0.4, 0.6, 3.0, 1.0])).unwrap();
    let run = desk.upscale("bright.tif -o bright2.tif");
    assert!(run.code == Some(0) && run.stderr.contains("reach from 0 to 3"), "{}", run.stderr);
    let brightest = desk.open("bright2.tif").to_rgb32f().into_raw().into_iter().fold(0.0, f32::max);
    assert!(brightest > 1.5, "{brightest}");
}
