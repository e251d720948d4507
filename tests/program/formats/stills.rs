//! Every format, depth and color type.

use image::{ColorType, GenericImageView, ImageFormat};

use super::corpus::{encoded, grey_alpha_tiff, indexed_png, palette_tiff, picture};
use super::desk::Desk;

/// What ImageMagick reports for a file: format, channels, bits per channel, width, height.
fn identified(desk: &Desk, name: &str) -> Option<(String, String, u32, u32, u32)> {
    let told = desk.tool("identify", &["-format", "%m %[channels] %z %w %h", name])?.to_lowercase();
    let words: Vec<&str> = told.split_whitespace().collect();
    let [format, channels, depth, width, height] = words[..] else { panic!("{name}: {told}") };
    let number = |text: &str| text.parse().unwrap();
    Some((format.into(), channels.into(), number(depth), number(width), number(height)))
}

#[test]
fn depth_and_color_type_are_kept() {
    use ColorType::{L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16};
    let desk = Desk::new();
    let mut corpus: Vec<(String, ColorType)> = Vec::new();
    let mut add = |name: String, color: ColorType, file: Vec<u8>| {
        desk.write(&format!("in/{name}"), file);
        corpus.push((name, color));
    };
    for (extension, format, colors) in [
        ("png", ImageFormat::Png, &[L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16][..]),
        ("jpg", ImageFormat::Jpeg, &[L8, Rgb8]),
        ("webp", ImageFormat::WebP, &[Rgb8, Rgba8]),
        ("tiff", ImageFormat::Tiff, &[L8, L16, Rgb8, Rgb16, Rgba8, Rgba16]),
        ("bmp", ImageFormat::Bmp, &[Rgb8, Rgba8]),
        ("pnm", ImageFormat::Pnm, &[L8, L16, Rgb8]),
        ("pam", ImageFormat::Pnm, &[]),
        ("qoi", ImageFormat::Qoi, &[Rgb8, Rgba8]),
        ("tga", ImageFormat::Tga, &[L8, Rgb8, Rgba8]),
    ] {
        for &color in colors {
            let file = encoded(&picture(color, 14, 11), format);
            add(format!("{color:?}.{extension}").to_lowercase(), color, file);
        }
    }
    for bits in [1, 2, 4, 8] {
        add(format!("palette{bits}.png"), Rgb8, indexed_png(bits, true, false));
        add(format!("grey{bits}.png"), L8, indexed_png(bits, false, false));
        add(format!("palette{bits}.tiff"), Rgb8, palette_tiff(bits.into()).0);
    }
    add("clear2.png".into(), Rgba8, indexed_png(2, true, true));
    add("cleargrey4.png".into(), La8, indexed_png(4, false, true));
    for color in [La8, La16] {
        let name = format!("{color:?}.tiff").to_lowercase();
        add(name, color, grey_alpha_tiff(&picture(color, 14, 11)));
    }

    let remarks = desk.upscaled("in -o out/ -s 2");
    assert_eq!(remarks, "", "nothing is lost, nothing is remarked");
    for (name, color) in &corpus {
        let (before, after) =
            (image::open(desk.path(&format!("in/{name}"))), desk.path(&format!("out/{name}")));
        // The `image` crate reads neither palettes nor grey with alpha from TIFF; ImageMagick does, below.
        let Ok(after) = image::open(after) else {
            assert!(name.ends_with("tiff") && color.has_alpha(), "{name}");
            continue;
        };
        assert_eq!(after.color(), *color, "{name}");
        if let Ok(before) = before {
            assert_eq!(after.dimensions(), (2 * before.width(), 2 * before.height()), "{name}");
        }
    }
    for (name, color) in corpus {
        let extension = name.rsplit_once('.').unwrap().1;
        if extension == "qoi" {
            // ImageMagick can only read it if ffmpeg or a newer version is installed.
            let args = ["-v", "error", "-show_entries", "stream=width,height,pix_fmt", "-of", "csv=p=0"];
            let expected = if color.has_alpha() { "28,22,rgba" } else { "28,22,rgb24" };
            if let Some(told) = desk.tool("ffprobe", &[&args[..], &[&format!("out/{name}")]].concat()) {
                assert_eq!(told.trim(), expected, "{name}");
            }
            continue;
        }
        let Some((format, channels, depth, width, height)) = identified(&desk, &format!("out/{name}")) else {
            return;
        };
        let expected = match extension {
            "jpg" => "jpeg",
            "pnm" if color == Rgb8 => "ppm",
            "pnm" => "pgm",
            // Version 2 of the format has no alpha.
            "bmp" if !color.has_alpha() => "bmp3",
            other => other,
        };
        assert_eq!(format, expected, "{name}");
        // Not every format has a grey type of its own.
        let grey = channels.starts_with("gray");
        assert!(grey || color.has_color() || ["tga", "webp"].contains(&extension), "{name}: {channels}");
        assert!(!(grey && color.has_color()), "{name}: {channels}");
        assert_eq!(channels.ends_with('a'), color.has_alpha(), "{name}: {channels}");
        let bits = u32::from(color.bytes_per_pixel()) / u32::from(color.channel_count()) * 8;
        assert_eq!(depth, bits, "{name}");
        assert!([(28, 22), (32, 16), (32, 12)].contains(&(width, height)), "{name}");
    }
}

