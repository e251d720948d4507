//! Files that viewers show although something in them is wrong, and small files that would take a lot of memory.

use image::{ColorType, DynamicImage, ImageFormat};

use super::corpus::{encoded, palette_tiff, picture};
use super::desk::Desk;

/// A PNG file with chunks before and behind its pixels.
fn png_with(before: &[(&[u8; 4], &[u8])], behind: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let plain = encoded(&picture(ColorType::Rgb8, 16, 12), ImageFormat::Png);
    let mut header = plain[..33].to_vec();
    let (pixels, end) = plain[33..].split_at(plain.len() - 33 - 12);
    let add = |file: &mut Vec<u8>, chunks: &[(&[u8; 4], &[u8])]| {
        for (name, data) in chunks {
            let body = [name.as_slice(), data].concat();
            file.extend((data.len() as u32).to_be_bytes());
            file.extend(&body);
            file.extend(crc32(&body).to_be_bytes());
        }
    };
    add(&mut header, before);
    header.extend(pixels);
    add(&mut header, behind);
    header.extend(end);
    header
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

/// The control of a frame: number in the sequence, size and place.
fn frame_control(place: [u32; 4]) -> Vec<u8> {
    let numbers = [0].into_iter().chain(place).flat_map(u32::to_be_bytes);
    numbers.chain([0, 1, 0, 10, 0, 0]).collect()
}

#[test]
fn broken_animations_are_still_pictures() {
    let desk = Desk::new();
    desk.write("plain.png", png_with(&[], &[]));
    desk.upscaled("plain.png -o plain2.png -s 2");
    let expected = desk.open("plain2.png");
    let control = [2u32.to_be_bytes(), 0u32.to_be_bytes()].concat();
    let (outside, inside) = (frame_control([16, 12, 1, 0]), frame_control([16, 12, 0, 0]));
    let cases = [
        ("late", png_with(&[], &[(b"acTL", &control)])),
        ("no_frames", png_with(&[(b"acTL", &control)], &[])),
        ("too_few", png_with(&[(b"acTL", &control), (b"fcTL", &inside)], &[])),
        ("outside", png_with(&[(b"acTL", &control)], &[(b"fcTL", &inside), (b"fcTL", &outside)])),
    ];
    for (name, file) in cases {
        desk.write(&format!("{name}.png"), file);
        let remarks = desk.upscaled(&format!("{name}.png -o {name}2.png -s 2"));
        assert!(remarks.contains("animation is broken"), "{name}: {remarks}");
        assert!(desk.open(&format!("{name}2.png")) == expected, "{name}");
    }
}

#[test]
fn a_gif_without_its_end_mark_has_all_frames() {
    let desk = Desk::new();
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, 8, 6, &[0, 0, 0, 250, 120, 30]).unwrap();
    for first in [0, 1] {
        let buffer: Vec<u8> = (0..48).map(|i| (i / 5 + first) % 2).collect();
        encoder
            .write_frame(&gif::Frame { width: 8, height: 6, buffer: buffer.into(), ..Default::default() })
            .unwrap();
    }
    drop(encoder);
    assert_eq!(file.pop(), Some(b';'));
    desk.write("cut.gif", &file);
    file.push(b';');
    desk.write("whole.gif", &file);
    assert_eq!(desk.upscaled("whole.gif -o whole2.gif -s 2"), "");
    assert!(desk.upscaled("cut.gif -o cut2.gif -s 2").contains("no end mark"));
    let read = |name: &str| std::fs::read(desk.path(name)).unwrap();
    assert!(read("cut2.gif") == read("whole2.gif"));
    // A frame that is cut short is still an error.
    desk.write("short.gif", &file[..file.len() - 4]);
    desk.fails("short.gif -o short2.gif -s 2", 1, &["short.gif"]);
    assert!(!desk.path("short2.gif").exists());
}

