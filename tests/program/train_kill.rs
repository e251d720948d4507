//! The real `srcnn-gpu train` as a process: killed, interrupted, with a full disk, with its folder deleted. Whatever
//! happens, it ends with the same weights, bit for bit, as an undisturbed run.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use image::{GrayImage, Luma};
use srcnn_gpu::train::checkpoint::Checkpoint;

const SETTINGS: &str = "train data -s 3 --val val --arch 3-1-3 --filters 4-4 --batch 8 --patch 15 --stride 9 \
                        --eval-every 40 --save-every 15 --average 0.95";
/// Steps of a whole run.
const STEPS: u64 = 200;

/// A folder with pictures to train on, and one with pictures to measure on.
fn desk() -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    for folder in ["data", "val"] {
        fs::create_dir(desk.path().join(folder)).unwrap();
    }
    for i in 0..4u32 {
        let spot = |x: u32, y: u32| (x / (3 + i) + y / (5 - i)) % 2 * 130 + (x * y + i) % 60;
        let picture = GrayImage::from_fn(45 + i, 48, |x, y| Luma([spot(x, y) as u8]));
        let folder = if i == 0 { "val" } else { "data" };
        picture.save(desk.path().join(folder).join(format!("{i}.png"))).unwrap();
    }
    desk
}

/// Arguments of a new run in this folder.
fn new_run(folder: &str, steps: u64) -> String {
    format!("{SETTINGS} --steps {steps} -o {folder}")
}

fn command(desk: &Path, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
    command.current_dir(desk).args(args.split_whitespace()).env_remove("RUST_LOG");
    command
}

/// Runs to the end; its exit code and stderr.
fn run(desk: &Path, args: &str) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command(desk, args).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// A run in progress that reports its events.
struct Running {
    child: Child,
    events: BufReader<ChildStdout>,
}

