//! Running the program again: which results are up to date, which are made again, and which pictures are results.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::common::desk::{Desk, color, grey, identity};

const INDEX: &str = ".srcnn-gpu.jsonl";

/// A second network, in a file of its own.
fn another_network(desk: &Desk) {
    fs::write(desk.path("n.safetensors"), identity(3.0)).unwrap();
}

fn set_time(desk: &Desk, name: &str, time: SystemTime) {
    fs::File::options().write(true).open(desk.path(name)).unwrap().set_modified(time).unwrap();
}

#[test]
fn other_settings_make_a_result_again_wherever_it_lies() {
    for output in ["", "-o out/", "-o b.png --existing skip"] {
        let desk = Desk::new();
        another_network(&desk);
        desk.save("a.png", color(6, 4));
        let result = match output {
            "" => "a_srcnn_x2.png",
            "-o out/" => "out/a.png",
            _ => "b.png",
        };
        let again = |settings: &str, made: bool| {
            let run = desk.run(&format!("upscale a.png {output} {settings}"));
            run.wrote(&[result][..usize::from(made)]);
            if !made {
                assert!(
                    run.stderr.contains(&format!("{result}: it is up to date, skipped")),
                    "{}",
                    run.stderr
                );
            }
        };
        again("-m m.safetensors", true);
        again("-m m.safetensors", false);
        // What changes the speed alone is no other setting.
        again("-m m.safetensors -t 32 -j 1:1:1 --no-autotune", false);
        again("-m n.safetensors", true);
        again("-m n.safetensors", false);
        again("-m n.safetensors --padding zero", true);
        again("-m n.safetensors --padding zero --depth 16", true);
        again("-m n.safetensors --padding zero --depth 16", false);
        // A result that somebody has changed is theirs.
        fs::write(desk.path(result), "changed by hand").unwrap();
        let run = desk.run(&format!("upscale a.png {output} -m m.safetensors"));
        run.wrote(&[]);
        assert!(run.stderr.contains(&format!("{result}: it exists already")), "{}", run.stderr);
        assert_eq!(fs::read(desk.path(result)).unwrap(), b"changed by hand");
    }
}

/// The same size, within the same step of the clock, and the same time.
#[test]
fn a_picture_that_changed_without_a_trace_in_its_times_is_seen() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    // Uncompressed, so that both have the same size.
    desk.save("in/a.bmp", color(6, 4));
    let time = fs::metadata(desk.path("in/a.bmp")).unwrap().modified().unwrap();
    for output in ["", "-o out"] {
        let result = if output.is_empty() { "in/a_srcnn_x2.bmp" } else { "out/a.bmp" };
        desk.save("in/a.bmp", color(6, 4));
        set_time(&desk, "in/a.bmp", time);
        desk.upscale(&format!("in {output}")).wrote(&[result]);
        let before = fs::read(desk.path(result)).unwrap();
        desk.upscale(&format!("in {output}")).wrote(&[]);
        let mut other = color(6, 4);
        other.pixels_mut().for_each(|pixel| pixel.0[2] = 200);
        desk.save("in/a.bmp", other);
        set_time(&desk, "in/a.bmp", time);
        desk.upscale(&format!("in {output}")).wrote(&[result]);
        assert_ne!(fs::read(desk.path(result)).unwrap(), before, "{output}");
        // The result, too: nobody replaces what somebody has just edited.
        let mut edited = fs::read(desk.path(result)).unwrap();
        *edited.last_mut().unwrap() ^= 1;
        fs::write(desk.path(result), &edited).unwrap();
        let run = desk.upscale(&format!("in {output} -s 2 --padding zero"));
        run.wrote(&[]);
        assert_eq!(fs::read(desk.path(result)).unwrap(), edited);
        fs::remove_file(desk.path(result)).unwrap();
    }
}

#[test]
fn copies_of_folders_stay_up_to_date() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("in")).unwrap();
    (0..3).for_each(|i| desk.save(&format!("in/{i}.png"), grey(5 + i, 5)));
    desk.upscale("in -o out").wrote(&["out/0.png", "out/1.png", "out/2.png"]);
    // As another machine's clock and file system would have it, or a program that copies without times.
    fs::create_dir(desk.path("copy")).unwrap();
    for name in ["0.png", "1.png", "2.png", INDEX] {
        fs::copy(desk.path("out").join(name), desk.path("copy").join(name)).unwrap();
    }
    set_time(&desk, "copy/1.png", SystemTime::now() - Duration::from_secs(1000));
    set_time(&desk, "in/2.png", SystemTime::now() + Duration::from_secs(1000));
    let run = desk.upscale("in -o copy -v");
    run.wrote(&[]);
    assert_eq!(run.stderr.matches("it is up to date").count(), 3, "{}", run.stderr);
}

