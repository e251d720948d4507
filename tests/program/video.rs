//! The program with video on standard input and output: between two real ffmpegs, with broken streams, and with
//! constant memory.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use image::{DynamicImage, GrayImage};
use srcnn_gpu::Weights;
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::video::y4m::Reader;

use crate::common;
use crate::common::video::{enlarged, frames, stream};

fn weights() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/sharpen.safetensors")
}

/// The program reading video from standard input and writing it to standard output, plus more arguments.
fn program(folder: &Path, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
    command.current_dir(folder).arg("upscale").arg("-m").arg(weights()).args(args.split_whitespace());
    command.env_remove("SRCNN_GPU").env_remove("RUST_LOG").env("XDG_RUNTIME_DIR", folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(mut child: Child, input: &[u8]) -> Output {
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Some of the tests close the pipe early.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The real ffmpeg; if it is not installed, prints a line and returns `None`.
fn ffmpeg(args: &str) -> Option<Command> {
    if Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).status().is_err() {
        eprintln!("SKIPPED: ffmpeg is not installed (Debian: apt install ffmpeg)");
        return None;
    }
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y"]).args(args.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(command)
}

/// Between two ffmpegs, in the formats of cameras and encoders: the parameters pass through, and all frames equal the
/// library's.
#[test]
fn between_two_ffmpegs() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let network = Weights::load(&weights()).unwrap();
    for (pixels, tag) in [
        ("yuv420p", "C420jpeg"),
        ("yuvj420p", "XCOLORRANGE=FULL"),
        ("yuv422p", "C422"),
        ("yuv444p", "C444"),
        ("gray", "Cmono"),
        ("yuv420p10le", "C420p10"),
        ("yuv422p16le", "C422p16"),
    ] {
        let make = format!("-f lavfi -i testsrc2=s=64x48:r=30000/1001:d=0.2 -pix_fmt {pixels} -strict -1");
        let Some(mut before) = ffmpeg(&format!("{make} -f yuv4mpegpipe -")) else { return };
        let source = before.output().unwrap();
        assert!(source.status.success(), "{}", stderr(&source));
        let mut through = program(folder.path(), "- -o - -s 1.5").spawn().unwrap();
        // The second ffmpeg reads while the program writes.
        let mut after = ffmpeg("-f yuv4mpegpipe -i - -strict -1 -f yuv4mpegpipe -").unwrap();
        let after = after.stdin(through.stdout.take().unwrap()).spawn().unwrap();
        let after = std::thread::spawn(move || after.wait_with_output().unwrap());
        let ended = run(through, &source.stdout);
        assert!(ended.status.success(), "{pixels}: {}", stderr(&ended));
        let decoded = after.join().unwrap();
        assert!(decoded.status.success(), "{pixels}: {}", stderr(&decoded));

        let expected = enlarged(&source.stdout, &network, HeadlessOptions::default(), 1.5);
        let line = |stream: &[u8]| Reader::new(stream).unwrap().header().to_string();
        let parameters = line(&expected);
        assert!(parameters.contains(tag) && parameters.contains("W96 H72 F30000:1001"), "{parameters}");
        assert_eq!(line(&decoded.stdout).replace("XYSCSS=420MPEG2 ", ""), parameters, "{pixels}");
        assert_eq!(frames(&decoded.stdout).len(), 6, "{pixels}");
        assert!(frames(&decoded.stdout) == frames(&expected), "{pixels}: the frames differ");
    }
}

/// A full-range grey video against its frames as PNG files, each enlarged as a picture.
#[test]
fn frames_as_picture_files() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let make = "-f lavfi -i testsrc2=s=64x48:d=0.2 -pix_fmt gray";
    let Some(mut pictures) = ffmpeg(&format!("{make} {}", at("low%d.png"))) else { return };
    assert!(pictures.output().unwrap().status.success());
    assert!(
        ffmpeg(&format!("{make} -strict -1 {}", at("low.y4m"))).unwrap().output().unwrap().status.success()
    );
    let ran = program(folder.path(), "low.y4m -o high.y4m -s 2 -t 48").output().unwrap();
    assert!(ran.status.success(), "{}", stderr(&ran));
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), "high.y4m\n");
    let split = format!("-i {} {}", at("high.y4m"), at("high%d.png"));
    assert!(ffmpeg(&split).unwrap().output().unwrap().status.success());

    let network = Weights::load(&weights()).unwrap();
    let mut headless = Headless::new(common::gpu(), &network, HeadlessOptions::default()).unwrap();
    for number in 1..=5 {
        let open = |name: String| image::open(at(&name)).unwrap().to_luma8();
        let low = DynamicImage::from(open(format!("low{number}.png")));
        let alone = headless.upscale(&low, 2.0, &mut |_, _| ()).unwrap().to_luma8();
        let video: GrayImage = open(format!("high{number}.png"));
        assert_eq!(video.dimensions(), (128, 96));
        let differences = alone.iter().zip(video.iter()).filter(|(a, b)| a != b).count();
        // Grey pictures go through red, green and blue, whose coefficients are rounded: ties may round differently.
        let most = alone.iter().zip(video.iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(
            most <= Some(1) && differences <= 3,
            "frame {number}: {differences} samples differ, by {most:?}"
        );
    }
}

