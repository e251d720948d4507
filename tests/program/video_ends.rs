//! How the work on videos ends when something goes wrong, what is told meanwhile, and many videos at once.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common;
use crate::common::desk::{Desk, Run};

/// A folder with programs called ffmpeg and ffprobe that run the real ones; `script` may do something else first.
#[cfg(unix)]
fn wrapped(desk: &Desk, script: &str) -> Option<std::ffi::OsString> {
    use std::os::unix::fs::PermissionsExt;
    let path = std::env::var_os("PATH").unwrap();
    let real = |program: &str| {
        std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists())
    };
    let (Some(ffmpeg), Some(ffprobe)) = (real("ffmpeg"), real("ffprobe")) else {
        eprintln!("SKIPPED: ffmpeg is not installed (Debian: apt install ffmpeg)");
        return None;
    };
    let folder = desk.path("wrapped");
    fs::create_dir_all(&folder).unwrap();
    for (name, real, script) in [("ffmpeg", ffmpeg, script), ("ffprobe", ffprobe, "")] {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\nexec {} \"$@\"\n", real.display())).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let folders = [folder].into_iter().chain(std::env::split_paths(&path));
    Some(std::env::join_paths(folders).unwrap())
}

fn clip(desk: &Desk, name: &str, seconds: f64) -> Option<()> {
    let make = format!("-f lavfi -i testsrc2=s=64x48:r=20:d={seconds} -f lavfi -i sine=d={seconds}");
    desk.ffmpeg(&format!("{make} -c:v libx264 -c:a aac {name}")).map(|_| ())
}

#[test]
fn errors_of_ffmpeg_are_passed_on() {
    let _alone = common::alone();
    let desk = Desk::new();
    let Some(()) = clip(&desk, "a.mp4", 0.5) else { return };
    fs::write(desk.path("text.mp4"), "no video at all").unwrap();
    let whole = fs::read(desk.path("a.mp4")).unwrap();
    fs::write(desk.path("half.mp4"), &whole[..whole.len() / 3]).unwrap();
    desk.ffmpeg("-f lavfi -i sine=d=0.2 sound.mp4").unwrap();
    for (args, code, words) in [
        ("text.mp4 -o out.mp4", 1, &["text.mp4: ffmpeg: ", "Invalid data"][..]),
        ("half.mp4 -o out.mp4", 1, &["half.mp4: ffmpeg: ", "moov"]),
        ("sound.mp4 -o out.mp4", 1, &["sound.mp4", "no video"]),
        ("missing.mp4 -o out.mp4", 1, &["missing.mp4"]),
        ("a.mp4 -o out.mp4 --codec nobodys", 5, &["out.mp4", "Unknown encoder 'nobodys'", "--codec"]),
        ("a.mp4 -o out.webm --codec libx264", 5, &["out.webm", "Only VP8 or VP9"]),
        ("a.mp4 -o out.xyz", 2, &["out.xyz", "mp4", "mkv"]),
        ("a.mp4 -o out.png", 2, &["out.png", "mp4"]),
        ("a.mp4 -o a.mp4", 5, &["a.mp4", "an input"]),
        ("a.mp4 -o no/out.mp4", 5, &["no/out.mp4", "no folder"]),
        ("a.mp4 -o out.mp4 --verify", 2, &["--verify"]),
        ("a.mp4 -o - -f mp4", 2, &[".mp4", "standard output"]),
    ] {
        let run = desk.upscale(&format!("{args} --quiet"));
        run.fails(code, words);
        assert!(!run.stderr.contains(".srcnn-gpu-") && !run.stderr.contains(" @ 0x"), "{}", run.stderr);
    }
    desk.save("p.jpg", common::desk::grey(8, 8));
    desk.upscale("p.jpg -o p.mp4").fails(2, &["p.jpg is a picture"]);
    desk.upscale("p.jpg a.mp4 -o out/").fails(2, &["mixed", "--videos"]);
    // Damage in the middle: as much as can be decoded, and a warning.
    let mut damaged = whole;
    let frames = damaged.len() / 8..damaged.len() / 2;
    damaged[frames].fill(0x55);
    fs::write(desk.path("damaged.mp4"), damaged).unwrap();
    let run = desk.upscale("damaged.mp4 -o repaired.mp4");
    assert!(run.code == Some(0) && run.stderr.contains("warning: damaged.mp4: ffmpeg: "), "{}", run.stderr);
    assert_eq!(
        desk.names("."),
        [
            "a.mp4",
            "damaged.mp4",
            "half.mp4",
            "m.safetensors",
            "p.jpg",
            "repaired.mp4",
            "sound.mp4",
            "text.mp4"
        ]
    );
}

