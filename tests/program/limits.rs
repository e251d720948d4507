//! Limits on what one input may ask for: each refusal names the figure and the flag that allows more; and what small hostile
//! files cost.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use image::GrayImage;

use crate::common::desk::{Desk, Run, color, grey, identity_for};

#[test]
fn every_limit_can_be_set() {
    let desk = Desk::new();
    desk.save("a.png", color(64, 64));
    fs::write(desk.path("m.safetensors"), identity_for(Vec::new())).unwrap();
    fs::write(desk.path("list"), "a.png\n".repeat(10)).unwrap();
    for (args, code, words) in [
        (
            "a.png --limit memory=1K",
            1,
            &["picture of 64x64", "12.0 KiB", "1.0 KiB", "--limit memory=SIZE"][..],
        ),
        ("a.png -s 4 --limit memory=100K", 1, &["result of 256x256", "204.0 KiB", "--limit memory=SIZE"]),
        ("@list --limit list=20", 1, &["list", "more than 20 bytes", "--limit list=SIZE"]),
        ("a.png -m m.safetensors --limit weights=100", 4, &["more than 100 bytes", "--limit weights=SIZE"]),
        ("a.png --limit pixels=5", 2, &["'pixels' is none of memory, metadata"]),
        ("a.png --limit memory=-5", 2, &["'-5' is not a size such as 500M"]),
        ("a.png --limit time=5M", 2, &["'5M' is not a time such as 30m"]),
    ] {
        let run =
            if args.contains("-m ") { desk.run(&format!("upscale {args}")) } else { desk.upscale(args) };
        run.fails(code, words);
    }
    desk.upscale("a.png -o b.png -s 8 --limit memory=3M --limit list=none").wrote(&["b.png"]);
    let mut command = desk.command("upscale -m m.safetensors - -o c.png --limit stdin=100");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that refuses its input need not read all of it.
    let _ = child.stdin.take().unwrap().write_all(&fs::read(desk.path("a.png")).unwrap());
    let run = Run::from(child.wait_with_output().unwrap());
    run.fails(1, &["standard input", "more than 100 bytes", "--limit stdin=SIZE"]);
}

#[test]
fn pictures_that_would_take_too_long_are_refused_early() {
    let desk = Desk::new();
    desk.save("in.png", GrayImage::new(300, 300));
    let run = desk.run("upscale in.png -o out.png -s 16 --no-autotune --limit time=1s");
    // A fast device takes less than a second for these 23 million pixels.
    if run.code == Some(0) {
        println!("SKIPPED: this device is too fast to be refused");
        return;
    }
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let words =
        ["in.png: the result of 4800x4800 pixels would take about ", "1s are allowed", "--limit time=TIME"];
    assert!(words.iter().all(|word| run.stderr.contains(word)), "{}", run.stderr);
    assert!(!desk.exists("out.png"));
    // Others of the same run are made.
    desk.save("b.png", grey(8, 8));
    let run = desk.run("upscale in.png b.png -o out -s 16 --no-autotune --limit time=1s");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), "out/b.png\n"), "{}", run.stderr);
}

/// Runs the program, and returns the most memory that it ever had, in bytes.
#[cfg(target_os = "linux")]
fn peak(desk: &Desk, args: &str) -> (Run, u64) {
    let mut command = desk.command(args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        // The kernel remembers the peak, so the last look before the end is enough.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        most = most.max(kilobytes.unwrap_or(0) << 10);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    (child.wait_with_output().unwrap().into(), most)
}

#[cfg(target_os = "linux")]
fn deflated_zeros(bytes: usize) -> Vec<u8> {
    let mut encoder = libflate::zlib::Encoder::new(Vec::new()).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..bytes >> 20).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().into_result().unwrap()
}

#[cfg(target_os = "linux")]
fn png_chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&name[..], data].concat();
    let mut crc = !0u32;
    for byte in &body {
        crc ^= u32::from(*byte);
        (0..8).for_each(|_| crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 });
    }
    [&(data.len() as u32).to_be_bytes()[..], &body, &(!crc).to_be_bytes()].concat()
}

#[cfg(target_os = "linux")]
fn png(side: u32, color: u8, chunks: &[Vec<u8>]) -> Vec<u8> {
    let header = [&side.to_be_bytes()[..], &side.to_be_bytes(), &[8, color, 0, 0, 0]].concat();
    let mut file = [&b"\x89PNG\r\n\x1a\n"[..], &png_chunk(b"IHDR", &header)].concat();
    chunks.iter().for_each(|chunk| file.extend(chunk));
    file.extend(png_chunk(b"IEND", &[]));
    file
}

