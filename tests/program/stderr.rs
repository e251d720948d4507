//! A standard error that cannot be written: full, closed, or with a reader that has left. The work is done all the same.
#![cfg(unix)]

use std::fs::File;
use std::process::{Command, Stdio};

use crate::common::desk::{Desk, color};

/// The exit code of the program with a stderr of this kind.
fn code(desk: &Desk, args: &str, stderr: &str) -> Option<i32> {
    let mut command = desk.command(args);
    command.stdout(Stdio::null());
    match stderr {
        "full" => drop(command.stderr(File::options().write(true).open("/dev/full").unwrap())),
        "closed" => {
            let inner = desk.command(args);
            command = Command::new("sh");
            command.args(["-c", "exec \"$0\" \"$@\" 2>&-"]).arg(inner.get_program()).args(inner.get_args());
            command.current_dir(desk.path(".")).stdout(Stdio::null());
        }
        _ => {
            command.stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            drop(child.stderr.take());
            return child.wait().unwrap().code();
        }
    }
    command.status().unwrap().code()
}

#[test]
fn nobody_reads_what_is_told() {
    let desk = Desk::new();
    for folder in ["data", "set"] {
        std::fs::create_dir(desk.path(folder)).unwrap();
        desk.save(&format!("{folder}/a.png"), color(48, 48));
    }
    std::fs::write(desk.path("data/broken.png"), "no picture").unwrap();
    std::fs::write(desk.path("note.txt"), "no picture").unwrap();
    let train = "train data -s 2 --val set --arch 3-1-3 --filters 4-4 --batch 4 --patch 16 --steps 8 -o";
    let kinds: &[&str] =
        if cfg!(target_os = "linux") { &["full", "closed", "gone"] } else { &["closed", "gone"] };
    for stderr in kinds {
        for (args, expected) in [
            // Warnings and the summary, the error of one picture, progress, a bar, details.
            (format!("upscale -m m.safetensors data -o out-{stderr} --progress lines"), 1),
            (format!("upscale -m m.safetensors data/a.png -o {stderr}.png --progress bar -vv"), 0),
            (format!("upscale -m m.safetensors note.txt -o {stderr}2.png"), 1),
            ("upscale --no-such-flag".into(), 2),
            ("eval -m m.safetensors set -s 2 -vv".into(), 0),
            (format!("{train} run-{stderr} -v"), 0),
        ] {
            assert_eq!(code(&desk, &args, stderr), Some(expected), "{stderr}: {args}");
        }
        assert!(desk.exists(&format!("out-{stderr}/a.png")) && desk.exists(&format!("{stderr}.png")));
        assert!(desk.exists(&format!("run-{stderr}/last.ckpt")));
    }
}