#[test]
fn small_files_take_little_memory() {
    let desk = Desk::new();
    let mut info = png::Info::with_size(2, 2);
    info.icc_profile = Some(vec![0; 70 << 20].into());
    let mut file = Vec::new();
    let mut writer = png::Encoder::with_info(&mut file, info).unwrap().write_header().unwrap();
    writer.write_image_data(&[0; 4]).unwrap();
    writer.finish().unwrap();
    assert!(file.len() < 2 << 20);
    desk.write("profile.png", file);
    let remarks = desk.upscaled("profile.png -s 2 -o a.png");
    assert!(remarks.contains("without its color profile") && remarks.contains("64.0 MiB"), "{remarks}");

    let mut frame = b"GIF89a\x0a\0\x0a\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    frame.extend(b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;");
    desk.write("frame.gif", frame);
    desk.fails("frame.gif -s 2 -o a.png", 1, &["frame.gif", "65535x65535", "16.0 GiB"]);
    // A picture of which hardly anything is stored.
    let mut screen = b"GIF89a\x30\x75\x30\x75\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    screen.extend(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;");
    desk.write("screen.gif", screen);
    desk.fails("screen.gif -s 2 -o a.png", 1, &["screen.gif", "30000x30000", "3.4 GiB"]);

    // A JPEG file that says that it has more blocks than it has bits.
    let mut blocks = encoded(&picture(ColorType::Rgb8, 16, 12), ImageFormat::Jpeg);
    let at = blocks.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    blocks[at + 5..at + 9].copy_from_slice(&[0x75, 0x30, 0x75, 0x30]);
    desk.write("blocks.jpg", blocks);
    desk.fails("blocks.jpg -s 2 -o a.png", 1, &["blocks.jpg", "it is truncated"]);
}

/// `compare` reads pictures as `upscale` does: palettes of TIFF, orientation.
#[test]
fn one_reader_for_all_commands() {
    let desk = Desk::new();
    let compared = |a: &str, b: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
        command.current_dir(desk.path("")).args(["compare", a, b, "--protocol", "rgb", "--json"]);
        let output = command.env_remove("RUST_LOG").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["images"][0]["ssim"].as_f64()
    };
    let (tiff, color) = palette_tiff(8);
    let (tiff, color) = (tiff, DynamicImage::from(color.to_rgb8()));
    desk.write("palette.tif", tiff);
    desk.write("color.png", encoded(&color, ImageFormat::Png));
    assert_eq!(compared("color.png", "palette.tif"), compared("color.png", "color.png"));

    let upright = picture(ColorType::Rgb8, 16, 12);
    let stored = upright.rotate270();
    let mut info = png::Info::with_size(stored.width(), stored.height());
    info.color_type = png::ColorType::Rgb;
    info.exif_metadata =
        Some(b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec().into());
    let mut file = Vec::new();
    let mut writer = png::Encoder::with_info(&mut file, info).unwrap().write_header().unwrap();
    writer.write_image_data(stored.as_bytes()).unwrap();
    writer.finish().unwrap();
    desk.write("turned.png", file);
    desk.write("upright.png", encoded(&upright, ImageFormat::Png));
    assert_eq!(compared("upright.png", "turned.png"), compared("upright.png", "upright.png"));
}

/// Devices that never end, given where small files are meant.
#[cfg(target_os = "linux")]
#[test]
fn endless_files_are_refused() {
    let desk = Desk::new();
    desk.write("a.png", png_with(&[], &[]));
    desk.fails("a.png -m /dev/zero", 4, &["/dev/zero", "256 MiB", "--limit weights=SIZE"]);
    desk.fails("@/dev/zero -o out/", 1, &["/dev/zero", "256 MiB", "--limit list=SIZE"]);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
    command.current_dir(desk.path("")).args(["train", "a.png", "-o", "run", "--config", "/dev/zero"]);
    let output = command.env_remove("RUST_LOG").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && told.contains("1048576 bytes"), "{told}");
}