#[test]
fn without_ffmpeg_one_line_tells_what_to_do() {
    let desk = Desk::new();
    fs::write(desk.path("a.mp4"), "whatever").unwrap();
    fs::create_dir(desk.path("empty")).unwrap();
    for args in ["a.mp4 -o b.mp4", "a.mp4", "a.mp4 -o b.y4m --dry-run"] {
        let mut command = desk.command(&format!("upscale -m m.safetensors {args}"));
        let run = Run::from(command.env("PATH", desk.path("empty")).output().unwrap());
        run.fails(
            2,
            &["there is no ffmpeg", "apt install ffmpeg", "yuv4mpegpipe", "srcnn-gpu upscale - -o -"],
        );
    }
    assert_eq!(desk.names("."), ["a.mp4", "empty", "m.safetensors"]);
}

/// Neither side waits for one that has gone.
#[cfg(unix)]
#[test]
fn programs_that_die() {
    let _alone = common::alone();
    let desk = Desk::new();
    let Some(()) = clip(&desk, "a.mp4", 3.0) else { return };
    let is_encoder = "case \"$*\" in *pipe:0*)";
    for (script, code, words) in [
        // The encoder reads a little, talks more than a pipe holds, and fails.
        (
            format!("{is_encoder} head -c 100000 >/dev/null; seq 100000 >&2; echo no room >&2; exit 9;; esac"),
            5,
            &["out.mp4", "ffmpeg: 1; 2; ", "no room"][..],
        ),
        // So does the decoder, within a frame.
        (
            "case \"$*\" in *yuv4mpegpipe*) \"$(dirname \"$0\")\"/real \"$@\" | head -c 20000; echo broken >&2; exit 7;; esac".into(),
            1,
            &["a.mp4", "ffmpeg: ", "broken"],
        ),
        (format!("{is_encoder} kill -9 $$;; esac"), 5, &["out.mp4", "signal: 9"]),
    ] {
        let Some(path) = wrapped(&desk, &script) else { return };
        let real = std::env::split_paths(&path).skip(1).map(|folder| folder.join("ffmpeg")).find(|file| file.exists());
        let _ = fs::remove_file(desk.path("wrapped/real"));
        std::os::unix::fs::symlink(real.unwrap(), desk.path("wrapped/real")).unwrap();
        let mut command = desk.command("upscale -m m.safetensors a.mp4 -o out.mp4 --quiet");
        let run = Run::from(command.env("PATH", &path).output().unwrap());
        run.fails(code, words);
        assert_eq!(desk.names("."), ["a.mp4", "m.safetensors", "wrapped"]);
        assert_eq!(fs::read_dir(desk.path(".")).unwrap().count(), 3, "nothing hidden is left");
    }
}

/// Ctrl-C and SIGTERM end the program and both ffmpegs, and leave nothing behind.
#[cfg(target_os = "linux")]
#[test]
fn signals_end_all_three() {
    let _alone = common::alone();
    let desk = Desk::new();
    let Some(()) = clip(&desk, "long.mp4", 60.0) else { return };
    let record = format!("echo $$ >> {}", desk.path("pids").display());
    let Some(path) = wrapped(&desk, &record) else { return };
    fs::create_dir(desk.path("temporary")).unwrap();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let _ = fs::remove_file(desk.path("pids"));
        let mut command = desk.command("upscale -m m.safetensors long.mp4 -o out.mp4 --json");
        command.env("PATH", &path).env("TMPDIR", desk.path("temporary"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let is_progress = |line: &std::io::Result<String>| line.as_ref().unwrap().contains("\"progress\"");
        assert!(lines.any(|line| is_progress(&line)));
        let files = |folder: &str| fs::read_dir(desk.path(folder)).unwrap().count();
        assert!(files("temporary") > 0, "the test would notice");
        Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        let last: Vec<_> = lines.map(|line| line.unwrap()).collect();
        assert!(last.last().unwrap().contains(&format!("\"code\":{code}")), "{last:?}");
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(code), "{}", run.stderr);
        assert!(!run.stderr.contains("error"), "{}", run.stderr);
        assert_eq!(files("temporary"), 0);
        assert_eq!(desk.names("."), ["long.mp4", "m.safetensors", "pids", "temporary", "wrapped"]);
        assert_eq!(files("."), 5, "nothing hidden is left");
        let pids = fs::read_to_string(desk.path("pids")).unwrap();
        assert!(pids.lines().count() >= 3, "the check, the decoder and the encoder: {pids}");
        for pid in pids.lines() {
            assert!(!PathBuf::from(format!("/proc/{pid}")).exists(), "{pid} still runs");
        }
    }
}

