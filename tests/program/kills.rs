//! Runs that are killed at any moment, pictures and video, one process and several: what is there is whole, the next run
//! completes the rest, and nothing is left behind.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::common::desk::{Desk, color};
use crate::common::video::stream;

const COUNT: usize = 36;

/// Starts a run. Its results can be read as they finish.
fn start(desk: &Desk, args: &str) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut command = desk.command(&format!("upscale -m m.safetensors {args}"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    (child, lines)
}

fn kill(mut child: Child) {
    // It may have come to its end.
    let _ = child.kill();
    child.wait().unwrap();
}

/// Temporary files that are locked by who writes them, or left over. Those killed in the moment before they are locked stay for a
/// minute, in which somebody may be about to lock them.
fn temporary(desk: &Desk, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(desk.path(folder)).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".srcnn-gpu-") && !name.starts_with(".srcnn-gpu-new-")).collect()
}

#[test]
fn three_processes_killed_again_and_again_lose_nothing() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    (0..COUNT).for_each(|i| desk.save(&format!("in/{i:02}.png"), color(20 + i as u32, 24)));
    let whole = || {
        let names = if desk.exists("out") { desk.names("out") } else { Vec::new() };
        for name in &names {
            let [from, to] = ["in", "out"].map(|folder| desk.open(&format!("{folder}/{name}")));
            assert_eq!((2 * from.width(), 2 * from.height()), (to.width(), to.height()), "{name}");
        }
        names.into_iter().collect::<BTreeSet<_>>()
    };
    let mut before = BTreeSet::new();
    for results in [0, 1, 2, 3, 2] {
        let runs: Vec<_> = (0..3).map(|_| start(&desk, "in -o out -t 16 -j 2:1:3")).collect();
        let mut children = Vec::new();
        for (at, (child, mut lines)) in runs.into_iter().enumerate() {
            if at == 0 && results > 0 {
                lines.nth(results - 1);
            }
            // Keeps the pipe open, so that only the signal ends it.
            children.push((child, lines));
        }
        children.into_iter().for_each(|(child, _lines)| kill(child));
        let after = whole();
        assert!(after.is_superset(&before), "{before:?} {after:?}");
        before = after;
    }
    let run = desk.upscale("in -o out");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // What was there is known and is not made again.
    assert_eq!(run.stdout.lines().count(), COUNT - before.len(), "{}", run.stderr);
    assert_eq!((whole().len(), temporary(&desk, "out")), (COUNT, vec![]));
    let run = desk.upscale("in -o out -v");
    run.wrote(&[]);
    assert_eq!(run.stderr.matches("it is up to date").count(), COUNT, "{}", run.stderr);
}

#[test]
fn video_that_is_killed_leaves_nothing_and_is_made_by_the_next_run() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    for name in ["a", "b", "c"] {
        fs::write(desk.path(&format!("in/{name}.y4m")), stream("W48 H32 F25:1 C420jpeg", 40)).unwrap();
    }
    let args = "in/a.y4m in/b.y4m in/c.y4m -o out/";
    for results in [0, 1, 2] {
        let (child, mut lines) = start(&desk, args);
        match results {
            // As soon as it has begun to write.
            0 => while temporary(&desk, "out").is_empty() && !desk.exists("out/a.y4m") {},
            _ => drop(lines.next()),
        }
        kill(child);
        for name in desk.names("out") {
            let length = fs::metadata(desk.path("out").join(&name)).unwrap().len();
            assert!(length > 4 * 40 * 48 * 32, "{name} is not whole: {length}");
        }
    }
    let run = desk.upscale(args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(
        (desk.names("out"), temporary(&desk, "out")),
        (vec!["a.y4m".into(), "b.y4m".into(), "c.y4m".into()], vec![])
    );
    let whole = fs::read(desk.path("out/a.y4m")).unwrap();
    assert!(["b", "c"].iter().all(|name| fs::read(desk.path(&format!("out/{name}.y4m"))).unwrap() == whole));
    desk.upscale(args).wrote(&[]);
}
