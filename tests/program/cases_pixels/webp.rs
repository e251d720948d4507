use std::fs;

use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ExtendedColorType, Rgb, RgbImage, Rgba, RgbaImage};

use super::{Cases, color};
use crate::common::desk::Desk;

type Chunk = (&'static [u8; 4], Vec<u8>);

fn joined(chunks: &[Chunk]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, data) in chunks {
        bytes.extend(*name);
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
    }
    bytes
}

fn riff(chunks: &[Chunk]) -> Vec<u8> {
    let body = [b"WEBP".to_vec(), joined(chunks)].concat();
    [b"RIFF".to_vec(), (body.len() as u32).to_le_bytes().to_vec(), body].concat()
}

/// The chunk with the pixels of a lossless file.
fn pixels(picture: &DynamicImage) -> Chunk {
    let mut file = Vec::new();
    let color: ExtendedColorType = picture.color().into();
    let encoder = WebPEncoder::new_lossless(&mut file);
    encoder.encode(picture.as_bytes(), picture.width(), picture.height(), color).unwrap();
    let start = file.windows(4).position(|name| name == b"VP8L").unwrap();
    let len = u32::from_le_bytes(file[start + 4..start + 8].try_into().unwrap());
    (b"VP8L", file[start + 8..start + 8 + len as usize].to_vec())
}

fn u24(value: u32) -> Vec<u8> {
    value.to_le_bytes()[..3].to_vec()
}

fn header(flags: u8, width: u32, height: u32) -> Chunk {
    (b"VP8X", [vec![flags, 0, 0, 0], u24(width - 1), u24(height - 1)].concat())
}

/// Chunks count, not what the header says of them.
#[test]
fn flags_that_disagree_with_chunks() {
    let opaque = DynamicImage::from(color(14, 9));
    let clear =
        DynamicImage::from(RgbaImage::from_fn(14, 9, |x, y| Rgba([90, 10 * y as u8, 200, 18 * x as u8])));
    let mut cases = Cases::new();
    for (name, picture) in [("opaque", opaque), ("clear", clear)] {
        for flags in [0, 0x02, 0x04, 0x08, 0x10, 0x20, 0x3e] {
            let file = riff(&[header(flags, 14, 9), pixels(&picture)]);
            cases.add(&format!("{name}_{flags}"), "webp", &file, picture.clone(), 0);
        }
        let more = [(b"ICCP", vec![1; 130]), (b"EXIF", vec![2; 11]), (b"XMP ", b"<x/>".to_vec())];
        let [profile, exif, xmp] = more;
        let file = riff(&[header(0, 14, 9), profile, pixels(&picture), exif.clone(), xmp]);
        cases.add(&format!("{name}_chunks"), "webp", &file, picture.clone(), 0);
        cases.add(&format!("{name}_no_header"), "webp", &riff(&[pixels(&picture), exif]), picture, 0);
    }
    cases.check();
}

/// A frame: its picture, its place, whether it is laid over the canvas, whether it is cleared behind it.
struct Frame(DynamicImage, (u32, u32), bool, bool);

fn frame(Frame(picture, (x, y), over, clear): &Frame) -> Chunk {
    let flags = if *over { 0 } else { 2 } | u8::from(*clear);
    let sides = [u24(x / 2), u24(y / 2), u24(picture.width() - 1), u24(picture.height() - 1)];
    (b"ANMF", [sides.concat(), u24(70), vec![flags], joined(&[pixels(picture)])].concat())
}

fn animated(flags: u8, frames: &[Frame]) -> Vec<u8> {
    let mut chunks = vec![header(flags, 12, 8), (b"ANIM", vec![255, 255, 255, 255, 0, 0])];
    chunks.extend(frames.iter().map(frame));
    riff(&chunks)
}

/// Frames are put together as viewers do: each is laid over or replaces what is there, and cleared if it says so.
#[test]
fn frames_and_their_disposal() {
    let flat = |width, height, color: [u8; 4]| RgbaImage::from_pixel(width, height, Rgba(color)).into();
    let (red, green, blue, half) =
        ([200, 30, 20, 255], [30, 180, 40, 255], [20, 40, 210, 255], [100, 200, 50, 128]);
    let frames = [
        Frame(flat(6, 4, red), (2, 2), true, true),
        Frame(flat(4, 4, green), (8, 0), true, false),
        Frame(flat(6, 6, half), (6, 2), true, true),
        Frame(flat(2, 2, blue), (0, 0), false, false),
        Frame(flat(4, 2, half), (0, 0), false, false),
    ];
    let desk = Desk::new();
    fs::write(desk.path("frames.webp"), animated(0x12, &frames)).unwrap();

    // The same as whole pictures, painted one by one.
    let paint = |canvas: &mut RgbaImage, (x, y): (u32, u32), (width, height): (u32, u32), color: [u8; 4]| {
        for y in y..y + height {
            (x..x + width).for_each(|x| canvas.put_pixel(x, y, Rgba(color)));
        }
    };
    let mut canvas = RgbaImage::new(12, 8);
    let mut shown = Vec::new();
    paint(&mut canvas, (2, 2), (6, 4), red);
    shown.push(canvas.clone());
    canvas = RgbaImage::new(12, 8);
    paint(&mut canvas, (8, 0), (4, 4), green);
    shown.push(canvas.clone());
    let before = canvas.clone();
    paint(&mut canvas, (6, 2), (6, 6), half);
    paint(&mut canvas, (8, 2), (4, 2), [65, 190, 45, 255]);
    shown.push(canvas);
    canvas = before;
    paint(&mut canvas, (6, 2), (6, 6), [0; 4]);
    paint(&mut canvas, (0, 0), (2, 2), blue);
    shown.push(canvas.clone());
    paint(&mut canvas, (0, 0), (4, 2), half);
    shown.push(canvas);
    let whole: Vec<Frame> =
        shown.into_iter().map(|canvas| Frame(canvas.into(), (0, 0), false, false)).collect();
    fs::write(desk.path("whole.webp"), animated(0x12, &whole)).unwrap();

    desk.upscale("frames.webp -o a.png").wrote(&["a.png"]);
    desk.upscale("whole.webp -o b.png").wrote(&["b.png"]);
    let [a, b] = ["a.png", "b.png"].map(|name| fs::read(desk.path(name)).unwrap());
    assert!(a == b, "the frames differ");
    // Frames without the header's word for them are still all there is to show.
    fs::write(desk.path("unflagged.webp"), animated(0, &frames)).unwrap();
    desk.upscale("unflagged.webp -o c.png").wrote(&["c.png"]);
    assert!(fs::read(desk.path("c.png")).unwrap() == a, "the flag makes a difference");
}

/// One frame that does not fill the canvas, and a still picture in a file that calls itself animated.
#[test]
fn single_frames() {
    let mut cases = Cases::new();
    let small = RgbImage::from_pixel(4, 4, Rgb([90, 140, 60]));
    let mut canvas = RgbaImage::new(12, 8);
    for y in 2..6 {
        (6..10).for_each(|x| canvas.put_pixel(x, y, Rgba([90, 140, 60, 255])));
    }
    let file = animated(0x02, &[Frame(small.into(), (6, 2), true, false)]);
    cases.add("one_frame", "webp", &file, canvas, 0);
    let still = DynamicImage::from(color(12, 8));
    let chunks = [header(0x02, 12, 8), (b"ANIM", vec![0; 6]), pixels(&still)];
    cases.add("no_frame", "webp", &riff(&chunks), still, 0);
    cases.check();
}