fn events(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn progress_in_frames() {
    let _alone = common::alone();
    let desk = Desk::new();
    let Some(()) = clip(&desk, "a.mp4", 0.5) else { return };
    let run = desk.upscale("a.mp4 -o out.mkv --json");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let all = events(&run);
    let of = |kind: &str| all.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    let file = of("file")[0];
    assert_eq!((&file["w"], &file["oh"], &file["out"]), (&64.into(), &96.into(), &"out.mkv".into()));
    let last = *of("progress").last().unwrap();
    assert_eq!((&last["done"], &last["total"], &last["eta_s"]), (&10.into(), &10.into(), &0.0.into()));
    assert!(last["fps"].as_f64() > Some(0.0) && last["mpix_s"].as_f64().is_some(), "{last}");
    assert_eq!((of("done").len(), &all.last().unwrap()["ok"]), (1, &1.into()));
    // Of a stream nobody knows how long it is.
    desk.ffmpeg("-i a.mp4 -f yuv4mpegpipe a.y4m").unwrap();
    let mut command = desk.command("upscale -m m.safetensors - -o b.mkv --json");
    let run = Run::from(command.stdin(fs::File::open(desk.path("a.y4m")).unwrap()).output().unwrap());
    let all = events(&run);
    let progress = all.iter().find(|event| event["event"] == "progress").unwrap();
    assert!(
        progress["total"].is_null() && progress["eta_s"].is_null() && progress["fps"].is_number(),
        "{progress}"
    );

    let run = desk.upscale("a.mp4 -o lines.mkv --progress lines");
    let lines: Vec<_> = run.stderr.lines().filter(|line| line.contains("fps")).collect();
    let last = lines.last().unwrap();
    assert!(last.starts_with("100.00%, frame 10 of 10, ") && last.ends_with(" left"), "{last}");
}

/// Folders, names, and what is there already: by the rules for pictures.
#[test]
fn many_videos() {
    let _alone = common::alone();
    let desk = Desk::new();
    for folder in ["in", "in/deep", "other"] {
        fs::create_dir(desk.path(folder)).unwrap();
    }
    let Some(()) = clip(&desk, "in/a.mp4", 0.2) else { return };
    fs::copy(desk.path("in/a.mp4"), desk.path("in/deep/c.mov")).unwrap();
    fs::copy(desk.path("in/a.mp4"), desk.path("other/a.mp4")).unwrap();
    desk.ffmpeg("-i in/a.mp4 -c:v mpeg4 -c:a copy in/b.avi").unwrap();
    desk.save("in/p.png", common::desk::grey(8, 8));
    // Pictures are taken; videos are named, and what takes them.
    let run = desk.upscale("in -o pictures/");
    run.wrote(&["pictures/p.png"]);
    assert!(run.stderr.contains("2 files (a.mp4, ..); --videos takes them"), "{}", run.stderr);
    desk.upscale("other -o none/")
        .fails_with(1, "there are no pictures in this folder; --videos takes its videos");
    let run = desk.upscale("in -o out --videos -r --dry-run");
    run.wrote(&[
        "in/a.mp4 -> out/a.mp4 (64x48 to 128x96)",
        "in/b.avi -> out/b.mkv (64x48 to 128x96)",
        "in/deep/c.mov -> out/deep/c.mov (64x48 to 128x96)",
    ]);
    assert!(!desk.exists("out") && run.stderr.contains("not videos, left out: p.png"), "{}", run.stderr);
    desk.upscale("in -o out --videos -r").wrote(&["out/a.mp4", "out/b.mkv", "out/deep/c.mov"]);
    let sound = desk.packets("in/a.mp4", "a");
    assert!(["out/a.mp4", "out/b.mkv", "out/deep/c.mov"].iter().all(|file| desk.packets(file, "a") == sound));
    // Up to date; made again with other settings; one name for two.
    desk.upscale("in -o out --videos -r").wrote(&[]);
    desk.upscale("in/a.mp4 -o out/ --crf 30").wrote(&["out/a.mp4"]);
    let run = desk.upscale("in/a.mp4 other/a.mp4 -o both/ -f mkv");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), "both/a.mkv\n"), "{}", run.stderr);
    assert!(
        run.stderr.contains("other/a.mp4: another input is written to both/a.mkv already"),
        "{}",
        run.stderr
    );
    desk.upscale("in/a.mp4 -o both/a.mkv --existing fail").fails_with(5, "exists already");
    desk.upscale("in/a.mp4").wrote(&["in/a_srcnn_x2.mp4"]);
    desk.upscale("in/a.mp4 in/b.avi -o one.mp4").fails(2, &["several inputs need an output folder"]);
    if cfg!(target_os = "linux") {
        // A broken one among others does not end the work.
        fs::write(desk.path("other/0.mp4"), "broken").unwrap();
        let run = desk.upscale("other --videos -o some/");
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), "some/a.mp4\n"), "{}", run.stderr);
    }
}