/// What only this program reads is read correctly: equal to the same picture in another format.
#[test]
fn palettes_and_grey_with_alpha_in_tiff() {
    let desk = Desk::new();
    for bits in [1, 2, 4, 8] {
        let (file, same) = palette_tiff(bits);
        desk.write(&format!("in/palette{bits}.tiff"), file);
        desk.write(&format!("as/palette{bits}.png"), encoded(&same, ImageFormat::Png));
    }
    for color in [ColorType::La8, ColorType::La16] {
        let same = picture(color, 9, 7);
        desk.write(&format!("in/{color:?}.tiff"), grey_alpha_tiff(&same));
        desk.write(&format!("as/{color:?}.png"), encoded(&same, ImageFormat::Png));
    }
    desk.upscaled("in -o in2/ -f png");
    desk.upscaled("as -o as2/");
    for name in ["palette1", "palette2", "palette4", "palette8", "La8", "La16"] {
        assert_eq!(desk.open(&format!("in2/{name}.png")), desk.open(&format!("as2/{name}.png")), "{name}");
    }
}

/// Premultiplied colors are divided by alpha.
#[test]
fn premultiplied_tiff() {
    let desk = Desk::new();
    let straight = image::RgbaImage::from_pixel(8, 6, image::Rgba([200, 100, 40, 128]));
    let multiplied: Vec<u8> = straight.pixels().flat_map(|_| [100, 50, 20, 128]).collect();
    let entries: [(u16, &[u16]); 5] =
        [(0x102, &[8, 8, 8, 8]), (0x103, &[1]), (0x106, &[2]), (0x115, &[4]), (0x152, &[1])];
    desk.write("a.tiff", super::corpus::tiff(8, 6, &multiplied, &entries));
    desk.upscaled("a.tiff -o b.png");
    for pixel in desk.open("b.png").into_rgba8().pixels() {
        assert!(pixel.0.iter().zip([199, 100, 40, 128]).all(|(a, b)| a.abs_diff(b) <= 1), "{pixel:?}");
    }
}

#[test]
fn formats_depths_and_quality_by_flags() {
    let desk = Desk::new();
    desk.write("rgb16.png", encoded(&picture(ColorType::Rgb16, 20, 10), ImageFormat::Png));
    desk.write("rgb8.bmp", encoded(&picture(ColorType::Rgb8, 20, 10), ImageFormat::Bmp));
    // What a format cannot hold is reported.
    let remarks = desk.upscaled("rgb16.png -o a.jpg");
    assert!(remarks.contains("16 bits per channel become 8"), "{remarks}");
    assert_eq!(desk.upscaled("rgb16.png -o a.jpg --depth 8"), "");
    assert_eq!(desk.upscaled("rgb16.png --depth 8"), "");
    assert_eq!(desk.open("rgb16_srcnn_x2.png").color(), ColorType::Rgb8);
    desk.fails("rgb16.png -o b.webp --depth 16", 1, &["--depth 16", ".webp", "8 bits"]);

    // Extra bits beyond the source's are used: they are computed, not derived from rounded ones.
    assert_eq!(desk.upscaled("rgb8.bmp -f png --depth 16"), "");
    let deep = desk.open("rgb8_srcnn_x2.png");
    assert!(deep.as_rgb16().unwrap().iter().any(|value| value % 257 != 0));

    for (format, name) in
        [("webp", "rgb8_srcnn_x2.webp"), ("same", "rgb8_srcnn_x2.bmp"), ("tiff", "rgb8_srcnn_x2.tiff")]
    {
        assert_eq!(desk.upscaled(&format!("rgb8.bmp -f {format}")), "");
        assert_eq!(desk.open(name).color(), ColorType::Rgb8);
    }
    desk.upscaled("rgb8.bmp -o plain -f tga");
    desk.fails("rgb8.bmp -o a.png -f jpg", 2, &["a.png", "--format jpg"]);
    desk.fails("rgb8.bmp -f doc", 2, &["--format", "png"]);
    desk.fails("rgb8.bmp -q 0", 2, &["--quality"]);

    let size = |name: &str| std::fs::metadata(desk.path(name)).unwrap().len();
    desk.upscaled("rgb8.bmp -o low.jpg -q 20");
    desk.upscaled("rgb8.bmp -o high.jpg -q 100");
    assert!(size("low.jpg") < size("high.jpg"));
    if let Some(quality) = desk.tool("identify", &["-format", "%Q", "low.jpg"]) {
        assert_eq!(quality, "20");
    }
}

