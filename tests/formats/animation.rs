//! GIF, APNG and animated WebP: frames, their times, repetitions, and what is seen of them.

use gif::{DisposalMethod, Encoder, Frame, Repeat};
use image::{AnimationDecoder, DynamicImage, ImageFormat, RgbaImage};

use crate::corpus::encoded;
use crate::desk::Desk;

/// Four frames that need each other: a whole one, parts with holes on it, and all ways to be taken away again.
fn gif() -> Vec<u8> {
    let mut file = Vec::new();
    let palette = [0, 0, 0, 220, 30, 30, 30, 200, 40, 40, 60, 230];
    let mut encoder = Encoder::new(&mut file, 16, 12, &palette).unwrap();
    encoder.set_repeat(Repeat::Finite(4)).unwrap();
    let frames = [
        (0, 0, 16, 12, DisposalMethod::Keep, 7),
        (3, 2, 8, 6, DisposalMethod::Previous, 10),
        (5, 4, 6, 6, DisposalMethod::Background, 25),
        (1, 1, 4, 4, DisposalMethod::Keep, 300),
    ];
    for (index, (left, top, width, height, dispose, delay)) in frames.into_iter().enumerate() {
        // Every fifth pixel of the later frames is a hole.
        let pixel = |i: usize| if index > 0 && i % 5 == 0 { 0 } else { 1 + ((i / 3 + index) % 3) as u8 };
        let buffer = (0..usize::from(width) * usize::from(height)).map(pixel).collect::<Vec<_>>();
        encoder
            .write_frame(&Frame {
                left,
                top,
                width,
                height,
                dispose,
                delay,
                transparent: Some(0),
                buffer: buffer.into(),
                ..Frame::default()
            })
            .unwrap();
    }
    drop(encoder);
    file
}

/// What is seen of each frame, as ImageMagick composes it, or as the `image` crate does.
fn composed(desk: &Desk) -> Vec<DynamicImage> {
    if desk.tool("convert", &["in.gif", "-coalesce", "PNG32:seen%d.png"]).is_some() {
        return (0..4).map(|i| desk.open(&format!("seen{i}.png")).into_rgba8().into()).collect();
    }
    let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(gif())).unwrap();
    decoder.into_frames().map(|frame| DynamicImage::from(frame.unwrap().into_buffer())).collect()
}

/// The frames of an APNG file, as ffmpeg reads them, or as the `image` crate does.
fn apng_frames(desk: &Desk, name: &str) -> Vec<RgbaImage> {
    let args = ["-v", "error", "-i", name, "-vsync", "passthrough", "-pix_fmt", "rgba", "frame%d.png"];
    if desk.tool("ffmpeg", &args).is_some() {
        return (1..=4).map(|i| desk.open(&format!("frame{i}.png")).into_rgba8()).collect();
    }
    let file = std::io::BufReader::new(std::fs::File::open(desk.path(name)).unwrap());
    let decoder = image::codecs::png::PngDecoder::new(file).unwrap().apng().unwrap();
    decoder.into_frames().map(|frame| frame.unwrap().into_buffer()).collect()
}

#[test]
fn frames_are_what_is_seen() {
    let desk = Desk::new();
    desk.write("in.gif", gif());
    for (index, frame) in composed(&desk).iter().enumerate() {
        desk.write(&format!("alone/{index}.png"), encoded(frame, ImageFormat::Png));
    }
    desk.upscaled("alone -o alone2/ -s 2");
    let alone: Vec<_> = (0..4).map(|i| desk.open(&format!("alone2/{i}.png")).into_rgba8()).collect();
    assert!(alone.windows(2).all(|pair| pair[0] != pair[1]));

    assert_eq!(desk.upscaled("in.gif -o out.apng -s 2"), "");
    let together = apng_frames(&desk, "out.apng");
    assert_eq!(together.len(), 4);
    for (index, (together, alone)) in together.iter().zip(&alone).enumerate() {
        // The colour of what is wholly transparent is nobody's business.
        let same = together.pixels().zip(alone.pixels()).all(|(a, b)| a == b || (a[3] == 0 && b[3] == 0));
        assert!(same, "frame {index}");
    }
    // The same through WebP, which this program writes and reads, and back.
    desk.upscaled("in.gif -o out.webp -s 2");
    let file = std::io::BufReader::new(std::fs::File::open(desk.path("out.webp")).unwrap());
    let decoder = image::codecs::webp::WebPDecoder::new(file).unwrap();
    let frames: Vec<_> = decoder.into_frames().map(|frame| frame.unwrap().into_buffer()).collect();
    assert_eq!(frames, alone, "WebP frames");
}