#[test]
fn streams_that_break() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let whole = stream("W32 H24 C420jpeg", 5);
    let cut = &whole[..whole.len() - 100];

    let output = run(program(folder.path(), "- -o -").spawn().unwrap(), cut);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("error: standard input: the stream is truncated: frame 5 ends after"), "{text}");
    assert_eq!(frames(&output.stdout).len(), 4, "whole frames before the break are written");

    // A file's old content survives a broken stream.
    fs::write(folder.path().join("cut.y4m"), cut).unwrap();
    fs::write(folder.path().join("high.y4m"), "old").unwrap();
    let output = program(folder.path(), "cut.y4m -o high.y4m").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(fs::read(folder.path().join("high.y4m")).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");

    for (input, args, code, reason) in [
        (&b"\x89PNG...."[..], "- -o - --y4m", 1, "not a YUV4MPEG2 stream"),
        (b"", "- --y4m", 1, "there is nothing in it"),
        (&whole, "- a.png -o -", 2, "pictures and video"),
        (&whole, "- -o - --padding valid", 2, "padding 'valid'"),
        (&whole, "- -o missing/high.y4m", 5, "does not exist"),
    ] {
        let output = run(program(folder.path(), args).spawn().unwrap(), input);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{args}: {text}");
        assert!(text.contains(reason), "{args}: {text}");
    }

    // A reader that closes early while the source continues: a quiet end.
    let mut child = program(folder.path(), "- -o -").spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let feeder = std::thread::spawn(move || {
        stdin.write_all(&whole).unwrap();
        let frame = &whole[whole.len() - (6 + 32 * 24 * 3 / 2)..];
        while stdin.write_all(frame).is_ok() {}
    });
    stdout.read_exact(&mut [0; 1000]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains("error"), "{}", stderr(&output));
}

/// Many videos follow the same rules as many pictures.
#[test]
fn folders_of_results() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let ran = |args: &str, code: i32, lines: &[&str]| {
        let output = program(folder.path(), args).output().unwrap();
        let (told, text) = (String::from_utf8(output.stdout.clone()).unwrap(), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "{args}: {text}");
        assert_eq!(told.lines().collect::<Vec<_>>(), lines, "{args}: {text}");
        text
    };
    for (name, frames) in [("x/a.y4m", 2), ("y/a.y4m", 3), ("y/b.y4m", 1)] {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), stream("W16 H12 C420jpeg", frames)).unwrap();
    }
    // Two of one name: the second is refused, nothing is lost. Patterns stand for several.
    let text = ran("x/a.y4m y/*.y4m -o out/", 1, &["out/a.y4m", "out/b.y4m"]);
    assert!(text.contains("y/a.y4m: another input is written to out/a.y4m already"), "{text}");
    assert_eq!(frames(&fs::read(at("out/a.y4m")).unwrap()).len(), 2);
    // Kept while they are up to date, made again when input or settings change; what a killed run left goes.
    fs::write(at("out/.srcnn-gpu-aB3dE6"), "half a video").unwrap();
    let text = ran("x/a.y4m y/b.y4m -o out", 0, &[]);
    assert!(text.contains("0 of 2 done, 2 up to date"), "{text}");
    let text = ran("x/a.y4m -o out", 0, &[]);
    assert!(text.contains("out/a.y4m: it is up to date"), "{text}");
    fs::write(at("x/a.y4m"), stream("W16 H12 C420jpeg", 4)).unwrap();
    ran("x/a.y4m y/b.y4m -o out", 0, &["out/a.y4m"]);
    assert_eq!(frames(&fs::read(at("out/a.y4m")).unwrap()).len(), 4);
    assert!(!at("out/.srcnn-gpu-aB3dE6").exists());
    ran("x/a.y4m y/b.y4m -o out -s 1.5", 0, &["out/a.y4m", "out/b.y4m"]);
    // A file that somebody else made stays.
    fs::write(at("out/b.y4m"), "somebody's own").unwrap();
    ran("y/b.y4m -o out -s 3", 0, &[]);
    ran("y/b.y4m -o out -s 3 --existing fail", 5, &[]);
    ran("y/b.y4m -o out -s 3 --existing rename", 0, &["out/b (1).y4m"]);
    assert_eq!(fs::read(at("out/b.y4m")).unwrap(), b"somebody's own");
    ran("x/a.y4m -o x/a.y4m", 5, &[]);
    ran("x/a.y4m -s 3", 0, &["x/a_srcnn_x3.y4m"]);
    ran("x/a.y4m y/b.y4m -o one.y4m", 2, &[]);
    if cfg!(unix) {
        ran("x/a.y4m -o /dev/null", 0, &["/dev/null"]);
    }
}

/// Resident memory after 300 frames is what it was after 20, give or take a few frames.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let source = stream("W160 H120 C420jpeg", 20);
    let (frame, start) = (6 + 160 * 120 * 3 / 2, source.iter().position(|&b| b == b'\n').unwrap() + 1);
    let mut child = program(folder.path(), "- -o -").spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let large = 6 + 4 * (frame - 6);
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().to_owned();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    };
    stdin.write_all(&source[..start]).unwrap();
    let mut after = Vec::new();
    let mut out = vec![0; large];
    for number in 0..300 {
        let at = start + number % 20 * frame;
        stdin.write_all(&source[at..at + frame]).unwrap();
        if number == 0 {
            std::io::BufRead::read_until(&mut stdout, b'\n', &mut Vec::new()).unwrap();
        }
        stdout.read_exact(&mut out).unwrap();
        if [19, 299].contains(&number) {
            after.push(resident());
        }
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    let grown = after[1].saturating_sub(after[0]);
    println!("resident after 20 frames {}, after 300 {}", after[0], after[1]);
    // 280 results are 32 MB.
    assert!(grown < 280 * large / 8, "grown by {grown} bytes");
}