/// With the feature, which is one of the default ones, `-q` is used; without it, the program says that it is not.
#[test]
fn quality_of_webp() {
    let desk = Desk::new();
    desk.write("a.png", encoded(&picture(ColorType::Rgba8, 60, 40), ImageFormat::Png));
    assert_eq!(desk.upscaled("a.png -o lossless.webp"), "");
    let remarks = desk.upscaled("a.png -o lossy.webp -q 30");
    let (lossless, lossy) = (desk.open("lossless.webp").into_rgba8(), desk.open("lossy.webp").into_rgba8());
    let worst = lossless.iter().zip(lossy.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    if cfg!(feature = "webp-lossy") {
        assert_eq!(remarks, "");
        let size = |name: &str| std::fs::metadata(desk.path(name)).unwrap().len();
        assert!(2 * size("lossy.webp") < size("lossless.webp"));
        assert!((1..40).contains(&worst), "{worst}");
        let alpha = |picture: &image::RgbaImage| picture.pixels().map(|p| p[3]).collect::<Vec<_>>();
        assert_eq!(alpha(&lossless), alpha(&lossy));
    } else {
        assert!(remarks.contains("--quality is not used"), "{remarks}");
        assert_eq!(worst, 0);
    }
}

#[test]
fn cmyk_becomes_rgb() {
    let desk = Desk::new();
    desk.write("a.png", encoded(&picture(ColorType::Rgb8, 20, 10), ImageFormat::Png));
    if desk.tool("convert", &["a.png", "-colorspace", "CMYK", "cmyk.jpg"]).is_none() {
        return;
    }
    desk.upscaled("cmyk.jpg -o rgb.jpg -q 100");
    desk.upscaled("a.png -o a2.png");
    let (converted, direct) = (desk.open("rgb.jpg").into_rgb8(), desk.open("a2.png").into_rgb8());
    let worst = converted.iter().zip(direct.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(worst < 24, "off by {worst}");
}

/// Pictures of kinds that this build does not read are named, with what to do, in folders and by themselves, by their name
/// alone and by their content alone.
#[test]
fn pictures_that_are_not_read_are_named() {
    let desk = Desk::new();
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    let png = encoded(&picture(ColorType::Rgb8, 20, 10), ImageFormat::Png);
    desk.write("in/a.png", png);
    desk.write("in/b.JXL", b"?");
    desk.write("in/notes.txt", b"text");
    desk.write("drawings/c.svg", b"<svg/>");
    let notes = desk.upscaled("in -o out/");
    assert!(notes.contains("left out: b.JXL: a JPEG XL picture; convert it to PNG first"), "{notes}");
    assert!(notes.contains("not pictures, left out: notes.txt"), "{notes}");
    desk.fails("drawings -o out/", 1, &["no pictures that this build reads"]);
    desk.fails("drawings/c.svg", 1, &["lines and curves"]);
    desk.fails("in/b.JXL", 1, &["JPEG XL", "djxl"]);
    if cfg!(feature = "heic") {
        return;
    }
    for name in ["IMG_0001.HEIC", "sent.jpg", "unnamed"] {
        desk.write(name, heic);
        desk.fails(name, 1, &["iPhone picture (HEIC)", "--features heic", "heif-convert"]);
    }
    desk.write("empty.heic", b"no picture");
    desk.fails("empty.heic", 1, &["iPhone picture (HEIC)"]);
    // The content decides, in a folder and by name.
    desk.write("mixed/photo.heic", encoded(&picture(ColorType::Rgb8, 20, 10), ImageFormat::Jpeg));
    desk.write("mixed/sent.jpg", heic);
    let notes = desk.upscaled("mixed -o mixed-out/ -f png");
    assert!(notes.contains("left out: sent.jpg: an iPhone picture (HEIC); convert it"), "{notes}");
    assert!(desk.path("mixed-out/photo.png").exists() && !desk.path("mixed-out/sent.png").exists());
    desk.upscaled("mixed/photo.heic -o named.png");
    assert_eq!(desk.open("named.png"), desk.open("mixed-out/photo.png"));
    // A camera's file is no TIFF picture, although it begins like one.
    desk.write("raw/a.dng", encoded(&picture(ColorType::Rgb8, 20, 10), ImageFormat::Tiff));
    desk.fails("raw/a.dng", 1, &["a camera's raw picture"]);
    desk.fails("raw -o raw-out/", 1, &["no pictures that this build reads"]);
}
