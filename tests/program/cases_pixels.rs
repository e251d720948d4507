//! Files of unusual kinds have the same pixels as plain PNG files: both are enlarged to equal results.

mod floats;
mod jpeg;
mod tiff;
mod webp;

use std::fs;

use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb, RgbImage};

use crate::common::desk::{Desk, Run};

/// Unusual files, each with a plain picture of the same pixels.
struct Cases {
    desk: Desk,
    /// Names without their extension, and how much 16-bit samples may differ.
    names: Vec<(String, u16)>,
}

impl Cases {
    fn new() -> Self {
        let desk = Desk::new();
        fs::create_dir(desk.path("in")).unwrap();
        fs::create_dir(desk.path("as")).unwrap();
        Self { desk, names: Vec::new() }
    }

    fn add(
        &mut self,
        name: &str,
        extension: &str,
        file: &[u8],
        same: impl Into<DynamicImage>,
        tolerance: u16,
    ) {
        fs::write(self.desk.path(&format!("in/{name}.{extension}")), file).unwrap();
        self.desk.save(&format!("as/{name}.png"), same);
        self.names.push((name.to_string(), tolerance));
    }

    /// Enlarges all files and compares the results. Returns the run of the unusual ones.
    #[track_caller]
    fn check(&self) -> Run {
        let run = self.desk.upscale("in -o in2/ -f png");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(self.desk.upscale("as -o as2/ -f png").code, Some(0));
        let mut wrong = Vec::new();
        for (name, tolerance) in &self.names {
            let [actual, expected] =
                ["in2", "as2"].map(|folder| self.desk.open(&format!("{folder}/{name}.png")));
            if actual.color() != expected.color() {
                wrong.push(format!("{name} is {:?}, not {:?}", actual.color(), expected.color()));
                continue;
            }
            let (actual, expected) = (actual.into_rgba16(), expected.into_rgba16());
            let off = actual.iter().zip(expected.iter()).map(|(a, b)| a.abs_diff(*b)).max();
            if actual.dimensions() != expected.dimensions() || off > Some(*tolerance) {
                wrong.push(format!("{name} is off by {off:?}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        run
    }
}

/// Something in each pixel of a grey picture.
fn level(x: u32, y: u32) -> u32 {
    (x * 11 + y * 17 + x * y) % 256
}

fn gray(width: u32, height: u32) -> GrayImage {
    ImageBuffer::from_fn(width, height, |x, y| Luma([level(x, y) as u8]))
}

fn color(width: u32, height: u32) -> RgbImage {
    ImageBuffer::from_fn(width, height, |x, y| {
        Rgb([level(x, y), level(y, x) / 2, level(x + 7, y)].map(|v| v as u8))
    })
}