impl Running {
    fn start(desk: &Path, args: &str) -> Self {
        let mut child = command(desk, &format!("{args} --json"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let events = BufReader::new(child.stdout.take().unwrap());
        Self { child, events }
    }

    /// Waits for this many blocks of steps; returns whether the run is still in progress then.
    fn wait_for(&mut self, blocks: u64) -> bool {
        let mut left = blocks;
        let mut line = String::new();
        while left > 0 && self.events.read_line(&mut line).unwrap() > 0 {
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            left -= u64::from(event["event"] == "progress");
            line.clear();
        }
        left == 0
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Its exit code and stderr, once it is over.
    fn end(mut self) -> (Option<i32>, String) {
        let (mut rest, mut stderr) = (String::new(), String::new());
        self.events.read_to_string(&mut rest).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stderr)
    }
}

/// What a finished run leaves, without what differs from run to run: times and speeds.
fn result(run: &Path) -> (Checkpoint, Vec<u8>, Vec<serde_json::Value>) {
    let checkpoint = Checkpoint::load(&run.join("last.ckpt")).unwrap();
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let metrics = metrics.lines().map(|line| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        // An interruption splits the means of losses, but not the steps.
        for key in ["subimages_per_second", "loss"] {
            record.as_object_mut().unwrap().remove(key);
        }
        record
    });
    let evals = metrics.filter(|record| record["kind"] == "eval").collect();
    (
        Checkpoint { elapsed: Duration::ZERO, ..checkpoint },
        fs::read(run.join("best.safetensors")).unwrap(),
        evals,
    )
}

/// Asserts that both runs ended with the same parameters, best weights and figures, and that the run has learned.
#[track_caller]
fn same(desk: &Path, one: &str, other: &str) {
    let (one, other) = (result(&desk.join(one)), result(&desk.join(other)));
    assert_eq!((one.0.state.step, one.2.len()), (STEPS, 5));
    assert!(one.0 == other.0, "the checkpoints differ");
    assert!(one.1 == other.1, "the best weights differ");
    assert_eq!(one.2, other.2);
}

/// Pseudo-random numbers from a seed that is printed; set `SRCNN_TEST_SEED` to repeat them.
fn random() -> impl FnMut(u64) -> u64 {
    let clock = || std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into();
    let given = std::env::var("SRCNN_TEST_SEED").ok();
    let seed: u64 = given.map_or_else(clock, |seed| seed.parse().unwrap());
    println!("SRCNN_TEST_SEED={seed}");
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

#[test]
fn killed_at_any_moment_it_ends_the_same() {
    let desk = desk();
    let (code, stderr) = run(desk.path(), &new_run("whole", STEPS));
    assert_eq!(code, Some(0), "{stderr}");
    let mut random = random();
    let mut args = new_run("killed", STEPS);
    let mut kills = 0;
    for _ in 0..4 {
        let (blocks, pause) = (1 + random(12), random(20_000));
        println!("kill after {blocks} blocks and {pause} microseconds");
        let mut running = Running::start(desk.path(), &args);
        let in_progress = running.wait_for(blocks);
        std::thread::sleep(Duration::from_micros(pause));
        running.signal("-KILL");
        let (code, stderr) = running.end();
        // None means a signal; a run that had already finished has no signal.
        assert!(code.is_none() || !in_progress || code == Some(0), "{code:?} {stderr}");
        kills += u32::from(code.is_none());
        args = "train --resume killed".into();
    }
    assert!(kills > 0);
    fs::write(desk.path().join("killed/.srcnn-gpu-x1Yz2b"), b"half a file").unwrap();
    let (code, stderr) = run(desk.path(), &args);
    assert_eq!(code, Some(0), "{stderr}");
    same(desk.path(), "whole", "killed");
    // Nothing is left of what a killed process was writing; a new empty file may belong to a living one.
    let left = fs::read_dir(desk.path().join("killed")).unwrap().map(Result::unwrap);
    let left = left.filter(|entry| entry.path().is_dir() || entry.metadata().unwrap().len() > 0);
    let mut left: Vec<_> = left.map(|entry| entry.file_name().into_string().unwrap()).collect();
    left.sort();
    let files = [
        "best.safetensors",
        "config.toml",
        "curve.svg",
        "filters.png",
        "last.ckpt",
        "metrics.jsonl",
        "samples",
    ];
    assert_eq!(left, files);

    // The same with signals, after which it saves, so that nothing is redone.
    for (signal, expected) in [("-INT", 130), ("-TERM", 143)] {
        let folder = format!("run{signal}");
        let mut running = Running::start(desk.path(), &new_run(&folder, STEPS));
        assert!(running.wait_for(2 + random(4)));
        running.signal(signal);
        let (code, stderr) = running.end();
        assert_eq!((code, stderr.contains("error")), (Some(expected), false), "{stderr}");
        let step = Checkpoint::load(&desk.path().join(&folder).join("last.ckpt")).unwrap().state.step;
        assert!(step > 0 && step < STEPS, "{step}");
        let (code, stderr) = run(desk.path(), &format!("train --resume {folder}"));
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains(&format!("from step {step}")), "{stderr}");
        same(desk.path(), "whole", &folder);
    }
}

/// Pictures that are drawn anew in each epoch, for several factors: the same, wherever the run is cut off.
#[test]
fn draws_are_those_of_the_epoch() {
    let desk = desk();
    let drawn = "-s 2,3 --val val --arch 3-1-3 --filters 4-4 --batch 8 --patch 15 --stride 9 --eval-every 40 \
                 --save-every 15 --degradation blur:0..1,bicubic,noise:0..9,jpeg:30..90@0.7";
    let args =
        |folder: &str, seed: u32| format!("train data {drawn} --steps {STEPS} --seed {seed} -o {folder}");
    for (folder, seed) in [("whole", 0), ("other", 1)] {
        let (code, stderr) = run(desk.path(), &args(folder, seed));
        assert_eq!(code, Some(0), "{stderr}");
    }
    let mut random = random();
    let mut running = Running::start(desk.path(), &args("killed", 0));
    running.wait_for(2 + random(4));
    running.signal("-KILL");
    running.end();
    let (code, stderr) = run(desk.path(), "train --resume killed");
    assert_eq!(code, Some(0), "{stderr}");
    same(desk.path(), "whole", "killed");
    assert!(result(&desk.path().join("whole")).1 != result(&desk.path().join("other")).1);
}

/// While a process works on a run, another one is refused, and changes nothing. A foreign byte in the metrics stops no resume.
#[test]
fn one_process_works_on_a_run() {
    let desk = desk();
    let mut running = Running::start(desk.path(), &new_run("run", 1_000_000));
    assert!(running.wait_for(2));
    let read = |name: &str| fs::read(desk.path().join("run").join(name)).unwrap();
    let before = read("config.toml");
    let (code, stderr) = run(desk.path(), "train --resume run --steps 3");
    assert!(code == Some(5) && stderr.contains("another process works on this run"), "{code:?} {stderr}");
    let (code, stderr) = run(desk.path(), &new_run("run", 3));
    assert!(code == Some(5) && stderr.contains("run is there already"), "{code:?} {stderr}");
    assert_eq!(read("config.toml"), before);
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(143));
    let step = Checkpoint::load(&desk.path().join("run/last.ckpt")).unwrap().state.step;

