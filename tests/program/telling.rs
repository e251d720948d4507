//! What the program says while it works: colors, progress, summaries, the pictures that errors are about.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::desk::{Desk, Run, color, grey};

/// Runs a command line on a terminal, by the program `script`; returns what it shows.
fn on_terminal(desk: &Desk, args: &str, variables: &[(&str, &str)]) -> Option<String> {
    let line = format!("{} {args}", env!("CARGO_BIN_EXE_srcnn-gpu"));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(desk.path("."));
    command.env("TERM", "xterm").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command.env("XDG_RUNTIME_DIR", desk.path(".")).envs(variables.iter().copied());
    match command.output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(e) => {
            println!("SKIPPED: no program `script` to make a terminal with ({e})");
            None
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn colors_on_terminals_only() {
    let desk = Desk::new();
    fs::write(desk.path("a.png"), "no picture").unwrap();
    let Some(shown) = on_terminal(&desk, "upscale a.png", &[]) else { return };
    assert!(shown.contains("\x1b[1m\x1b[31merror:\x1b[0m a.png"), "{shown:?}");
    let Some(shown) = on_terminal(&desk, "upscale --no-such", &[]) else { return };
    assert!(shown.contains("error:\x1b[0m unexpected argument"), "{shown:?}");
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let Some(shown) = on_terminal(&desk, "upscale a.png", &[variable]) else { return };
        assert!(shown.contains("error: a.png") && !shown.contains('\x1b'), "{shown:?}");
    }
    assert!(!desk.upscale("a.png").stderr.contains('\x1b'));
    desk.upscale("--no-such").fails(2, &["error: unexpected argument '--no-such' found", "; try --help"]);
}

#[test]
fn a_dry_run_does_not_say_done() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    (0..4).for_each(|i| desk.save(&format!("in/{i}.png"), grey(5, 5)));
    desk.upscale("in/0.png -o out/").wrote(&["out/0.png"]);
    let run = desk.upscale("in -o out --dry-run");
    let last = run.stderr.lines().last().unwrap();
    assert!(last.starts_with("3 of 4 to do, nothing is written, 1 up to date in "), "{}", run.stderr);
}

/// Half of the time of a large scale is half of the progress, although it takes several passes, and what is left becomes less.
#[test]
fn progress_is_weighed_by_work() {
    let desk = Desk::new();
    desk.save("a.png", color(24, 24));
    let run = desk.run("upscale a.png -o b.png -s 40 -t 128 --json --no-autotune");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let events: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().filter(|event| event["event"] == "prepare").count(), 1);
    let progress: Vec<_> = events.iter().filter(|event| event["event"] == "progress").collect();
    let share = |event: &Value| event["done"].as_f64().unwrap() / event["total"].as_f64().unwrap();
    let shares: Vec<_> = progress.iter().map(|event| share(event)).collect();
    assert!(shares.is_sorted() && shares.last() == Some(&1.0), "{shares:?}");
    // The passes before the last one are a tenth of the work: its first tiles come before a quarter.
    let last = shares.iter().position(|&share| share > 0.15).unwrap();
    assert!(shares[last] < 0.4, "{shares:?}");
    assert!(progress.last().unwrap()["eta_s"].as_f64().is_some_and(|seconds| seconds < 0.5));
}

#[test]
fn errors_of_the_device_name_the_picture() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", color(6, 6));
    desk.save("in/b.png", color(64, 64));
    // Smaller than what this padding removes: nothing is left of the first one.
    let run = desk.run("upscale -m small in -o out --padding valid -s 2");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), "out/b.png\n"), "{}", run.stderr);
    assert!(run.stderr.contains("error: in/a.png: padding 'valid' removes"), "{}", run.stderr);
    let run: Run =
        desk.command("upscale -m small in/a.png -o out --padding valid --json").output().unwrap().into();
    assert!(run.stdout.contains("\"msg\":\"in/a.png: padding"), "{}", run.stdout);
}