/// Files of less than 2 MB, which ask for far more memory than their pixels need.
#[cfg(target_os = "linux")]
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let bomb = deflated_zeros(900 << 20);
    assert!(bomb.len() < 1 << 21);
    let pixels = || png_chunk(b"IDAT", &deflated_zeros(1 << 20));
    let named = |name: &[u8]| [name, &b"\0\0"[..], &bomb].concat();
    let le = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    // 600 tags that all point to the same megabyte.
    let mut tiff = [&b"II*\0"[..], &le(&[8])].concat();
    tiff.extend(600u16.to_le_bytes());
    for tag in 0..600u16 {
        tiff.extend((40_000 + tag).to_le_bytes());
        tiff.extend([7, 0]);
        tiff.extend(le(&[1 << 20, 16_384]));
    }
    tiff.resize(16_384 + (1 << 20), 7);
    let gif = |width: u16, frames: usize| {
        let frame = [
            &[0x21, 0xf9, 4, 8, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0][..],
            &width.to_le_bytes(),
            &width.to_le_bytes(),
        ];
        let frame = [&frame.concat()[..], &[0, 2, 2, 0x44, 1, 0]].concat();
        [&b"GIF89a"[..], &[4, 0, 4, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255], &frame.repeat(frames), &[0x3b]]
            .concat()
    };
    let jpeg = |marker: u8| {
        let frame = [0xff, marker, 0, 17, 8, 0xff, 0, 0xff, 0, 3, 1, 0x22, 0, 2, 0x22, 0, 3, 0x22, 0];
        let scan = [0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0, 0xff, 0xd9];
        [&[0xff, 0xd8][..], &frame, &scan].concat()
    };
    let bmp = [&b"BM"[..], &le(&[70, 0, 54, 40, 60_000, 60_000, 1 | 8 << 16, 1, 0, 0, 0, 0, 0]), &[255; 16]]
        .concat();
    let tga =
        [&[0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 32, 0][..], &[255; 1000]].concat();
    let animation = {
        let mut webp =
            [&b"VP8X"[..], &le(&[10]), &[2, 0, 0, 0, 255, 63, 0, 255, 63, 0], b"ANIM", &le(&[6]), &[0; 6]]
                .concat();
        webp.extend([&b"ANMF"[..], &le(&[24]), &[0; 16], b"VP8L", &le(&[0])].concat());
        [&b"RIFF"[..], &le(&[webp.len() as u32 + 4]), b"WEBP", &webp].concat()
    };
    vec![
        ("profile.png", png(4, 0, &[png_chunk(b"iCCP", &named(b"p")), pixels()])),
        ("text.png", png(4, 0, &[png_chunk(b"zTXt", &named(b"Comment")), pixels()])),
        ("pixels.png", png(4, 0, &[png_chunk(b"IDAT", &bomb)])),
        ("header.png", png(60_000, 6, &[pixels()])),
        ("tags.tif", tiff),
        ("frame.gif", gif(60_000, 3)),
        ("frames.gif", gif(4, 60_000)),
        ("header.jpg", jpeg(0xc0)),
        ("progressive.jpg", jpeg(0xc2)),
        ("header.bmp", bmp),
        ("header.tga", tga),
        (
            "header.qoi",
            [&b"qoif"[..], &60_000u32.to_be_bytes(), &60_000u32.to_be_bytes(), &[4, 0], &[0xfd; 100]]
                .concat(),
        ),
        ("header.ppm", b"P6 60000 60000 255\n123456".into()),
        ("lines.pgm", b"P2 60000 60000 255\n1 2 3 4".into()),
        ("animation.webp", animation),
        ("header.y4m", b"YUV4MPEG2 W65536 H65536 F25:1\nFRAME\n1234".into()),
    ]
}

/// Nothing takes more than 1 GiB, and no file harms the others.
#[cfg(target_os = "linux")]
#[test]
fn small_hostile_files_cost_little_memory() {
    const MOST: u64 = 1 << 30;
    let desk = Desk::new();
    if fs::read_to_string("/proc/self/status").map_or(true, |text| !text.contains("VmHWM:")) {
        println!("SKIPPED: this kernel does not tell how much memory a process had");
        return;
    }
    fs::create_dir(desk.path("in")).unwrap();
    for (name, bytes) in hostile() {
        assert!(bytes.len() < 2_000_000, "{name}: {}", bytes.len());
        fs::write(desk.path("in").join(name), bytes).unwrap();
        let commands: &[&str] = match name.ends_with(".y4m") {
            true => &["upscale -m m.safetensors in/FILE -o out.y4m"],
            false => &[
                "upscale -m m.safetensors in/FILE -o out/",
                "degrade in/FILE small/ -s 2",
                "compare in/FILE in/FILE",
            ],
        };
        for command in commands {
            let args = command.replace("FILE", name);
            let (run, most) = peak(&desk, &args);
            println!("{args}: code {:?}, {} MiB", run.code, most >> 20);
            assert!(most < MOST, "{args}: {} MiB", most >> 20);
            assert!(run.code.is_some_and(|code| code < 3), "{args}: {:?} {}", run.code, run.stderr);
            assert!(!run.stderr.contains("panicked"), "{args}: {}", run.stderr);
        }
    }
    let header = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let large =
        r#"{"conv1.weight":{"dtype":"F32","shape":[4096,4096,63,63],"data_offsets":[0,266289020928]}}"#;
    for (name, bytes) in [
        ("length.safetensors", (1u64 << 40).to_le_bytes().to_vec()),
        ("shape.safetensors", header(large)),
        ("bomb.mat", {
            let bomb = deflated_zeros(900 << 20);
            let mut file = b"MATLAB 5.0 MAT-file".to_vec();
            file.resize(124, b' ');
            file.extend([0, 1, b'I', b'M', 15, 0, 0, 0]);
            file.extend((bomb.len() as u32).to_le_bytes());
            [file, bomb].concat()
        }),
    ] {
        fs::write(desk.path(name), bytes).unwrap();
        let (run, most) = peak(&desk, &format!("model info {name}"));
        println!("{name}: code {:?}, {} MiB", run.code, most >> 20);
        assert!(
            most < MOST && run.code == Some(4),
            "{name}: {} MiB, {:?} {}",
            most >> 20,
            run.code,
            run.stderr
        );
    }
}
