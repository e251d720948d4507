//! Video: frames against the same frames enlarged alone, the program between two real ffmpegs, streams that break,
//! memory that does not grow.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use image::{DynamicImage, GrayImage};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::reference::resample::apply;
use srcnn_gpu::reference::{Maps, forward};
use srcnn_gpu::resample::{ResampleTable, output_len};
use srcnn_gpu::video::format::Range;
use srcnn_gpu::video::y4m::{Frame, Reader, Writer};
use srcnn_gpu::video::{VideoUpscaler, upscale};
use srcnn_gpu::{Padding, Planes, Weights};

/// An output that can be looked at afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A stream of frames of waves and noise, other ones in each plane and frame.
fn stream(parameters: &str, frames: u64) -> Vec<u8> {
    let line = format!("YUV4MPEG2 {parameters}\n");
    let first = Reader::new(line.as_bytes()).unwrap();
    let header = first.header();
    let format = header.format;
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, header).unwrap();
    for number in 0..frames {
        let mut noise = common::noise(number + 1);
        let mut data = Vec::new();
        for plane in 0..format.planes() {
            let [columns, rows] = format.plane_size(plane, header.size());
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                let wave = (x as f32 * 0.9 + y as f32 * 0.4 + number as f32 + plane as f32).sin();
                let value = 0.5 + 0.35 * wave + 0.1 * noise();
                let sample = (value * format.largest() as f32) as u16;
                data.extend(&sample.to_le_bytes()[..format.sample_bytes()]);
            }
        }
        writer.write(&Frame { parameters: String::new(), data }).unwrap();
    }
    bytes
}

/// All frames of a stream.
fn frames(stream: &[u8]) -> Vec<Frame> {
    let mut reader = Reader::new(stream).unwrap();
    let mut frames = vec![Frame::default()];
    while reader.read(frames.last_mut().unwrap()).unwrap() {
        frames.push(Frame::default());
    }
    frames.pop();
    frames
}

fn enlarged(stream: &[u8], weights: &Weights, options: HeadlessOptions, scale: f64) -> Vec<u8> {
    let reader = Reader::new(std::io::Cursor::new(stream.to_vec())).unwrap();
    let mut upscaler = VideoUpscaler::new(common::gpu(), weights, options, reader.header(), scale).unwrap();
    let output = Shared::default();
    let mut told = Vec::new();
    let outcome = upscale(reader, output.clone(), &mut upscaler, &mut |done| told.push(done)).unwrap();
    assert!(!outcome.abandoned);
    assert_eq!(told, (1..=outcome.frames).collect::<Vec<_>>());
    let bytes = output.0.lock().unwrap().clone();
    assert_eq!(frames(&bytes).len() as u64, outcome.frames);
    bytes
}

/// The samples of a plane, or of one of its fields, as they lie in a frame.
fn plane(bytes: &[u8], reader: &Reader<&[u8]>, plane: usize, field: Option<usize>) -> Vec<f64> {
    let (format, size) = (reader.header().format, reader.header().size());
    let bytes_of = |plane| format.plane_size(plane, size).iter().product::<usize>() * format.sample_bytes();
    let start: usize = (0..plane).map(bytes_of).sum();
    let [columns, _] = format.plane_size(plane, size);
    let rows = bytes[start..start + bytes_of(plane)].chunks_exact(columns * format.sample_bytes());
    let (first, step) = field.map_or((0, 1), |parity| (parity, 2));
    let rows = rows.skip(first).step_by(step);
    let sample =
        |bytes: &[u8]| bytes.iter().rev().fold(0.0, |sample, &byte| sample * 256.0 + f64::from(byte));
    rows.flat_map(|row| row.chunks_exact(format.sample_bytes()).map(sample)).collect()
}

/// Where luma, Cb and Cr sit within their pixels, columns and rows; of whole frames, or of both fields.
type Sites = [[f64; 2]; 3];
const MIDDLE: Sites = [[0.5; 2]; 3];
const LEFT: Sites = [[0.5; 2], [0.25, 0.5], [0.25, 0.5]];

