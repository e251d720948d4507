//! How long runs train, how often they are measured, and what is said about those that learn nothing.

use std::fs;

use crate::common::desk::{Desk, waves};

const NETWORK: &str = "--arch 3-1-3 --filters 4-4 --batch 4 --patch 16";

/// A desk with pictures to train on and two sets to measure on.
fn desk() -> Desk {
    let desk = Desk::new();
    for folder in ["data", "first", "second"] {
        fs::create_dir(desk.path(folder)).unwrap();
        desk.save(&format!("{folder}/a.png"), waves(48, 48));
    }
    desk
}

fn evaluations(desk: &Desk, run: &str) -> Vec<u64> {
    let metrics = fs::read_to_string(desk.path(&format!("{run}/metrics.jsonl"))).unwrap();
    let records = metrics.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    records.filter(|record| record["kind"] == "eval").map(|record| record["step"].as_u64().unwrap()).collect()
}

#[test]
fn a_finished_run_is_not_silent() {
    let desk = desk();
    let run = desk.run(&format!("train data -s 2 {NETWORK} --steps 8 -o run"));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let again = desk.run("train --resume run");
    assert_eq!(again.code, Some(0));
    assert!(
        again.stderr.contains("at its limit of 8 steps") && again.stderr.contains("--steps above 8"),
        "{}",
        again.stderr
    );
    // Nothing is prepared for it: neither the pictures nor the adapter, which would be another line.
    fs::rename(desk.path("data"), desk.path("elsewhere")).unwrap();
    let again = desk.run("train --resume run");
    again.wrote(&["run/best.safetensors"]);
    assert_eq!(again.stderr.lines().count(), 1, "{}", again.stderr);
    let json = desk.run("--quiet train --resume run --json");
    let event: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&event["event"], &event["step"]), (&"end".into(), &8.into()));
    fs::rename(desk.path("elsewhere"), desk.path("data")).unwrap();
    desk.run("train --resume run --lr 0.001")
        .fails_with(2, "the run is complete, at its limit of 8 steps; --steps above 8");
    desk.run("train --resume run --steps 8").fails_with(2, "the run has done 8 steps already");
    desk.run("train --resume run --backprops 30").fails_with(2, "--backprops above 32");
    // A time is for this call.
    let step = |text: &str| -> u64 {
        let done = text.lines().find_map(|line| line.strip_prefix("done at step ")).unwrap();
        done.split(' ').next().unwrap().parse().unwrap()
    };
    let longer = desk.run("train --resume run --time 1s");
    assert_eq!(longer.code, Some(0), "{}", longer.stderr);
    let first = step(&longer.stderr);
    assert!(first > 8, "{}", longer.stderr);
    let longer = desk.run("train --resume run --time 1s --lr 0.001");
    assert!(longer.code == Some(0) && step(&longer.stderr) > first, "{}", longer.stderr);
}

#[test]
fn evaluations_follow_the_limit() {
    let desk = desk();
    let new = |more: &str| desk.run(&format!("train data -s 2 {NETWORK} --val first --val second {more}"));
    let run = new("--steps 100 -o steps");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(evaluations(&desk, "steps"), (1..=20).map(|i| 5 * i).collect::<Vec<_>>());
    // One set after the other, by name.
    for set in ["first", "second"] {
        assert!(run.stderr.contains(&format!("step 100: {set} ")), "{}", run.stderr);
    }
    let run = new("--time 4s -o time");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let count = evaluations(&desk, "time").len();
    assert!((3..=30).contains(&count), "{count}: {}", run.stderr);
    assert!(fs::read_to_string(desk.path("time/config.toml")).unwrap().contains("eval_every = \"auto\""));
    assert_eq!(new("--steps 60 --eval-every 25 -o given").code, Some(0));
    assert_eq!(evaluations(&desk, "given"), [25, 50, 60]);
    // Progress for programs has each set too.
    let run = new("--steps 20 --eval-every 1 -o json --json");
    let progress = run.stdout.lines().rfind(|line| line.contains("\"event\":\"progress\"")).unwrap();
    let progress: serde_json::Value = serde_json::from_str(progress).unwrap();
    let sets: Vec<&str> =
        progress["sets"].as_array().unwrap().iter().map(|set| set["set"].as_str().unwrap()).collect();
    assert_eq!(sets, ["first", "second"]);
}

#[test]
fn colors_are_validated_as_colors() {
    let desk = desk();
    let run = desk.run(&format!("train data -s 2 {NETWORK} --channels rgb --val first --steps 4 -o run"));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains(" dB of RGB (bicubic "), "{}", run.stderr);
    let eval = desk.run("--quiet eval first -m run --json");
    let report: serde_json::Value = serde_json::from_str(&eval.stdout).unwrap();
    assert_eq!((&report["sets"][0]["samples"], &report["sets"][0]["model"]), (&"rgb".into(), &"run".into()));
    let info = desk.run("model info run").stdout;
    let psnr = info.lines().find(|line| line.starts_with("PSNR ")).unwrap();
    assert!(psnr.contains(" dB on first x2 in RGB (bicubic "), "{psnr}");
}

/// Without pictures to measure on, the losses tell: of a run whose numbers stop being numbers, of one that only became bad,
/// and of one that learns.
#[test]
fn diverged_runs_are_told() {
    let desk = desk();
    let train = |more: &str| desk.run(&format!("train data -s 2 {NETWORK} {more}"));
    let run = train("--lr 1e30 --steps 200 -o gone");
    run.fails_with(1, "training has diverged");
    let run = train("--lr 100 --steps 60 -o bad");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        run.stderr.contains("warning: WORSE THAN BICUBIC on the training pictures: the last loss is "),
        "{}",
        run.stderr
    );
    // Plain interpolation as the beginning, and hardly a step away from it.
    fs::write(desk.path("c.toml"), "[initialization]\nkind = 'identity'\ngain = 0.0\nlast_gain = 0.0\n")
        .unwrap();
    let run = train("--config c.toml --lr 1e-12 --steps 10 -o same");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let line = run.stderr.lines().find(|line| line.contains("the last loss is ")).unwrap();
    let numbers: Vec<f64> = line.split([' ', ',', ';']).filter_map(|word| word.parse().ok()).collect();
    let [loss, bicubic] = numbers[..] else { panic!("{line}") };
    // Mean over a few sub-images of similar pictures against the mean over all.
    assert!(loss > 0.0 && bicubic > 0.0 && (loss / bicubic).ln().abs() < 1.6, "{line}");
}