#[test]
fn lines_of_older_versions_count() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", grey(5, 5));
    desk.upscale("in -o out").wrote(&["out/a.png"]);
    let text = fs::read_to_string(desk.path("out").join(INDEX)).unwrap();
    let mut line: serde_json::Value = serde_json::from_str(&text).unwrap();
    for part in ["result", "picture"] {
        let part = line[part].as_object_mut().unwrap();
        part.retain(|key, _| ["size", "time"].contains(&key.as_str()));
    }
    fs::write(desk.path("out").join(INDEX), format!("{line}\n")).unwrap();
    desk.upscale("in -o out").wrote(&[]);
    desk.upscale("in -o out -s 3").wrote(&["out/a.png"]);
}

#[test]
fn a_clock_that_tells_a_newer_picture_is_enough_without_an_index() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", grey(5, 5));
    desk.upscale("in").wrote(&["in/a_srcnn_x2.png"]);
    fs::remove_file(desk.path("in").join(INDEX)).unwrap();
    desk.upscale("in").wrote(&[]);
    set_time(&desk, "in/a.png", SystemTime::now() + Duration::from_secs(10));
    desk.upscale("in").wrote(&["in/a_srcnn_x2.png"]);
}

#[test]
fn results_are_not_enlarged_again() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", color(6, 4));
    desk.upscale("in").wrote(&["in/a_srcnn_x2.png"]);
    desk.upscale("in/a.png -o in/a_x3.png -s 3").wrote(&["in/a_x3.png"]);
    desk.save("in/b_x2.png", color(6, 4));
    // Neither with an output folder nor without; and not when the shell has expanded a pattern.
    let run = desk.upscale("in -o out -v");
    run.wrote(&["out/a.png", "out/b_x2.png"]);
    assert!(run.stderr.contains("results of earlier runs, left out: 2 files"), "{}", run.stderr);
    desk.upscale("in --existing overwrite").wrote(&["in/a_srcnn_x2.png", "in/b_x2_srcnn_x2.png"]);
    let all = "in/a.png in/a_srcnn_x2.png in/a_x3.png in/b_x2.png";
    let run = desk.upscale(&format!("{all} -o all/"));
    run.wrote(&["all/a.png", "all/b_x2.png"]);
    assert!(run.stderr.contains("left out: 2 files"), "{}", run.stderr);
    // One that is named alone is meant, and so is a folder of results.
    desk.upscale("in/a_x3.png -o more/").wrote(&["more/a_x3.png"]);
    desk.upscale("out -o twice").wrote(&["twice/a.png", "twice/b_x2.png"]);
    // Results in another format beside their pictures, and a folder of results in a tree.
    desk.upscale("in -o in -f bmp").wrote(&["in/a.bmp", "in/b_x2.bmp"]);
    desk.upscale("in -o in/small -f ppm").wrote(&["in/small/a.ppm", "in/small/b_x2.ppm"]);
    let run = desk.upscale("-r in -o tree --dry-run");
    let inputs: Vec<_> = run.stdout.lines().map(|line| line.split(" -> ").next().unwrap()).collect();
    assert_eq!(inputs, ["in/a.png", "in/b_x2.png"], "{}", run.stderr);
}

/// Under another name, without their originals, or copied among new pictures.
#[test]
fn results_are_known_by_their_content() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", color(6, 4));
    desk.save("in/b.png", color(7, 4));
    desk.upscale("in").wrote(&["in/a_srcnn_x2.png", "in/b_srcnn_x2.png"]);
    let rename = |from: &str, to: &str| fs::rename(desk.path(from), desk.path(to)).unwrap();
    rename("in/a_srcnn_x2.png", "in/summer.png");
    fs::remove_file(desk.path("in/b.png")).unwrap();
    rename("in/b_srcnn_x2.png", "in/winter.png");
    let run = desk.upscale("in -o out");
    run.wrote(&["out/a.png"]);
    let told = "in: results of earlier runs, left out: 2 files (summer.png, ..); one that is named alone is enlarged";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    desk.upscale("in --existing overwrite").wrote(&["in/a_srcnn_x2.png"]);
    // As a shell writes `in/*.png` out.
    let run = desk.upscale("in/a.png in/summer.png in/winter.png -o named/");
    run.wrote(&["named/a.png"]);
    assert!(run.stderr.contains("warning: results of earlier runs, left out: 2 files"), "{}", run.stderr);
    desk.upscale("in/summer.png -o once/").wrote(&["once/summer.png"]);
    desk.upscale("in/summer.png in/winter.png -o both/").wrote(&["both/summer.png", "both/winter.png"]);
    // Copied back among new pictures: the index of the output folder knows it.
    fs::create_dir(desk.path("new")).unwrap();
    fs::copy(desk.path("out/a.png"), desk.path("new/copy.png")).unwrap();
    desk.save("new/c.png", color(5, 5));
    desk.upscale("new -o out").wrote(&["out/c.png"]);
    // What somebody has painted over is a picture of theirs, even if it has the same size.
    let mut bytes = fs::read(desk.path("new/copy.png")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(desk.path("new/copy.png"), bytes).unwrap();
    desk.upscale("new -o out --dry-run").wrote(&["new/copy.png -> out/copy.png (12x8 to 24x16)"]);
    // A folder of nothing but results is meant.
    desk.upscale("out -o twice").wrote(&["twice/a.png", "twice/c.png"]);
}