    let kept = read("metrics.jsonl");
    let mut metrics = fs::File::options().append(true).open(desk.path().join("run/metrics.jsonl")).unwrap();
    metrics.write_all(b"\xff\n").unwrap();
    let (code, stderr) = run(desk.path(), &format!("train --resume run --steps {}", step + 40));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(read("metrics.jsonl").starts_with(&kept), "all numbers are as they were");
}

#[test]
fn a_folder_that_is_deleted() {
    let desk = desk();
    let mut running = Running::start(desk.path(), &new_run("run", 1_000_000));
    assert!(running.wait_for(2));
    fs::remove_dir_all(desk.path().join("run")).ok();
    let (code, stderr) = running.end();
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!((code, errors.len()), (Some(5), 1), "{stderr}");
    assert!(
        errors[0].contains("run") && ["gone", "exist"].iter().any(|word| errors[0].contains(word)),
        "{stderr}"
    );
    // Nobody is left with half a run.
    assert!(!desk.path().join("run/last.ckpt").exists());
}

/// Unreadable pictures are skipped if they never could be read, refused if the run has used them before.
#[test]
fn pictures_that_cannot_be_read() {
    let desk = desk();
    fs::write(desk.path().join("data/broken.png"), b"no picture").unwrap();
    fs::write(desk.path().join("val/broken.png"), b"no picture").unwrap();
    let (code, stderr) = run(desk.path(), &new_run("run", 20));
    assert_eq!(code, Some(0), "{stderr}");
    for name in ["data/broken.png", "val/broken.png"] {
        let told = stderr.lines().filter(|line| line.starts_with("warning: ") && line.contains(name)).count();
        assert_eq!(told, 1, "{name}: {stderr}");
    }
    let before = fs::read(desk.path().join("run/last.ckpt")).unwrap();
    let picture = fs::read(desk.path().join("data/2.png")).unwrap();
    fs::write(desk.path().join("data/2.png"), &picture[..20]).unwrap();
    let (code, stderr) = run(desk.path(), "train --resume run --steps 40");
    assert_eq!(code, Some(2), "{stderr}");
    assert!(
        stderr.lines().any(|line| line.starts_with("error: the training pictures are not those")),
        "{stderr}"
    );
    assert_eq!(fs::read(desk.path().join("run/last.ckpt")).unwrap(), before);
    // With the picture back, it continues.
    fs::write(desk.path().join("data/2.png"), &picture).unwrap();
    let (code, stderr) = run(desk.path(), "train --resume run --steps 40");
    assert_eq!(code, Some(0), "{stderr}");
}

/// A separate disk that fills up in the middle of a run; afterwards there is room again.
#[test]
fn a_full_disk() {
    let mounts = |args: &[&str]| {
        let mut probe = Command::new("unshare");
        probe.args(args).args(["sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"]).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    };
    let Some(unshare) = [vec!["-m"], vec!["-rm"]].into_iter().find(|args| mounts(args)) else {
        println!("SKIPPED: file systems cannot be mounted here");
        return;
    };
    let desk = desk();
    let whole = run(desk.path(), &new_run("whole", STEPS));
    assert_eq!(whole.0, Some(0), "{}", whole.1);
    fs::create_dir(desk.path().join("disk")).unwrap();
    // The mount disappears with the shell, so everything is one script; the run is copied out at the end.
    let script = format!(
        "mount -t tmpfs -o size=256k tmpfs disk || exit 90\n\
         $PROGRAM {} 2>told.txt & run=$!\n\
         until [ -e disk/run/last.ckpt ]; do kill -0 $run || exit 91; sleep 0.01; done\n\
         dd if=/dev/zero of=disk/filler bs=4k 2>/dev/null\n\
         wait $run; echo $? >code.txt\n\
         cp disk/run/last.ckpt after.ckpt\n\
         rm disk/filler\n\
         $PROGRAM train --resume disk/run || exit 92\n\
         cp -r disk/run full",
        new_run("disk/run", STEPS)
    );
    let mut file = fs::File::create(desk.path().join("script.sh")).unwrap();
    file.write_all(script.as_bytes()).unwrap();
    let output = Command::new("unshare")
        .args(unshare)
        .args(["sh", "script.sh"])
        .env("PROGRAM", env!("CARGO_BIN_EXE_srcnn-gpu"))
        .current_dir(desk.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read_to_string(desk.path().join(name)).unwrap();
    let told = read("told.txt");
    let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!((read("code.txt").trim(), errors.len()), ("5", 1), "{told}");
    assert!(errors[0].contains("disk/run") && errors[0].ends_with("the disk is full"), "{told}");
    let kept = Checkpoint::load(&desk.path().join("after.ckpt")).unwrap().state.step;
    assert!(kept > 0 && kept < STEPS, "{kept}");
    same(desk.path(), "whole", "full");
}
