//! Pictures that are enlarged successfully, and those that are not.

use std::fs;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use crate::common::desk::{Desk, color, grey, identity};

#[test]
fn sizes_names_and_types_of_results() {
    let desk = Desk::new();
    desk.save("dot.png", grey(1, 1));
    desk.upscale("dot.png").wrote(&["dot_srcnn_x2.png"]);
    let dot = desk.open("dot_srcnn_x2.png");
    assert_eq!((dot.width(), dot.height()), (2, 2));
    assert!(dot.as_luma8().unwrap().pixels().all(|p| p[0].abs_diff(40) <= 1));

    desk.save("a.png", grey(7, 5));
    desk.upscale("a.png -s 1.5 -o b.png").wrote(&["b.png"]);
    let b = desk.open("b.png");
    assert!(b.as_luma8().is_some(), "grey stays grey: {:?}", b.color());
    assert_eq!((b.width(), b.height()), (11, 8), "sizes are rounded upwards");

    let deep = |x: u32, y: u32| (9000 + 3001 * x + 2003 * y) as u16;
    desk.save("deep.png", DynamicImage::ImageLuma16(ImageBuffer::from_fn(6, 6, |x, y| Luma([deep(x, y)]))));
    desk.upscale("deep.png").wrote(&["deep_srcnn_x2.png"]);
    let result = desk.open("deep_srcnn_x2.png");
    let result = result.as_luma16().expect("16 bits stay 16 bits");
    assert!(result.pixels().any(|p| p[0] % 257 != 0), "more than 8 bits are used");
    desk.upscale("deep.png -o deep.jpg").wrote(&["deep.jpg"]);
    assert!(desk.open("deep.jpg").as_luma8().is_some());

    desk.save("alpha.png", RgbaImage::from_pixel(4, 4, Rgba([90, 120, 60, 77])));
    for (extension, message) in
        [("png", "in png"), ("webp", "in webp"), ("tiff", "in tiff"), ("pam", "in pam")]
    {
        let name = format!("alpha2.{extension}");
        desk.upscale(&format!("alpha.png -o {name}")).wrote(&[&name]);
        let picture = desk.open(&name);
        let pixels = picture.as_rgba8().expect(message).pixels();
        assert!(pixels.into_iter().all(|p| p[3] == 77), "{message}");
    }
    for extension in ["jpg", "bmp", "ppm", "pnm", "qoi", "tga", "tif", "webp"] {
        let name = format!("c.{extension}");
        desk.save("color.png", color(9, 6));
        desk.upscale(&format!("color.png -s 3 -o {name}")).wrote(&[&name]);
        let picture = desk.open(&name);
        assert_eq!((picture.width(), picture.height()), (27, 18), "{name}");
        assert!(picture.as_rgb8().is_some(), "{name}: {:?}", picture.color());
    }
}

#[test]
fn identity_network_gives_the_picture_enlarged() {
    let desk = Desk::new();
    desk.save("flat.png", RgbImage::from_pixel(8, 8, Rgb([200, 40, 90])));
    desk.upscale("flat.png -s 2 -t 5").wrote(&["flat_srcnn_x2.png"]);
    let result = desk.open("flat_srcnn_x2.png").into_rgb8();
    for pixel in result.pixels() {
        assert!(pixel.0.iter().zip([200, 40, 90]).all(|(a, b)| a.abs_diff(b) <= 1), "{pixel:?}");
    }
}

#[test]
fn a_truncated_picture_and_a_folder_with_one_broken_file() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/1.png", grey(5, 5));
    desk.save("in/2.png", color(40, 40));
    desk.save("in/3.png", color(5, 5));
    fs::write(desk.path("in/notes.txt"), "text").unwrap();
    let whole = fs::read(desk.path("in/2.png")).unwrap();
    fs::write(desk.path("in/2.png"), &whole[..whole.len() / 2]).unwrap();
    // Reported before looking for an adapter.
    desk.upscale("in/2.png -o t.png -g no-such-adapter").fails(1, &["2.png"]);
    assert!(!desk.exists("t.png"));

    desk.save("whole.jpg", color(40, 40));
    let whole = fs::read(desk.path("whole.jpg")).unwrap();
    fs::write(desk.path("half.jpg"), &whole[..whole.len() - 20]).unwrap();
    assert!(!desk.upscale("whole.jpg -o t.png").stderr.contains("ends too early"));
    assert!(desk.upscale("half.jpg -o t.png").stderr.contains("half.jpg: the file ends too early"));

    let run = desk.upscale("in -o out/");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("notes.txt"), "{}", run.stderr);
    assert_eq!(desk.names("out"), ["1.png", "3.png"]);
    let paths: Vec<_> = ["1.png", "3.png"].iter().map(|n| Path::new("out").join(n)).collect();
    assert!(run.stdout.lines().map(Path::new).eq(paths.iter().map(PathBuf::as_path)), "{}", run.stdout);
}

#[test]
fn the_content_counts_not_the_extension() {
    let desk = Desk::new();
    desk.save("real.png", color(6, 6));
    fs::rename(desk.path("real.png"), desk.path("a.jpg")).unwrap();
    desk.upscale("a.jpg -o b.png").wrote(&["b.png"]);
    let gif = image::codecs::gif::GifEncoder::new(fs::File::create(desk.path("c.gif")).unwrap());
    DynamicImage::from(color(6, 6)).into_rgba8().write_with_encoder(gif).unwrap();
    desk.upscale("c.gif").wrote(&["c_srcnn_x2.png"]);
}

#[test]
fn color_profiles_are_kept() {
    use image::{ImageDecoder, ImageEncoder, ImageReader};
    let desk = Desk::new();
    let mut profile = vec![0u8; 128];
    profile[16..20].copy_from_slice(b"RGB ");
    let file = fs::File::create(desk.path("a.png")).unwrap();
    let mut encoder = image::codecs::png::PngEncoder::new(file);
    encoder.set_icc_profile(profile.clone()).unwrap();
    color(6, 6).write_with_encoder(encoder).unwrap();
    for name in ["b.png", "b.jpg", "b.webp"] {
        desk.upscale(&format!("a.png -o {name}")).wrote(&[name]);
        let mut decoder = ImageReader::open(desk.path(name)).unwrap().into_decoder().unwrap();
        assert_eq!(decoder.icc_profile().unwrap().as_ref(), Some(&profile), "{name}");
    }
}

#[test]
fn the_model_for_a_scale_is_chosen_and_verbose_says_so() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    fs::write(desk.path("x3"), identity(3.0)).unwrap();
    fs::write(desk.path("x4"), identity(4.0)).unwrap();
    // Bicubic interpolation does the rest: it enlarges by little, or shrinks.
    for (scale, model) in [("2", "m.safetensors"), ("3.2", "x3"), ("3.4", "x4"), ("4.5", "x4")] {
        let run = desk.upscale(&format!("a.png -m x3 -m x4 -s {scale} -v"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("model {model}: 1-1 1")), "{}", run.stderr);
        assert!(run.stderr.contains("4x4") && run.stderr.contains(" ms"), "{}", run.stderr);
    }
}