/// Every format against the CPU twins, sample by sample: luma through the network in its range, chroma bicubic with
/// the siting of the format, rounded once.
#[test]
fn formats_and_siting() {
    let _alone = common::alone();
    let weights = common::network("5-1-3", "6-5", 1, Padding::Replicate);
    let top = [[0.5, 0.25], [0.25, 0.25], [0.25, 0.25]];
    let bottom = [[0.5, 0.75], [0.25, 0.75], [0.25, 0.75]];
    let dv = |line: f64| [[0.5, (line + 0.5) / 2.0], [0.25, (line + 2.5) / 4.0], [0.25, (line + 0.5) / 4.0]];
    for (parameters, scale, range, sites) in [
        ("W21 H14 Cmono", 2.0, Range::Full, vec![MIDDLE]),
        ("W21 H14 C420jpeg", 2.0, Range::Limited, vec![MIDDLE]),
        ("W21 H13 C420mpeg2 XCOLORRANGE=FULL", 1.5, Range::Full, vec![LEFT]),
        ("W20 H14 C420p10", 3.0, Range::Limited, vec![LEFT]),
        ("W20 H14 C422p12", 2.0, Range::Limited, vec![LEFT]),
        ("W20 H14 C444p16 XCOLORRANGE=FULL", 1.7, Range::Full, vec![MIDDLE]),
        ("W20 H14 C411", 2.0, Range::Limited, vec![[[0.5; 2], [0.125, 0.5], [0.125, 0.5]]]),
        ("W21 H15 It C420mpeg2", 2.0, Range::Limited, vec![top, bottom]),
        ("W20 H16 Ib C420paldv", 1.5, Range::Limited, vec![dv(0.0), dv(1.0)]),
    ] {
        let source = stream(parameters, 3);
        let options = HeadlessOptions { tile: Some(24), ..HeadlessOptions::default() };
        let result = enlarged(&source, &weights, options, scale);
        let (from, to) = (Reader::new(source.as_slice()).unwrap(), Reader::new(result.as_slice()).unwrap());
        let format = from.header().format;
        assert_eq!(from.header().range, range, "{parameters}");
        let fields = if sites.len() == 1 { vec![None] } else { vec![Some(0), Some(1)] };
        for (low, high) in frames(&source).iter().zip(frames(&result)) {
            for (&field, sites) in fields.iter().zip(&sites) {
                for (component, site) in sites.iter().enumerate().take(format.planes()) {
                    let low = plane(&low.data, &from, component, field);
                    let high = plane(&high.data, &to, component, field);
                    let [columns, rows] = format.plane_size(component, from.header().size());
                    let [wide, _] = format.plane_size(component, to.header().size());
                    assert_eq!(to.header().width as usize, output_len(from.header().width as usize, scale));
                    let rows = field.map_or(rows, |parity| (rows + 1 - parity) / 2);
                    let expected = |site: [f64; 2]| {
                        let across = ResampleTable::bicubic_sited(columns, wide, scale, site[0]).unwrap();
                        let down =
                            ResampleTable::bicubic_sited(rows, high.len() / wide, scale, site[1]).unwrap();
                        let depth = f64::from(1 << (format.depth - 8));
                        let largest = f64::from(format.largest());
                        let [black, white] = match range {
                            Range::Limited => [16.0 * depth, 235.0 * depth],
                            Range::Full => [0.0, largest],
                        };
                        if component > 0 {
                            return apply(&low, &down, &across);
                        }
                        // What the network sees is 16/255 where it is black and 235/255 where it is white.
                        let map = |v: f64| (16.0 + 219.0 * (v - black) / (white - black)) / 255.0;
                        let unmap = |v: f64| (v * 255.0 - 16.0) / 219.0 * (white - black) + black;
                        let low: Vec<f64> = low.iter().map(|&v| map(v)).collect();
                        let data = apply(&low, &down, &across);
                        let maps = Maps { channels: 1, height: data.len() / wide, width: wide, data };
                        let result = forward(&weights, &maps, Padding::Replicate);
                        result.data.iter().map(|&v| unmap(v)).collect()
                    };
                    let worst = |expected: Vec<f64>| {
                        assert_eq!(expected.len(), high.len());
                        let largest = f64::from(format.largest());
                        let pairs = expected.iter().zip(&high);
                        pairs.map(|(e, h)| (e.clamp(0.0, largest) - h).abs()).fold(0.0, f64::max)
                    };
                    let float = common::tolerance(54, 3, 2.0) * f64::from(format.largest());
                    let what = format!("{parameters}: plane {component}, field {field:?}");
                    let off = worst(expected(*site));
                    assert!(off <= 0.5 + float, "{what}: off by {off}");
                    // A siting that is off by an eighth of a pixel would be noticed.
                    for axis in [0, 1] {
                        let mut wrong = *site;
                        wrong[axis] += 0.125;
                        let off = worst(expected(wrong));
                        assert!(off > 0.5 + float + 1.0, "{what}: the comparison cannot fail, {off}");
                    }
                }
            }
        }
    }
}

/// Luma as it comes out of a stream and as [`Headless`] computes it, in tiles of another size: the same but for the
/// rounding.
#[test]
fn luma_is_that_of_planes_enlarged_alone() {
    let _alone = common::alone();
    let weights = common::network("9-1-5", "8-6", 1, Padding::Replicate);
    let source = stream("W40 H30 C420mpeg2", 4);
    for tta in [false, true] {
        let options = HeadlessOptions { tta, tile: Some(48), ..HeadlessOptions::default() };
        let result = enlarged(&source, &weights, options, 3.0);
        let (from, to) = (Reader::new(source.as_slice()).unwrap(), Reader::new(result.as_slice()).unwrap());
        let options = HeadlessOptions { tta, tile: Some(32), ..HeadlessOptions::default() };
        let mut headless = Headless::new(common::gpu(), &weights, options).unwrap();
        for (low, high) in frames(&source).iter().zip(frames(&result)) {
            let low = plane(&low.data, &from, 0, None).iter().map(|&v| (v / 255.0) as f32).collect();
            let alone = headless.upscale_planes(&Planes::new(40, 30, 1, low).unwrap(), 3.0).unwrap();
            for (i, (&sample, &value)) in plane(&high.data, &to, 0, None).iter().zip(&alone.data).enumerate()
            {
                let exact = (f64::from(value) * 255.0).clamp(0.0, 255.0);
                // A fused multiplication and addition may round a tie the other way.
                assert!(
                    (sample - exact).abs() <= 0.5 + 1e-4,
                    "tta {tta}, sample {i}: {sample}, alone {exact}"
                );
            }
        }
    }
}

fn weights() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/sharpen.safetensors")
}

/// The program with video from its standard input to its standard output, and more arguments.
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
    // A reader that goes away is what some of the tests are about.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The real thing, or `None` with a line that says so.
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

/// Between two ffmpegs, in formats as cameras and encoders have them: the parameters pass through, all frames come out
/// as the library makes them.
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

/// A grey video in full range against its frames as PNG files, each enlarged as a picture.
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
        // Grey pictures take the way by red, green and blue, whose coefficients are rounded: ties may fall apart.
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

    // A file's old content is not lost to a broken stream.
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

    // A reader that has seen enough, while the source goes on: a quiet end.
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

/// Resident memory after 300 frames is what it was after 20, but for less than what a few frames take.
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
