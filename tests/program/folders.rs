//! Many pictures: what is found, what fails, what is redone, interrupted runs, several processes.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use crate::common::desk::{Desk, Run, color, grey};
use image::{DynamicImage, ImageBuffer, Luma};

const FORMATS: [&str; 9] = ["png", "jpg", "bmp", "gif", "tga", "webp", "tiff", "ppm", "qoi"];

/// Creates pictures called 00.png, 01.png, .. in a folder.
fn pictures(desk: &Desk, folder: &str, count: usize, side: u32) {
    fs::create_dir_all(desk.path(folder)).unwrap();
    (0..count).for_each(|i| desk.save(&format!("{folder}/{i:02}.png"), color(side, side)));
}

/// Starts a run and returns its results one at a time, as they finish.
fn start(desk: &Desk, args: &str) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut command = desk.command(&format!("upscale -m m.safetensors {args}"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    (child, lines)
}

/// Asserts that a folder contains only complete pictures of this size, and returns how many.
#[track_caller]
fn all_whole(desk: &Desk, folder: &str, side: u32) -> usize {
    let names = desk.names(folder);
    for name in &names {
        let picture = image::open(desk.path(folder).join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((picture.width(), picture.height()), (side, side), "{name}");
    }
    names.len()
}

fn temporary(desk: &Desk, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(desk.path(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".srcnn-gpu-")).collect()
}

#[test]
fn two_hundred_mixed_files_with_twenty_broken() {
    let desk = Desk::new();
    let mut broken = BTreeSet::new();
    for i in 0..200 {
        let folder = ["in", "in/a", "in/b/c"][i % 3];
        fs::create_dir_all(desk.path(folder)).unwrap();
        let extension = FORMATS[i % FORMATS.len()];
        let name = format!("{folder}/{i:03}.{extension}");
        if i % 10 != 7 {
            match (i / 9) % 3 {
                0 if !["gif", "qoi"].contains(&extension) => desk.save(&name, grey(9, 6)),
                1 if ["png", "tiff"].contains(&extension) => {
                    let deep = ImageBuffer::from_fn(9, 6, |x, y| Luma([(3000 * x + 700 * y) as u16]));
                    desk.save(&name, DynamicImage::ImageLuma16(deep));
                }
                _ => desk.save(&name, color(9, 6)),
            }
            continue;
        }
        desk.save("whole.png", color(30, 30));
        let whole = fs::read(desk.path("whole.png")).unwrap();
        let content = match broken.len() % 4 {
            0 => Vec::new(),
            1 => b"These words are no picture.".to_vec(),
            2 => whole[..whole.len() / 2].to_vec(),
            _ => vec![0xa5; 3000],
        };
        fs::write(desk.path(&name), content).unwrap();
        broken.insert(name);
    }
    fs::write(desk.path("in/notes.txt"), "not a picture").unwrap();
    fs::write(desk.path("in/._000.png"), "another system's").unwrap();
    assert_eq!(broken.len(), 20);

    let run = desk.upscale("in -r -o out -s 2");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let results: BTreeSet<_> = run.stdout.lines().collect();
    assert_eq!((results.len(), run.stdout.lines().count()), (180, 180), "{}", run.stderr);
    for result in &results {
        let picture = desk.open(result);
        assert_eq!((picture.width(), picture.height()), (18, 12), "{result}");
        let stem = Path::new(result).with_extension("").display().to_string().replacen("out", "in", 1);
        assert!(
            FORMATS.iter().any(|e| desk.exists(&format!("{stem}.{e}"))),
            "{result} has another place than its picture"
        );
    }
    let errors: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 20, "{}", run.stderr);
    for name in &broken {
        assert_eq!(
            errors.iter().filter(|line| line.contains(name.as_str())).count(),
            1,
            "{name}: {errors:?}"
        );
    }
    assert!(run.stderr.contains("not pictures, left out: 2 files"), "{}", run.stderr);
    let summary = run.stderr.lines().last().unwrap();
    assert!(summary.starts_with("180 of 200 done, 20 failed in "), "{summary}");

    let time = |name: &&str| fs::metadata(desk.path(name)).unwrap().modified().unwrap();
    let before: Vec<_> = results.iter().map(time).collect();
    let again = desk.upscale("in -r -o out -s 2");
    assert_eq!((again.code, again.stdout.as_str()), (Some(1), ""), "{}", again.stderr);
    let summary = again.stderr.lines().last().unwrap();
    assert!(summary.starts_with("0 of 200 done, 180 up to date, 20 failed in "), "{summary}");
    assert_eq!(again.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 20);
    assert_eq!(results.iter().map(time).collect::<Vec<_>>(), before);
}

#[test]
fn a_killed_run_leaves_nothing_unfinished_and_the_next_one_completes() {
    let desk = Desk::new();
    pictures(&desk, "in", 60, 40);
    let (mut child, mut lines) = start(&desk, "in -o out -t 16");
    assert_eq!(lines.next().as_deref(), Some(&*Path::new("out").join("00.png").display().to_string()));
    child.kill().unwrap();
    child.wait().unwrap();
    let done = all_whole(&desk, "out", 80);
    assert!((1..60).contains(&done), "killed in the middle: {done} of 60");

    // The temporary file of a run that was killed while writing.
    fs::write(desk.path("out/.srcnn-gpu-aB3dE6"), "half a pict").unwrap();
    let run = desk.upscale("in -o out -t 16");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 60 - done, "{}", run.stderr);
    assert_eq!(all_whole(&desk, "out", 80), 60);
    assert_eq!(temporary(&desk, "out"), [""; 0]);
    desk.upscale("in -o out").wrote(&[]);
}

