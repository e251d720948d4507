//! Upscales a picture file on whatever adapter is available.
//!
//! `cargo run --release --example upscale_image -- [INPUT [OUTPUT [SCALE [MODEL]]]]`
//!
//! Without arguments, it generates a picture, and a sharpening filter stands in for a trained network.

use std::path::PathBuf;

use image::{DynamicImage, Rgb, RgbImage};
use srcnn_gpu::Weights;
use srcnn_gpu::headless::{self, AdapterSelection, Headless, HeadlessOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let picture = match args.first() {
        Some(path) => image::open(path)?,
        None => rings(),
    };
    let output =
        args.get(1).map_or_else(|| std::env::temp_dir().join("srcnn-gpu-upscale_image.png"), PathBuf::from);
    let scale: f64 = args.get(2).map_or(Ok(3.0), |text| text.parse())?;
    let weights = match args.get(3) {
        Some(path) => Weights::load(path.as_ref())?,
        None => Weights::from_bytes(include_bytes!("../weights/sharpen.safetensors"))?,
    };

    let gpu = headless::open(&AdapterSelection::default())?;
    println!("adapter: {}", headless::adapter::describe(&gpu.info));
    let mut network = Headless::new(gpu, &weights, HeadlessOptions::default())?;
    let result = network.upscale(&picture, scale, &mut |done, all| println!("tile {done} of {all}"))?;
    result.save(&output)?;
    println!(
        "{}: {}x{}, GPU {:.1?}",
        output.display(),
        result.width(),
        result.height(),
        network.timing().gpu
    );
    Ok(())
}

/// Rings that get finer outwards, in colors that turn around the center.
fn rings() -> DynamicImage {
    let size = 96;
    RgbImage::from_fn(size, size, |x, y| {
        let [x, y] = [x, y].map(|v| (v as f32 + 0.5) / size as f32 - 0.5);
        let wave = 0.5 + 0.5 * (90.0 * (x * x + y * y)).cos();
        let turn = |shift: f32| 0.6 + 0.4 * (y.atan2(x) + shift).cos();
        Rgb([0.0, 2.1, 4.2].map(|shift| (255.0 * wave * turn(shift)) as u8))
    })
    .into()
}
