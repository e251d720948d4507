//! One list of losses, told by every command that writes pictures.

use std::process::Command;

use image::{ColorType, ImageFormat, RgbImage};

use super::files::{chunk, jpeg_with, photoshop, png_with, segment, xmp_segment};
use crate::formats::corpus::{encoded, picture, tiff};
use crate::formats::desk::Desk;

/// Runs a command of the program in the desk's folder; it must succeed. Returns its warnings.
#[track_caller]
fn warnings(desk: &Desk, args: &str) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
    command.current_dir(desk.path("")).env_remove("RUST_LOG").env("XDG_RUNTIME_DIR", desk.path(""));
    let output = command.args(args.split_whitespace()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{args}: {told}");
    let lines = told.lines().filter_map(|line| line.strip_prefix("warning: "));
    lines.filter(|line| !line.contains("no GPU in use")).map(String::from).collect()
}

#[test]
fn degrade_tells_what_upscale_tells() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 40, 30);
    let segments = [photoshop(false), segment(0xfe, b"hello"), xmp_segment("exif:PixelXDimension='40'>")];
    let second = encoded(&stored, ImageFormat::Jpeg);
    desk.write("a.jpg", [jpeg_with(&stored, &segments), second].concat());
    desk.write(
        "b.png",
        png_with(&stored, &[chunk(b"tEXt", b"Title\0a"), chunk(b"gAMA", &100_000u32.to_be_bytes())], &[]),
    );
    for (from, to, told) in [
        (
            "a.jpg",
            "webp",
            "a .webp file cannot hold IPTC and comments; the result is without further pictures",
        ),
        ("a.jpg", "jpg", "the result is without further pictures"),
        ("b.png", "bmp", "a .bmp file cannot hold color profile and texts (Title)"),
        ("b.png", "jpg", "a .jpg file cannot hold texts (Title)"),
    ] {
        assert_eq!(
            warnings(&desk, &format!("degrade {from} small_{from}.{to} -s 2")),
            [format!("{from}: {told}")]
        );
        let large = desk.upscaled(&format!("{from} -o large_{from}.{to} -s 2"));
        assert_eq!(large, format!("warning: {from}: {told}"));
    }
    let Some(found) = desk.exiftool(&["small_a.jpg.jpg", "small_a.jpg.webp", "small_b.png.jpg"]) else {
        return;
    };
    assert_eq!(found["small_a.jpg.jpg"]["IPTC:Keywords"], "alpha");
    assert_eq!(found["small_a.jpg.webp"]["XMP:ExifImageWidth"], 20);
    assert_eq!(found["small_b.png.jpg"]["ICC_Profile:ProfileDescription"], "Gamma 1.00");
}

/// Frames and pages of which only the first is read.
#[test]
fn commands_for_one_picture_tell_of_others() {
    let desk = Desk::new();
    let frame = picture(ColorType::Rgba8, 24, 16);
    let mut animation = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut animation);
    encoder.encode_frames((0..3).map(|_| image::Frame::new(frame.to_rgba8()))).unwrap();
    drop(encoder);
    desk.write("frames.gif", animation);
    let pixels = picture(ColorType::Rgb8, 24, 16);
    let numbers: [(u16, &[u16]); 4] = [(0x102, &[8, 8, 8]), (0x103, &[1]), (0x106, &[2]), (0x115, &[3])];
    let mut pages = tiff(24, 16, pixels.as_bytes(), &numbers);
    // The same directory once more.
    let start = u32::from_le_bytes(pages[4..8].try_into().unwrap()) as usize;
    let (end, next) = (start + 2 + 12 * 9, (pages.len() as u32).to_le_bytes());
    pages.extend_from_within(start..end + 4);
    pages[end..end + 4].copy_from_slice(&next);
    desk.write("pages.tiff", pages);
    let [frames, more] = [
        "frames.gif: the file has 3 frames, only the first is read",
        "pages.tiff: the file has more pages, only the first is read",
    ];
    assert_eq!(warnings(&desk, "degrade frames.gif small.png -s 2"), [frames]);
    assert_eq!(warnings(&desk, "degrade pages.tiff small.tiff -s 2"), [more]);
    assert_eq!(warnings(&desk, "compare pages.tiff pages.tiff"), [more, more]);
    assert_eq!(desk.upscaled("pages.tiff -o large.png -s 2"), format!("warning: {more}"));
    // All frames are enlarged.
    assert_eq!(desk.upscaled("frames.gif -o large.gif -s 2"), "");
}

#[test]
fn eval_tells_what_saved_luminance_is_without() {
    let desk = Desk::new();
    let stored: image::DynamicImage =
        RgbImage::from_fn(40, 30, |x, y| image::Rgb([(5 * x) as u8, (6 * y) as u8, 90])).into();
    desk.write("set/a.jpg", jpeg_with(&stored, &[photoshop(false), segment(0xfe, b"hello")]));
    std::fs::create_dir(desk.path("saved")).unwrap();
    let told = warnings(&desk, "eval set -m model -s 2 --save saved");
    assert_eq!(told, ["set/a.jpg: its luminance is saved without IPTC and comments"]);
    assert_eq!(warnings(&desk, "eval set -m model -s 2"), [""; 0]);
}

#[test]
fn a_list_of_everything() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    let before =
        [chunk(b"eXIf", &super::files::orientation(1, 3)), chunk(b"oFFs", &[0; 9]), chunk(b"caBX", b"c2pa")];
    desk.write("a.png", png_with(&stored, &before, &[]));
    let told = desk.upscaled("a.png -o a.bmp -s 2");
    assert_eq!(
        told,
        "warning: a.png: a .bmp file cannot hold Exif; the result is without the chunk oFFs and content credentials"
    );
    assert_eq!(desk.upscaled("a.png -o b.bmp -s 2 --metadata strip"), "");
    assert_eq!(desk.upscaled("a.png -o b.png -s 2 --quiet"), "");
}