#[cfg(unix)]
#[test]
fn signals_end_a_run_at_once_and_leave_nothing_unfinished() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let desk = Desk::new();
        pictures(&desk, "in", 60, 40);
        let (child, mut lines) = start(&desk, "in -o out -t 16");
        lines.next().unwrap();
        let kill = std::process::Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        lines.for_each(drop);
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(code), "{}", run.stderr);
        let summary = run.stderr.lines().last().unwrap();
        assert!(
            summary.contains(" left in ") && summary.ends_with("the same command goes on"),
            "{}",
            run.stderr
        );
        assert_eq!(temporary(&desk, "out"), [""; 0]);
        let done = all_whole(&desk, "out", 80);
        assert!((1..60).contains(&done), "{done} of 60");
        let run = desk.upscale("in -o out");
        assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 60 - done), "{}", run.stderr);
    }
}

#[test]
fn outdated_results_are_redone() {
    let desk = Desk::new();
    pictures(&desk, "in", 3, 4);
    let all = |prefix: &str| (0..3).map(|i| format!("{prefix}/0{i}.png")).collect::<Vec<_>>();
    let out = all("out");
    let out: Vec<_> = out.iter().map(String::as_str).collect();
    desk.upscale("in -o out").wrote(&out);
    desk.upscale("in -o out").wrote(&[]);
    // Changed settings count: the size, the network. Those that only affect speed do not.
    desk.upscale("in -o out -t 32 -j 1:1:1").wrote(&[]);
    desk.upscale("in -o out -s 3").wrote(&out);
    desk.upscale("in -o out -s 3").wrote(&[]);
    desk.upscale("in -o out -s 3 --padding zero").wrote(&out);
    let run = desk.run("upscale -m m.safetensors -m weights in -o out -s 3 --padding zero");
    assert_eq!(run.code, Some(4), "a network that is not there is no other setting: {}", run.stderr);

    // Another picture with the same name; a result that somebody has changed; somebody's own file.
    desk.save("in/01.png", grey(5, 5));
    let later = SystemTime::now() + Duration::from_secs(10);
    let touch = |name: &str| {
        fs::File::options().write(true).open(desk.path(name)).unwrap().set_modified(later).unwrap()
    };
    fs::write(desk.path("out/02.png"), "changed by hand").unwrap();
    pictures(&desk, "more", 1, 4);
    fs::rename(desk.path("more/00.png"), desk.path("in/03.png")).unwrap();
    fs::write(desk.path("out/03.png"), "somebody's own").unwrap();
    touch("in/03.png");
    let run = desk.upscale("in -o out -s 3 --padding zero");
    run.wrote(&["out/01.png"]);
    assert_eq!(fs::read(desk.path("out/02.png")).unwrap(), b"changed by hand");
    assert_eq!(fs::read(desk.path("out/03.png")).unwrap(), b"somebody's own");
    assert!(run.stderr.contains("out/02.png: it exists already, skipped"), "{}", run.stderr);
    assert!(run.stderr.contains("out/03.png: it exists already, older than its picture"), "{}", run.stderr);
    assert!(run.stderr.contains("1 of 4 done, 1 up to date, 2 skipped"), "{}", run.stderr);
    desk.upscale("in -o out -s 3 --padding zero --existing overwrite").wrote(&[
        "out/00.png",
        "out/01.png",
        "out/02.png",
        "out/03.png",
    ]);
    desk.upscale("in -o out -s 3 --padding zero").wrote(&[]);
}

