//! GIF, APNG and animated WebP: frames, their durations, repetitions, and how frames compose.

use gif::{DisposalMethod, Encoder, Frame, Repeat};
use image::{AnimationDecoder, DynamicImage, ImageFormat, RgbaImage};

use super::corpus::encoded;
use super::desk::Desk;

/// Four frames that build on each other: a complete one, then partial ones with holes, with every disposal method.
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
        let pixel =
            |i: usize| if index > 0 && i.is_multiple_of(5) { 0 } else { 1 + ((i / 3 + index) % 3) as u8 };
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

/// Each frame as displayed, composed by ImageMagick or else by the `image` crate.
fn composed(desk: &Desk) -> Vec<DynamicImage> {
    if desk.tool("convert", &["in.gif", "-coalesce", "PNG32:seen%d.png"]).is_some() {
        return (0..4).map(|i| desk.open(&format!("seen{i}.png")).into_rgba8().into()).collect();
    }
    let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(gif())).unwrap();
    decoder.into_frames().map(|frame| DynamicImage::from(frame.unwrap().into_buffer())).collect()
}

/// The frames of an APNG file, read by ffmpeg or else by the `image` crate.
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
fn frames_are_composed() {
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
        // The color of fully transparent pixels does not matter.
        let same = together.pixels().zip(alone.pixels()).all(|(a, b)| a == b || (a[3] == 0 && b[3] == 0));
        assert!(same, "frame {index}");
    }
    // The same through WebP, written and read back by this program.
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

/// 16-bit frames, one blended over the previous one, and one that is disposed of.
#[test]
fn apng_of_16_bits() {
    let desk = Desk::new();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 12, 10);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Sixteen);
    encoder.set_animated(3, 0).unwrap();
    encoder.set_frame_delay(1, 30).unwrap();
    let mut writer = encoder.write_header().unwrap();
    let pixels = |count: usize, pixel: [u16; 4]| {
        (0..count).flat_map(|_| pixel).flat_map(u16::to_be_bytes).collect::<Vec<u8>>()
    };
    let (ground, above) = ([40_001, 20_003, 10_007, 65_535], [10_001, 50_003, 30_005, 30_000]);
    writer.write_image_data(&pixels(120, ground)).unwrap();
    for dispose in [png::DisposeOp::Previous, png::DisposeOp::None] {
        writer.set_frame_dimension(6, 5).unwrap();
        writer.set_frame_position(3, 2).unwrap();
        writer.set_blend_op(png::BlendOp::Over).unwrap();
        writer.set_dispose_op(dispose).unwrap();
        writer.write_image_data(&pixels(30, above)).unwrap();
    }
    writer.finish().unwrap();
    desk.write("in.png", file);
    assert_eq!(desk.upscaled("in.png -o out.png -s 3"), "");

    let mut decoder =
        png::Decoder::new(std::io::BufReader::new(std::fs::File::open(desk.path("out.png")).unwrap()));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().unwrap();
    let control = reader.info().animation_control.unwrap();
    assert_eq!((control.num_frames, control.num_plays), (3, 0));
    let share = f64::from(above[3]) / 65535.0;
    let mixed = [0, 1, 2].map(|i| f64::from(above[i]) * share + f64::from(ground[i]) * (1.0 - share));
    for frame in 0..3 {
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut samples).unwrap();
        assert_eq!((info.width, info.height, info.bit_depth), (36, 30, png::BitDepth::Sixteen));
        let control = reader.info().frame_control.unwrap();
        assert_eq!((control.delay_num, control.delay_den), (1, 30));
        let at = |x: usize, y: usize, channel: usize| {
            let place = ((y * 36 + x) * 4 + channel) * 2;
            f64::from(u16::from_be_bytes([samples[place], samples[place + 1]]))
        };
        for channel in 0..3 {
            let (corner, middle) = (at(1, 1, channel), at(17, 13, channel));
            let expected = if frame == 0 { f64::from(ground[channel]) } else { mixed[channel] };
            assert!((corner - f64::from(ground[channel])).abs() < 40.0, "frame {frame}: {corner}");
            // The network sharpens the surroundings a little.
            assert!((middle - expected).abs() < 700.0, "frame {frame}: {middle} is not {expected}");
        }
        assert_eq!(at(17, 13, 3), 65535.0, "frame {frame}");
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
    assert!(desk.path("still_srcnn_x2.png").exists(), "a picture is not reduced to 256 colors");
    desk.upscaled("still.gif -f same");
    assert!(desk.path("still_srcnn_x2.gif").exists());
    desk.fails("in.gif -o a.jpg", 1, &["in.gif", "4 frames", ".jpg", "write gif"]);
    let whole = gif();
    desk.write("short.gif", &whole[..whole.len() - 30]);
    desk.fails("short.gif -o b.apng", 1, &["short.gif"]);
    assert!(!desk.path("b.apng").exists());
}