#[test]
fn times_and_repetitions_are_kept() {
    let desk = Desk::new();
    desk.write("in.gif", gif());
    for (from, to) in [
        ("in.gif", "a.gif"),
        ("in.gif", "a.apng"),
        ("in.gif", "a.webp"),
        ("a.apng", "b.apng"),
        ("a.webp", "b.webp"),
        ("a.apng", "b.gif"),
        ("a.webp", "c.gif"),
        ("a.webp", "c.png"),
    ] {
        assert_eq!(desk.upscaled(&format!("{from} -o {to} -s 1.5")), "");
    }
    if let Some(delays) = desk.tool("identify", &["-format", "%T ", "a.gif", "b.gif", "c.gif"]) {
        assert_eq!(delays.trim(), ["7 10 25 300"; 3].join(" "));
    }
    for name in ["a.apng", "b.apng", "c.png"] {
        let entries = "frame=pkt_duration_time";
        let args = ["-v", "error", "-f", "apng", "-show_entries", entries, "-of", "csv=p=0", name];
        if let Some(times) = desk.tool("ffprobe", &args) {
            let times: Vec<f64> =
                times.split_whitespace().map(|time| time.trim_matches(',').parse().unwrap()).collect();
            assert_eq!(times, [0.07, 0.1, 0.25, 3.0], "{name}");
        }
    }
    let names = ["a.gif", "b.gif", "c.gif", "a.apng", "b.apng", "c.png", "a.webp", "b.webp"];
    let Some(found) = desk.exiftool(&names) else { return };
    for name in names {
        let tags = &found[name];
        match name.rsplit_once('.').unwrap().1 {
            "gif" => {
                assert_eq!(tags["GIF:AnimationIterations"], 4, "{name}: {tags:#}");
                assert_eq!(tags["GIF:FrameCount"], 4, "{name}");
            }
            "webp" => {
                assert_eq!(tags["RIFF:AnimationLoopCount"], 5, "{name}: {tags:#}");
                assert_eq!(tags["RIFF:Duration"], 3.42, "{name}");
            }
            _ => {
                assert_eq!(tags["PNG:AnimationPlays"], 5, "{name}: {tags:#}");
                assert_eq!(tags["PNG:AnimationFrames"], 4, "{name}");
            }
        }
    }
}

#[test]
fn names_and_refusals() {
    let desk = Desk::new();
    desk.write("in.gif", gif());
    let still = RgbaImage::from_pixel(6, 5, image::Rgba([9, 80, 200, 255]));
    desk.write("still.gif", encoded(&still.into(), ImageFormat::Gif));
    desk.upscaled("in.gif still.gif");
    assert!(desk.path("in_srcnn_x2.gif").exists(), "an animation stays one");
    assert!(desk.path("still_srcnn_x2.png").exists(), "a picture is not pressed into 256 colours");
    desk.upscaled("still.gif -f same");
    assert!(desk.path("still_srcnn_x2.gif").exists());
    desk.fails("in.gif -o a.jpg", 1, &["in.gif", "4 frames", ".jpg", "write gif"]);
    let whole = gif();
    desk.write("short.gif", &whole[..whole.len() - 30]);
    desk.fails("short.gif -o b.apng", 1, &["short.gif"]);
    assert!(!desk.path("b.apng").exists());
}