#[test]
fn trees_lists_and_patterns() {
    let desk = Desk::new();
    for folder in ["in", "in/b", "in/b/c", "in/.hidden", "in/out"] {
        pictures(&desk, folder, 1, 4);
    }
    desk.upscale("in -o in/out").wrote(&["in/out/00.png"][..0]);
    let run = desk.upscale("in -o flat");
    run.wrote(&["flat/00.png"]);
    assert!(
        run.stderr.contains("folders left out: 3 folders") && run.stderr.contains("-r"),
        "{}",
        run.stderr
    );
    let run = desk.upscale("in -r -o in/out --existing overwrite");
    run.wrote(&["in/out/00.png", "in/out/b/00.png", "in/out/b/c/00.png"]);
    assert!(run.stderr.contains("folders left out: .hidden"), "{}", run.stderr);

    fs::write(desk.path("list.txt"), "in/b/00.png\nin/b/c\n").unwrap();
    let run = desk.upscale("@list.txt --dry-run");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let inputs: Vec<_> = run.stdout.lines().map(|line| line.split(" -> ").next().unwrap()).collect();
    assert_eq!(inputs, ["in/b/00.png", "in/b/c/00.png"]);
    desk.upscale("in/b*/0?.png -o globbed --dry-run").wrote(&["in/b/00.png -> globbed/00.png (4x4 to 8x8)"]);
}

#[test]
fn the_first_failure_can_end_the_run() {
    let desk = Desk::new();
    pictures(&desk, "in", 40, 8);
    fs::write(desk.path("in/00.png"), "no picture").unwrap();
    let run = desk.upscale("in -o out --fail-fast -j 1:1:1");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let summary = run.stderr.lines().last().unwrap();
    assert!(summary.contains("1 failed, 39 left"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn new_names_are_given_once() {
    let desk = Desk::new();
    pictures(&desk, "in", 1, 4);
    fs::rename(desk.path("in/00.png"), desk.path("in/a.png")).unwrap();
    desk.save("in/a (1).png", grey(5, 5));
    fs::create_dir(desk.path("out")).unwrap();
    fs::write(desk.path("out/a.png"), "somebody's own").unwrap();
    let run = desk.upscale("in -o out --existing rename");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(desk.names("out"), ["a (1).png", "a (2).png", "a.png"]);
    assert_eq!((desk.open("out/a (1).png").width(), desk.open("out/a (2).png").width()), (10, 8));
    desk.upscale("in -o out").wrote(&[]);
    assert_eq!(fs::read(desk.path("out/a.png")).unwrap(), b"somebody's own");
}

#[test]
fn shards_are_a_partition_and_share_a_folder() {
    let desk = Desk::new();
    pictures(&desk, "in", 20, 6);
    let shard = |words: &str| {
        let run = desk.upscale(&format!("in -o out --dry-run --shard {words}"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = (1..=3).flat_map(|i| shard(&format!("{i}/3"))).collect();
    all.sort();
    assert_eq!(all, shard("1/1"), "every picture is in one part");
    assert!(!desk.exists("out"));

    let children = (0..3).map(|index| {
        let mut command = desk.command("upscale -m m.safetensors in -o out --shard env/3");
        command.env("JOB_COMPLETION_INDEX", index.to_string());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let runs: Vec<Run> = children
        .collect::<Vec<_>>()
        .into_iter()
        .map(|child| child.wait_with_output().unwrap().into())
        .collect();
    let mut counts: Vec<_> = runs.iter().map(|run| run.stdout.lines().count()).collect();
    counts.sort();
    assert!(
        runs.iter().all(|run| run.code == Some(0)) && counts == [6, 7, 7],
        "{counts:?} {}",
        runs[0].stderr
    );
    assert_eq!(all_whole(&desk, "out", 12), 20);
    // Each process has recorded its results along with those of the others.
    desk.upscale("in -o out").wrote(&[]);
    assert!(desk.upscale("in -o out -v").stderr.matches("it is up to date").count() == 20);
    desk.upscale("in -o out --shard env").fails(2, &["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"]);
}

/// Several processes on one folder at once: each result that is told is a file of its own.
#[test]
fn no_result_replaces_another() {
    for (existing, codes, results) in [("rename", &[0][..], 90), ("skip", &[0], 30), ("fail", &[0, 1, 5], 30)]
    {
        let desk = Desk::new();
        pictures(&desk, "in", 30, 12);
        let start = || start(&desk, &format!("in -o out --existing {existing}"));
        let children: Vec<_> = (0..3).map(|_| start()).collect();
        let mut told = Vec::new();
        for (child, lines) in children {
            told.extend(lines);
            let run = Run::from(child.wait_with_output().unwrap());
            // With fail, all of a process's pictures may fail, or some, or none.
            assert!(run.code.is_some_and(|code| codes.contains(&code)), "{existing}: {}", run.stderr);
        }
        assert_eq!(told.len(), results, "{existing}");
        assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), results, "{existing}: {told:?}");
        assert!(told.iter().all(|name| desk.exists(name)), "{existing}");
        assert_eq!(all_whole(&desk, "out", 24), results, "{existing}");
        assert_eq!(temporary(&desk, "out"), [""; 0], "{existing}");
    }
}