/// What `degrade` has made is there to be enlarged, whatever else is in its folder.
#[test]
fn degraded_pictures_are_enlarged() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", color(12, 8));
    desk.run("degrade in low -s 2").wrote(&["low/a.png"]);
    desk.save("low/b.png", color(6, 4));
    desk.upscale("low -o high").wrote(&["high/a.png", "high/b.png"]);
    desk.upscale("low").wrote(&["low/a_srcnn_x2.png", "low/b_srcnn_x2.png"]);
    let run = desk.run("--quiet eval low -m m.safetensors -s 2 --csv");
    assert_eq!(run.code, Some(1), "too small to measure, but both were tried: {}", run.stderr);
    assert_eq!(run.stderr.matches("error: low/").count(), 2, "{}", run.stderr);
}

#[test]
fn front_ends_that_name_no_scale_get_four_times() {
    let desk = Desk::new();
    desk.save("a.png", color(6, 4));
    desk.run("-i a.png -o b.png -m m.safetensors").wrote(&["b.png"]);
    assert_eq!(desk.open("b.png").width(), 24);
    desk.run("-i a.png -o b.png -m m.safetensors --width 18").wrote(&["b.png"]);
    assert_eq!(desk.open("b.png").width(), 18);
    desk.upscale("-i a.png -o b.png").wrote(&["b.png"]);
    assert_eq!(desk.open("b.png").width(), 12);
    desk.run("upscale a.png -m realesrgan-x4plus")
        .fails(4, &["another program", "small and large are built in"]);
}

#[cfg(unix)]
#[test]
fn an_index_that_is_something_else_is_left_alone() {
    use std::os::unix::fs::symlink;
    let desk = Desk::new();
    desk.save("a.png", grey(5, 5));
    fs::write(desk.path("precious"), "precious").unwrap();
    for kind in ["link", "dangling", "pipe", "folder"] {
        fs::create_dir(desk.path(kind)).unwrap();
        let index = desk.path(kind).join(INDEX);
        match kind {
            "link" => symlink(desk.path("precious"), &index).unwrap(),
            "dangling" => symlink(desk.path("nowhere"), &index).unwrap(),
            "folder" => fs::create_dir(&index).unwrap(),
            _ => match std::process::Command::new("mkfifo").arg(&index).status() {
                Ok(status) if status.success() => {}
                _ => {
                    println!("SKIPPED: no mkfifo to make a pipe with");
                    continue;
                }
            },
        }
        // Opening the pipe would block forever.
        let run = desk.upscale(&format!("a.png -o {kind}"));
        run.wrote(&[&format!("{kind}/a.png")]);
        assert!(run.stderr.contains("cannot be recorded"), "{kind}: {}", run.stderr);
        let run = desk.upscale(&format!("a.png -o {kind}"));
        run.wrote(&[]);
        assert!(run.stderr.contains("it exists already"), "{kind}: {}", run.stderr);
    }
    assert_eq!(fs::read(desk.path("precious")).unwrap(), b"precious");
    assert!(!desk.exists("nowhere"));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf_8_are_told_apart() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let desk = Desk::new();
    let names = [&b"caf\xe9.png"[..], b"caf\xea.png", b"a\\b.png"];
    fs::create_dir(desk.path("in")).unwrap();
    for (width, name) in (5..).zip(names) {
        desk.save("t.png", grey(width, 5));
        fs::rename(desk.path("t.png"), desk.path("in").join(OsStr::from_bytes(name))).unwrap();
    }
    let mut command = desk.command("upscale -m m.safetensors in -o out");
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    let run = desk.upscale("in -o out -v");
    run.wrote(&[]);
    assert_eq!(run.stderr.matches("it is up to date").count(), 3, "{}", run.stderr);
    // One of them changes.
    desk.save("t.png", grey(9, 9));
    fs::rename(desk.path("t.png"), desk.path("in").join(OsStr::from_bytes(names[1]))).unwrap();
    let run = desk.command("upscale -m m.safetensors in -o out -v").output().unwrap();
    assert_eq!(run.stdout.split(|&byte| byte == b'\n').count(), 2);
    let name = desk.path("out").join(OsStr::from_bytes(names[1]));
    assert_eq!(image::ImageReader::open(name).unwrap().decode().unwrap().width(), 18);
}
